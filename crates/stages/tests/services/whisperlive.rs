//! WhisperLive of collabora.

use crate::hearing::{Hearing, answer, begin, event, failure, guess, meanwhile, pause, speak};
use crate::socket::{Accepted, Sockets};
use crate::support::{LONG, settle};
use ringway_frame::Format;
use ringway_stages::services::Endpoint;
use ringway_stages::services::whisperlive::{Config, Samples, WhisperLive};
use ringway_stages::stt::{SpeechToText, SttCall};
use serde_json::{Value, json};
use std::time::Duration;

const READY: &str = r#"{"uid":"u","message":"SERVER_READY","backend":"faster_whisper"}"#;

fn config(url: Endpoint) -> Config {
    Config { url, connect: LONG, ..Config::default() }
}

fn open(config: Config) -> Hearing {
    WhisperLive::new(config, None).unwrap().open(SttCall { format: Format::Pcm16k }).unwrap()
}

fn segments(segments: &[(f64, f64, &str, bool)]) -> String {
    let segments: Vec<_> = segments
        .iter()
        .map(|(start, end, text, completed)| {
            json!({"start": format!("{start:.3}"), "end": format!("{end:.3}"), "text": text, "completed": completed})
        })
        .collect();
    json!({"uid": "u", "segments": segments}).to_string()
}

async fn accepted(session: &mut Hearing, sockets: &Sockets) -> (Accepted, Value) {
    let mut service = meanwhile(session, sockets.accept()).await;
    let options = meanwhile(session, service.receive()).await.unwrap().unwrap();
    service.send(READY).await;
    meanwhile(session, settle()).await;
    (service, serde_json::from_str(&options).unwrap())
}

/// A session whose server is ready, and in whose first segment a second was said.
async fn begun(sockets: &Sockets, config: Config) -> (Hearing, Accepted) {
    let mut session = open(config);
    let (service, _) = accepted(&mut session, sockets).await;
    begin(&mut session, 1);
    speak(&mut session, 48);
    pause(&mut session, 3);
    (session, service)
}

#[tokio::test]
async fn the_server_is_told_how_to_listen_before_it_hears_anything() {
    let sockets = Sockets::start().await;
    for (samples, name, bytes) in [(Samples::Float32, "float32", 1_280), (Samples::Int16, "int16", 640)] {
        let mut session = open(Config { samples, ..config(sockets.endpoint("")) });
        let (mut service, options) = accepted(&mut session, &sockets).await;
        assert_eq!(service.path, "/");
        assert_eq!(options["audio_format"], name);
        assert_eq!((&options["language"], &options["task"]), (&json!("en"), &json!("transcribe")));
        speak(&mut session, 3);
        let audio = meanwhile(&mut session, service.receive()).await.unwrap().unwrap_err();
        assert_eq!(audio.len(), 3 * bytes, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_answered_when_the_server_has_looked_at_it_and_changes_nothing() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    service.send(&segments(&[(0.0, 0.6, " Hello", false)])).await;
    assert_eq!(event(&mut session).await.unwrap(), guess(1, "Hello"));
    session.flush().unwrap();
    service.send(&segments(&[(0.0, 0.9, " Hello there", false)])).await;
    assert_eq!(event(&mut session).await.unwrap(), guess(1, "Hello there"));
    assert_eq!(event(&mut session).await.unwrap(), answer(1, "Hello there"));
    session.abandon();
    service.send(&segments(&[(0.0, 1.0, " Hello there.", true)])).await;
    meanwhile(&mut session, settle()).await;
    pause(&mut session, 100);
    begin(&mut session, 2);
    speak(&mut session, 40);
    service.send(&segments(&[(0.0, 1.0, " Hello there.", true), (4.0, 4.6, " Yes", false)])).await;
    assert_eq!(event(&mut session).await.unwrap(), guess(2, "Yes"));
}

#[tokio::test]
async fn a_full_server_matters_when_somebody_speaks() {
    let sockets = Sockets::start().await;
    let wait = r#"{"uid":"u","status":"WAIT","message":2.5}"#;
    let mut session = open(config(sockets.endpoint("")));
    let (mut service, _) = accepted(&mut session, &sockets).await;
    service.send(wait).await;
    while meanwhile(&mut session, service.receive()).await.is_some() {}
    begin(&mut session, 1);
    let (mut service, _) = accepted(&mut session, &sockets).await;
    service.send(wait).await;
    assert_eq!(failure(&mut session).await, "whisperlive: is full: a place is free in 2.5 minutes");
}

#[tokio::test]
async fn a_time_limit_that_passes_in_a_word_ends_the_session() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    service.send(r#"{"uid":"u","message":"DISCONNECT"}"#).await;
    let error = failure(&mut session).await;
    assert_eq!(
        error,
        "whisperlive: the connection ended inside the answer: the server's time limit has passed"
    );
}

#[tokio::test(start_paused = true)]
async fn a_time_limit_that_passes_in_a_pause_costs_no_word() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    session.abandon();
    service.send(r#"{"uid":"u","message":"DISCONNECT"}"#).await;
    while meanwhile(&mut session, service.receive()).await.is_some() {}
    begin(&mut session, 2);
    speak(&mut session, 30);
    let (mut service, _) = accepted(&mut session, &sockets).await;
    // The new stream counts from its own beginning.
    service.send(&segments(&[(0.0, 0.6, " Yes", false)])).await;
    assert_eq!(event(&mut session).await.unwrap(), guess(2, "Yes"));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_gets_old_is_renewed_when_nobody_speaks() {
    let sockets = Sockets::start().await;
    let renew = Duration::from_secs(240);
    let (mut session, mut service) = begun(&sockets, Config { renew, ..config(sockets.endpoint("")) }).await;
    tokio::time::advance(renew).await;
    service.send(&segments(&[(0.0, 0.6, " Hello", false)])).await;
    assert_eq!(event(&mut session).await.unwrap(), guess(1, "Hello"));
    session.abandon();
    let (mut service, _) = accepted(&mut session, &sockets).await;
    begin(&mut session, 2);
    service.send(&segments(&[(0.0, 0.6, " Again", false)])).await;
    assert_eq!(event(&mut session).await.unwrap(), guess(2, "Again"));
}

#[tokio::test]
async fn garbage_and_the_servers_own_errors_are_told() {
    for (said, expected) in [
        ("oops", "malformed message: expected value at line 1 column 1"),
        (r#"{"uid":"u","status":"ERROR","message":"no model"}"#, "failed inside its answer: no model"),
    ] {
        let sockets = Sockets::start().await;
        let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
        service.send(said).await;
        assert_eq!(failure(&mut session).await, format!("whisperlive: {expected}"));
    }
}
