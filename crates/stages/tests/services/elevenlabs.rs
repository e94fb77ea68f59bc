//! `ElevenLabs`' socket of several contexts.

use crate::socket::{Accepted, Sockets};
use crate::support::{LONG, nobody, once, settle};
use crate::voices::{clause, next, spoken, timed};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringway_frame::{Format, Frame};
use ringway_stages::services::elevenlabs::{Config, ElevenLabs};
use ringway_stages::services::{ApiKey, Endpoint};
use ringway_stages::tts::{TextToSpeech, TtsCall, TtsEvent, TtsSession};
use serde_json::{Value, json};
use std::time::Duration;

fn config(url: Endpoint) -> Config {
    Config { url, connect: LONG, first_byte: LONG, idle: LONG, ..Config::default() }
}

fn open(config: Config, format: Format) -> Box<dyn TtsSession> {
    let key = ApiKey::new("sk-abc");
    ElevenLabs::new(config, Some(&key)).unwrap().open(TtsCall { format }).unwrap()
}

fn audio(context: &str, bytes: &[u8]) -> Value {
    json!({"audio": STANDARD.encode(bytes), "isFinal": null, "contextId": context, "alignment": null})
}

/// Audio with its characters, each as long as the other.
fn aligned(context: &str, bytes: &[u8], text: &str, each_ms: usize) -> Value {
    let chars: Vec<String> = text.chars().map(String::from).collect();
    let starts: Vec<usize> = (0..chars.len()).map(|at| at * each_ms).collect();
    let durations = vec![each_ms; chars.len()];
    let alignment = json!({"chars": chars, "charStartTimesMs": starts, "charDurationsMs": durations});
    let mut message = audio(context, bytes);
    message["alignment"] = alignment;
    message
}

fn last(context: &str) -> Value {
    json!({"isFinal": true, "contextId": context})
}

async fn say(socket: &mut Accepted, message: Value) {
    socket.send(&message.to_string()).await;
}

/// What asks for a clause.
async fn asked(socket: &mut Accepted) -> (String, String) {
    let begin = socket.json().await;
    let text = socket.json().await;
    assert_eq!((&begin["text"], &begin["context_id"]), (&json!(" "), &text["context_id"]));
    assert_eq!(text["flush"], true);
    (text["context_id"].as_str().unwrap().to_owned(), text["text"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_clause_is_a_context_whose_audio_passes_untouched_with_its_words() {
    let sockets = Sockets::start().await;
    let options = Config { stability: Some(0.5), ..config(sockets.endpoint("/v1")) };
    let mut session = open(options, Format::Mulaw8k);
    let mut socket = sockets.accept().await;
    assert!(socket.path.contains("/multi-stream-input?output_format=ulaw_8000&"), "{}", socket.path);
    assert_eq!(socket.headers["xi-api-key"], "sk-abc");
    session.speak(clause(7, "Hi you.")).unwrap();
    let bytes: Vec<u8> = (0..1_000_u16).map(|at| (at % 250) as u8).collect();
    let serve = async {
        let begin = socket.json().await;
        assert_eq!(begin["voice_settings"], json!({"stability": 0.5}));
        assert_eq!(socket.json().await, json!({"text": "Hi you. ", "context_id": "c1", "flush": true}));
        say(&mut socket, aligned("c1", &bytes[..480], "Hi ", 20)).await;
        assert_eq!(socket.json().await, json!({"context_id": "c1", "close_context": true}));
        // Times count from the beginning of this audio.
        say(&mut socket, aligned("c1", &bytes[480..], "you. ", 12)).await;
        say(&mut socket, last("c1")).await;
    };
    let ((frames, words), ()) = tokio::join!(timed(&mut *session, Format::Mulaw8k), serve);
    let heard: Vec<u8> = frames.iter().flat_map(|frame| frame.payload().to_vec()).collect();
    assert_eq!(heard[..1_000], bytes);
    assert_eq!(words, [(2, 2), (7, 7)]);
}

#[tokio::test]
async fn the_next_clause_is_made_while_one_sounds() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("/v1")), Format::Pcm16k);
    let mut socket = sockets.accept().await;
    assert!(socket.path.contains("output_format=pcm_16000&"), "{}", socket.path);
    settle().await;
    for (id, text) in ["One.", "Two.", "Three."].into_iter().enumerate() {
        session.speak(clause(id as u32, text)).unwrap();
    }
    let mut frame = Frame::silence(Format::Pcm16k);
    assert!(once(|cx| session.poll_next(cx, &mut frame)).await.is_none());
    assert_eq!(asked(&mut socket).await, ("c1".into(), "One. ".into()));
    assert_eq!(asked(&mut socket).await, ("c2".into(), "Two. ".into()));
    // The second comes first.
    say(&mut socket, audio("c2", &[2; 640])).await;
    say(&mut socket, audio("c1", &[1; 640])).await;
    say(&mut socket, last("c2")).await;
    say(&mut socket, last("c1")).await;
    for byte in [1, 2] {
        let (frames, _) = spoken(&mut *session, Format::Pcm16k).await.unwrap();
        assert_eq!(frames.iter().map(Frame::payload).collect::<Vec<_>>(), [[byte; 640]]);
    }
    assert_eq!(once(|cx| session.poll_next(cx, &mut frame)).await.map(Result::unwrap), None);
    for _ in 0..2 {
        assert_eq!(socket.json().await["close_context"], true);
    }
    assert_eq!(asked(&mut socket).await, ("c3".into(), "Three. ".into()));
}

