use super::{Heard, Protocol, Refusal, tell_frames};
use crate::line::{Line, Lost};
use bytes::Bytes;
use ringway_frame::Format;
use ringway_wire::level::Dbfs;
use ringway_wire::twilio::{CarrierWriter, Dialect, Start, ToCarrier};
use tokio_tungstenite::tungstenite::Message;

/// A call over Twilio Media Streams, <https://www.twilio.com/docs/voice/media-streams/websocket-messages>.
#[derive(Debug)]
pub struct Twilio {
    writer: CarrierWriter,
    audio: Vec<u8>,
}

impl Twilio {
    /// The `number`th call of the run `run`: two runs at once have calls of different names.
    pub fn new(run: u64, number: u64, parameters: &[(String, String)]) -> Self {
        let start = Start {
            stream: format!("MZ{run:016x}{number:016x}"),
            call: format!("CA{run:016x}{number:016x}"),
            account: format!("AC{:032x}", 0),
            format: Format::Mulaw8k,
            custom_parameters: parameters.iter().cloned().collect(),
        };
        Self { writer: CarrierWriter::new(&Dialect::TWILIO, start), audio: Vec::with_capacity(1_024) }
    }
}

impl Protocol for Twilio {
    fn begin(&mut self, line: &mut Line) -> Result<(), Lost> {
        line.text(|out| self.writer.connected(out))?;
        line.text(|out| self.writer.start(out))
    }

    fn say(&mut self, frame: &Bytes, line: &mut Line) -> Result<(), Lost> {
        line.text(|out| self.writer.media(out, frame))
    }

    fn press(&mut self, key: char, line: &mut Line) -> Result<(), Lost> {
        line.text(|out| self.writer.dtmf(out, key))
    }

    fn return_mark(&mut self, name: &str, line: &mut Line) -> Result<(), Lost> {
        line.text(|out| self.writer.mark(out, name))
    }

    fn hang_up(&mut self, line: &mut Line) -> Result<(), Lost> {
        line.text(|out| self.writer.stop(out))
    }

    fn hear(&mut self, message: &Message, tell: &mut dyn FnMut(Heard)) -> Result<(), Refusal> {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(Refusal::Error("a binary message".into())),
            Message::Close(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(()),
        };
        match ToCarrier::parse(&Dialect::TWILIO, text, &mut self.audio) {
            Ok(ToCarrier::Media { payload, .. }) => {
                let is_loud = |frame: &[u8]| Dbfs::of_mulaw(frame).is_loud();
                tell_frames(payload, Format::Mulaw8k.bytes(), is_loud, tell);
            }
            Ok(ToCarrier::Mark { name, .. }) => tell(Heard::Mark(name)),
            Ok(ToCarrier::Clear { .. }) => tell(Heard::Clear),
            Err(error) => return Err(Refusal::Error(error.to_string())),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_frame::FRAME;
    use ringway_wire::twilio::ServerWriter;
    use std::time::Duration;

    fn heard(message: &Message) -> Result<Vec<Heard>, Refusal> {
        let mut heard = Vec::new();
        Twilio::new(1, 1, &[]).hear(message, &mut |what| heard.push(what)).map(|()| heard)
    }

    fn written(write: impl FnOnce(&ServerWriter, &mut Vec<u8>)) -> Message {
        let mut bytes = Vec::new();
        write(&ServerWriter::new(&Dialect::TWILIO, "MZ1"), &mut bytes);
        Message::text(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn audio_of_any_length_is_heard_in_frames() {
        let mut payload = vec![0xff; 160];
        payload.extend([0; 200]);
        let message = written(|writer, out| writer.media(out, &payload));
        let audio = |offset, length, is_loud| Heard::Audio {
            offset: Duration::from_millis(offset),
            length: Duration::from_millis(length),
            is_loud,
        };
        assert_eq!(heard(&message), Ok(vec![audio(0, 20, false), audio(20, 20, true), audio(40, 5, true)]));
        assert_eq!(ringway_wire::level::LOUD, Dbfs::new(-40.0));
        assert_eq!(FRAME, Duration::from_millis(20));
    }

    #[test]
    fn marks_and_clears_are_heard() {
        assert_eq!(
            heard(&written(|writer, out| writer.mark(out, "1-25"))),
            Ok(vec![Heard::Mark("1-25".into())])
        );
        assert_eq!(heard(&written(ServerWriter::clear)), Ok(vec![Heard::Clear]));
    }

    #[test]
    fn what_twilio_would_not_understand_is_an_error() {
        assert!(matches!(heard(&Message::text("{}")), Err(Refusal::Error(_))));
        assert!(matches!(heard(&Message::binary(vec![0; 160])), Err(Refusal::Error(_))));
    }
}
