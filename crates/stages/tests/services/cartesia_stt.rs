//! The recogniser that is told to finalize.

use crate::listening::{
    begin, begun, event, fails_before_its_socket_stands, fails_in_a_word, fails_when_nobody_is_there,
    fails_when_nobody_takes_the_audio, fails_when_the_handshake_hangs, guess, hear, last, meanwhile,
    replaces_a_socket_that_answers_no_ping, takes_silence_about_a_cough_for_nothing,
};
use crate::socket::Sockets;
use crate::support::{LONG, settle};
use ringway_frame::Format;
use ringway_stages::services::cartesia_stt::{CartesiaStt, Config, NAME};
use ringway_stages::services::{ApiKey, Endpoint};
use ringway_stages::stt::{SpeechToText, SttCall, SttSession};
use std::time::Duration;
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_millis(700);

const FLUSHED: &str = r#"{"type":"flush_done","request_id":"x"}"#;

fn open_with(config: Config) -> Box<dyn SttSession> {
    let key = ApiKey::new("sk_car_test");
    CartesiaStt::new(config, Some(&key)).unwrap().open(SttCall { format: Format::Mulaw8k }).unwrap()
}

fn open(url: Endpoint) -> Box<dyn SttSession> {
    open_with(Config { url, connect: LONG, finalize: LONG, ..Config::default() })
}

fn hasty(url: Endpoint) -> Box<dyn SttSession> {
    open_with(Config { url, connect: Duration::from_secs(1), finalize: PATIENCE, ..Config::default() })
}

fn transcript(text: &str, is_final: bool) -> String {
    serde_json::json!({"type": "transcript", "request_id": "x", "text": text, "is_final": is_final})
        .to_string()
}

#[tokio::test]
async fn an_utterance_is_heard_from_before_its_sign_to_its_last_word() {
    let sockets = Sockets::start().await;
    let mut session = open(sockets.endpoint("/stt/websocket"));
    let session = &mut *session;
    let mut service = meanwhile(session, sockets.accept()).await;
    assert!(service.path.starts_with("/stt/websocket?encoding=pcm_mulaw&sample_rate=8000&"));
    assert_eq!(service.authorization.as_deref(), Some("Bearer sk_car_test"));
    hear(session, Format::Mulaw8k, 100);
    begin(session, 1);
    hear(session, Format::Mulaw8k, 10);
    service.send(&transcript("Hello", false)).await;
    assert_eq!(event(session).await.unwrap(), guess(1, "Hello"));
    service.send(&transcript("Hello there.", true)).await;
    assert_eq!(event(session).await.unwrap(), last(1, "Hello there.", false));
    session.flush().unwrap();
    // Half a second before the sign, and what came behind it.
    assert_eq!(meanwhile(session, service.audio()).await, ((25 + 10) * 160, "finalize".to_owned()));
    service.send(&transcript(" My friend.", true)).await;
    service.send(FLUSHED).await;
    assert_eq!(event(session).await.unwrap(), last(1, "My friend.", true));
    // Speech goes on behind the answer.
    hear(session, Format::Mulaw8k, 3);
    session.flush().unwrap();
    service.send(&transcript("Good bye.", true)).await;
    service.send(FLUSHED).await;
    assert_eq!(event(session).await.unwrap(), last(1, "My friend. Good bye.", true));
}

#[tokio::test]
async fn a_session_that_ends_says_good_bye() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, open).await;
    session.flush().unwrap();
    meanwhile(&mut *session, service.audio()).await;
    drop(session);
    assert_eq!(service.receive().await, Some(Ok("close".into())));
    assert_eq!(service.receive().await, None);
}

#[tokio::test]
async fn an_older_questions_answer_is_no_answer_to_the_next_one() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, open).await;
    let session = &mut *session;
    session.flush().unwrap();
    hear(session, Format::Mulaw8k, 10);
    session.flush().unwrap();
    service.send(&transcript("one", true)).await;
    service.send(FLUSHED).await;
    service.send(&transcript("two", true)).await;
    service.send(FLUSHED).await;
    assert_eq!(event(session).await.unwrap(), last(1, "one two", true));
}

#[tokio::test]
async fn words_of_a_segment_that_was_dropped_are_nobodys() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, open).await;
    let session = &mut *session;
    session.abandon();
    assert_eq!(meanwhile(session, service.audio()).await, (10 * 160, "finalize".to_owned()));
    begin(session, 2);
    service.send(&transcript("a co", false)).await;
    service.send(&transcript("a cough", true)).await;
    service.send(FLUSHED).await;
    service.send(&transcript("two", false)).await;
    assert_eq!(event(session).await.unwrap(), guess(2, "two"));
}

