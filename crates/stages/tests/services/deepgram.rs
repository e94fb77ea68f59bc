//! The streaming recogniser.

use crate::listening::{replaces_a_socket_that_answers_no_ping, takes_silence_about_a_cough_for_nothing};
use crate::socket::{Accepted, Sockets};
use crate::support::{LONG, nobody, once, settle};
use ringway_frame::{Format, Frame};
use ringway_stages::Expectation;
use ringway_stages::services::deepgram::{Config, Deepgram};
use ringway_stages::services::{ApiKey, Endpoint};
use ringway_stages::stt::{
    Segment, SegmentId, SpeechToText, SttCall, SttError, SttEvent, SttSession, Urgency,
};
use std::future::poll_fn;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_millis(700);
const FINALIZE: &str = r#"{"type":"Finalize"}"#;

fn config(url: Endpoint) -> Config {
    Config { url, connect: LONG, finalize: LONG, ..Config::default() }
}

fn hasty_config(sockets: &Sockets) -> Config {
    Config { finalize: PATIENCE, ..config(sockets.endpoint("")) }
}

fn open(config: Config) -> Box<dyn SttSession> {
    let key = ApiKey::new("dg-test");
    Deepgram::new(config, Some(&key)).unwrap().open(SttCall { format: Format::Mulaw8k }).unwrap()
}

fn patient(url: Endpoint) -> Box<dyn SttSession> {
    open(config(url))
}

fn hasty(url: Endpoint) -> Box<dyn SttSession> {
    open(Config { finalize: PATIENCE, ..config(url) })
}

fn begin(session: &mut dyn SttSession, id: u32) {
    let expectation = Expectation::anything();
    session.begin(Segment { id: SegmentId(id), urgency: Urgency::Turn, expectation }).unwrap();
}

fn hear(session: &mut dyn SttSession, frames: usize) {
    for _ in 0..frames {
        session.hear(&Frame::silence(Format::Mulaw8k)).unwrap();
    }
}

async fn event(session: &mut dyn SttSession) -> Result<SttEvent, SttError> {
    poll_fn(|cx| session.poll_event(cx)).await
}

/// Does what the service's side needs while the session is polled, which has nothing to say meanwhile.
async fn meanwhile<T>(session: &mut dyn SttSession, service: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        done = service => done,
        event = event(session) => panic!("{event:?} out of nothing"),
    }
}

/// What the service hears of the words up to so many milliseconds of the stream.
fn results(text: &str, end_ms: u32, is_final: bool, from_finalize: bool) -> String {
    let end = f64::from(end_ms) / 1_000.0;
    serde_json::json!({
        "type": "Results", "start": 0.0, "duration": end, "is_final": is_final, "speech_final": is_final,
        "from_finalize": from_finalize, "channel": {"alternatives": [{"transcript": text, "words": []}]},
    })
    .to_string()
}

fn last(id: u32, text: &str, flushed: bool) -> SttEvent {
    SttEvent::Final { segment: SegmentId(id), text: text.into(), flushed }
}

/// A session in whose first segment ten frames were heard.
async fn begun(sockets: &Sockets, config: Config) -> (Box<dyn SttSession>, Accepted) {
    let mut session = open(config);
    let service = meanwhile(&mut *session, sockets.accept()).await;
    begin(&mut *session, 1);
    hear(&mut *session, 10);
    (session, service)
}

#[tokio::test]
async fn a_call_is_heard_from_its_first_word_to_its_last() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint("/v1/listen"))).await;
    assert!(service.path.starts_with("/v1/listen?encoding=mulaw&sample_rate=8000&"), "{}", service.path);
    assert_eq!(service.authorization.as_deref(), Some("Token dg-test"));
    service.send(&results("hello", 100, false, false)).await;
    let guess = SttEvent::Partial { segment: SegmentId(1), text: "hello".into() };
    assert_eq!(event(&mut *session).await.unwrap(), guess);
    service.send(&results("Hello there", 120, true, false)).await;
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "Hello there", false));
    session.flush().unwrap();
    let heard = meanwhile(&mut *session, service.audio()).await;
    assert_eq!(heard, (10 * 160, FINALIZE.to_owned()));
    service.send(&results("my friend", 200, true, true)).await;
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "my friend", true));
    drop(session);
    assert_eq!(service.receive().await, Some(Ok(r#"{"type":"CloseStream"}"#.into())));
    assert_eq!(service.receive().await, None);
}

#[tokio::test]
async fn an_answer_that_speech_went_on_behind_is_said_again() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    session.flush().unwrap();
    service.send(&results("hello", 200, true, true)).await;
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "hello", true));
    hear(&mut *session, 10);
    session.flush().unwrap();
    service.send(&results("my friend", 400, true, true)).await;
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "hello my friend", true));
}

