use super::client::connect;
use super::mocks;
use crate::services::mocks::Mocks;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::DuplexStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

type Socket = WebSocketStream<DuplexStream>;

async fn open(mocks: &Arc<Mocks>, query: &str) -> Result<Socket, Error> {
    let url = format!("ws://mock/v2/listen?encoding=mulaw&sample_rate=8000&{query}");
    client_async(url, connect(mocks)).await.map(|(socket, _)| socket)
}

async fn say(socket: &mut Socket, loud: bool, frames: usize) {
    let frame = vec![if loud { 0x0f } else { 0xff }; 160];
    for _ in 0..frames {
        socket.send(Message::binary(frame.clone())).await.unwrap();
    }
}

/// The next message that is no update.
async fn next(socket: &mut Socket) -> Value {
    loop {
        let Some(Ok(Message::Text(text))) = socket.next().await else { panic!("no text") };
        let message: Value = serde_json::from_str(&text).unwrap();
        if message["event"] != "Update" {
            return message;
        }
    }
}

async fn events<const N: usize>(socket: &mut Socket) -> [(String, String); N] {
    let mut events = [const { (String::new(), String::new()) }; N];
    for event in &mut events {
        let message = next(socket).await;
        let text = |key: &str| message[key].as_str().unwrap().to_owned();
        *event = (text("event"), text("transcript"));
    }
    events
}

fn told<const N: usize>(events: [(&str, &str); N]) -> [(String, String); N] {
    events.map(|(event, text)| (event.to_owned(), text.to_owned()))
}

#[tokio::test(start_paused = true)]
async fn a_turn_may_be_resumed_before_it_ends() {
    let mocks = mocks("stt = { texts = ['Hello there.'] }");
    let mut socket = open(&mocks, "model=flux-general-en&eager_eot_threshold=0.5").await.unwrap();
    assert_eq!(next(&mut socket).await["type"], "Connected");
    say(&mut socket, true, 25).await;
    say(&mut socket, false, 25).await;
    say(&mut socket, true, 10).await;
    say(&mut socket, false, 40).await;
    let expected = told([
        ("StartOfTurn", ""),
        ("EagerEndOfTurn", "Hello there."),
        ("TurnResumed", "Hello there."),
        ("EagerEndOfTurn", "Hello there."),
    ]);
    assert_eq!(events(&mut socket).await, expected);
    let end = next(&mut socket).await;
    assert_eq!(
        (&end["event"], &end["turn_index"], &end["trigger"]),
        (&json!("EndOfTurn"), &json!(0), &json!("model"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_ended_by_force_and_the_next_has_another_number() {
    let mocks = mocks("stt = { texts = ['One.', 'Two.'] }");
    let mut socket = open(&mocks, "model=flux-general-en").await.unwrap();
    next(&mut socket).await;
    for (n, text) in ["One.", "Two."].into_iter().enumerate() {
        // Without a turn it means nothing.
        socket.send(Message::text(r#"{"type":"ForceEndTurn"}"#)).await.unwrap();
        say(&mut socket, true, 10).await;
        socket.send(Message::text(r#"{"type":"ForceEndTurn"}"#)).await.unwrap();
        assert_eq!(next(&mut socket).await["event"], "StartOfTurn");
        let end = next(&mut socket).await;
        assert_eq!((&end["transcript"], &end["trigger"]), (&json!(text), &json!("manual")));
        assert_eq!(end["turn_index"], n);
    }
}

#[tokio::test(start_paused = true)]
async fn thresholds_that_make_no_sense_are_refused() {
    let mocks = mocks("");
    for query in
        ["model=nova-3", "model=flux-general-en&eot_threshold=2", "model=flux-a&eager_eot_threshold=0.8"]
    {
        let refused = open(&mocks, query).await;
        assert!(matches!(&refused, Err(Error::Http(response)) if response.status() == 400), "{query}");
    }
}
