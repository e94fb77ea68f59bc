//! The transcription session whose turns we end.

use crate::listening::{
    begin, begun, event, fails_before_its_socket_stands, fails_in_a_word, fails_when_nobody_is_there,
    fails_when_nobody_takes_the_audio, fails_when_the_handshake_hangs, guess, hear, last, meanwhile,
    takes_silence_about_a_cough_for_nothing,
};
use crate::socket::{Accepted, Sockets};
use crate::support::{LONG, settle};
use ringway_frame::Format;
use ringway_stages::services::openai_realtime_stt::{Config, NAME, OpenAiRealtimeStt};
use ringway_stages::services::{ApiKey, Endpoint};
use ringway_stages::stt::{SpeechToText, SttCall, SttSession};
use serde_json::{Value, json};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_millis(700);

fn open_with(config: Config) -> Box<dyn SttSession> {
    let key = ApiKey::new("sk-test");
    OpenAiRealtimeStt::new(config, Some(&key)).unwrap().open(SttCall { format: Format::Mulaw8k }).unwrap()
}

fn open(url: Endpoint) -> Box<dyn SttSession> {
    open_with(Config { url, connect: LONG, finalize: LONG, ..Config::default() })
}

fn hasty(url: Endpoint) -> Box<dyn SttSession> {
    open_with(Config { url, connect: Duration::from_secs(1), finalize: PATIENCE, ..Config::default() })
}

/// Characters of audio up to the next message that is about something else, and its type.
async fn audio(service: &mut Accepted) -> (usize, String) {
    let mut characters = 0;
    loop {
        let text = service.receive().await.unwrap().unwrap();
        let message: Value = serde_json::from_str(&text).unwrap();
        match message["audio"].as_str() {
            Some(audio) => characters += audio.len(),
            None => return (characters, message["type"].as_str().unwrap().to_owned()),
        }
    }
}

async fn committed(service: &mut Accepted, item: &str) {
    service.send(&json!({"type": "input_audio_buffer.committed", "item_id": item}).to_string()).await;
}

async fn delta(service: &mut Accepted, item: &str, text: &str) {
    let kind = "conversation.item.input_audio_transcription.delta";
    service.send(&json!({"type": kind, "item_id": item, "delta": text}).to_string()).await;
}

async fn completed(service: &mut Accepted, item: &str, text: &str) {
    let kind = "conversation.item.input_audio_transcription.completed";
    service.send(&json!({"type": kind, "item_id": item, "transcript": text}).to_string()).await;
}

#[tokio::test]
async fn an_utterance_is_committed_by_us_and_answered_by_its_item() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, open).await;
    let session = &mut *session;
    assert_eq!(service.path, "/listen");
    assert_eq!(service.authorization.as_deref(), Some("Bearer sk-test"));
    session.flush().unwrap();
    assert_eq!(meanwhile(session, audio(&mut service)).await, (0, "session.update".into()));
    let (characters, kind) = meanwhile(session, audio(&mut service)).await;
    assert_eq!((characters, kind.as_str()), (10 * 160 / 3 * 4 + 4, "input_audio_buffer.commit"));
    committed(&mut service, "a").await;
    delta(&mut service, "a", "Hello").await;
    delta(&mut service, "a", " there").await;
    assert_eq!(event(session).await.unwrap(), guess(1, "Hello"));
    assert_eq!(event(session).await.unwrap(), guess(1, "Hello there"));
    completed(&mut service, "a", "Hello there.").await;
    assert_eq!(event(session).await.unwrap(), last(1, "Hello there.", true));
    // Speech goes on behind the answer.
    hear(session, Format::Mulaw8k, 10);
    session.flush().unwrap();
    committed(&mut service, "b").await;
    completed(&mut service, "b", "My friend.").await;
    assert_eq!(event(session).await.unwrap(), last(1, "Hello there. My friend.", true));
}

