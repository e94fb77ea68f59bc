//! A carrier's socket, heard and spoken from both ends.

use proptest::prelude::*;
use ringway_frame::{Format, MediaTime};
use ringway_wire::twilio::{
    CarrierWriter, Dialect, Event, FromCarrier, Media, Notice, ServerWriter, Session, Start, ToCarrier, Track,
};
use ringway_wire::{CloseCode, ErrorCode, MAX_MESSAGE, ProtocolError};

const CONNECTED: &str = r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#;
const START: &str = r#"{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC1","streamSid":"MZ1","callSid":"CA1","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{"dialogue":"booking"}},"streamSid":"MZ1"}"#;
const MEDIA: &str = r#"{"event":"media","sequenceNumber":"3","media":{"track":"inbound","chunk":"2","timestamp":"20","payload":"//8AAQ=="},"streamSid":"MZ1"}"#;
const DTMF: &str =
    r#"{"event":"dtmf","streamSid":"MZ1","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"1"}}"#;
const MARK: &str = r#"{"event":"mark","sequenceNumber":"4","streamSid":"MZ1","mark":{"name":"x"}}"#;
const STOP: &str =
    r#"{"event":"stop","sequenceNumber":"5","streamSid":"MZ1","stop":{"accountSid":"AC1","callSid":"CA1"}}"#;

fn start() -> Start {
    Start {
        stream: "MZ1".to_owned(),
        call: "CA1".to_owned(),
        account: "AC1".to_owned(),
        format: Format::Mulaw8k,
        custom_parameters: [("dialogue".to_owned(), "booking".to_owned())].into(),
    }
}

fn streaming() -> Session {
    let mut session = Session::new(&Dialect::TWILIO);
    session.text(START, &mut Vec::new()).expect("in order");
    session
}

fn refusal(session: &mut Session, text: &str) -> ProtocolError {
    session.text(text, &mut Vec::new()).expect_err(text)
}

#[test]
fn a_call_is_heard_from_greeting_to_stop() {
    let (mut session, mut audio) = (Session::new(&Dialect::TWILIO), Vec::new());
    let media = Media {
        sequence: Some(3),
        chunk: Some(2),
        timestamp: Some(MediaTime::from_millis(20)),
        track: Track::Inbound,
        payload: &[0xff, 0xff, 0, 1],
        unreadable: None,
    };
    let call = [
        (CONNECTED, FromCarrier::Connected),
        (START, FromCarrier::Start(start())),
        (MEDIA, FromCarrier::Media(media)),
        (DTMF, FromCarrier::Dtmf('1')),
        (MARK, FromCarrier::Mark("x")),
        (STOP, FromCarrier::Stop),
    ];
    for (text, message) in call {
        assert_eq!(session.text(text, &mut audio), Ok(Event::Message(message)), "{text}");
    }
    assert_eq!(session.text(MEDIA, &mut audio), Ok(Event::Ignored(Notice::AfterStop)));
}

#[test]
fn a_greeting_is_not_required() {
    let mut session = Session::new(&Dialect::TWILIO);
    assert_eq!(session.text(START, &mut Vec::new()), Ok(Event::Message(FromCarrier::Start(start()))));
}

