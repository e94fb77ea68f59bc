//! A server that is known by its answer to a plain request.

use crate::hearing::{Hearing, begin, event, failure, guess, meanwhile, speak};
use crate::socket::Sockets;
use crate::support::nobody;
use ringway_frame::Format;
use ringway_stages::services::Endpoint;
use ringway_stages::services::whisper_auto::{Config, Protocol, WhisperAuto};
use ringway_stages::stt::{SpeechToText, SttCall};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const HEALTHY: &str =
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"status\":\"ok\",\"backend\":\"voxtral\",\"ready\":true}";
const UPGRADE: &str =
    "HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\n\r\nFailed to open a WebSocket connection";

fn engine(url: Endpoint, protocol: Protocol) -> WhisperAuto {
    let config = Config { url, protocol, ..Config::default() };
    WhisperAuto::new(config, Default::default(), Default::default(), None).unwrap()
}

fn open(engine: &WhisperAuto) -> Hearing {
    engine.open(SttCall { format: Format::Pcm16k }).unwrap()
}

/// Answers the next plain request.
async fn tell(sockets: &Sockets, answer: &str) -> String {
    let mut tcp = sockets.tcp().await;
    let mut request = [0; 4_096];
    let length = tcp.read(&mut request).await.unwrap();
    tcp.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8_lossy(&request[..length]).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn what_was_said_before_the_server_was_known_is_not_lost() {
    for (answer, path) in [(HEALTHY, "/asr?mode=diff&language=en"), (UPGRADE, "/")] {
        let sockets = Sockets::start().await;
        let engine = engine(sockets.endpoint(""), Protocol::Auto);
        let mut session = open(&engine);
        speak(&mut session, 3);
        begin(&mut session, 1);
        speak(&mut session, 30);
        // The engine asks when it is made, and the session because it is not answered yet.
        for _ in 0..2 {
            let request = meanwhile(&mut session, tell(&sockets, answer)).await;
            assert_eq!(request, "GET /health HTTP/1.1");
        }
        let mut service = meanwhile(&mut session, sockets.accept()).await;
        assert_eq!(service.path, path);
        let mut heard = 0;
        if answer == UPGRADE {
            let options = meanwhile(&mut session, service.receive()).await.unwrap().unwrap();
            assert!(options.contains("\"task\":\"transcribe\""), "{options}");
            while heard < 33 * 1_280 {
                heard += meanwhile(&mut session, service.receive()).await.unwrap().unwrap_err().len();
            }
            service
                .send(r#"{"segments":[{"start":"0.0","end":"0.5","text":" yes","completed":false}]}"#)
                .await;
        } else {
            while heard < 33 * 640 {
                heard += meanwhile(&mut session, service.receive()).await.unwrap().unwrap_err().len();
            }
            service.send(r#"{"type":"snapshot","lines":[],"buffer_transcription":" yes"}"#).await;
        }
        assert_eq!(event(&mut session).await.unwrap(), guess(1, "yes"));
        // From now on it is known.
        let mut next = open(&engine);
        assert_eq!(meanwhile(&mut next, sockets.accept()).await.path, path);
    }
}

#[tokio::test]
async fn a_server_of_neither_kind_matters_when_somebody_speaks() {
    let sockets = Sockets::start().await;
    let mut session = open(&engine(sockets.endpoint("/x/asr"), Protocol::Auto));
    begin(&mut session, 1);
    let serve = async {
        tell(&sockets, "HTTP/1.1 404 Not Found\r\n\r\n").await;
        tell(&sockets, "HTTP/1.1 404 Not Found\r\n\r\n").await
    };
    let (error, request) = tokio::join!(failure(&mut session), serve);
    assert_eq!(error, "whisper_auto: cannot be used: the server is neither WhisperLiveKit nor WhisperLive");
    assert_eq!(request, "GET /x/health HTTP/1.1");
    let mut session = open(&engine(nobody().await, Protocol::Auto));
    begin(&mut session, 1);
    let error = failure(&mut session).await;
    assert!(error.starts_with("whisper_auto: cannot connect to 127.0.0.1:"), "{error}");
}

#[tokio::test]
async fn a_server_that_was_told_is_not_asked() {
    let sockets = Sockets::start().await;
    let mut session = open(&engine(sockets.endpoint(""), Protocol::WhisperLiveKit));
    let service = meanwhile(&mut session, sockets.accept()).await;
    assert_eq!(service.path, "/asr?mode=diff&language=en");
}