#[tokio::test]
async fn a_cancelled_context_is_closed_and_what_comes_of_it_dropped() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("/v1")), Format::Pcm8k);
    let mut socket = sockets.accept().await;
    settle().await;
    session.speak(clause(1, "One.")).unwrap();
    let mut frame = Frame::silence(Format::Pcm8k);
    assert!(once(|cx| session.poll_next(cx, &mut frame)).await.is_none());
    asked(&mut socket).await;
    session.cancel();
    // At once: nobody has polled it since.
    assert_eq!(socket.json().await, json!({"context_id": "c1", "close_context": true}));
    session.speak(clause(2, "Two.")).unwrap();
    let serve = async {
        assert_eq!(asked(&mut socket).await.0, "c2");
        say(&mut socket, audio("c1", &[1; 320])).await;
        say(&mut socket, last("c1")).await;
        say(&mut socket, audio("c2", &[2; 320])).await;
        say(&mut socket, last("c2")).await;
    };
    let (spoken, ()) = tokio::join!(spoken(&mut *session, Format::Pcm8k), serve);
    let (frames, _) = spoken.unwrap();
    assert_eq!(frames.iter().map(Frame::payload).collect::<Vec<_>>(), [[2; 320]]);
}

#[tokio::test]
async fn a_socket_that_closes_before_the_first_audio_is_set_up_again() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("/v1")), Format::Pcm8k);
    let mut socket = sockets.accept().await;
    settle().await;
    session.speak(clause(1, "One.")).unwrap();
    let serve = async {
        asked(&mut socket).await;
        socket.close().await;
        let mut socket = sockets.accept().await;
        assert_eq!(asked(&mut socket).await, ("c2".into(), "One. ".into()));
        say(&mut socket, audio("c2", &[2; 320])).await;
        say(&mut socket, last("c2")).await;
        socket
    };
    let (spoken, _socket) = tokio::join!(spoken(&mut *session, Format::Pcm8k), serve);
    assert_eq!(spoken.unwrap().0.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_silent_socket_is_kept_alive_and_a_closed_one_set_up_again() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("/v1")), Format::Pcm8k);
    let mut socket = sockets.accept().await;
    let mut frame = Frame::silence(Format::Pcm8k);
    // After its time limit it closes; then there is another one.
    tokio::select! {
        _ = next(&mut *session, &mut frame) => panic!("nothing was asked for"),
        alive = socket.json() => assert_eq!(alive, json!({"text": ""})),
    }
    socket.close().await;
    tokio::select! {
        _ = next(&mut *session, &mut frame) => panic!("nothing was asked for"),
        _ = sockets.accept() => {}
    }
}

