use super::client::{ask, connect};
use super::{mocks, stat};
use crate::services::mocks::Mocks;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

type Socket = WebSocketStream<DuplexStream>;

async fn open(mocks: &Arc<Mocks>, query: &str) -> Result<Socket, Error> {
    let url = format!("ws://mock/v1/listen?encoding=mulaw&model=nova-3&{query}");
    client_async(url, connect(mocks)).await.map(|(socket, response)| {
        assert!(response.headers().contains_key("dg-request-id"));
        socket
    })
}

/// So many frames of 20 ms, all at once.
async fn say(socket: &mut Socket, loud: bool, frames: usize) {
    let frame = vec![if loud { 0x0f } else { 0xff }; 160];
    for _ in 0..frames {
        socket.send(Message::binary(frame.clone())).await.unwrap();
    }
}

async fn tell(socket: &mut Socket, kind: &str) {
    socket.send(Message::text(json!({"type": kind}).to_string())).await.unwrap();
}

/// The next message as JSON.
async fn next(socket: &mut Socket) -> Value {
    match socket.next().await {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The code and reason of the close that comes next.
async fn close(socket: &mut Socket) -> (u16, String) {
    match socket.next().await {
        Some(Ok(Message::Close(Some(frame)))) => (frame.code.into(), frame.reason.to_string()),
        other => panic!("{other:?}"),
    }
}

fn transcript(results: &Value) -> &str {
    results["channel"]["alternatives"][0]["transcript"].as_str().unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_utterance_is_answered_after_the_delay_and_the_stream_ends_with_metadata() {
    let mocks = mocks("stt = { delay_ms = 50, texts = ['Hello there.'] }");
    let mut socket = open(&mocks, "endpointing=300&vad_events=true").await.unwrap();
    let began = Instant::now();
    say(&mut socket, true, 50).await;
    say(&mut socket, false, 20).await;
    let started = next(&mut socket).await;
    assert_eq!(started, json!({"type": "SpeechStarted", "channel": [0], "timestamp": 0.0}));
    let results = next(&mut socket).await;
    assert_eq!(began.elapsed(), Duration::from_millis(50));
    assert_eq!(
        (&results["type"], &results["is_final"], &results["speech_final"]),
        (&json!("Results"), &json!(true), &json!(true))
    );
    assert_eq!((transcript(&results), &results["duration"]), ("Hello there.", &json!(1.3)));
    let words = &results["channel"]["alternatives"][0]["words"];
    assert_eq!((&words[1]["word"], &words[1]["punctuated_word"]), (&json!("there"), &json!("there.")));
    tell(&mut socket, "CloseStream").await;
    let metadata = next(&mut socket).await;
    assert_eq!((&metadata["type"], &metadata["duration"]), (&json!("Metadata"), &json!(1.4)));
    assert_eq!(metadata["request_id"], results["metadata"]["request_id"]);
    assert_eq!(close(&mut socket).await, (1_000, String::new()));
    assert_eq!(stat(&mocks, "services.listen.answered").await, 1);
    assert_eq!(stat(&mocks, "services.listen.utterances").await, 1);
}

#[tokio::test(start_paused = true)]
async fn finalize_is_answered_with_what_was_said_so_far() {
    let mut socket = open(&mocks(""), "endpointing=false").await.unwrap();
    say(&mut socket, true, 25).await;
    tell(&mut socket, "Finalize").await;
    let results = next(&mut socket).await;
    assert_eq!((transcript(&results), &results["from_finalize"]), ("hello there", &json!(true)));
    assert_eq!(results["is_final"], true);
}

#[tokio::test(start_paused = true)]
async fn closing_the_stream_tells_what_was_not_told_yet() {
    for by_message in [true, false] {
        let mut socket = open(&mocks(""), "endpointing=false").await.unwrap();
        say(&mut socket, true, 25).await;
        if by_message {
            tell(&mut socket, "CloseStream").await;
        } else {
            socket.send(Message::binary(Vec::new())).await.unwrap();
        }
        assert_eq!(transcript(&next(&mut socket).await), "hello there");
        assert_eq!(next(&mut socket).await["type"], "Metadata");
        assert_eq!(close(&mut socket).await.0, 1_000);
    }
}

#[tokio::test(start_paused = true)]
async fn who_sends_nothing_for_ten_seconds_is_closed_and_keep_alive_is_enough() {
    let mut socket = open(&mocks(""), "").await.unwrap();
    let began = Instant::now();
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(9)).await;
        tell(&mut socket, "KeepAlive").await;
    }
    let (code, reason) = close(&mut socket).await;
    assert_eq!((code, reason.contains("net0001")), (1_011, true));
    assert_eq!(began.elapsed().as_secs(), 3 * 9 + 10);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_none_is_answered_with_an_error_and_the_stream_goes_on() {
    let mut socket = open(&mocks(""), "").await.unwrap();
    socket.send(Message::text("hello?")).await.unwrap();
    let error = next(&mut socket).await;
    assert_eq!((&error["type"], &error["variant"]), (&json!("Error"), &json!("SchemaError")));
    say(&mut socket, true, 25).await;
    say(&mut socket, false, 20).await;
    assert_eq!(transcript(&next(&mut socket).await), "hello there");
}

#[tokio::test(start_paused = true)]
async fn handshakes_with_mistakes_are_refused() {
    let status = |refused: Result<Socket, Error>| match refused {
        Err(Error::Http(response)) => response.status(),
        other => panic!("{other:?}"),
    };
    let mocks = mocks("api_key = 'k'");
    assert_eq!(status(open(&mocks, "").await), StatusCode::UNAUTHORIZED);
    let reply = ask(&mocks, "GET", "/v1/listen", &[("authorization", "Token k")], b"").await;
    assert_eq!((reply.status, &reply.json()["err_code"]), (400, &json!("INVALID_QUERY_PARAMETER")));
    assert!(reply.head.contains("dg-error: encoding="));
    assert_eq!(stat(&mocks, "services.listen.rejected").await, 2);
}

#[tokio::test(start_paused = true)]
async fn sockets_are_refused_before_they_are_open() {
    let refused = open(&mocks("listen = { fail = ['100%:503'] }"), "").await;
    assert!(matches!(&refused, Err(Error::Http(response)) if response.status() == 503), "{refused:?}");
    let closed = open(&mocks("listen = { fail = ['100%:refuse'] }"), "").await;
    assert!(!matches!(&closed, Err(Error::Http(_)) | Ok(_)), "{closed:?}");
    let page = open(&mocks("listen = { fail = ['100%:page'] }"), "").await;
    assert!(matches!(&page, Err(Error::Http(response)) if response.status() == 200), "{page:?}");
}

#[tokio::test(start_paused = true)]
async fn a_socket_ends_at_its_limit_of_time_or_bytes() {
    let limited = "limit_ms = 2000\nlisten = { fail = ['100%:limit'] }";
    let mut socket = open(&mocks(limited), "").await.unwrap();
    let began = Instant::now();
    assert_eq!(close(&mut socket).await, (1011, "the session has reached its limit".into()));
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    let mocks = mocks(&format!("limit_bytes = 800\n{limited}"));
    let mut socket = open(&mocks, "").await.unwrap();
    let began = Instant::now();
    say(&mut socket, false, 5).await;
    assert_eq!(close(&mut socket).await.0, 1011);
    assert_eq!((began.elapsed(), stat(&mocks, "services.listen.failures.limit").await), (Duration::ZERO, 1));
}

/// What comes after an utterance, of a service that always fails in this way; and the time it took.
async fn after_an_utterance(failure: &str) -> (Arc<Mocks>, Option<Result<Message, Error>>, Duration) {
    let mocks = mocks(&format!("listen = {{ delay_ms = 50, fail = ['100%:{failure}'] }}"));
    let mut socket = open(&mocks, "endpointing=300").await.unwrap();
    let began = Instant::now();
    say(&mut socket, true, 25).await;
    say(&mut socket, false, 20).await;
    let next = tokio::time::timeout(Duration::from_secs(5), socket.next()).await;
    (mocks, next.unwrap_or(None), began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn utterances_fail_in_every_way() {
    let (mocks, next, _) = after_an_utterance("cut").await;
    assert!(matches!(next, Some(Err(_)) | None), "{next:?}");
    assert_eq!(stat(&mocks, "services.listen.failures.cut").await, 1);
    let (_, next, _) = after_an_utterance("garbage").await;
    let Some(Ok(Message::Text(garbage))) = next else { panic!("{next:?}") };
    assert!(serde_json::from_str::<Value>(&garbage).is_err());
    let (_, next, took) = after_an_utterance("slow").await;
    assert!(matches!(next, Some(Ok(Message::Text(_)))) && took == Duration::from_millis(500), "{took:?}");
    let (_, next, _) = after_an_utterance("type").await;
    assert!(matches!(next, Some(Ok(Message::Binary(_)))), "{next:?}");
    let (mocks, next, took) = after_an_utterance("hang").await;
    assert!(next.is_none() && took == Duration::from_secs(5), "{next:?} {took:?}");
    assert_eq!(stat(&mocks, "services.listen.failures.hang").await, 1);
}

#[tokio::test(start_paused = true)]
async fn words_may_never_come_or_late_or_twice() {
    for silent in ["mute", "unanswered"] {
        let (mocks, next, _) = after_an_utterance(silent).await;
        assert!(next.is_none(), "{silent}: {next:?}");
        assert_eq!(stat(&mocks, &format!("services.listen.failures.{silent}")).await, 1);
    }
    let (_, next, took) = after_an_utterance("late").await;
    assert!(matches!(next, Some(Ok(Message::Text(_)))) && took == Duration::from_millis(1_250), "{took:?}");
    let mocks = mocks("listen = { fail = ['100%:twice'] }");
    let mut socket = open(&mocks, "endpointing=300").await.unwrap();
    say(&mut socket, true, 25).await;
    say(&mut socket, false, 20).await;
    let once = socket.next().await.unwrap().unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), once);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_without_a_word_has_given_up() {
    let mocks = mocks("");
    let mut socket = open(&mocks, "").await.unwrap();
    say(&mut socket, true, 5).await;
    drop(socket);
    tokio::task::yield_now().await;
    assert_eq!(stat(&mocks, "services.listen.abandoned").await, 1);
}