#[tokio::test]
async fn an_older_questions_answer_is_no_answer_to_the_next_one() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    session.flush().unwrap();
    hear(&mut *session, 10);
    session.flush().unwrap();
    service.send(&results("one", 200, true, true)).await;
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "one", false));
    service.send(&results("two", 400, true, true)).await;
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "two", true));
}

#[tokio::test]
async fn words_of_the_segment_before_are_not_taken_for_the_next_ones() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    session.flush().unwrap();
    service.send(&results("one", 200, true, true)).await;
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "one", true));
    hear(&mut *session, 100);
    begin(&mut *session, 2);
    service.send(&results("late", 1_000, true, false)).await;
    service.send(&results("two", 2_100, true, false)).await;
    assert_eq!(event(&mut *session).await.unwrap(), last(2, "two", false));
}

#[tokio::test(start_paused = true)]
async fn a_guess_counts_when_the_service_does_not_finalize() {
    let sockets = Sockets::start().await;
    let finalize = Duration::from_millis(700);
    let (mut session, mut service) =
        begun(&sockets, Config { finalize, ..config(sockets.endpoint("")) }).await;
    service.send(&results("perhaps", 180, false, false)).await;
    event(&mut *session).await.unwrap();
    session.flush().unwrap();
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "perhaps", true));
    // What comes too late is not said twice.
    service.send(&results("perhaps", 190, true, true)).await;
    begin(&mut *session, 2);
    hear(&mut *session, 50);
    service.send(&results("not", 1_200, true, false)).await;
    assert_eq!(event(&mut *session).await.unwrap(), last(2, "not", false));
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_kept_alive() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("")));
    let mut service = meanwhile(&mut *session, sockets.accept()).await;
    for _ in 0..3 {
        let heard = meanwhile(&mut *session, service.audio()).await;
        assert_eq!(heard, (0, r#"{"type":"KeepAlive"}"#.to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_lost_in_a_pause_is_set_up_again_with_what_was_heard_meanwhile() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    session.flush().unwrap();
    service.send(&results("one", 200, true, true)).await;
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "one", true));
    session.abandon();
    service.close().await;
    meanwhile(&mut *session, settle()).await;
    hear(&mut *session, 6);
    begin(&mut *session, 2);
    let mut service = meanwhile(&mut *session, sockets.accept()).await;
    hear(&mut *session, 3);
    session.flush().unwrap();
    assert_eq!(meanwhile(&mut *session, service.audio()).await, (9 * 160, FINALIZE.to_owned()));
    // The new stream counts from its own beginning.
    service.send(&results("two", 180, true, true)).await;
    assert_eq!(event(&mut *session).await.unwrap(), last(2, "two", true));
}

#[tokio::test]
async fn a_stream_that_is_lost_in_a_word_ends_the_session() {
    let sockets = Sockets::start().await;
    let (mut session, service) = begun(&sockets, config(sockets.endpoint(""))).await;
    drop(service);
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert!(error.starts_with("deepgram: the connection ended inside the answer: "), "{error}");
    let (mut session, service) = begun(&sockets, config(sockets.endpoint(""))).await;
    service.close().await;
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "deepgram: the connection ended inside the answer: the service closed it: 1011 time is up"
    );
}

