use super::client::connect;
use super::{mocks, stat};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test(start_paused = true)]
async fn a_turn_is_written_down_and_answered_in_chunks() {
    let mocks =
        mocks("realtime = { texts = ['Hello.'], replies = ['Good day.'] }\ntts = { rate_hz = 24000 }");
    let (mut socket, _) = client_async("ws://mock/speech", connect(&mocks)).await.unwrap();
    let loud: Vec<u8> =
        (0..8_000_i32).flat_map(|at| (if at % 16 < 8 { 8_000_i16 } else { -8_000 }).to_le_bytes()).collect();
    socket.send(Message::binary(loud)).await.unwrap();
    socket.send(Message::binary(vec![0; 32_000])).await.unwrap();
    let (mut words, mut samples) = (Vec::new(), 0);
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => {
                let json: Value = serde_json::from_str(&text).unwrap();
                if json["type"] == "audio_end" {
                    break;
                }
                words.push(format!("{}: {}", json["role"].as_str().unwrap(), json["text"].as_str().unwrap()));
            }
            Message::Binary(chunk) => samples += hound::WavReader::new(&chunk[..]).unwrap().duration(),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(words, ["user: Hello.", "assistant: Good day."]);
    assert_eq!(samples, 9 * 60 * 24);
    assert_eq!(stat(&mocks, "services.realtime.utterances").await, 1);
}
