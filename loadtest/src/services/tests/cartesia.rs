use super::client::connect;
use super::{mocks, stat};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::{Error, Message};

const URL: &str =
    "ws://mock/stt/websocket?model=ink-2&encoding=pcm_mulaw&sample_rate=8000&cartesia_version=2026-03-01";

#[tokio::test(start_paused = true)]
async fn words_are_final_when_they_are_asked_for() {
    let mocks = mocks("stt = { texts = ['Hello there.', 'Good bye.'] }");
    let (mut socket, _) = client_async(URL, connect(&mocks)).await.unwrap();
    let mut told = Vec::new();
    for _ in 0..2 {
        socket.send(Message::binary(vec![0x0f; 8 * 400])).await.unwrap();
        socket.send(Message::text("finalize")).await.unwrap();
    }
    socket.send(Message::text("close")).await.unwrap();
    while let Some(Ok(Message::Text(text))) = socket.next().await {
        let message: Value = serde_json::from_str(&text).unwrap();
        told.push((
            message["type"].as_str().unwrap().to_owned(),
            message["text"].as_str().unwrap_or("").to_owned(),
        ));
    }
    let expected = [
        ("transcript", "Hello"),
        ("transcript", "Hello there."),
        ("flush_done", ""),
        ("transcript", " Good"),
        ("transcript", " Good bye."),
        ("flush_done", ""),
        ("done", ""),
    ];
    assert_eq!(told, expected.map(|(kind, text)| (kind.to_owned(), text.to_owned())));
    assert_eq!(stat(&mocks, "services.cartesia.utterances").await, 2);
}

#[tokio::test(start_paused = true)]
async fn mistakes_are_refused() {
    let mocks = mocks("");
    for (right, wrong) in
        [("ink-2", ""), ("pcm_mulaw", "opus"), ("=8000", "=7"), ("cartesia_version", "version")]
    {
        let refused = client_async(URL.replace(right, wrong), connect(&mocks)).await;
        assert!(matches!(&refused, Err(Error::Http(response)) if response.status() == 400), "{wrong:?}");
    }
}
