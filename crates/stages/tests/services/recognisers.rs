//! Every streaming recogniser behind a socket, in the same calls: what they say differs, what a call makes of it does not.

use crate::hearing::{Hearing, begin, event, failure, guess, meanwhile, pause, speak};
use crate::listening::Open;
use crate::socket::{Accepted, Sockets};
use crate::support::{LONG, settle};
use ringway_frame::Format;
use ringway_stages::services::cartesia_stt::{self, CartesiaStt};
use ringway_stages::services::deepgram::{self, Deepgram, Server};
use ringway_stages::services::deepgram_flux::{self, DeepgramFlux};
use ringway_stages::services::openai_realtime_stt::{self, OpenAiRealtimeStt};
use ringway_stages::services::whisperlive::{self, Samples, WhisperLive};
use ringway_stages::services::whisperlivekit::{self, Mode, WhisperLiveKit};
use ringway_stages::stt::{SpeechToText, SttCall, SttEvent};
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, timeout};

const CONNECT: Duration = Duration::from_secs(1);

const PATIENCE: Duration = Duration::from_millis(700);

/// Frames of a turn, and of the pause behind it.
const SECOND: usize = 51;

/// A recogniser, and how its service talks.
struct Recogniser {
    name: &'static str,
    open: Open,
    /// What the service says as soon as a socket stands.
    greeting: Option<&'static str>,
    /// How long a service may take that never says a word.
    mute: Duration,
    unanswered: Unanswered,
    /// Messages with words that may change.
    guess: fn(Words) -> Vec<String>,
    /// Messages with the last words of a turn, as they answer a flush.
    answer: fn(Words) -> Vec<String>,
}

/// What a flush comes to whose words the service has guessed and never answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unanswered {
    /// The guess counts, and the socket stays.
    Stays,
    /// The guess counts, and the next turn has another socket, lest it be given an answer that is not its own.
    Renews,
    /// The words are left to another session.
    Fails,
}

/// Words of a turn, counted from 0, up to so many seconds of the stream.
#[derive(Clone, Copy, Debug)]
struct Words {
    turn: u32,
    text: &'static str,
    until: f64,
}

const ONE: Words = Words { turn: 0, text: "one", until: 1.0 };
/// Silence that is sent ahead at the end of a turn is a part of the stream, too.
const TWO: Words = Words { turn: 1, text: "two", until: 3.4 };