#[tokio::test]
async fn every_failure_is_told_with_its_place() {
    let begun = audio("c1", &[1; 320]).to_string();
    let cases = [
        (vec!["oops"], "malformed message: expected value at line 1 column 1"),
        (vec![r#"{"audio":"!","contextId":"c1"}"#], "malformed audio: Invalid symbol 33, offset 0."),
        (
            vec![r#"{"message":"Quota is used up","error":"quota_exceeded","code":1008}"#],
            "failed inside its answer: Quota is used up",
        ),
        (vec![&begun, "close"], "the connection ended inside the answer: "),
        (
            vec!["close", "close"],
            "the connection ended inside the answer: the service closed it: 1011 time is up",
        ),
    ];
    for (messages, expected) in cases {
        let sockets = Sockets::start().await;
        let mut session = open(config(sockets.endpoint("/v1")), Format::Mulaw8k);
        session.speak(clause(1, "One.")).unwrap();
        let serve = async {
            let mut socket = Some(sockets.accept().await);
            for message in messages {
                if socket.is_none() {
                    socket = Some(sockets.accept().await);
                }
                match (message, &mut socket) {
                    ("close", open) => open.take().unwrap().close().await,
                    (message, Some(open)) => open.send(message).await,
                    (_, None) => unreachable!("it was set up again"),
                }
            }
            socket
        };
        let (spoken, _socket) = tokio::join!(spoken(&mut *session, Format::Mulaw8k), serve);
        let error = spoken.unwrap_err().to_string();
        assert!(error.starts_with(&format!("elevenlabs: {expected}")), "{error}");
    }
    let mut session = open(config(nobody().await), Format::Mulaw8k);
    settle().await;
    session.speak(clause(1, "One.")).unwrap();
    let error = spoken(&mut *session, Format::Mulaw8k).await.unwrap_err().to_string();
    assert!(error.starts_with("elevenlabs: cannot connect to 127.0.0.1:"), "{error}");
}

#[tokio::test]
async fn a_refused_handshake_is_told() {
    let server = crate::support::Server::start(vec![]).await;
    drop(server);
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("/v1")), Format::Mulaw8k);
    session.speak(clause(1, "One.")).unwrap();
    let serve = async {
        for _ in 0..2 {
            let mut tcp = sockets.tcp().await;
            let body = r#"{"detail":"no such voice"}"#;
            let head = format!("HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            tokio::io::AsyncWriteExt::write_all(&mut tcp, head.as_bytes()).await.unwrap();
            let mut rest = Vec::new();
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut tcp, &mut rest).await;
        }
    };
    let (spoken, ()) = tokio::join!(spoken(&mut *session, Format::Mulaw8k), serve);
    assert_eq!(spoken.unwrap_err().to_string(), "elevenlabs: status 404: no such voice");
}

#[tokio::test(start_paused = true)]
async fn a_voice_that_says_nothing_is_given_up() {
    for (begins, expected) in [
        (false, "nothing came within 2s before the answer"),
        (true, "nothing came within 1s inside the answer"),
    ] {
        let sockets = Sockets::start().await;
        let limits = Config {
            first_byte: Duration::from_secs(2),
            idle: Duration::from_secs(1),
            ..config(sockets.endpoint("/v1"))
        };
        let mut session = open(limits, Format::Pcm8k);
        let mut socket = sockets.accept().await;
        session.speak(clause(1, "One.")).unwrap();
        let serve = async {
            asked(&mut socket).await;
            if begins {
                say(&mut socket, audio("c1", &[1; 320])).await;
            }
        };
        let (told, ()) = tokio::join!(spoken(&mut *session, Format::Pcm8k), serve);
        assert_eq!(told.unwrap_err().to_string(), format!("elevenlabs: {expected}"));
    }
}

#[tokio::test]
async fn a_text_without_a_sound_is_not_sent() {
    let mut session = open(config(nobody().await), Format::Mulaw8k);
    session.speak(clause(1, " ... ")).unwrap();
    let mut frame = Frame::silence(Format::Mulaw8k);
    let word = next(&mut *session, &mut frame).await.unwrap();
    assert_eq!(word, TtsEvent::Word { clause: 1, upto: 5 });
    assert_eq!(next(&mut *session, &mut frame).await.unwrap(), TtsEvent::Done { clause: 1 });
}
