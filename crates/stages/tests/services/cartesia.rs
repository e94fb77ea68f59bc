//! Cartesia's socket.

use crate::socket::{Accepted, Sockets};
use crate::support::{LONG, nobody, once, settle};
use crate::voices::{clause, spoken, timed};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringway_frame::{Format, Frame};
use ringway_stages::services::cartesia::{Cartesia, Config};
use ringway_stages::services::{ApiKey, Endpoint};
use ringway_stages::tts::{TextToSpeech, TtsCall, TtsSession};
use serde_json::{Value, json};
use std::time::Duration;

fn config(url: Endpoint) -> Config {
    Config { url, connect: LONG, first_byte: LONG, idle: LONG, ..Config::default() }
}

fn open(config: Config, format: Format) -> Box<dyn TtsSession> {
    let key = ApiKey::new("sk-abc");
    Cartesia::new(config, Some(&key)).unwrap().open(TtsCall { format }).unwrap()
}

async fn say(socket: &mut Accepted, context: &str, mut message: Value) {
    message["context_id"] = json!(context);
    socket.send(&message.to_string()).await;
}

fn chunk(bytes: &[u8]) -> Value {
    json!({"type": "chunk", "data": STANDARD.encode(bytes), "done": false, "status_code": 206, "step_time": 1.0})
}

fn words(words: &[(&str, f64)]) -> Value {
    let (words, end): (Vec<_>, Vec<_>) = words.iter().copied().unzip();
    json!({"type": "timestamps", "word_timestamps": {"words": words, "start": end, "end": end}})
}

fn flushed(id: u32) -> Value {
    json!({"type": "flush_done", "done": false, "flush_done": true, "flush_id": id, "status_code": 206})
}

/// What asks for a clause: its context and text.
async fn asked(socket: &mut Accepted) -> (String, String) {
    let text = socket.json().await;
    assert_eq!((&text["continue"], &text["flush"]), (&json!(true), &Value::Null));
    let flush = socket.json().await;
    assert_eq!(
        (&flush["continue"], &flush["flush"], &flush["transcript"]),
        (&json!(true), &json!(true), &json!(""))
    );
    assert_eq!(text["context_id"], flush["context_id"]);
    (text["context_id"].as_str().unwrap().to_owned(), text["transcript"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn clauses_that_follow_each_other_are_one_context_with_exact_words() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("")), Format::Mulaw8k);
    let mut socket = sockets.accept().await;
    assert_eq!(socket.path, "/tts/websocket?cartesia_version=2025-04-16");
    assert_eq!(socket.headers["x-api-key"], "sk-abc");
    session.speak(clause(1, "Hi you.")).unwrap();
    session.speak(clause(2, "Go on.")).unwrap();
    let bytes: Vec<u8> = (0..800_u16).map(|at| (at % 250) as u8).collect();
    let serve = async {
        let text = socket.json().await;
        let expected = json!({
            "context_id": "1", "model_id": "sonic-3", "transcript": "Hi you. ",
            "voice": {"mode": "id", "id": "a0e99841-438c-4a64-b679-ae501e7d6091"}, "language": "en",
            "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8_000},
            "continue": true, "add_timestamps": true, "max_buffer_delay_ms": 0,
        });
        assert_eq!(text, expected);
        assert_eq!(socket.json().await["flush"], true);
        assert_eq!(asked(&mut socket).await, ("1".into(), "Go on. ".into()));
        say(&mut socket, "1", chunk(&bytes)).await;
        say(&mut socket, "1", words(&[("Hi", 0.04), ("you.", 0.1)])).await;
        say(&mut socket, "1", flushed(1)).await;
        // Times go on counting from the first audio of the context.
        say(&mut socket, "1", chunk(&bytes[..480])).await;
        say(&mut socket, "1", words(&[("Go", 0.13), ("on.", 0.16)])).await;
        say(&mut socket, "1", flushed(2)).await;
        let end = socket.json().await;
        assert_eq!((&end["continue"], &end["transcript"]), (&json!(false), &json!("")));
        say(&mut socket, "1", json!({"type": "done", "done": true, "status_code": 206})).await;
    };
    let both = async {
        let first = timed(&mut *session, Format::Mulaw8k).await;
        (first, timed(&mut *session, Format::Mulaw8k).await)
    };
    let ((first, second), ()) = tokio::join!(both, serve);
    let heard: Vec<u8> = first.0.iter().flat_map(|frame| frame.payload().to_vec()).collect();
    assert_eq!(heard, bytes);
    assert_eq!((first.0.len(), second.0.len()), (5, 3));
    assert_eq!(second.1, [(3, 2), (3, 6)]);
    assert_eq!(first.1.last(), Some(&(5, 7)));
    // What comes after a pause is another context.
    session.speak(clause(3, "So.")).unwrap();
    let mut frame = Frame::silence(Format::Mulaw8k);
    assert!(once(|cx| session.poll_next(cx, &mut frame)).await.is_none());
    assert_eq!(asked(&mut socket).await, ("2".into(), "So. ".into()));
}

