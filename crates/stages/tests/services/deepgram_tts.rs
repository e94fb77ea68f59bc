//! Deepgram's voice.

use crate::socket::{Accepted, Sockets};
use crate::support::{LONG, nobody, once, settle};
use crate::voices::{clause, spoken};
use ringway_frame::{Format, Frame};
use ringway_stages::services::deepgram_tts::{Config, DeepgramTts};
use ringway_stages::services::{ApiKey, Endpoint};
use ringway_stages::tts::{TextToSpeech, TtsCall, TtsSession};
use serde_json::json;
use std::time::Duration;

fn config(url: Endpoint) -> Config {
    Config { url, connect: LONG, first_byte: LONG, idle: LONG, ..Config::default() }
}

fn open(config: Config, format: Format) -> Box<dyn TtsSession> {
    let key = ApiKey::new("abc");
    DeepgramTts::new(config, Some(&key)).unwrap().open(TtsCall { format }).unwrap()
}

/// The text of a clause that is asked for.
async fn asked(socket: &mut Accepted) -> String {
    let speak = socket.json().await;
    assert_eq!(speak["type"], "Speak");
    assert_eq!(socket.json().await, json!({"type": "Flush"}));
    speak["text"].as_str().unwrap().to_owned()
}

const FLUSHED: &str = r#"{"type":"Flushed","sequence_id":0}"#;
const METADATA: &str = r#"{"type":"Metadata","request_id":"x","model_name":"aura-2-thalia-en"}"#;

#[tokio::test]
async fn clauses_are_spoken_one_behind_the_other_untouched() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("/v1/speak")), Format::Mulaw8k);
    let mut socket = sockets.accept().await;
    assert_eq!(socket.path, "/v1/speak?model=aura-2-thalia-en&encoding=mulaw&sample_rate=8000");
    assert_eq!(socket.authorization.as_deref(), Some("Token abc"));
    session.speak(clause(1, "Good day to you.")).unwrap();
    session.speak(clause(2, "Go on.")).unwrap();
    let serve = async {
        socket.send(METADATA).await;
        assert_eq!(asked(&mut socket).await, "Good day to you.");
        assert_eq!(asked(&mut socket).await, "Go on.");
        socket.send_audio(&[1; 400]).await;
        socket.send_audio(&[1; 240]).await;
        socket.send(FLUSHED).await;
        socket.send_audio(&[2; 100]).await;
        socket.send(FLUSHED).await;
    };
    let both = async {
        let first = spoken(&mut *session, Format::Mulaw8k).await.unwrap();
        (first, spoken(&mut *session, Format::Mulaw8k).await.unwrap())
    };
    let ((first, second), ()) = tokio::join!(both, serve);
    assert_eq!(first.0.iter().map(Frame::payload).collect::<Vec<_>>(), [[1; 160]; 4]);
    assert_eq!(first.1.last(), Some(&16));
    assert_eq!(second.0.len(), 1);
    assert_eq!(second.0[0].payload()[..100], [2; 100]);
    assert_eq!(second.0[0].payload()[100..], [Format::Mulaw8k.silence(); 60]);
}

#[tokio::test]
async fn what_comes_before_a_clear_is_answered_is_dropped() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("/v1/speak")), Format::Pcm8k);
    let mut socket = sockets.accept().await;
    settle().await;
    session.speak(clause(1, "One.")).unwrap();
    let mut frame = Frame::silence(Format::Pcm8k);
    assert!(once(|cx| session.poll_next(cx, &mut frame)).await.is_none());
    asked(&mut socket).await;
    session.cancel();
    assert_eq!(socket.json().await, json!({"type": "Clear"}));
    session.speak(clause(2, "Two.")).unwrap();
    let serve = async {
        assert_eq!(asked(&mut socket).await, "Two.");
        socket.send_audio(&[1; 320]).await;
        socket.send(FLUSHED).await;
        socket.send(r#"{"type":"Cleared","sequence_id":1}"#).await;
        socket.send_audio(&[2; 320]).await;
        socket.send(FLUSHED).await;
    };
    let (spoken, ()) = tokio::join!(spoken(&mut *session, Format::Pcm8k), serve);
    let (frames, _) = spoken.unwrap();
    assert_eq!(frames.iter().map(Frame::payload).collect::<Vec<_>>(), [[2; 320]]);
}

#[tokio::test]
async fn another_socket_is_taken_before_the_service_refuses_flushes() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("/v1/speak")), Format::Pcm8k);
    let serve = async {
        let mut counts = Vec::new();
        for clauses in [18, 7] {
            let mut socket = sockets.accept().await;
            for _ in 0..clauses {
                asked(&mut socket).await;
                socket.send_audio(&[1; 320]).await;
                socket.send(FLUSHED).await;
            }
            counts.push(clauses);
            tokio::spawn(async move { while socket.receive().await.is_some() {} });
        }
        counts
    };
    let say = async {
        for id in 0..25 {
            session.speak(clause(id, "One.")).unwrap();
            assert_eq!(spoken(&mut *session, Format::Pcm8k).await.unwrap().0.len(), 1);
        }
    };
    let (counts, ()) = tokio::join!(serve, say);
    assert_eq!(counts, [18, 7]);
}

#[tokio::test]
async fn every_failure_is_told_with_its_place() {
    let cases = [
        (vec!["oops"], "malformed message: expected value at line 1 column 1"),
        (
            vec![r#"{"type":"Error","description":"no such model","code":"X"}"#],
            "failed inside its answer: no such model",
        ),
        (
            vec!["audio", "close"],
            "the connection ended inside the answer: the service closed it: 1011 time is up",
        ),
    ];
    for (messages, expected) in cases {
        let sockets = Sockets::start().await;
        let mut session = open(config(sockets.endpoint("/v1/speak")), Format::Mulaw8k);
        session.speak(clause(1, "One.")).unwrap();
        let serve = async {
            let mut socket = sockets.accept().await;
            for message in messages {
                match message {
                    "audio" => socket.send_audio(&[1; 160]).await,
                    "close" => return socket.close().await,
                    text => socket.send(text).await,
                }
            }
            // Until the client goes.
            while socket.receive().await.is_some() {}
        };
        let told = async {
            let told = spoken(&mut *session, Format::Mulaw8k).await;
            drop(session);
            told
        };
        let (told, ()) = tokio::join!(told, serve);
        assert_eq!(told.unwrap_err().to_string(), format!("deepgram_tts: {expected}"));
    }
    let mut session = open(config(nobody().await), Format::Mulaw8k);
    settle().await;
    session.speak(clause(1, "One.")).unwrap();
    let error = spoken(&mut *session, Format::Mulaw8k).await.unwrap_err().to_string();
    assert!(error.starts_with("deepgram_tts: cannot connect to 127.0.0.1:"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_voice_that_says_nothing_is_given_up() {
    let sockets = Sockets::start().await;
    let first_byte = Duration::from_secs(2);
    let mut session = open(Config { first_byte, ..config(sockets.endpoint("/v1/speak")) }, Format::Pcm8k);
    let _socket = sockets.accept().await;
    session.speak(clause(1, "One.")).unwrap();
    let error = spoken(&mut *session, Format::Pcm8k).await.unwrap_err().to_string();
    assert_eq!(error, "deepgram_tts: nothing came within 2s before the answer");
}