#[test]
fn messages_that_carriers_may_add_are_ignored() {
    let (mut session, mut audio) = (streaming(), Vec::new());
    let weather = session.text(r#"{"event":"weather","sky":{"blue":[true]}}"#, &mut audio);
    assert_eq!(weather, Ok(Event::Ignored(Notice::UnknownEvent("weather".to_owned()))));
    let outbound = MEDIA.replace("inbound", "outbound");
    assert_eq!(session.text(&outbound, &mut Vec::new()), Ok(Event::Ignored(Notice::OutboundTrack)));
    assert_eq!(session.text(CONNECTED, &mut Vec::new()), Ok(Event::Ignored(Notice::OutOfPlace)));
    let mut early = Session::new(&Dialect::TWILIO);
    assert_eq!(early.text(MARK, &mut Vec::new()), Ok(Event::Ignored(Notice::OutOfPlace)));
}

#[test]
fn messages_in_a_senseless_order_are_refused() {
    let error = refusal(&mut Session::new(&Dialect::TWILIO), MEDIA);
    assert_eq!((error.code, error.close), (ErrorCode::MediaBeforeStart, Some(CloseCode::Order)));
    let error = refusal(&mut streaming(), START);
    assert_eq!((error.code, error.close), (ErrorCode::StartTwice, None), "the call goes on");
}

#[test]
fn other_codecs_are_refused_by_name() {
    for (found, instead) in [
        ("audio/x-mulaw", "audio/x-l16"),
        (r#""sampleRate":8000"#, r#""sampleRate":16000"#),
        (r#""channels":1"#, r#""channels":2"#),
        (r#""sampleRate":8000"#, r#""sampleRate":"16000""#),
    ] {
        let error = refusal(&mut Session::new(&Dialect::TWILIO), &START.replace(found, instead));
        assert_eq!((error.code, error.close), (ErrorCode::UnknownCodec, Some(CloseCode::Kind)), "{instead}");
        assert!(error.message.starts_with("start.mediaFormat.encoding"), "{error}");
    }
}

fn malformed() -> Vec<(String, ErrorCode, &'static str)> {
    use ErrorCode::{BadBase64, BadField, BadJson};
    vec![
        ("hello".to_owned(), BadJson, "the message is not JSON"),
        (MEDIA[..MEDIA.len() - 1].to_owned(), BadJson, "the message is not JSON"),
        (String::new(), BadJson, "the message is not JSON"),
        ("[".repeat(10_000), BadJson, "the message is not JSON"),
        ("[]".to_owned(), BadField, "a message is a JSON object, not an array"),
        ("{}".to_owned(), BadField, "event: is missing"),
        (r#"{"event":null}"#.to_owned(), BadField, "event: is missing"),
        (r#"{"event":7}"#.to_owned(), BadField, "event: is to be a string, not a number"),
        (MEDIA.replace("//8AAQ==", "no base64"), BadBase64, "media.payload is not base64"),
        (MEDIA.replace("//8AAQ==", "//8AAQ==="), BadBase64, "media.payload is not base64"),
        (MEDIA.replace("//8AAQ==", "A"), BadBase64, "media.payload is not base64"),
        (MEDIA.replace("//8AAQ==", "__8-_w=="), BadBase64, "media.payload is not base64"),
        (MEDIA.replace(r#""//8AAQ==""#, "[1]"), BadField, "media.payload: is to be a string, not an array"),
        (MEDIA.replace(r#""//8AAQ==""#, "null"), BadField, "media.payload: is missing"),
        (MEDIA.replace("inbound", "sideways"), BadField, "media.track: is to be inbound or outbound"),
        (r#"{"event":"media"}"#.to_owned(), BadField, "media: is missing"),
        (r#"{"event":"media","media":null}"#.to_owned(), BadField, "media: is missing"),
        (r#"{"event":"media","media":"x"}"#.to_owned(), BadField, "media: is to be an object, not a string"),
        (DTMF.replace(r#""1""#, r#""12""#), BadField, "dtmf.digit: is to be one of"),
        (DTMF.replace(r#""1""#, r#""w""#), BadField, "dtmf.digit: is to be one of"),
        (DTMF.replace(r#""1""#, r#""""#), BadField, "dtmf.digit: is to be one of"),
        (r#"{"event":"dtmf","dtmf":{}}"#.to_owned(), BadField, "dtmf.digit: is missing"),
        (MARK.replace(r#""x""#, "{}"), BadField, "mark.name: is to be a string, not an object"),
        (r#"{"event":"mark","mark":{}}"#.to_owned(), BadField, "mark.name: is missing"),
    ]
}

#[test]
fn malformed_messages_are_refused_with_the_place_before_the_stream_begins() {
    for (text, code, place) in malformed() {
        let error = refusal(&mut Session::new(&Dialect::TWILIO), &text);
        assert_eq!((error.code, error.close), (code, Some(CloseCode::Bytes)), "{text}");
        assert!(error.message.starts_with(place), "{text}: {error}");
    }
}

#[test]
fn a_malformed_message_in_a_stream_is_refused_and_the_stream_goes_on() {
    let mut session = streaming();
    for (text, code, place) in malformed() {
        let error = refusal(&mut session, &text);
        assert_eq!((error.code, error.close), (code, None), "{text}");
        assert!(error.message.starts_with(place), "{text}: {error}");
        let next = session.text(MEDIA, &mut Vec::new()).map(|event| format!("{event:?}"));
        assert!(next.is_ok_and(|event| event.starts_with("Message(Media")), "{text}");
    }
}

#[test]
fn a_number_that_is_none_costs_no_audio_and_is_named() {
    for (found, instead, name) in [
        (r#""sequenceNumber":"3""#, r#""sequenceNumber":1.5"#, Some("sequenceNumber")),
        (r#""sequenceNumber":"3""#, r#""sequenceNumber":"""#, Some("sequenceNumber")),
        (r#""sequenceNumber":"3""#, r#""sequenceNumber":1e300"#, Some("sequenceNumber")),
        (r#""chunk":"2""#, r#""chunk":-2"#, Some("chunk")),
        (r#""chunk":"2""#, r#""chunk":"99999999999999999999""#, Some("chunk")),
        (r#""timestamp":"20""#, r#""timestamp":"-20""#, Some("timestamp")),
        (r#""timestamp":"20""#, r#""timestamp":[]"#, Some("timestamp")),
        (r#""timestamp":"20""#, r#""timestamp":20.0"#, None),
        (r#""timestamp":"20""#, r#""timestamp":null"#, None),
    ] {
        let text = MEDIA.replace(found, instead);
        let mut audio = Vec::new();
        let Ok(Event::Message(FromCarrier::Media(media))) = streaming().text(&text, &mut audio) else {
            panic!("{text}")
        };
        assert_eq!((media.unreadable, media.payload), (name, &[0xff, 0xff, 0, 1][..]), "{text}");
    }
}

#[test]
fn keys_and_marks_may_be_numbers() {
    let mut audio = Vec::new();
    let key = streaming().text(&DTMF.replace(r#""1""#, "5"), &mut audio).map(|event| format!("{event:?}"));
    assert_eq!(key, Ok("Message(Dtmf('5'))".to_owned()));
    let mark = MARK.replace(r#""x""#, "7");
    assert_eq!(streaming().text(&mark, &mut audio), Ok(Event::Message(FromCarrier::Mark("7"))));
}

fn started(text: &str) -> Start {
    match Session::new(&Dialect::TWILIO).text(text, &mut Vec::new()) {
        Ok(Event::Message(FromCarrier::Start(start))) => start,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_start_message_may_lack_all_but_the_streams_name() {
    for part in ["accountSid", "callSid", "mediaFormat", "encoding", "sampleRate", "channels", "tracks"] {
        started(&START.replacen(part, "other", 1));
        started(&START.replacen(r#""tracks":["inbound"]"#, r#""tracks":null"#, 1));
    }
    assert_eq!(started(&START.replace("callSid", "other")).call, "");
    let outer = START.replacen(r#""streamSid":"MZ1","#, "", 1);
    assert_eq!(started(&outer).stream, "MZ1", "the message itself names it too");
    let error = refusal(&mut Session::new(&Dialect::TWILIO), &START.replace("streamSid", "other"));
    assert_eq!((error.code, error.message.as_ref()), (ErrorCode::BadField, "streamSid: is missing"));
    let error = refusal(&mut Session::new(&Dialect::TWILIO), r#"{"event":"start"}"#);
    assert_eq!((error.code, error.close), (ErrorCode::BadField, Some(CloseCode::Bytes)));
}

#[test]
fn numbers_in_a_start_message_may_be_written_as_text() {
    for rate in [r#""8000""#, "8000.0"] {
        let text = START.replace(r#""sampleRate":8000"#, &format!(r#""sampleRate":{rate}"#));
        assert_eq!(started(&text).format, Format::Mulaw8k, "{rate}");
    }
}

#[test]
fn parameters_of_any_type_arrive_as_text() {
    let parameters =
        |json: &str| started(&START.replace(r#"{"dialogue":"booking"}"#, json)).custom_parameters;
    let all = r#"{"vip":true,"n":5,"part":0.5,"none":null,"list":[1,"a"],"text":"é"}"#;
    let expected = [("list", r#"[1,"a"]"#), ("n", "5"), ("part", "0.5"), ("text", "é"), ("vip", "true")];
    assert_eq!(parameters(all), expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    for nothing in ["null", "{}", "[]"] {
        assert!(parameters(nothing).is_empty(), "{nothing}");
    }
    let text = START.replace(r#"{"dialogue":"booking"}"#, "[1]");
    assert_eq!(refusal(&mut Session::new(&Dialect::TWILIO), &text).code, ErrorCode::BadField);
}

#[test]
fn binary_and_oversized_messages_are_refused() {
    let error = Session::new(&Dialect::TWILIO).binary();
    assert_eq!((error.code, error.close), (ErrorCode::TextExpected, Some(CloseCode::Kind)));
    let error = streaming().binary();
    assert_eq!((error.code, error.close), (ErrorCode::TextExpected, None));
    let longest = format!("{CONNECTED}{}", " ".repeat(MAX_MESSAGE - CONNECTED.len()));
    assert!(Session::new(&Dialect::TWILIO).text(&longest, &mut Vec::new()).is_ok());
    let error = refusal(&mut streaming(), &format!("{longest} "));
    assert_eq!((error.code, error.close), (ErrorCode::MessageTooLarge, Some(CloseCode::Size)));
}

#[test]
fn both_ends_write_what_the_documentation_shows() {
    let mut carrier = CarrierWriter::new(&Dialect::TWILIO, start());
    let server = ServerWriter::new(&Dialect::TWILIO, "MZ1");
    let mut out = Vec::new();
    let mut line = |write: &mut dyn FnMut(&mut Vec<u8>)| {
        write(&mut out);
        out.push(b'\n');
    };
    line(&mut |out| carrier.connected(out));
    line(&mut |out| carrier.start(out));
    line(&mut |out| carrier.media(out, &[0xff; 160]));
    line(&mut |out| carrier.media(out, &[0xff, 0xff, 0, 1]));
    line(&mut |out| carrier.dtmf(out, '#'));
    line(&mut |out| carrier.mark(out, "a \"mark\""));
    line(&mut |out| carrier.stop(out));
    line(&mut |out| server.media(out, &[0xff, 0xff, 0, 1]));
    line(&mut |out| server.mark(out, "a \"mark\""));
    line(&mut |out| server.clear(out));
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn a_carrier_hears_only_what_it_is_told() {
    let mut audio = Vec::new();
    let error = ToCarrier::parse(&Dialect::TWILIO, DTMF, &mut audio).unwrap_err();
    assert_eq!(error.code, ErrorCode::UnknownMessage);
    let error = ToCarrier::parse(&Dialect::TWILIO, r#"{"event":"clear"}"#, &mut audio).unwrap_err();
    assert_eq!(error.message, "streamSid: is missing");
}

/// A mark as Twilio returns it.
const RETURNED: &str = r#"{"event":"mark","sequenceNumber":"5","streamSid":"MZ1","mark":{"name":"3-25"}}"#;

#[test]
fn audio_and_marks_cost_no_allocation_either_way() {
    let mut carrier = CarrierWriter::new(&Dialect::TWILIO, start());
    let server = ServerWriter::new(&Dialect::TWILIO, "MZ1");
    let mut session = streaming();
    let (mut audio, mut heard, mut said) =
        (Vec::with_capacity(256), Vec::with_capacity(512), Vec::with_capacity(512));
    let allocations = allocation_counter::measure(|| {
        for _ in 0..100 {
            heard.clear();
            said.clear();
            carrier.media(&mut heard, &[0x55; 160]);
            session.text(std::str::from_utf8(&heard).unwrap(), &mut audio).unwrap();
            server.media(&mut said, &audio);
            said.clear();
            server.mark(&mut said, "3-25");
            session.text(RETURNED, &mut audio).unwrap();
        }
    });
    assert_eq!(allocations.count_total, 0);
    assert_eq!(audio, b"3-25");
}

proptest! {
    #[test]
    fn the_carrier_understands_what_the_server_writes(
        stream in ".*", name in ".*", payload in prop::collection::vec(any::<u8>(), 0..1_000),
    ) {
        let writer = ServerWriter::new(&Dialect::TWILIO, &stream);
        let (mut out, mut audio) = (Vec::new(), Vec::new());
        writer.media(&mut out, &payload);
        let media = ToCarrier::Media { stream: stream.as_str().into(), payload: &payload };
        prop_assert_eq!(ToCarrier::parse(&Dialect::TWILIO, std::str::from_utf8(&out).unwrap(), &mut audio), Ok(media));
        out.clear();
        writer.mark(&mut out, &name);
        let mark = ToCarrier::Mark { stream: stream.clone(), name };
        prop_assert_eq!(ToCarrier::parse(&Dialect::TWILIO, std::str::from_utf8(&out).unwrap(), &mut audio), Ok(mark));
        out.clear();
        writer.clear(&mut out);
        let clear = ToCarrier::Clear { stream };
        prop_assert_eq!(ToCarrier::parse(&Dialect::TWILIO, std::str::from_utf8(&out).unwrap(), &mut audio), Ok(clear));
    }

    #[test]
    fn the_server_understands_what_the_carrier_writes(
        stream in ".*", parameters in prop::collection::btree_map(".*", ".*", 0..5),
        payload in prop::collection::vec(any::<u8>(), 0..1_000),
    ) {
        let start = Start { stream, custom_parameters: parameters, ..start() };
        let mut carrier = CarrierWriter::new(&Dialect::TWILIO, start.clone());
        let (mut session, mut out, mut audio) = (Session::new(&Dialect::TWILIO), Vec::new(), Vec::new());
        carrier.start(&mut out);
        let heard = session.text(std::str::from_utf8(&out).unwrap(), &mut audio);
        prop_assert_eq!(heard, Ok(Event::Message(FromCarrier::Start(start))));
        out.clear();
        carrier.media(&mut out, &payload);
        let media = Media {
            sequence: Some(2),
            chunk: Some(1),
            timestamp: Some(MediaTime::ZERO),
            track: Track::Inbound,
            payload: &payload,
            unreadable: None,
        };
        let heard = session.text(std::str::from_utf8(&out).unwrap(), &mut audio);
        prop_assert_eq!(heard, Ok(Event::Message(FromCarrier::Media(media))));
    }

    #[test]
    fn scanner_and_tree_agree_on_damaged_media(at in 0..MEDIA.len(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = MEDIA.as_bytes().to_vec();
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        ringway_wire::fuzz::twilio_media(&bytes);
    }
}