#[tokio::test]
async fn a_cancelled_context_is_told_so_and_what_comes_of_it_dropped() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("")), Format::Pcm8k);
    let mut socket = sockets.accept().await;
    settle().await;
    session.speak(clause(1, "One.")).unwrap();
    let mut frame = Frame::silence(Format::Pcm8k);
    assert!(once(|cx| session.poll_next(cx, &mut frame)).await.is_none());
    asked(&mut socket).await;
    session.cancel();
    assert_eq!(socket.json().await, json!({"context_id": "1", "cancel": true}));
    session.speak(clause(2, "Two.")).unwrap();
    let serve = async {
        assert_eq!(asked(&mut socket).await.0, "2");
        say(&mut socket, "1", chunk(&[1; 320])).await;
        say(&mut socket, "1", json!({"type": "error", "title": "cancelled"})).await;
        say(&mut socket, "1", json!({"type": "done"})).await;
        say(&mut socket, "2", chunk(&[2; 320])).await;
        say(&mut socket, "2", flushed(1)).await;
    };
    let (spoken, ()) = tokio::join!(spoken(&mut *session, Format::Pcm8k), serve);
    let (frames, _) = spoken.unwrap();
    assert_eq!(frames.iter().map(Frame::payload).collect::<Vec<_>>(), [[2; 320]]);
}

#[tokio::test]
async fn a_socket_that_closes_before_the_first_audio_is_set_up_again() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("")), Format::Pcm16k);
    let mut socket = sockets.accept().await;
    settle().await;
    session.speak(clause(1, "One.")).unwrap();
    session.speak(clause(2, "Two.")).unwrap();
    let serve = async {
        asked(&mut socket).await;
        socket.close().await;
        let mut socket = sockets.accept().await;
        assert_eq!(asked(&mut socket).await, ("2".into(), "One. ".into()));
        assert_eq!(asked(&mut socket).await, ("2".into(), "Two. ".into()));
        for (id, byte) in [(1, 1), (2, 2)] {
            say(&mut socket, "2", chunk(&[byte; 640])).await;
            say(&mut socket, "2", flushed(id)).await;
        }
        socket
    };
    let both = async {
        let first = spoken(&mut *session, Format::Pcm16k).await.unwrap();
        (first.0, spoken(&mut *session, Format::Pcm16k).await.unwrap().0)
    };
    let ((first, second), _socket) = tokio::join!(both, serve);
    assert_eq!((first[0].payload(), second[0].payload()), (&[1; 640][..], &[2; 640][..]));
}

#[tokio::test]
async fn every_failure_is_told_with_its_place() {
    let begun = json!({"type": "chunk", "data": "AAAA", "context_id": "1"}).to_string();
    let cases = [
        (vec!["oops"], "malformed message: expected value at line 1 column 1"),
        (vec![r#"{"type":"chunk","data":"!"}"#], "malformed audio: Invalid symbol 33, offset 0."),
        (
            vec![
                r#"{"type":"error","done":true,"title":"Invalid model","message":"no such model","context_id":"1"}"#,
            ],
            "failed inside its answer: Invalid model: no such model",
        ),
        (
            vec![&begun, "close"],
            "the connection ended inside the answer: the service closed it: 1011 time is up",
        ),
    ];
    for (messages, expected) in cases {
        let sockets = Sockets::start().await;
        let mut session = open(config(sockets.endpoint("")), Format::Mulaw8k);
        session.speak(clause(1, "One.")).unwrap();
        let serve = async {
            let mut socket = sockets.accept().await;
            for message in messages {
                if message == "close" {
                    socket.close().await;
                    return None;
                }
                socket.send(message).await;
            }
            Some(socket)
        };
        let (spoken, _socket) = tokio::join!(spoken(&mut *session, Format::Mulaw8k), serve);
        assert_eq!(spoken.unwrap_err().to_string(), format!("cartesia: {expected}"));
    }
    let mut session = open(config(nobody().await), Format::Mulaw8k);
    settle().await;
    session.speak(clause(1, "One.")).unwrap();
    let error = spoken(&mut *session, Format::Mulaw8k).await.unwrap_err().to_string();
    assert!(error.starts_with("cartesia: cannot connect to 127.0.0.1:"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_voice_that_says_nothing_is_given_up() {
    let sockets = Sockets::start().await;
    let first_byte = Duration::from_secs(2);
    let mut session = open(Config { first_byte, ..config(sockets.endpoint("")) }, Format::Pcm8k);
    let _socket = sockets.accept().await;
    session.speak(clause(1, "One.")).unwrap();
    let error = spoken(&mut *session, Format::Pcm8k).await.unwrap_err().to_string();
    assert_eq!(error, "cartesia: nothing came within 2s before the answer");
}