#[tokio::test]
async fn garbage_and_the_services_own_errors_are_told() {
    for (said, expected) in [
        ("oops", "malformed message: expected value at line 1 column 1"),
        (r#"{"type":"Error","description":"too old"}"#, "failed inside its answer: too old"),
    ] {
        let sockets = Sockets::start().await;
        let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
        service.send(said).await;
        let error = event(&mut *session).await.unwrap_err().to_string();
        assert_eq!(error, format!("deepgram: {expected}"));
    }
}

#[tokio::test]
async fn a_refused_socket_is_told_with_its_status() {
    for (status, body, expected) in [
        ("401 No", "dg-test?", "status 401: the key is missing or was refused"),
        ("400 No", r#"{"err_msg":"no such model"}"#, "status 400: no such model"),
    ] {
        let sockets = Sockets::start().await;
        let mut session = open(config(sockets.endpoint("")));
        let refuse = async {
            let mut tcp = sockets.tcp().await;
            let mut request = [0; 4_096];
            assert!(tcp.read(&mut request).await.unwrap() > 0);
            let length = body.len();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
            tcp.write_all(answer.as_bytes()).await.unwrap();
            tcp
        };
        let (error, _tcp) = tokio::join!(event(&mut *session), refuse);
        assert_eq!(error.unwrap_err().to_string(), format!("deepgram: {expected}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_there_matters_when_somebody_speaks() {
    let gone = nobody().await;
    let mut session = open(config(gone));
    assert!(once(|cx| session.poll_event(cx)).await.is_none());
    begin(&mut *session, 1);
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert!(error.starts_with("deepgram: cannot connect to 127.0.0.1:"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_has_its_limit() {
    let sockets = Sockets::start().await;
    let connect = Duration::from_secs(1);
    let mut session = open(Config { connect, ..config(sockets.endpoint("")) });
    begin(&mut *session, 1);
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert_eq!(error, "deepgram: nothing came within 1s while it was being set up");
}

#[tokio::test]
async fn audio_that_nobody_takes_has_a_bound() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("")));
    begin(&mut *session, 1);
    let mut heard = 0;
    let error = loop {
        match session.hear(&Frame::silence(Format::Mulaw8k)) {
            Ok(()) => heard += 1,
            Err(error) => break error.to_string(),
        }
    };
    assert_eq!((heard, error.as_str()), (752, "deepgram: takes its audio too slowly: 120480 bytes wait"));
}

#[tokio::test(start_paused = true)]
async fn silence_about_a_cough_is_no_failure() {
    takes_silence_about_a_cough_for_nothing(hasty).await;
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_counts_where_there_is_no_guess() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, hasty_config(&sockets)).await;
    hear(&mut *session, 40);
    session.flush().unwrap();
    meanwhile(&mut *session, pass(PATIENCE + PATIENCE / 2)).await;
    service.send(&results("late", 1_000, true, true)).await;
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "late", true));
}

#[tokio::test(start_paused = true)]
async fn a_guess_from_long_before_the_question_is_no_answer() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, hasty_config(&sockets)).await;
    service.send(&results("I would", 200, false, false)).await;
    event(&mut *session).await.unwrap();
    hear(&mut *session, 110);
    session.flush().unwrap();
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert_eq!(error, "deepgram: nothing came within 700ms before the answer");
}

#[tokio::test(start_paused = true)]
async fn one_question_without_an_answer_slows_no_other() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, hasty_config(&sockets)).await;
    service.send(&results("one", 180, false, false)).await;
    event(&mut *session).await.unwrap();
    session.flush().unwrap();
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "one", true));
    session.abandon();
    for id in 2..5 {
        hear(&mut *session, 50);
        begin(&mut *session, id);
        hear(&mut *session, 50);
        session.flush().unwrap();
        let asked = Instant::now();
        service.send(&results("more", 200 + (id - 1) * 2_000, true, true)).await;
        assert_eq!(event(&mut *session).await.unwrap(), last(id, "more", true));
        assert!(asked.elapsed() < PATIENCE, "{id}: {:?}", asked.elapsed());
        session.abandon();
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_in_the_next_segment_is_not_of_it() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, hasty_config(&sockets)).await;
    service.send(&results("one", 180, false, false)).await;
    event(&mut *session).await.unwrap();
    session.flush().unwrap();
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "one", true));
    session.abandon();
    begin(&mut *session, 2);
    hear(&mut *session, 50);
    // Rewritten, and longer than what it was asked about.
    service.send(&results("one dear", 300, true, true)).await;
    meanwhile(&mut *session, settle()).await;
    session.flush().unwrap();
    service.send(&results("two", 1_200, true, true)).await;
    assert_eq!(event(&mut *session).await.unwrap(), last(2, "two", true));
}

#[tokio::test]
async fn a_final_result_that_comes_twice_is_said_once() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    for _ in 0..2 {
        service.send(&results("one", 150, true, false)).await;
    }
    service.send(&results("", 160, true, false)).await;
    session.flush().unwrap();
    service.send(&results("", 200, true, true)).await;
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "one", false));
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "", true));
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_answers_no_ping_is_replaced() {
    replaces_a_socket_that_answers_no_ping(patient).await;
}

/// So much of the paused clock's time.
async fn pass(time: Duration) {
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}
