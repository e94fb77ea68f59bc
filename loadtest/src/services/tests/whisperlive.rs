use super::client::connect;
use super::{mocks, stat};
use crate::services::mocks::Mocks;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::DuplexStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

type Socket = WebSocketStream<DuplexStream>;

async fn open(mocks: &Arc<Mocks>, path: &str, more: &Value) -> Socket {
    let (mut socket, _) = client_async(format!("ws://mock{path}"), connect(mocks)).await.unwrap();
    let mut options = json!({
        "uid": "u", "language": "en", "task": "transcribe", "model": "small", "use_vad": true,
        "same_output_threshold": 2, "audio_format": "int16",
    });
    options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    socket.send(Message::text(options.to_string())).await.unwrap();
    socket
}

/// The next message; `None`: the service has closed.
async fn next(socket: &mut Socket) -> Option<Value> {
    match socket.next().await.unwrap().unwrap() {
        Message::Text(text) => Some(serde_json::from_str(&text).unwrap()),
        Message::Close(_) => None,
        other => panic!("{other:?}"),
    }
}

/// Says a tone of so many frames of 20 ms, or nothing.
async fn say(socket: &mut Socket, loud: bool, frames: usize) {
    let sample = |at: usize| {
        if !loud {
            0
        } else if at % 16 < 8 {
            8_000_i16
        } else {
            -8_000
        }
    };
    let frame: Vec<u8> = (0..320).flat_map(|at| sample(at).to_le_bytes()).collect();
    for _ in 0..frames {
        socket.send(Message::binary(frame.clone())).await.unwrap();
    }
}

/// The segments of the next message, and whether they stand.
async fn segments(socket: &mut Socket) -> Vec<(String, bool)> {
    let message = next(socket).await.unwrap();
    let segments = message["segments"].as_array().unwrap_or_else(|| panic!("{message}"));
    let read = |segment: &Value| (segment["text"].as_str().unwrap().to_owned(), segment["completed"] == true);
    segments.iter().map(read).collect()
}

#[tokio::test(start_paused = true)]
async fn words_are_guessed_while_somebody_speaks_and_stand_when_they_were_told_often_enough() {
    let mocks = mocks("whisperlive = { texts = ['One two three four.'] }");
    let mut socket = open(&mocks, "/", &json!({})).await;
    let ready = next(&mut socket).await.unwrap();
    assert_eq!((&ready["message"], &ready["backend"]), (&"SERVER_READY".into(), &"faster_whisper".into()));
    say(&mut socket, true, 75).await;
    say(&mut socket, false, 75).await;
    // Nothing is told of less than a second.
    assert_eq!(segments(&mut socket).await, [(" One two three".into(), false)]);
    let (mut told, mut stands) = (0, false);
    while !stands {
        let [(text, completed)] = segments(&mut socket).await.try_into().unwrap();
        told += usize::from(text == " One two three four." && !completed);
        stands = completed;
    }
    assert!(told >= 3, "{told}");
    assert_eq!(stat(&mocks, "services.whisperlive.utterances").await, 1);
    socket.send(Message::binary(b"END_OF_AUDIO".to_vec())).await.unwrap();
    assert_eq!(next(&mut socket).await, None);
}

#[tokio::test(start_paused = true)]
async fn samples_come_in_three_forms_and_a_language_that_was_not_told_is() {
    let wave = |at: usize| if at % 16 < 8 { 0.25_f32 } else { -0.25 };
    let float: Vec<u8> = (0..24_000).flat_map(|at| wave(at).to_le_bytes()).collect();
    let byte: Vec<u8> = (0..24_000).map(|at| (128.0 + 128.0 * wave(at)) as u8).collect();
    for (format, audio) in [("float32", float), ("uint8", byte)] {
        let mocks = mocks("");
        let mut socket =
            open(&mocks, "/whisperlive", &json!({"audio_format": format, "language": null})).await;
        next(&mut socket).await.unwrap();
        socket.send(Message::binary(audio)).await.unwrap();
        assert_eq!(next(&mut socket).await.unwrap()["language"], "en");
        assert_eq!(segments(&mut socket).await, [(" hello there".into(), false)]);
    }
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_place_is_told_to_wait_until_somebody_goes() {
    let mocks = mocks("whisperlive = { most_clients = 1 }");
    let mut first = open(&mocks, "/", &json!({})).await;
    next(&mut first).await.unwrap();
    let mut second = open(&mocks, "/", &json!({})).await;
    let told = next(&mut second).await.unwrap();
    assert_eq!((&told["status"], &told["message"]), (&"WAIT".into(), &5.0.into()));
    assert_eq!(next(&mut second).await, None);
    drop(first);
    tokio::task::yield_now().await;
    let mut third = open(&mocks, "/", &json!({})).await;
    assert_eq!(next(&mut third).await.unwrap()["message"], "SERVER_READY");
}

#[tokio::test(start_paused = true)]
async fn a_client_is_sent_away_when_its_time_is_over() {
    for limit in
        ["whisperlive = { longest_ms = 700 }", "limit_ms = 700\nwhisperlive = { fail = ['100%:limit'] }"]
    {
        let mocks = mocks(limit);
        let mut socket = open(&mocks, "/", &json!({})).await;
        next(&mut socket).await.unwrap();
        assert_eq!(next(&mut socket).await.unwrap()["message"], "DISCONNECT");
        assert_eq!(next(&mut socket).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_said_first_ends_the_socket() {
    let mocks = mocks("");
    let (mut socket, _) = client_async("ws://mock/", connect(&mocks)).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(next(&mut socket).await, None);
}
