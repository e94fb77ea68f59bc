//! The recogniser that judges turns.

use crate::listening::{
    begin, begun, event, fails_before_its_socket_stands, fails_in_a_word, fails_when_nobody_is_there,
    fails_when_nobody_takes_the_audio, fails_when_the_handshake_hangs, guess, hear, last, likely, meanwhile,
    replaces_a_socket_that_answers_no_ping, takes_silence_about_a_cough_for_nothing,
};
use crate::socket::Sockets;
use crate::support::{LONG, settle};
use ringway_frame::Format;
use ringway_stages::services::deepgram_flux::{Config, DeepgramFlux, NAME};
use ringway_stages::services::{ApiKey, Endpoint};
use ringway_stages::stt::{SpeechToText, SttCall, SttSession};
use std::time::Duration;

const FORCE: &str = r#"{"type":"ForceEndTurn"}"#;

fn open_with(config: Config) -> Box<dyn SttSession> {
    let key = ApiKey::new("dg-test");
    DeepgramFlux::new(config, Some(&key)).unwrap().open(SttCall { format: Format::Mulaw8k }).unwrap()
}

fn open(url: Endpoint) -> Box<dyn SttSession> {
    open_with(Config { url, connect: LONG, finalize: LONG, ..Config::default() })
}

fn hasty(url: Endpoint) -> Box<dyn SttSession> {
    let finalize = Duration::from_millis(500);
    open_with(Config { url, connect: Duration::from_secs(1), finalize, ..Config::default() })
}

/// What the service says of its turn, after so many milliseconds of the stream.
fn turn(event: &str, index: u32, text: &str, until_ms: u32, confidence: f32) -> String {
    let until = f64::from(until_ms) / 1_000.0;
    serde_json::json!({
        "type": "TurnInfo", "request_id": "x", "sequence_id": 1, "event": event, "turn_index": index,
        "audio_window_start": 0.0, "audio_window_end": until, "transcript": text, "words": [],
        "end_of_turn_confidence": confidence,
    })
    .to_string()
}

#[tokio::test]
async fn an_early_end_of_the_turn_answers_and_the_end_says_nothing_new() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, open).await;
    let session = &mut *session;
    assert!(service.path.starts_with("/listen?encoding=mulaw&sample_rate=8000&eot_threshold=0.7&"));
    assert_eq!(service.authorization.as_deref(), Some("Token dg-test"));
    service.send(r#"{"type":"Connected","request_id":"x","sequence_id":0}"#).await;
    service.send(&turn("StartOfTurn", 0, "Hello", 100, 0.125)).await;
    assert_eq!(event(session).await.unwrap(), guess(1, "Hello"));
    assert_eq!(event(session).await.unwrap(), likely(1, 0.125));
    session.flush().unwrap();
    service.send(&turn("EagerEndOfTurn", 0, "Hello there.", 200, 0.5)).await;
    assert_eq!(event(session).await.unwrap(), likely(1, 0.5));
    assert_eq!(event(session).await.unwrap(), guess(1, "Hello there."));
    assert_eq!(event(session).await.unwrap(), last(1, "Hello there.", true));
    service.send(&turn("EndOfTurn", 0, "Hello there.", 200, 0.75)).await;
    assert_eq!(event(session).await.unwrap(), likely(1, 0.75));
    // Speech goes on behind it: the next answer says all.
    hear(session, Format::Mulaw8k, 10);
    session.flush().unwrap();
    service.send(&turn("EndOfTurn", 1, "My friend.", 400, 0.75)).await;
    assert_eq!(event(session).await.unwrap(), likely(1, 0.75));
    assert_eq!(event(session).await.unwrap(), last(1, "Hello there. My friend.", true));
}

#[tokio::test]
async fn what_the_service_takes_back_is_taken_back() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, open).await;
    let session = &mut *session;
    session.flush().unwrap();
    service.send(&turn("EagerEndOfTurn", 0, "a table", 200, 0.5)).await;
    let told = [likely(1, 0.5), guess(1, "a table"), last(1, "a table", true)];
    for expected in told {
        assert_eq!(event(session).await.unwrap(), expected);
    }
    service.send(&turn("TurnResumed", 0, "a table for", 300, 0.25)).await;
    let told = [likely(1, 0.0), guess(1, "a table for"), likely(1, 0.25)];
    for expected in told {
        assert_eq!(event(session).await.unwrap(), expected);
    }
    // The turn asks again, and the whole is the answer.
    session.flush().unwrap();
    service.send(&turn("EndOfTurn", 0, "a table for two", 400, 0.75)).await;
    assert_eq!(event(session).await.unwrap(), likely(1, 0.75));
    assert_eq!(event(session).await.unwrap(), last(1, "a table for two", true));
}

