use super::{Heard, Protocol, Refusal, tell_frames};
use crate::line::{Line, Lost};
use bytes::Bytes;
use ringway_frame::{FRAME, SampleRate};
use ringway_wire::level::Dbfs;
use ringway_wire::opus::{Decoder, OpusError};
use ringway_wire::voice_ws::{AudioFormat, Codec, Down, Start, Up};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

/// A call over the browser socket at 16 kHz.
#[derive(Debug)]
pub struct Browser {
    codec: Codec,
    dialogue: Option<String>,
    /// Opus packets are decoded, since how loud they are cannot be told otherwise.
    decoder: Decoder,
    samples: Vec<i16>,
}

const RATE: SampleRate = SampleRate::HZ_16000;

impl Browser {
    /// A call in this codec that asks for this dialogue.
    ///
    /// # Errors
    /// libopus refuses to decode.
    pub fn new(codec: Codec, dialogue: Option<String>) -> Result<Self, OpusError> {
        Ok(Self { codec, dialogue, decoder: Decoder::new(RATE)?, samples: vec![0; RATE.frame_samples()] })
    }

    fn audio(&mut self, bytes: &[u8], tell: &mut dyn FnMut(Heard)) -> Result<(), Refusal> {
        match self.codec {
            Codec::Pcm16 => {
                let is_loud = |frame: &[u8]| Dbfs::of_pcm16(frame).is_loud();
                tell_frames(bytes, RATE.frame_samples() * 2, is_loud, tell);
            }
            Codec::Opus => {
                self.decoder
                    .decode(bytes, &mut self.samples)
                    .map_err(|error| Refusal::Error(format!("a bad Opus packet: {error}")))?;
                let is_loud = Dbfs::of_samples(&self.samples).is_loud();
                tell(Heard::Audio { offset: Duration::ZERO, length: FRAME, is_loud });
            }
        }
        Ok(())
    }
}

/// What a control message means to a caller; what is only to be shown means nothing.
fn control(text: &str, tell: &mut dyn FnMut(Heard)) -> Result<(), Refusal> {
    match Down::parse(text) {
        Ok(Down::Clear { .. }) => tell(Heard::Clear),
        Ok(Down::Error(error)) if matches!(error.code.as_ref(), "capacity" | "draining") => {
            return Err(Refusal::Full(format!("error {error}")));
        }
        Ok(Down::Error(error)) => return Err(Refusal::Error(error.to_string())),
        // Clients ignore what they do not know.
        Ok(_) | Err(_) => {}
    }
    Ok(())
}

impl Protocol for Browser {
    fn begin(&mut self, line: &mut Line) -> Result<(), Lost> {
        let format = AudioFormat::new(self.codec, RATE).expect("the browser socket speaks 16 kHz");
        line.control(&Up::Start(Start { dialogue: self.dialogue.clone(), ..Start::of(format) }).to_text())
    }

    fn say(&mut self, frame: &Bytes, line: &mut Line) -> Result<(), Lost> {
        line.binary(frame.clone())
    }

    fn press(&mut self, key: char, line: &mut Line) -> Result<(), Lost> {
        line.control(&Up::Dtmf { digit: key }.to_text())
    }

    /// This protocol has none.
    fn return_mark(&mut self, _: &str, _: &mut Line) -> Result<(), Lost> {
        Ok(())
    }

    fn hang_up(&mut self, line: &mut Line) -> Result<(), Lost> {
        line.control(&Up::Stop.to_text())
    }

    fn hear(&mut self, message: &Message, tell: &mut dyn FnMut(Heard)) -> Result<(), Refusal> {
        match message {
            Message::Binary(bytes) => self.audio(bytes, tell),
            Message::Text(text) => control(text, tell),
            Message::Close(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_wire::UserError;
    use ringway_wire::opus::{Encoder, MAX_PACKET};

    fn heard(codec: Codec, message: &Message) -> Result<Vec<Heard>, Refusal> {
        let mut heard = Vec::new();
        Browser::new(codec, None).unwrap().hear(message, &mut |what| heard.push(what)).map(|()| heard)
    }

    fn frame(is_loud: bool) -> Heard {
        Heard::Audio { offset: Duration::ZERO, length: FRAME, is_loud }
    }

    #[test]
    fn loudness_is_told_in_both_codecs() {
        let loud: Vec<u8> = [8_000_i16; 320].iter().flat_map(|sample| sample.to_le_bytes()).collect();
        assert_eq!(heard(Codec::Pcm16, &Message::binary(loud)), Ok(vec![frame(true)]));
        assert_eq!(heard(Codec::Pcm16, &Message::binary(vec![0; 640])), Ok(vec![frame(false)]));
        let mut packet = [0; MAX_PACKET];
        let len = Encoder::new(RATE, 0).unwrap().encode(&[0; 320], &mut packet).unwrap();
        assert_eq!(heard(Codec::Opus, &Message::binary(packet[..len].to_vec())), Ok(vec![frame(false)]));
    }

    #[test]
    fn a_full_server_is_no_error() {
        let error = |code: &'static str| {
            let error =
                UserError { code: code.into(), message: "no".into(), session_id: None, recoverable: true };
            heard(Codec::Pcm16, &Message::text(Down::Error(error).to_text()))
        };
        assert_eq!(error("capacity"), Err(Refusal::Full("error capacity: no".into())));
        assert_eq!(error("bad_field"), Err(Refusal::Error("bad_field: no".into())));
    }

    #[test]
    fn messages_that_are_only_to_be_shown_mean_nothing() {
        for text in [r#"{"type":"state","state":"listening"}"#, r#"{"type":"of a later version"}"#] {
            assert_eq!(heard(Codec::Pcm16, &Message::text(text)), Ok(vec![]), "{text}");
        }
        assert_eq!(
            heard(Codec::Pcm16, &Message::text(r#"{"type":"clear","turn":1}"#)),
            Ok(vec![Heard::Clear])
        );
    }
}
