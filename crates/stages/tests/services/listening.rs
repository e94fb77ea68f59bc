//! Sessions of streaming recognisers, and the ways in which every one of them may fail.

use crate::socket::{Accepted, Sockets};
use crate::support::{nobody, once};
use ringway_frame::{Format, Frame};
use ringway_stages::Expectation;
use ringway_stages::services::Endpoint;
use ringway_stages::stt::{Segment, SegmentId, SttError, SttEvent, SttSession, Urgency};
use std::future::poll_fn;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

/// Opens a session of the service at an address.
pub(crate) type Open = fn(Endpoint) -> Box<dyn SttSession>;

pub(crate) fn begin(session: &mut dyn SttSession, id: u32) {
    let expectation = Expectation::anything();
    session.begin(Segment { id: SegmentId(id), urgency: Urgency::Turn, expectation }).unwrap();
}

pub(crate) fn hear(session: &mut dyn SttSession, format: Format, frames: usize) {
    for _ in 0..frames {
        session.hear(&Frame::silence(format)).unwrap();
    }
}

pub(crate) async fn event(session: &mut dyn SttSession) -> Result<SttEvent, SttError> {
    poll_fn(|cx| session.poll_event(cx)).await
}

/// Does what the service's side needs while the session is polled, which has nothing to say meanwhile.
pub(crate) async fn meanwhile<T>(session: &mut dyn SttSession, service: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        done = service => done,
        event = event(session) => panic!("{event:?} out of nothing"),
    }
}

pub(crate) fn last(id: u32, text: &str, flushed: bool) -> SttEvent {
    SttEvent::Final { segment: SegmentId(id), text: text.into(), flushed }
}

pub(crate) fn guess(id: u32, text: &str) -> SttEvent {
    SttEvent::Partial { segment: SegmentId(id), text: text.into() }
}

pub(crate) fn likely(id: u32, probability: f32) -> SttEvent {
    SttEvent::EndOfTurn { segment: SegmentId(id), probability }
}

/// A session in whose first segment ten frames were heard.
pub(crate) async fn begun(sockets: &Sockets, open: Open) -> (Box<dyn SttSession>, Accepted) {
    let mut session = open(sockets.endpoint("/listen"));
    let service = meanwhile(&mut *session, sockets.accept()).await;
    begin(&mut *session, 1);
    hear(&mut *session, Format::Mulaw8k, 10);
    (session, service)
}

/// Every way to fail before a socket stands.
pub(crate) async fn fails_before_its_socket_stands(open: Open, name: &str) {
    for (status, body, expected) in [
        ("401 No", "the-key?", "status 401: the key is missing or was refused"),
        ("400 No", r#"{"message":"no such model"}"#, "status 400: no such model"),
        ("500 No", "out of order", "status 500: out of order"),
        ("200 OK", "<html>welcome</html>", "status 200: <html>welcome</html>"),
    ] {
        let sockets = Sockets::start().await;
        let mut session = open(sockets.endpoint(""));
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
        assert_eq!(error.unwrap_err().to_string(), format!("{name}: {expected}"));
    }
}

/// One that is not there matters when somebody speaks.
pub(crate) async fn fails_when_nobody_is_there(open: Open, name: &str) {
    let mut session = open(nobody().await);
    assert!(once(|cx| session.poll_event(cx)).await.is_none());
    begin(&mut *session, 1);
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("{name}: cannot connect to 127.0.0.1:")), "{error}");
}

/// A socket whose handshake is never answered; the limit is a second.
pub(crate) async fn fails_when_the_handshake_hangs(open: Open, name: &str) {
    let sockets = Sockets::start().await;
    let mut session = open(sockets.endpoint(""));
    begin(&mut *session, 1);
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert_eq!(error, format!("{name}: nothing came within 1s while it was being set up"));
}

/// Every way to fail in a word.
pub(crate) async fn fails_in_a_word(open: Open, name: &str, own_error: &str) {
    let sockets = Sockets::start().await;
    let (mut session, service) = begun(&sockets, open).await;
    drop(service);
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("{name}: the connection ended inside the answer: ")), "{error}");
    let (mut session, service) = begun(&sockets, open).await;
    service.close().await;
    let error = event(&mut *session).await.unwrap_err().to_string();
    let closed = "the connection ended inside the answer: the service closed it: 1011 time is up";
    assert_eq!(error, format!("{name}: {closed}"));
    for (said, expected) in [
        ("oops", "malformed message: expected value at line 1 column 1"),
        (own_error, "failed inside its answer: too old"),
    ] {
        let (mut session, mut service) = begun(&sockets, open).await;
        service.send(said).await;
        let error = event(&mut *session).await.unwrap_err().to_string();
        assert_eq!(error, format!("{name}: {expected}"));
    }
    let (mut session, mut service) = begun(&sockets, open).await;
    service.send_bytes(&[1, 2, 3]).await;
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert_eq!(error, format!("{name}: malformed message: bytes where text is due"));
}

/// Audio that nobody takes has a bound.
pub(crate) async fn fails_when_nobody_takes_the_audio(open: Open, name: &str) {
    let sockets = Sockets::start().await;
    let mut session = open(sockets.endpoint(""));
    begin(&mut *session, 1);
    let mut heard = 0;
    let error = loop {
        match session.hear(&Frame::silence(Format::Mulaw8k)) {
            Ok(()) => heard += 1,
            Err(error) => break error.to_string(),
        }
    };
    let expected = format!("{name}: takes its audio too slowly: 120480 bytes wait");
    assert_eq!((heard, error), (752, expected));
}

/// Silence about a cough is no failure.
pub(crate) async fn takes_silence_about_a_cough_for_nothing(open: Open) {
    let sockets = Sockets::start().await;
    let (mut session, _service) = begun(&sockets, open).await;
    session.flush().unwrap();
    assert_eq!(event(&mut *session).await.unwrap(), last(1, "", true));
}

/// A socket whose other side is gone without a word stands for long; in a pause it is replaced, and nobody is told.
pub(crate) async fn replaces_a_socket_that_answers_no_ping(open: Open) {
    let sockets = Sockets::start().await;
    let mut session = open(sockets.endpoint(""));
    let _gone = meanwhile(&mut *session, sockets.accept()).await;
    let opened = Instant::now();
    meanwhile(&mut *session, sockets.accept()).await;
    assert!((8..10).contains(&opened.elapsed().as_secs()), "{:?}", opened.elapsed());
}
