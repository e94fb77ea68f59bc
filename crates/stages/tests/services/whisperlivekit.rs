//! WhisperLiveKit's own socket.

use crate::hearing::{Hearing, answer, begin, event, failure, guess, meanwhile, pause, speak};
use crate::socket::{Accepted, Sockets};
use crate::support::{LONG, nobody, once, settle};
use ringway_frame::Format;
use ringway_stages::services::whisperlivekit::{Config, Mode, WhisperLiveKit};
use ringway_stages::services::{ApiKey, Endpoint};
use ringway_stages::stt::{SpeechToText, SttCall};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const CONFIG: &str = r#"{"type":"config","useAudioWorklet":true,"mode":"full"}"#;

/// Bytes of a frame of 16 kHz.
const FRAME: usize = 640;

fn config(url: Endpoint) -> Config {
    Config { url, mode: Mode::Full, connect: LONG, ..Config::default() }
}

fn open(config: Config) -> Hearing {
    let key = ApiKey::new("wlk-test");
    WhisperLiveKit::new(config, Some(&key)).unwrap().open(SttCall { format: Format::Pcm16k }).unwrap()
}

/// Words that stand and a guess, when so much of the audio was not looked at.
fn state(stands: &str, guess: &str, behind: f64) -> String {
    json!({
        "status": "active_transcription", "lines": [{"speaker": 1, "text": stands}],
        "buffer_transcription": guess, "buffer_diarization": "",
        "remaining_time_transcription_processing": behind,
    })
    .to_string()
}

/// A session whose server is ready, and in whose first segment a second was said.
async fn begun(sockets: &Sockets, config: Config) -> (Hearing, Accepted) {
    let mut session = open(config);
    let mut service = meanwhile(&mut session, sockets.accept()).await;
    service.send(CONFIG).await;
    meanwhile(&mut session, settle()).await;
    begin(&mut session, 1);
    speak(&mut session, 48);
    pause(&mut session, 3);
    (session, service)
}

/// The audio that has come, in frames.
async fn frames(session: &mut Hearing, service: &mut Accepted, count: usize) {
    let receive = async {
        let mut bytes = 0;
        while bytes < count * FRAME {
            bytes += service.receive().await.unwrap().unwrap_err().len();
        }
        assert_eq!(bytes, count * FRAME);
    };
    meanwhile(session, receive).await;
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_answered_when_the_server_has_looked_at_it_and_changes_nothing() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    assert_eq!(service.path, "/asr?mode=full&language=en");
    assert_eq!(service.authorization.as_deref(), Some("Bearer wlk-test"));
    service.send(&state("", " Hello", 0.8)).await;
    assert_eq!(event(&mut session).await.unwrap(), guess(1, "Hello"));
    session.flush().unwrap();
    // What was said, and 400 ms of silence up to the end of a message.
    frames(&mut session, &mut service, 51 + 21).await;
    service.send(&state(" Hello", " there", 0.5)).await;
    assert_eq!(event(&mut session).await.unwrap(), guess(1, "Hello there"));
    service.send(&state(" Hello there.", "", 0.1)).await;
    assert_eq!(event(&mut session).await.unwrap(), guess(1, "Hello there."));
    assert_eq!(event(&mut session).await.unwrap(), answer(1, "Hello there."));
}

#[tokio::test(start_paused = true)]
async fn an_answer_behind_which_speech_goes_on_is_said_again_as_it_stands_then() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    session.flush().unwrap();
    service.send(&state("", " a table for", 0.1)).await;
    event(&mut session).await.unwrap();
    assert_eq!(event(&mut session).await.unwrap(), answer(1, "a table for"));
    speak(&mut session, 30);
    session.flush().unwrap();
    service.send(&state(" A table", " for four", 0.1)).await;
    assert_eq!(event(&mut session).await.unwrap(), guess(1, "A table for four"));
    assert_eq!(event(&mut session).await.unwrap(), answer(1, "A table for four"));
}

#[tokio::test(start_paused = true)]
async fn words_of_one_turn_are_not_taken_for_the_next_ones() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    session.flush().unwrap();
    service.send(&state("", " one", 0.1)).await;
    event(&mut session).await.unwrap();
    assert_eq!(event(&mut session).await.unwrap(), answer(1, "one"));
    session.abandon();
    pause(&mut session, 100);
    service.send(&state(" One.", "", 2.0)).await;
    meanwhile(&mut session, settle()).await;
    begin(&mut session, 2);
    speak(&mut session, 30);
    service.send(&state(" One. Two", "", 0.1)).await;
    assert_eq!(event(&mut session).await.unwrap(), guess(2, "Two"));
    session.flush().unwrap();
    service.send(&state(" One. Two", "", 0.2)).await;
    assert_eq!(event(&mut session).await.unwrap(), answer(2, "Two"));
}

