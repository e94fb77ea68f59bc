//! A model that hears and speaks, in OpenAI's form: it understands the same of each turn, and answers with a tone that
//! lasts 60 ms a character.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use ringway_wire::g711;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// What it understands.
pub const UNDERSTOOD: &str = "A table for two.";

/// What it says to everything.
pub const ANSWER: &str = "For how many people, and on which day of the week?";

/// The service.
pub struct Realtime {
    pub url: String,
    told: Arc<Mutex<Vec<Value>>>,
}

impl Realtime {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("ws://{}/v1/realtime", listener.local_addr().expect("an address"));
        let told = Arc::<Mutex<Vec<Value>>>::default();
        let of_server = told.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(serve(tcp, of_server.clone()));
            }
        });
        Self { url, told }
    }

    /// What it was told, audio aside.
    pub fn told(&self, kind: &str) -> Vec<Value> {
        let told = self.told.lock().expect("nobody panicked");
        told.iter().filter(|message| message["type"] == kind).cloned().collect()
    }
}

async fn serve(tcp: TcpStream, told: Arc<Mutex<Vec<Value>>>) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(tcp).await else { return };
    let (mut turns, mut answers) = (0, 0);
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let message: Value = serde_json::from_str(&text).expect("JSON");
        match message["type"].as_str().unwrap_or_default() {
            "input_audio_buffer.append" => continue,
            "input_audio_buffer.commit" => {
                turns += 1;
                let item = format!("u{turns}");
                say(&mut socket, json!({"type": "input_audio_buffer.committed", "item_id": item})).await;
                let kind = "conversation.item.input_audio_transcription.completed";
                say(&mut socket, json!({"type": kind, "item_id": item, "transcript": UNDERSTOOD})).await;
            }
            "response.create" => {
                answers += 1;
                answer(&mut socket, &format!("r{answers}")).await;
            }
            _ => {}
        }
        told.lock().expect("nobody panicked").push(message);
    }
}

/// All at once, as a service may.
async fn answer(socket: &mut WebSocketStream<TcpStream>, id: &str) {
    let of = |kind: &str, delta: &str| json!({"type": kind, "response_id": id, "item_id": format!("i-{id}"), "delta": delta});
    say(socket, json!({"type": "response.created", "response": {"id": id}})).await;
    let tone: Vec<i16> = (0..480 * ANSWER.len()).map(|at| if at % 16 < 8 { 8_000 } else { -8_000 }).collect();
    let mut mulaw = vec![0; tone.len()];
    g711::encode(&tone, &mut mulaw);
    say(socket, of("response.output_audio_transcript.delta", ANSWER)).await;
    for piece in mulaw.chunks(1_600) {
        say(socket, of("response.output_audio.delta", &STANDARD.encode(piece))).await;
    }
    say(socket, json!({"type": "response.done", "response": {"id": id, "status": "completed"}})).await;
}

async fn say(socket: &mut WebSocketStream<TcpStream>, message: Value) {
    let _ = socket.send(Message::text(message.to_string())).await;
}
