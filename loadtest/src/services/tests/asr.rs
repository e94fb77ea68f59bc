use super::client::connect;
use super::{mocks, stat};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::DuplexStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

type Socket = WebSocketStream<DuplexStream>;

/// So many frames of 20 ms, all at once.
async fn say(socket: &mut Socket, loud: bool, frames: usize) {
    let sample = if loud { 8_000_i16 } else { 0 };
    let frame: Vec<u8> =
        (0..320).flat_map(|at| (if at % 2 == 0 { sample } else { -sample }).to_le_bytes()).collect();
    for _ in 0..frames {
        socket.send(Message::binary(frame.clone())).await.unwrap();
    }
}

async fn next(socket: &mut Socket) -> Option<Value> {
    match socket.next().await? {
        Ok(Message::Text(text)) => serde_json::from_str(&text).ok(),
        _ => None,
    }
}

/// The first message whose words stand.
async fn standing(socket: &mut Socket, key: &str) -> String {
    loop {
        let message = next(socket).await.unwrap();
        if let Some(text) = message[key][0]["text"].as_str() {
            return text.to_owned();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn words_stand_when_speech_has_ended() {
    for (query, key) in [("", "lines"), ("?mode=diff", "new_lines")] {
        let mocks = mocks("stt = { delay_ms = 50, texts = ['Hello there.', 'Good bye.'] }");
        let url = format!("ws://mock/asr{query}");
        let (mut socket, _) = client_async(url, connect(&mocks)).await.unwrap();
        let config = next(&mut socket).await.unwrap();
        assert_eq!((&config["type"], &config["useAudioWorklet"]), (&"config".into(), &true.into()));
        say(&mut socket, true, 50).await;
        say(&mut socket, false, 50).await;
        assert_eq!(standing(&mut socket, key).await, " Hello there.");
        say(&mut socket, true, 50).await;
        socket.send(Message::binary(Vec::new())).await.unwrap();
        while let Some(message) = next(&mut socket).await {
            if message["type"] == "ready_to_stop" {
                break;
            }
        }
        assert_eq!(stat(&mocks, "services.listen.utterances").await, 2);
    }
}