#[tokio::test]
async fn a_turn_that_ended_before_it_was_asked_about_stands() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, open).await;
    let session = &mut *session;
    service.send(&turn("EagerEndOfTurn", 0, "yes", 100, 0.5)).await;
    assert_eq!(event(session).await.unwrap(), likely(1, 0.5));
    assert_eq!(event(session).await.unwrap(), guess(1, "yes"));
    session.flush().unwrap();
    assert_eq!(event(session).await.unwrap(), last(1, "yes", true));
    let (mut session, mut service) = begun(&sockets, open).await;
    let session = &mut *session;
    service.send(&turn("EndOfTurn", 0, "no", 100, 0.75)).await;
    assert_eq!(event(session).await.unwrap(), likely(1, 0.75));
    assert_eq!(event(session).await.unwrap(), last(1, "no", false));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_find_the_end_is_told_and_then_its_guess_counts() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, hasty).await;
    let session = &mut *session;
    service.send(&turn("Update", 0, "well", 100, 0.125)).await;
    assert_eq!(event(session).await.unwrap(), guess(1, "well"));
    assert_eq!(event(session).await.unwrap(), likely(1, 0.125));
    session.flush().unwrap();
    assert_eq!(meanwhile(session, service.audio()).await, (10 * 160, FORCE.to_owned()));
    assert_eq!(event(session).await.unwrap(), last(1, "well", true));
    // Its late word makes the answer void.
    service.send(&turn("EndOfTurn", 0, "well, then", 200, 0.25)).await;
    assert_eq!(event(session).await.unwrap(), likely(1, 0.0));
}

#[tokio::test]
async fn words_of_the_segment_before_are_not_taken_for_the_next_ones() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, open).await;
    let session = &mut *session;
    service.send(&turn("Update", 0, "one", 200, 0.125)).await;
    assert_eq!(event(session).await.unwrap(), guess(1, "one"));
    assert_eq!(event(session).await.unwrap(), likely(1, 0.125));
    session.abandon();
    assert_eq!(meanwhile(session, service.audio()).await, (10 * 160, FORCE.to_owned()));
    hear(session, Format::Mulaw8k, 100);
    begin(session, 2);
    // A service that does not know the message goes on with its turn.
    service.send(&turn("Update", 0, "one more", 1_600, 0.25)).await;
    service.send(&turn("Update", 0, "one more two", 2_200, 0.25)).await;
    assert_eq!(event(session).await.unwrap(), guess(2, "two"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_lost_in_a_pause_is_set_up_again() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, open).await;
    let session = &mut *session;
    session.flush().unwrap();
    service.send(&turn("EndOfTurn", 0, "one", 200, 0.75)).await;
    assert_eq!(event(session).await.unwrap(), likely(1, 0.75));
    assert_eq!(event(session).await.unwrap(), last(1, "one", true));
    session.abandon();
    service.close().await;
    meanwhile(session, settle()).await;
    hear(session, Format::Mulaw8k, 6);
    begin(session, 2);
    let mut service = meanwhile(session, sockets.accept()).await;
    hear(session, Format::Mulaw8k, 3);
    session.flush().unwrap();
    // The new stream counts from its own beginning.
    service.send(&turn("EndOfTurn", 0, "two", 180, 0.75)).await;
    assert_eq!(event(session).await.unwrap(), likely(2, 0.75));
    assert_eq!(event(session).await.unwrap(), last(2, "two", true));
}

#[tokio::test]
async fn failures_are_told_with_their_kind() {
    fails_before_its_socket_stands(open, NAME).await;
    fails_in_a_word(open, NAME, r#"{"type":"Error","code":"X","description":"too old"}"#).await;
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
async fn a_service_that_goes_on_saying_that_it_hears_nothing_has_answered() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, hasty).await;
    let session = &mut *session;
    hear(session, Format::Mulaw8k, 40);
    session.flush().unwrap();
    meanwhile(session, pass(Duration::from_millis(400))).await;
    service.send(&turn("Update", 0, "", 1_000, 0.0)).await;
    assert_eq!(event(session).await.unwrap(), last(1, "", true));
}

#[tokio::test]
async fn a_turn_that_ends_twice_is_said_once() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, open).await;
    let session = &mut *session;
    session.flush().unwrap();
    for _ in 0..2 {
        service.send(&turn("EndOfTurn", 0, "yes", 200, 0.75)).await;
    }
    hear(session, Format::Mulaw8k, 10);
    let told = [likely(1, 0.75), last(1, "yes", true), likely(1, 0.75)];
    for expected in told {
        assert_eq!(event(session).await.unwrap(), expected);
    }
    session.flush().unwrap();
    service.send(&turn("EndOfTurn", 1, "please", 400, 0.75)).await;
    assert_eq!(event(session).await.unwrap(), likely(1, 0.75));
    assert_eq!(event(session).await.unwrap(), last(1, "yes please", true));
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_answers_no_ping_is_replaced() {
    replaces_a_socket_that_answers_no_ping(open).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_service_thought_before_it_fell_silent_answers_nothing() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, hasty).await;
    let session = &mut *session;
    session.flush().unwrap();
    service.send(&turn("EagerEndOfTurn", 0, "one", 200, 0.5)).await;
    for expected in [likely(1, 0.5), guess(1, "one"), last(1, "one", true)] {
        assert_eq!(event(session).await.unwrap(), expected);
    }
    session.abandon();
    hear(session, Format::Mulaw8k, 50);
    begin(session, 2);
    hear(session, Format::Mulaw8k, 50);
    session.flush().unwrap();
    let error = event(session).await.unwrap_err().to_string();
    assert_eq!(error, "deepgram_flux: nothing came within 1s before the answer");
}

/// So much of the paused clock's time.
async fn pass(time: Duration) {
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}