#[tokio::test(start_paused = true)]
async fn a_guess_counts_when_the_service_does_not_finalize() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, hasty).await;
    let session = &mut *session;
    service.send(&transcript("perhaps", false)).await;
    assert_eq!(event(session).await.unwrap(), guess(1, "perhaps"));
    session.flush().unwrap();
    assert_eq!(event(session).await.unwrap(), last(1, "perhaps", true));
    // What comes too late is not said twice.
    service.send(&transcript("perhaps", true)).await;
    service.send(FLUSHED).await;
    meanwhile(session, settle()).await;
    begin(session, 2);
    service.send(&transcript("not", true)).await;
    assert_eq!(event(session).await.unwrap(), last(2, "not", false));
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_kept_alive() {
    let sockets = Sockets::start().await;
    let mut session = open(sockets.endpoint(""));
    let mut service = meanwhile(&mut *session, sockets.accept()).await;
    for _ in 0..3 {
        assert_eq!(meanwhile(&mut *session, service.receive()).await, Some(Err(vec![0xff; 160])));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_lost_in_a_pause_is_set_up_again() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, open).await;
    let session = &mut *session;
    session.flush().unwrap();
    service.send(FLUSHED).await;
    assert_eq!(event(session).await.unwrap(), last(1, "", true));
    session.abandon();
    service.close().await;
    meanwhile(session, settle()).await;
    hear(session, Format::Mulaw8k, 6);
    begin(session, 2);
    let mut service = meanwhile(session, sockets.accept()).await;
    hear(session, Format::Mulaw8k, 3);
    session.flush().unwrap();
    assert_eq!(meanwhile(session, service.audio()).await, (9 * 160, "finalize".to_owned()));
    service.send(&transcript("two", true)).await;
    service.send(FLUSHED).await;
    assert_eq!(event(session).await.unwrap(), last(2, "two", true));
}

#[tokio::test]
async fn failures_are_told_with_their_kind() {
    fails_before_its_socket_stands(open, NAME).await;
    fails_in_a_word(open, NAME, r#"{"type":"error","title":"X","message":"too old","status_code":400}"#)
        .await;
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
async fn one_question_without_an_answer_slows_no_other() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, hasty).await;
    let session = &mut *session;
    service.send(&transcript("one", false)).await;
    assert_eq!(event(session).await.unwrap(), guess(1, "one"));
    session.flush().unwrap();
    assert_eq!(event(session).await.unwrap(), last(1, "one", true));
    session.abandon();
    // What the old socket says from here on may answer either question.
    begin(session, 2);
    let mut service = meanwhile(session, sockets.accept()).await;
    hear(session, Format::Mulaw8k, 20);
    session.flush().unwrap();
    let asked = Instant::now();
    service.send(&transcript("two", true)).await;
    service.send(FLUSHED).await;
    assert_eq!(event(session).await.unwrap(), last(2, "two", true));
    assert!(asked.elapsed() < PATIENCE, "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_answers_no_ping_is_replaced() {
    replaces_a_socket_that_answers_no_ping(open).await;
}

#[tokio::test]
async fn final_words_that_come_twice_are_said_once() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, open).await;
    let words = |text: &str, seconds: f64| {
        serde_json::json!({"type": "transcript", "text": text, "is_final": true, "duration": seconds})
            .to_string()
    };
    session.flush().unwrap();
    for (text, seconds) in [("no", 0.5), ("no", 0.5), ("no", 0.75), ("", 0.8)] {
        service.send(&words(text, seconds)).await;
    }
    service.send(FLUSHED).await;
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "no no", true));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_leaves_two_questions_unanswered_has_failed_behind_the_words() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, hasty).await;
    let session = &mut *session;
    for id in 1..3 {
        if id > 1 {
            begin(session, id);
            service = meanwhile(session, sockets.accept()).await;
            hear(session, Format::Mulaw8k, 10);
        }
        service.send(&transcript("words", false)).await;
        assert_eq!(event(session).await.unwrap(), guess(id, "words"));
        session.flush().unwrap();
        assert_eq!(event(session).await.unwrap(), last(id, "words", true));
        session.abandon();
    }
    let error = event(session).await.unwrap_err().to_string();
    assert_eq!(error, "cartesia_stt: nothing came within 700ms before the answer");
}
