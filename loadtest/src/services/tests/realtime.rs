use super::client::connect;
use super::{mocks, stat};
use crate::services::mocks::Mocks;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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

async fn open(mocks: &Arc<Mocks>) -> Socket {
    let (mut socket, _) = client_async("ws://mock/v1/realtime?model=m", connect(mocks)).await.unwrap();
    assert_eq!(next(&mut socket).await["type"], "session.created");
    let format =
        json!({"format": {"type": "audio/pcmu"}, "turn_detection": null, "transcription": {"model": "w"}});
    let audio = json!({"input": format, "output": {"format": {"type": "audio/pcmu"}}});
    tell(&mut socket, json!({"type": "session.update", "session": {"type": "realtime", "audio": audio}}))
        .await;
    assert_eq!(next(&mut socket).await["type"], "session.updated");
    socket
}

async fn tell(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

async fn next(socket: &mut Socket) -> Value {
    match socket.next().await {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// All messages up to the first of this kind.
async fn until(socket: &mut Socket, kind: &str) -> Vec<Value> {
    let mut seen = vec![next(socket).await];
    while seen[seen.len() - 1]["type"] != kind {
        seen.push(next(socket).await);
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_after_its_delay_and_faster_than_it_is_spoken() {
    let mocks = mocks("realtime = { delay_ms = 150, speed = 10, replies = ['0123456789'] }");
    let mut socket = open(&mocks).await;
    let began = Instant::now();
    tell(&mut socket, json!({"type": "response.create"})).await;
    until(&mut socket, "response.output_audio.delta").await;
    assert_eq!(began.elapsed(), Duration::from_millis(150));
    let rest = until(&mut socket, "response.done").await;
    assert_eq!(began.elapsed(), Duration::from_millis(150 + 3 * 20), "600 ms in pieces of 200");
    let audio = rest.iter().filter(|event| event["type"] == "response.output_audio.delta");
    let bytes: usize =
        audio.map(|event| STANDARD.decode(event["delta"].as_str().unwrap()).unwrap().len()).sum();
    assert_eq!(bytes, 400 * 8);
    assert_eq!(rest[rest.len() - 1]["response"]["status"], "completed");
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_written_down_after_its_delay() {
    let mocks = mocks("realtime = { transcript_ms = 70, texts = ['Hello.'] }");
    let mut socket = open(&mocks).await;
    let audio = STANDARD.encode([0x0f; 1_600]);
    tell(&mut socket, json!({"type": "input_audio_buffer.append", "audio": audio})).await;
    tell(&mut socket, json!({"type": "input_audio_buffer.commit"})).await;
    let began = Instant::now();
    let told = until(&mut socket, "conversation.item.input_audio_transcription.completed").await;
    assert_eq!(began.elapsed(), Duration::from_millis(70));
    assert_eq!(
        (&told[0]["type"], &told[told.len() - 1]["transcript"]),
        (&json!("input_audio_buffer.committed"), &json!("Hello."))
    );
    assert_eq!(stat(&mocks, "services.realtime.utterances").await, 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_cut_off_goes_on_behind_what_the_session_is_told_of_it() {
    let mut socket = open(&mocks("realtime = { replies = ['One two three.'] }")).await;
    let content = json!([{"type": "output_text", "text": "One two"}]);
    let item = json!({"type": "message", "role": "assistant", "content": content});
    tell(&mut socket, json!({"type": "conversation.item.create", "item": item})).await;
    tell(&mut socket, json!({"type": "response.create"})).await;
    let said = until(&mut socket, "response.output_audio_transcript.done").await;
    assert_eq!(said[said.len() - 1]["transcript"], "three.");
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_at_its_time_limit() {
    let mut socket = open(&mocks("realtime = { longest_ms = 60000 }")).await;
    let began = Instant::now();
    assert_eq!(next(&mut socket).await["error"]["code"], "session_expired");
    assert_eq!(began.elapsed().as_secs(), 60);
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))));
}

#[tokio::test(start_paused = true)]
async fn failures_strike_answers_and_handshakes() {
    let mut socket = open(&mocks("realtime = { fail = ['100%:cut'] }")).await;
    tell(&mut socket, json!({"type": "response.create"})).await;
    while let Some(Ok(message)) = socket.next().await {
        assert!(!message.to_string().contains("response.done"));
    }
    let mocks = mocks("realtime = { fail = ['100%:503'] }");
    match client_async("ws://mock/v1/realtime?model=m", connect(&mocks)).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE),
        other => panic!("{other:?}"),
    }
}