const RECOGNISERS: [Recogniser; 7] = [
    Recogniser {
        name: "deepgram",
        open: |url| {
            let config = deepgram::Config { url, connect: CONNECT, finalize: PATIENCE, ..Default::default() };
            opened(&Deepgram::new(config, None).unwrap())
        },
        greeting: None,
        mute: Duration::from_millis(1_400),
        unanswered: Unanswered::Stays,
        guess: |words| vec![results(words, false)],
        answer: |words| vec![results(words, true)],
    },
    Recogniser {
        name: "deepgram",
        open: |url| {
            let server = Server::WhisperLiveKit;
            let config =
                deepgram::Config { url, server, connect: CONNECT, finalize: PATIENCE, ..Default::default() };
            opened(&Deepgram::new(config, None).unwrap())
        },
        greeting: Some(r#"{"type":"Metadata","request_id":"x"}"#),
        mute: PATIENCE,
        unanswered: Unanswered::Stays,
        guess: |words| vec![results(words, false)],
        answer: |words| vec![results(words, true)],
    },
    Recogniser {
        name: "deepgram_flux",
        open: |url| {
            let config =
                deepgram_flux::Config { url, connect: CONNECT, finalize: PATIENCE, ..Default::default() };
            opened(&DeepgramFlux::new(config, None).unwrap())
        },
        greeting: Some(r#"{"type":"Connected","request_id":"x","sequence_id":0}"#),
        mute: Duration::from_millis(1_400),
        unanswered: Unanswered::Stays,
        guess: |words| vec![turn("Update", words)],
        answer: |words| vec![turn("EndOfTurn", words)],
    },
    Recogniser {
        name: "cartesia_stt",
        open: |url| {
            let config =
                cartesia_stt::Config { url, connect: CONNECT, finalize: PATIENCE, ..Default::default() };
            opened(&CartesiaStt::new(config, None).unwrap())
        },
        greeting: None,
        mute: Duration::from_millis(1_400),
        unanswered: Unanswered::Renews,
        guess: |words| vec![transcript(words, false)],
        answer: |words| vec![transcript(words, true), json!({"type": "flush_done"}).to_string()],
    },
    Recogniser {
        name: "openai_realtime_stt",
        open: |url| {
            let config = openai_realtime_stt::Config {
                url,
                connect: CONNECT,
                finalize: PATIENCE,
                ..Default::default()
            };
            opened(&OpenAiRealtimeStt::new(config, None).unwrap())
        },
        greeting: Some(r#"{"type":"session.created","session":{}}"#),
        mute: Duration::from_millis(1_400),
        unanswered: Unanswered::Renews,
        guess: |words| vec![item("conversation.item.input_audio_transcription.delta", words)],
        answer: |words| {
            vec![
                item("input_audio_buffer.committed", words),
                item("conversation.item.input_audio_transcription.completed", words),
            ]
        },
    },
    Recogniser {
        name: "whisperlive",
        open: |url| {
            let (samples, padding) = (Samples::Int16, Duration::ZERO);
            let config = whisperlive::Config { url, samples, padding, ..Default::default() };
            let config = whisperlive::Config { connect: CONNECT, finalize: PATIENCE, ..config };
            opened(&WhisperLive::new(config, None).unwrap())
        },
        greeting: Some(r#"{"uid":"u","message":"SERVER_READY","backend":"faster_whisper"}"#),
        mute: PATIENCE,
        unanswered: Unanswered::Stays,
        guess: |words| vec![segment(words, false)],
        answer: |words| vec![segment(words, true)],
    },
    Recogniser {
        name: "whisperlivekit",
        open: |url| {
            let mode = Mode::Full;
            let config = whisperlivekit::Config {
                url,
                mode,
                connect: CONNECT,
                finalize: PATIENCE,
                ..Default::default()
            };
            opened(&WhisperLiveKit::new(config, None).unwrap())
        },
        greeting: Some(r#"{"type":"config","useAudioWorklet":true,"mode":"full"}"#),
        mute: PATIENCE,
        unanswered: Unanswered::Fails,
        guess: |words| vec![state("", words.text, 0.8)],
        answer: |words| vec![state(words.text, "", 0.1)],
    },
];

fn opened(recogniser: &dyn SpeechToText) -> Hearing {
    recogniser.open(SttCall { format: Format::Pcm16k }).unwrap()
}

fn results(words: Words, is_last: bool) -> String {
    json!({
        "type": "Results", "start": 0.0, "duration": words.until, "is_final": is_last, "from_finalize": is_last,
        "channel": {"alternatives": [{"transcript": words.text, "words": []}]},
    })
    .to_string()
}

fn turn(event: &str, words: Words) -> String {
    json!({
        "type": "TurnInfo", "event": event, "turn_index": words.turn, "audio_window_start": 0.0,
        "audio_window_end": words.until, "transcript": words.text, "words": [], "end_of_turn_confidence": 0.75,
    })
    .to_string()
}

fn transcript(words: Words, is_final: bool) -> String {
    json!({"type": "transcript", "text": words.text, "is_final": is_final}).to_string()
}

fn item(kind: &str, Words { turn, text, .. }: Words) -> String {
    json!({"type": kind, "item_id": format!("item_{turn}"), "delta": text, "transcript": text}).to_string()
}

fn segment(Words { text, until, .. }: Words, completed: bool) -> String {
    let (start, end) = (format!("{:.3}", until - 0.8), format!("{until:.3}"));
    let segment = json!({"start": start, "end": end, "text": text, "completed": completed});
    json!({"uid": "u", "segments": [segment]}).to_string()
}

fn state(stands: &str, guess: &str, behind: f64) -> String {
    json!({
        "status": "active_transcription", "lines": [{"speaker": 1, "text": stands}],
        "buffer_transcription": guess, "buffer_diarization": "",
        "remaining_time_transcription_processing": behind,
    })
    .to_string()
}

impl Recogniser {
    /// The next socket of a session, greeted.
    async fn greeted(&self, session: &mut Hearing, sockets: &Sockets) -> Accepted {
        let accepted = timeout(LONG, meanwhile(session, sockets.accept()));
        let mut service = accepted.await.expect("a socket");
        if let Some(greeting) = self.greeting {
            service.send(greeting).await;
        }
        meanwhile(session, settle()).await;
        service
    }

    /// A session in whose first turn a second was said, of which the service has guessed a word.
    async fn guessed(&self, sockets: &Sockets) -> (Hearing, Accepted) {
        let mut session = (self.open)(sockets.endpoint(""));
        let mut service = self.greeted(&mut session, sockets).await;
        begin(&mut session, 0);
        speak(&mut session, SECOND);
        say(&mut service, (self.guess)(ONE)).await;
        assert_eq!(next_words(&mut session).await, guess(0, "one"), "{}", self.name);
        (session, service)
    }

    /// A flush that is not answered; the session and the socket of the turn behind it.
    async fn unanswered(&self, sockets: &Sockets, is_late: bool) -> (Hearing, Accepted) {
        let (mut session, mut service) = self.guessed(sockets).await;
        session.flush().unwrap();
        if self.unanswered == Unanswered::Fails {
            let expected = format!("{}: nothing came within {PATIENCE:?} inside the answer", self.name);
            assert_eq!(failure(&mut session).await, expected);
            session = (self.open)(sockets.endpoint(""));
            service = self.greeted(&mut session, sockets).await;
        } else {
            assert_eq!(answered(&mut session).await, [(0, "one".to_owned())], "{}", self.name);
            session.abandon();
            if is_late {
                say(&mut service, (self.answer)(ONE)).await;
                nothing_is_said(&mut session).await;
            }
        }
        pause(&mut session, SECOND);
        begin(&mut session, 1);
        if self.unanswered == Unanswered::Renews && !is_late {
            service = self.greeted(&mut session, sockets).await;
        }
        (session, service)
    }
}

async fn say(service: &mut Accepted, messages: Vec<String>) {
    for message in messages {
        service.send(&message).await;
    }
}

/// The next event that is about words.
async fn next_words(session: &mut Hearing) -> SttEvent {
    loop {
        match event(session).await.unwrap() {
            SttEvent::EndOfTurn { .. } => {}
            words => return words,
        }
    }
}

/// No words come of what the service has just said.
async fn nothing_is_said(session: &mut Hearing) {
    tokio::select! {
        biased;
        words = next_words(session) => panic!("{words:?} out of nothing"),
        () = settle() => {}
    }
}

/// All words that stand up to the answer, with their turns.
async fn answered(session: &mut Hearing) -> Vec<(u32, String)> {
    let mut words = Vec::new();
    loop {
        if let SttEvent::Final { segment, text, flushed } = next_words(session).await {
            words.push((segment.0, text));
            if flushed {
                return words;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_opens_and_never_says_a_word_is_given_up() {
    for Recogniser { name, open, mute, .. } in RECOGNISERS {
        let sockets = Sockets::start().await;
        let mut session = open(sockets.endpoint(""));
        let _service = meanwhile(&mut session, sockets.accept()).await;
        begin(&mut session, 0);
        speak(&mut session, SECOND);
        session.flush().unwrap();
        let asked = Instant::now();
        assert_eq!(
            failure(&mut session).await,
            format!("{name}: nothing came within {mute:?} before the answer")
        );
        let took = asked.elapsed();
        assert!((mute..mute + Duration::from_millis(5)).contains(&took), "{name}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_turn_behind_an_unanswered_flush_has_its_own_words_in_time() {
    for recogniser in RECOGNISERS {
        for is_late in [false, true] {
            let sockets = Sockets::start().await;
            let (mut session, mut service) = recogniser.unanswered(&sockets, is_late).await;
            speak(&mut session, SECOND);
            session.flush().unwrap();
            let asked = Instant::now();
            say(&mut service, (recogniser.answer)(TWO)).await;
            let name = recogniser.name;
            assert_eq!(answered(&mut session).await, [(1, "two".to_owned())], "{name}, late: {is_late}");
            assert!(asked.elapsed() < PATIENCE, "{name}: {:?}", asked.elapsed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_is_lost_between_an_early_answer_and_the_end_of_the_turn_costs_no_words() {
    for recogniser in RECOGNISERS {
        for more in [0, 10] {
            let sockets = Sockets::start().await;
            let (mut session, mut service) = recogniser.guessed(&sockets).await;
            session.flush().unwrap();
            say(&mut service, (recogniser.answer)(ONE)).await;
            assert_eq!(answered(&mut session).await, [(0, "one".to_owned())], "{}", recogniser.name);
            speak(&mut session, more);
            service.close().await;
            let error = failure(&mut session).await;
            let lost = format!("{}: the connection ended inside the answer: ", recogniser.name);
            assert!(error.starts_with(&lost), "{error}");
        }
    }
}
