use super::client::connect;
use super::mocks;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

const URL: &str = "ws://mock/v1/realtime?intent=transcription";

type Socket = WebSocketStream<DuplexStream>;

async fn tell(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

async fn next(socket: &mut Socket) -> Value {
    let Some(Ok(Message::Text(text))) = socket.next().await else { panic!("no text") };
    serde_json::from_str(&text).unwrap()
}

async fn set_up(socket: &mut Socket) {
    assert_eq!(next(socket).await["type"], "session.created");
    let input = json!({
        "format": {"type": "audio/pcmu"}, "transcription": {"model": "gpt-realtime-whisper"}, "turn_detection": null,
    });
    let session = json!({"type": "transcription", "audio": {"input": input}});
    tell(socket, json!({"type": "session.update", "session": session})).await;
    assert_eq!(next(socket).await["type"], "session.updated");
}

async fn append(socket: &mut Socket, milliseconds: usize) {
    let audio = STANDARD.encode(vec![0x0f; 8 * milliseconds]);
    tell(socket, json!({"type": "input_audio_buffer.append", "audio": audio})).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_committed_is_an_item_and_its_words_come_one_after_the_other() {
    let mocks = mocks("stt = { texts = ['Hello there.'] }");
    let (mut socket, _) = client_async(URL, connect(&mocks)).await.unwrap();
    set_up(&mut socket).await;
    append(&mut socket, 400).await;
    tell(&mut socket, json!({"type": "input_audio_buffer.commit"})).await;
    let committed = next(&mut socket).await;
    assert_eq!(committed["type"], "input_audio_buffer.committed");
    for delta in ["Hello", " there."] {
        let message = next(&mut socket).await;
        assert_eq!((&message["delta"], &message["item_id"]), (&json!(delta), &committed["item_id"]));
    }
    let completed = next(&mut socket).await;
    assert_eq!(completed["type"], "conversation.item.input_audio_transcription.completed");
    assert_eq!(
        (&completed["transcript"], &completed["item_id"]),
        (&json!("Hello there."), &committed["item_id"])
    );
}

#[tokio::test(start_paused = true)]
async fn less_than_a_tenth_of_a_second_is_not_committed() {
    let mocks = mocks("");
    let (mut socket, _) = client_async(URL, connect(&mocks)).await.unwrap();
    set_up(&mut socket).await;
    append(&mut socket, 200).await;
    tell(&mut socket, json!({"type": "input_audio_buffer.clear"})).await;
    assert_eq!(next(&mut socket).await["type"], "input_audio_buffer.cleared");
    append(&mut socket, 90).await;
    tell(&mut socket, json!({"type": "input_audio_buffer.commit"})).await;
    assert_eq!(next(&mut socket).await["error"]["code"], "input_audio_buffer_commit_empty");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_has_expired_says_so_before_it_is_closed() {
    let mocks = mocks("limit_ms = 1000\nlive = { fail = ['100%:limit'] }");
    let (mut socket, _) = client_async(URL, connect(&mocks)).await.unwrap();
    set_up(&mut socket).await;
    assert_eq!(next(&mut socket).await["error"]["code"], "session_expired");
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(Some(_))))));
}

#[tokio::test(start_paused = true)]
async fn a_session_of_no_kind_is_refused() {
    let refused = client_async("ws://mock/v1/realtime?intent=guessing", connect(&mocks(""))).await;
    assert!(matches!(&refused, Err(Error::Http(response)) if response.status() == 400), "{refused:?}");
}
