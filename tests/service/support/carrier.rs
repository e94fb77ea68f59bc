use super::line::Line;
use super::server::Server;
use super::voice;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ringway_frame::SampleRate;
use ringway_wire::g711;
use ringway_wire::level::Dbfs;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// A carrier's media socket with one call on it.
pub struct Carrier {
    pub line: Line,
    /// Loud frames heard so far.
    pub loud: usize,
}

/// What the server sends.
#[derive(Debug, PartialEq, Eq)]
pub enum FromServer {
    Media { loud: bool },
    Mark(String),
    Clear,
}

impl Carrier {
    /// Opens the socket, no more.
    pub async fn open(server: &Server) -> Self {
        Self { line: Line::open(server.ws("/media/twilio")).await, loud: 0 }
    }

    /// Opens the socket and starts a call.
    pub async fn call(server: &Server) -> Self {
        let carrier = Self::open(server).await;
        carrier.tell(json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}));
        carrier.tell(start(json!({})));
        carrier
    }

    pub fn tell(&self, message: Value) {
        self.line.send(Message::text(message.to_string()));
    }

    pub fn microphone(&self) {
        let mut chunk = 0;
        let encode = move |samples: &[i16]| {
            chunk += 1;
            Message::text(media(chunk, samples).to_string())
        };
        self.line.microphone(160, Box::new(encode));
    }

    pub fn say(&self, prompt: &str) {
        self.line.say(voice::prompt(prompt, SampleRate::HZ_8000));
    }

    /// The next message; marks are returned at once. `None` when the socket is closed.
    pub async fn next(&mut self) -> Option<FromServer> {
        loop {
            let Message::Text(text) = self.line.next().await? else { continue };
            let message: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(message["streamSid"], "MZ1", "every message names the stream");
            return Some(match message["event"].as_str().expect("a name") {
                "media" => {
                    let payload = message["media"]["payload"].as_str().expect("a payload");
                    let audio = STANDARD.decode(payload).expect("base64");
                    assert_eq!(audio.len(), 160, "20 ms a message");
                    let loud = Dbfs::of_mulaw(&audio).is_loud();
                    self.loud += usize::from(loud);
                    FromServer::Media { loud }
                }
                "mark" => {
                    self.tell(json!({"event": "mark", "streamSid": "MZ1", "mark": message["mark"]}));
                    FromServer::Mark(message["mark"]["name"].as_str().expect("a name").to_owned())
                }
                "clear" => FromServer::Clear,
                other => panic!("unknown message {other:?}"),
            });
        }
    }

    /// Waits until the bot has spoken and a mark says that this is all.
    pub async fn answered(&mut self) {
        let before = self.loud;
        let mut silent = 0;
        // The tone of the scripted voice is loud throughout: a mark behind the last frame ends an answer.
        while silent < 1 || self.loud == before {
            match self.next().await.expect("an answer before the socket is closed") {
                FromServer::Mark(name) if self.loud > before && self.is_last(&name) => silent += 1,
                _ => {}
            }
        }
    }

    /// Marks come every 25 frames; one that does not is the last of its utterance.
    fn is_last(&self, name: &str) -> bool {
        let frames: u32 =
            name.rsplit('-').next().and_then(|frames| frames.parse().ok()).expect("epoch-frames");
        !frames.is_multiple_of(25)
    }
}

/// The start message.
pub fn start(parameters: Value) -> Value {
    json!({
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": "MZ1",
        "start": {
            "accountSid": "AC1",
            "streamSid": "MZ1",
            "callSid": "CA1",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": parameters,
        },
    })
}

/// A media message.
pub fn media(chunk: u32, samples: &[i16]) -> Value {
    let mut mulaw = vec![0; samples.len()];
    g711::encode(samples, &mut mulaw);
    json!({
        "event": "media",
        "sequenceNumber": (chunk + 1).to_string(),
        "streamSid": "MZ1",
        "media": {
            "track": "inbound",
            "chunk": chunk.to_string(),
            "timestamp": (20 * (chunk - 1)).to_string(),
            "payload": STANDARD.encode(&mulaw),
        },
    })
}
