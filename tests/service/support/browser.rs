use super::line::Line;
use super::server::Server;
use super::voice;
use ringway_frame::SampleRate;
use ringway_wire::level::Dbfs;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// A page's socket.
pub struct Browser {
    pub line: Line,
    /// Loud frames heard so far.
    pub loud: usize,
    /// The last event, and how the socket was closed: what a failed test tells.
    last: String,
}

impl Browser {
    /// Opens the socket, no more.
    pub async fn open(server: &Server) -> Self {
        Self::over(Line::open(server.ws("/voice-ws")).await)
    }

    /// Over a socket that is open.
    pub fn over(line: Line) -> Self {
        Self { line, loud: 0, last: String::new() }
    }

    /// Opens the socket and starts a call; its id.
    pub async fn call(server: &Server) -> (Self, String) {
        let mut browser = Self::open(server).await;
        browser.tell(json!({"type": "start", "codec": "pcm16", "sampleRate": 16000}));
        let started = browser.event("started").await;
        (browser, started["callId"].as_str().expect("an id").to_owned())
    }

    /// The same with the microphone on, after the greeting.
    pub async fn greeted(server: &Server) -> (Self, String) {
        let (mut browser, id) = Self::call(server).await;
        browser.microphone();
        browser.answered().await;
        (browser, id)
    }

    pub fn tell(&self, message: Value) {
        self.line.send(Message::text(message.to_string()));
    }

    pub fn microphone(&self) {
        let encode = |samples: &[i16]| {
            Message::binary(samples.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>())
        };
        self.line.microphone(320, Box::new(encode));
    }

    pub fn say(&self, prompt: &str) {
        self.line.say(voice::prompt(prompt, SampleRate::HZ_16000));
    }

    /// Counts what is loud.
    pub fn take(&mut self, message: &Message) {
        if let Message::Binary(audio) = message {
            self.loud += usize::from(Dbfs::of_pcm16(audio).is_loud());
        }
    }

    /// The next event, or `None` when the socket is closed.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let message = self.line.next().await?;
            self.take(&message);
            match message {
                Message::Text(text) => {
                    self.last = text.to_string();
                    return Some(serde_json::from_str(&text).expect("JSON"));
                }
                Message::Binary(_) => {}
                Message::Close(frame) => {
                    self.last = format!("{}, {frame:?}", self.last);
                    return None;
                }
                _ => {}
            }
        }
    }

    /// The next event that is so.
    pub async fn event_where(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        while let Some(event) = self.next().await {
            if is(&event) {
                return event;
            }
        }
        panic!("the socket was closed before {what} came: {}", self.last);
    }

    /// The next event of this type.
    pub async fn event(&mut self, kind: &str) -> Value {
        self.event_where(kind, |event| event["type"] == kind).await
    }

    /// The bot's words up to the end of its turn.
    pub async fn answered(&mut self) -> String {
        let last = self
            .event_where("the end of the answer", |event| event["type"] == "bot" && event["final"] == true);
        last.await["text"].as_str().expect("text").to_owned()
    }

    /// What was understood of the caller's next turn.
    pub async fn understood(&mut self) -> String {
        let last = |event: &Value| event["type"] == "transcript" && event["final"] == true;
        self.event_where("the transcript", last).await["text"].as_str().expect("text").to_owned()
    }
}
