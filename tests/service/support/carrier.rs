use super::line::Line;
use super::server::Server;
use super::voice;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ringway_frame::SampleRate;
use ringway_wire::g711;
use ringway_wire::level::Dbfs;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::interval;
use tokio_tungstenite::tungstenite::Message;

/// A carrier's media socket with one call on it.
pub struct Carrier {
    pub line: Line,
    /// Loud frames heard so far.
    pub loud: usize,
    answers: usize,
    /// Marks that it will still return.
    marks: usize,
}

/// How often the API is asked whether the bot has finished.
const LOOK: Duration = Duration::from_millis(100);

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
        Self::over(Line::open(server.ws("/media/twilio")).await)
    }

    /// Over a socket that is open.
    pub fn over(line: Line) -> Self {
        Self { line, loud: 0, answers: 0, marks: usize::MAX }
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

    /// Returns so many marks from now on, and keeps the others.
    pub fn marks_returned(&mut self, count: usize) {
        self.marks = count;
    }

    /// The next message; marks are returned at once, unless told otherwise. `None` when the socket is closed.
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
                    if self.marks > 0 {
                        self.marks -= 1;
                        self.tell(json!({"event": "mark", "streamSid": "MZ1", "mark": message["mark"]}));
                    }
                    FromServer::Mark(message["mark"]["name"].as_str().expect("a name").to_owned())
                }
                "clear" => FromServer::Clear,
                other => panic!("unknown message {other:?}"),
            });
        }
    }

    /// Waits until the bot has said one thing more to its end: the call as the API then shows it.
    ///
    /// The socket does not tell: a mark comes behind the last frame, but also where a busy machine made the voice late.
    pub async fn answered(&mut self, server: &Server) -> Value {
        let mut look = interval(LOOK);
        loop {
            tokio::select! {
                message = self.next() => drop(message.expect("an answer before the socket is closed")),
                _ = look.tick() => {
                    let Some(call) = server.carrier_call().await else { continue };
                    let answers = said_by_bot(&call);
                    if answers > self.answers && call["state"] == "listening" {
                        self.answers = answers;
                        return call;
                    }
                }
            }
        }
    }
}

fn said_by_bot(call: &Value) -> usize {
    let lines = call["transcript"].as_array().expect("lines");
    lines.iter().filter(|line| line["who"] == "bot").count()
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