#[tokio::test]
async fn what_is_too_short_to_be_committed_is_filled_up() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, open).await;
    let session = &mut *session;
    session.flush().unwrap();
    hear(session, Format::Mulaw8k, 1);
    session.flush().unwrap();
    for _ in 0..2 {
        meanwhile(session, audio(&mut service)).await;
    }
    // 120 ms as base64.
    assert_eq!(meanwhile(session, audio(&mut service)).await.0, 6 * 160 / 3 * 4);
}

#[tokio::test]
async fn the_audio_of_a_segment_that_was_dropped_is_cleared() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, open).await;
    let session = &mut *session;
    session.flush().unwrap();
    hear(session, Format::Mulaw8k, 3);
    session.abandon();
    for kind in ["session.update", "input_audio_buffer.commit", "input_audio_buffer.clear"] {
        assert_eq!(meanwhile(session, audio(&mut service)).await.1, kind);
    }
    begin(session, 2);
    hear(session, Format::Mulaw8k, 10);
    session.flush().unwrap();
    committed(&mut service, "a").await;
    delta(&mut service, "a", "a cough").await;
    completed(&mut service, "a", "a cough").await;
    committed(&mut service, "b").await;
    completed(&mut service, "b", "two").await;
    assert_eq!(event(session).await.unwrap(), last(2, "two", true));
}

#[tokio::test]
async fn a_question_about_nothing_is_answered_with_nothing() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, open).await;
    session.flush().unwrap();
    let error = json!({"code": "input_audio_buffer_commit_empty", "message": "buffer too small"});
    service.send(&json!({"type": "error", "error": error}).to_string()).await;
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "", true));
}

#[tokio::test(start_paused = true)]
async fn a_guess_counts_when_the_service_does_not_complete() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, hasty).await;
    let session = &mut *session;
    session.flush().unwrap();
    committed(&mut service, "a").await;
    delta(&mut service, "a", "perhaps").await;
    assert_eq!(event(session).await.unwrap(), guess(1, "perhaps"));
    assert_eq!(event(session).await.unwrap(), last(1, "perhaps", true));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_has_expired_in_a_pause_is_set_up_again() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, open).await;
    let session = &mut *session;
    session.abandon();
    let error = json!({"code": "session_expired", "message": "Your session hit the maximum duration."});
    service.send(&json!({"type": "error", "error": error}).to_string()).await;
    meanwhile(session, settle()).await;
    begin(session, 2);
    let mut service = meanwhile(session, sockets.accept()).await;
    hear(session, Format::Mulaw8k, 6);
    session.flush().unwrap();
    for kind in ["session.update", "input_audio_buffer.commit"] {
        assert_eq!(meanwhile(session, audio(&mut service)).await.1, kind);
    }
    committed(&mut service, "a").await;
    completed(&mut service, "a", "two").await;
    assert_eq!(event(session).await.unwrap(), last(2, "two", true));
}

#[tokio::test]
async fn failures_are_told_with_their_kind() {
    fails_before_its_socket_stands(open, NAME).await;
    fails_in_a_word(open, NAME, r#"{"type":"error","error":{"type":"x","message":"too old"}}"#).await;
    fails_when_nobody_takes_the_audio(open, NAME).await;
}

#[tokio::test(start_paused = true)]
async fn limits_are_kept() {
    fails_when_nobody_is_there(hasty, NAME).await;
    fails_when_the_handshake_hangs(hasty, NAME).await;
}

#[tokio::test(start_paused = true)]
async fn silence_about_a_cough_is_no_failure() {
    takes_silence_about_a_cough_for_nothing(hasty).await;
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_is_noted_and_never_answered_is_a_failure() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, hasty).await;
    hear(&mut *session, Format::Mulaw8k, 40);
    session.flush().unwrap();
    committed(&mut service, "a").await;
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert_eq!(error, format!("{NAME}: nothing came within {:?} before the answer", 2 * PATIENCE));
}
