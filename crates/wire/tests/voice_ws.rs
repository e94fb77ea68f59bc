//! A browser's socket, heard and spoken from both ends.

use proptest::prelude::*;
use ringway_frame::SampleRate;
use ringway_wire::voice_ws::{
    AudioFormat, Codec, ConversationState, Down, Event, LONGEST_ANSWER_MS, Session, Stage, StageState, Start,
    TurnLatency, Up,
};
use ringway_wire::{CloseCode, ErrorCode, MAX_MESSAGE, ProtocolError, UserError};
use std::collections::BTreeMap;
use std::time::Duration;

const START: &str = r#"{"type":"start","codec":"pcm16","sampleRate":16000}"#;
const FRAME_BYTES: usize = 640;

fn started(codec: Codec, rate: SampleRate) -> Session {
    let mut session = Session::new();
    let format = AudioFormat::new(codec, rate).expect("spoken");
    session.text(&Up::Start(Start::of(format)).to_text()).expect("in order");
    session
}

fn in_call() -> Session {
    started(Codec::Pcm16, SampleRate::HZ_16000)
}

fn refusal(session: &mut Session, text: &str) -> ProtocolError {
    session.text(text).expect_err(text)
}

#[test]
fn a_session_is_heard_from_start_to_stop() {
    let mut session = Session::new();
    let format = AudioFormat::new(Codec::Pcm16, SampleRate::HZ_16000).unwrap();
    let start = r#"{"type":"start","codec":"pcm16","sampleRate":16000,"dialogue":"booking","parameters":{"name":"Ada"}}"#;
    let parameters = BTreeMap::from([("name".to_owned(), "Ada".to_owned())]);
    let asked = Start { dialogue: Some("booking".to_owned()), parameters, ..Start::of(format) };
    assert_eq!(session.text(start), Ok(Some(Event::Started(asked))));
    assert_eq!(session.binary(&[1; FRAME_BYTES]), Ok(Some(Event::Audio(&[1; FRAME_BYTES]))));
    assert_eq!(session.text(r#"{"type":"mute","muted":true}"#), Ok(Some(Event::Mute(true))));
    assert_eq!(session.text(r##"{"type":"dtmf","digit":"#"}"##), Ok(Some(Event::Dtmf('#'))));
    assert_eq!(session.text(r#"{"type":"interrupt"}"#), Ok(Some(Event::Interrupt)));
    let until = Duration::from_millis(1_500);
    assert_eq!(
        session.text(r#"{"type":"truncate","turn":1,"audioEndMs":1500}"#),
        Ok(Some(Event::Truncate { turn: 1, until }))
    );
    assert_eq!(session.text(r#"{"type":"stop"}"#), Ok(Some(Event::Stopped)));
    assert_eq!(session.binary(&[1; 3]), Ok(None), "audio may still be on its way");
    assert_eq!(session.text("hello"), Ok(None));
}

#[test]
fn every_codec_and_rate_of_the_contract_is_spoken() {
    let samples_of_20_ms = [(SampleRate::HZ_16000, 320), (SampleRate::HZ_48000, 960)];
    for (rate, samples) in samples_of_20_ms {
        assert!(started(Codec::Pcm16, rate).binary(&vec![0; samples * 2]).is_ok());
        assert!(started(Codec::Opus, rate).binary(&[0b0100_1000, 1, 2]).is_ok());
    }
}

#[test]
fn other_codecs_end_the_session() {
    let error = refusal(&mut Session::new(), &START.replace("pcm16", "mp3"));
    assert_eq!((error.code, error.close), (ErrorCode::UnknownCodec, Some(CloseCode::Kind)));
    assert_eq!(error.message, r#"codec: pcm16 and opus are spoken here, not "mp3""#);
}

#[test]
fn frames_of_other_lengths_are_refused_and_the_call_goes_on() {
    let mut session = in_call();
    for len in [0, 1, 608, 639, 641, 672, 1_280] {
        let error = session.binary(&vec![0; len]).unwrap_err();
        assert_eq!((error.code, error.is_recoverable()), (ErrorCode::BadFrameSize, true), "{len}");
        assert_eq!(error.message, format!("a frame of 20 ms at 16000 Hz has 640 bytes, not {len}"));
    }
    assert!(session.binary(&[0; FRAME_BYTES]).is_ok());
    for packet in [&[][..], &[0b0100_0000], &[3], &[0b0101_0000]] {
        let error = started(Codec::Opus, SampleRate::HZ_48000).binary(packet).unwrap_err();
        assert_eq!((error.code, error.is_recoverable()), (ErrorCode::BadFrameSize, true), "{packet:?}");
    }
}

#[test]
fn audio_before_start_ends_the_session() {
    let error = Session::new().binary(&[0; FRAME_BYTES]).unwrap_err();
    assert_eq!((error.code, error.close), (ErrorCode::MediaBeforeStart, Some(CloseCode::Order)));
}

#[test]
fn a_second_start_is_refused_and_the_call_goes_on() {
    let mut session = in_call();
    let error = refusal(&mut session, &START.replace("16000", "48000"));
    assert_eq!((error.code, error.is_recoverable()), (ErrorCode::StartTwice, true));
    assert!(session.binary(&[0; FRAME_BYTES]).is_ok(), "still at 16 kHz");
}

#[test]
fn fields_of_wrong_types_are_named_and_the_call_goes_on() {
    let cases = [
        ("[]", "a message is a JSON object, not an array"),
        ("{}", "type: is missing"),
        (r#"{"type":7}"#, "type: is to be a string, not a number"),
        (r#"{"type":"mute"}"#, "muted: is missing"),
        (r#"{"type":"mute","muted":"yes"}"#, "muted: is to be true or false, not a string"),
        (r#"{"type":"dtmf","digit":1}"#, "digit: is to be a string, not a number"),
        (r#"{"type":"dtmf","digit":"12"}"#, "digit: is to be one of 0-9, *, # and A-D"),
        (
            r#"{"type":"start","codec":"pcm16","sampleRate":"16000"}"#,
            "sampleRate: is to be a whole number, not a string",
        ),
        (
            r#"{"type":"start","codec":"pcm16","sampleRate":44100}"#,
            "sampleRate: is to be 16000 or 48000, not 44100",
        ),
        (r#"{"type":"start","codec":"pcm16","sampleRate":0}"#, "sampleRate: is to be 16000 or 48000, not 0"),
        (
            r#"{"type":"start","codec":"pcm16","sampleRate":-1}"#,
            "sampleRate: is to be a whole number, not a number",
        ),
        (r#"{"type":"start","sampleRate":16000}"#, "codec: is missing"),
        (
            r#"{"type":"start","codec":"pcm16","sampleRate":16000,"dialogue":[]}"#,
            "dialogue: is to be a string, not an array",
        ),
    ];
    for (text, message) in cases {
        for mut session in [Session::new(), in_call()] {
            let error = refusal(&mut session, text);
            assert_eq!((error.code, error.is_recoverable()), (ErrorCode::BadField, true), "{text}");
            assert_eq!(error.message, message, "{text}");
        }
    }
}

#[test]
fn a_start_with_a_bad_field_may_be_sent_again() {
    let mut session = Session::new();
    refusal(&mut session, &START.replace("16000", "44100"));
    assert!(matches!(session.text(START), Ok(Some(Event::Started(_)))));
}

#[test]
fn an_unknown_message_is_refused_and_the_call_goes_on() {
    let error = refusal(&mut in_call(), r#"{"type":"dance"}"#);
    assert_eq!((error.code, error.is_recoverable()), (ErrorCode::UnknownMessage, true));
}

#[test]
fn text_that_is_not_json_ends_the_session() {
    for text in ["{", r#"{"type":"stop""#, r#"{"type":"stop"}x"#] {
        for mut session in [Session::new(), in_call()] {
            let error = refusal(&mut session, text);
            assert_eq!((error.code, error.close), (ErrorCode::BadJson, Some(CloseCode::Bytes)), "{text}");
        }
    }
    assert_eq!(refusal(&mut Session::new(), "hello").code, ErrorCode::BadJson);
}

#[test]
fn audio_as_text_ends_the_session() {
    let error = refusal(&mut in_call(), "//8AAQ==");
    assert_eq!((error.code, error.close), (ErrorCode::BinaryExpected, Some(CloseCode::Kind)));
}

#[test]
fn oversized_messages_end_the_session() {
    let too_long = MAX_MESSAGE + 1;
    for error in [
        refusal(&mut in_call(), &"x".repeat(too_long)),
        in_call().binary(&vec![0; too_long]).unwrap_err(),
        Session::new().binary(&vec![0; too_long]).unwrap_err(),
    ] {
        assert_eq!((error.code, error.close), (ErrorCode::MessageTooLarge, Some(CloseCode::Size)));
    }
}

fn every_down() -> Vec<Down> {
    let latency = TurnLatency {
        turn: 1,
        answer_ms: 250,
        end_of_turn_ms: 200,
        stt_ms: 20,
        llm_ms: 10,
        tools_ms: 0,
        tts_ms: 15,
        rebuild_ms: 0,
        playout_ms: 5,
    };
    let error = ProtocolError::recoverable(
        ErrorCode::BadFrameSize,
        "a frame of 20 ms at 16000 Hz has 640 bytes, not 608",
    );
    let full = UserError {
        code: "capacity".into(),
        message: "all lines are taken".to_owned(),
        session_id: None,
        recoverable: false,
    };
    vec![
        Down::Started {
            session_id: "5f1c".to_owned(),
            call_id: "0123456789abcdef0123456789abcdef".to_owned(),
            codec: Codec::Pcm16,
            sample_rate: 16_000,
            token: None,
            resume_within_ms: None,
            resumed: false,
        },
        Down::Started {
            session_id: "5f1c".to_owned(),
            call_id: "0123456789abcdef0123456789abcdef".to_owned(),
            codec: Codec::Opus,
            sample_rate: 48_000,
            token: Some("2b7e151628aed2a6abf7158809cf4f3c".to_owned()),
            resume_within_ms: Some(30_000),
            resumed: true,
        },
        Down::State { state: ConversationState::Listening },
        Down::State { state: ConversationState::Thinking },
        Down::State { state: ConversationState::Speaking },
        Down::Transcript { turn: 1, text: "friday".to_owned(), is_final: true },
        Down::Bot { turn: 1, text: "Friday it is.".to_owned(), is_final: false },
        Down::Clear { turn: 1 },
        Down::Stage { stage: Stage::Tts, state: StageState::Restarting, restarts: 1 },
        Down::Service {
            stage: Stage::Stt,
            from: "deepgram".to_owned(),
            to: "pocketsphinx".to_owned(),
            cause: "late".to_owned(),
        },
        Down::Language { turn: 1, language: "de".into() },
        Down::Late { turn: 1, stage: Stage::Llm },
        Down::Latency(latency),
        Down::Error(error.to_user(Some("5f1c"))),
        Down::Error(full),
        Down::Ended { reason: "caller_hung_up".to_owned() },
    ]
}

#[test]
fn the_server_writes_what_the_contract_shows() {
    let lines: Vec<String> = every_down().iter().map(Down::to_text).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_client_understands_every_message_of_the_server() {
    for message in every_down() {
        assert_eq!(Down::parse(&message.to_text()).unwrap(), message);
    }
    assert!(Down::parse(r#"{"type":"clear"}"#).is_err());
}

#[test]
fn what_was_played_is_a_turn_and_a_time_and_anything_else_is_refused() {
    let truncate = |fields: &str| format!(r#"{{"type":"truncate"{fields}}}"#);
    let refused = [
        ("", "turn: is missing"),
        (r#","turn":1"#, "audioEndMs: is missing"),
        (r#","turn":-1,"audioEndMs":0"#, "turn: is to be a whole number, not a number"),
        (r#","turn":4294967296,"audioEndMs":0"#, "turn: is to be at most 4294967295, not 4294967296"),
        (r#","turn":1,"audioEndMs":1.5"#, "audioEndMs: is to be a whole number, not a number"),
        (r#","turn":1,"audioEndMs":3600001"#, "audioEndMs: is to be at most 3600000, not 3600001"),
    ];
    let mut session = in_call();
    for (fields, message) in refused {
        let error = refusal(&mut session, &truncate(fields));
        assert_eq!((error.code, error.is_recoverable()), (ErrorCode::BadField, true), "{fields}");
        assert_eq!(error.message, message);
    }
    let latest = truncate(r#","turn":0,"audioEndMs":3600000"#);
    let until = Duration::from_secs(3_600);
    assert_eq!(session.text(&latest), Ok(Some(Event::Truncate { turn: 0, until })));
    assert_eq!(Session::new().text(&latest), Ok(None), "before start it means nothing");
}

fn any_up() -> impl Strategy<Value = Up> {
    let format =
        (prop_oneof![Just(Codec::Pcm16), Just(Codec::Opus)], prop_oneof![Just(16_000), Just(48_000)])
            .prop_map(|(codec, hz)| {
                AudioFormat::new(codec, SampleRate::new(hz).expect("not zero")).expect("spoken")
            });
    prop_oneof![
        (
            format,
            prop::option::of(".*"),
            prop::collection::btree_map(".*", ".*", 0..3),
            prop::option::of("[0-9a-f]{32}"),
            any::<bool>()
        )
            .prop_map(|(format, dialogue, parameters, token, resume)| {
                Up::Start(Start { format, dialogue, parameters, token, resume })
            }),
        any::<bool>().prop_map(|muted| Up::Mute { muted }),
        prop::char::ranges(vec!['0'..='9', '*'..='*', '#'..='#', 'A'..='D'].into())
            .prop_map(|digit| Up::Dtmf { digit }),
        "[a-z]{1,9}( [a-z]{1,9}){0,3}".prop_map(|text| Up::Text { text }),
        Just(Up::Interrupt),
        (any::<u32>(), 0..=LONGEST_ANSWER_MS)
            .prop_map(|(turn, audio_end_ms)| Up::Truncate { turn, audio_end_ms }),
        Just(Up::Stop),
    ]
}

proptest! {
    #[test]
    fn the_server_understands_what_a_client_writes(message in any_up()) {
        prop_assert_eq!(Up::parse(&message.to_text()), Ok(message));
    }
}