#[tokio::test]
async fn a_server_that_takes_no_samples_is_told_with_the_remedy() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("/asr")));
    let mut service = meanwhile(&mut session, sockets.accept()).await;
    service.send(&CONFIG.replace("true", "false")).await;
    let expected =
        "whisperlivekit: cannot be used: the server takes encoded audio only; start it with --pcm-input";
    assert_eq!(failure(&mut session).await, expected);
}

#[tokio::test(start_paused = true)]
async fn words_that_the_server_has_not_looked_at_in_time_are_left_to_another_session() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    session.flush().unwrap();
    service.send(&state("", " Hello", 0.9)).await;
    event(&mut session).await.unwrap();
    assert_eq!(failure(&mut session).await, "whisperlivekit: nothing came within 1.5s inside the answer");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up() {
    let sockets = Sockets::start().await;
    let (mut session, _service) = begun(&sockets, config(sockets.endpoint(""))).await;
    session.flush().unwrap();
    assert_eq!(failure(&mut session).await, "whisperlivekit: nothing came within 1.5s before the answer");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_lost_in_a_pause_is_set_up_again_with_what_was_heard_meanwhile() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("")));
    let service = meanwhile(&mut session, sockets.accept()).await;
    service.close().await;
    meanwhile(&mut session, settle()).await;
    pause(&mut session, 6);
    begin(&mut session, 1);
    let mut service = meanwhile(&mut session, sockets.accept()).await;
    service.send(CONFIG).await;
    speak(&mut session, 30);
    frames(&mut session, &mut service, 36).await;
    service.send(&state("", " yes", 0.1)).await;
    assert_eq!(event(&mut session).await.unwrap(), guess(1, "yes"));
}

#[tokio::test]
async fn a_stream_that_is_lost_in_a_word_ends_the_session() {
    let sockets = Sockets::start().await;
    let (mut session, service) = begun(&sockets, config(sockets.endpoint(""))).await;
    service.close().await;
    let error = failure(&mut session).await;
    assert!(error.starts_with("whisperlivekit: the connection ended inside the answer: "), "{error}");
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    service.send(r#"{"type":"ready_to_stop"}"#).await;
    let error = failure(&mut session).await;
    assert_eq!(error, "whisperlivekit: the connection ended inside the answer: the service ended the stream");
}

#[tokio::test]
async fn garbage_and_the_servers_own_errors_are_told() {
    for (said, expected) in [
        ("oops", "malformed message: expected value at line 1 column 1"),
        (r#"{"type":"diff","n_lines":3}"#, "malformed message: it changes lines that were never sent"),
        (r#"{"type":"error","error":"no such language"}"#, "failed inside its answer: no such language"),
    ] {
        let sockets = Sockets::start().await;
        let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
        service.send(said).await;
        assert_eq!(failure(&mut session).await, format!("whisperlivekit: {expected}"));
    }
}

#[tokio::test]
async fn a_refused_socket_is_told_with_its_status() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("")));
    let refuse = async {
        let mut tcp = sockets.tcp().await;
        let mut request = [0; 4_096];
        assert!(tcp.read(&mut request).await.unwrap() > 0);
        tcp.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        tcp
    };
    let (error, _tcp) = tokio::join!(failure(&mut session), refuse);
    assert_eq!(error, "whisperlivekit: status 403: the key is missing or was refused");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_there_matters_when_somebody_speaks() {
    let mut session = open(config(nobody().await));
    assert!(once(|cx| session.poll_event(cx)).await.is_none());
    begin(&mut session, 1);
    let error = failure(&mut session).await;
    assert!(error.starts_with("whisperlivekit: cannot connect to 127.0.0.1:"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_has_its_limit() {
    let sockets = Sockets::start().await;
    let connect = Duration::from_secs(1);
    let mut session = open(Config { connect, ..config(sockets.endpoint("")) });
    begin(&mut session, 1);
    assert_eq!(
        failure(&mut session).await,
        "whisperlivekit: nothing came within 1s while it was being set up"
    );
}
