use super::hearing::{Heard, Hearing};
use super::message::{self, Control};
use super::options::Options;
use crate::services::socket::{Listener, Say};
use jiff::Timestamp;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// One client's stream.
#[derive(Debug)]
pub struct Session {
    model: String,
    request_id: String,
    hearing: Hearing,
    heard: Vec<Heard>,
}

/// How long a client may send nothing.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What the service says to a client that sent nothing for that long.
const NET_0001: &str = "Deepgram did not receive audio data or a text message within the timeout window. See \
                        https://dpgr.am/net0001";

impl Session {
    /// Nothing has been heard yet.
    pub fn new(options: Options, texts: &[String], request_id: String) -> Self {
        let model = options.model.clone();
        Self { model, request_id, hearing: Hearing::new(options, texts), heard: Vec::new() }
    }

    fn close_stream(&mut self, say: &mut Vec<Say>) {
        self.hearing.close(&mut self.heard);
        self.tell(say);
        let created = Timestamp::now().to_string();
        let metadata = message::metadata(&self.request_id, &created, self.hearing.duration(), &self.model);
        say.push(Say::Now(metadata.to_string()));
        say.push(Say::Close(CloseCode::Normal, ""));
    }

    fn tell(&mut self, say: &mut Vec<Say>) {
        for heard in std::mem::take(&mut self.heard) {
            let text = message::heard(&heard, &self.model, &self.request_id).to_string();
            say.push(match heard {
                Heard::Result(result) if result.is_final && !result.words.is_empty() => Say::Words(text),
                _ => Say::Text(text),
            });
        }
    }
}

impl Listener for Session {
    const GARBAGE: &'static str = "{\"type\":\"Results\",\"channel\":{\"alternatives\":[{\"transcript\":\"";
    const PATIENCE: Option<(Duration, &'static str)> = Some((PATIENCE, NET_0001));

    fn take(&mut self, message: &Message, say: &mut Vec<Say>) {
        match message {
            // Empty audio ended a stream before there was a message for it.
            Message::Binary(audio) if audio.is_empty() => self.close_stream(say),
            Message::Binary(audio) => self.hearing.audio(audio, &mut self.heard),
            Message::Text(text) => match Control::read(text) {
                Ok(Control::KeepAlive) => {}
                Ok(Control::Finalize) => self.hearing.finalize(&mut self.heard),
                Ok(Control::CloseStream) => self.close_stream(say),
                Err(error) => say.push(Say::Text(error.to_string())),
            },
            _ => {}
        }
        self.tell(say);
    }
}
