use super::speech::{FRAME_SAMPLES, RATE, Samples};
use ringway_wire::opus::{Decoder, Encoder, MAX_PACKET, OpusError};
use ringway_wire::voice_ws::Codec;
use tokio_tungstenite::tungstenite::Message;

/// Codes frames both ways.
#[derive(Debug)]
pub enum Coder {
    /// s16le samples.
    Pcm16,
    /// One Opus packet a frame.
    Opus(Box<(Encoder, Decoder)>),
}

/// Effort of the encoder, of 10.
const COMPLEXITY: u8 = 5;

/// A message that is not audio of the codec.
#[derive(Debug, thiserror::Error)]
pub enum BadAudio {
    /// Not 20 ms of samples.
    #[error("a binary message of {0} bytes is not 20 ms of 16-bit samples at 16 kHz")]
    Length(usize),
    /// libopus refuses.
    #[error(transparent)]
    Opus(#[from] OpusError),
}

impl Coder {
    /// For this codec.
    ///
    /// # Errors
    /// libopus refuses.
    pub fn new(codec: Codec) -> Result<Self, OpusError> {
        Ok(match codec {
            Codec::Pcm16 => Self::Pcm16,
            Codec::Opus => Self::Opus(Box::new((Encoder::new(RATE, COMPLEXITY)?, Decoder::new(RATE)?))),
        })
    }

    /// The message of a frame.
    ///
    /// # Errors
    /// libopus refuses.
    pub fn encode(&mut self, samples: &Samples) -> Result<Message, OpusError> {
        match self {
            Self::Pcm16 => {
                let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
                Ok(Message::binary(bytes))
            }
            Self::Opus(both) => {
                let mut packet = [0; MAX_PACKET];
                let len = both.0.encode(samples, &mut packet)?;
                Ok(Message::binary(packet[..len].to_vec()))
            }
        }
    }

    /// The frame of a message.
    ///
    /// # Errors
    /// It is not one.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<Samples, BadAudio> {
        let mut samples = [0; FRAME_SAMPLES];
        match self {
            Self::Pcm16 if bytes.len() != 2 * FRAME_SAMPLES => return Err(BadAudio::Length(bytes.len())),
            Self::Pcm16 => {
                for (sample, pair) in samples.iter_mut().zip(bytes.as_chunks::<2>().0) {
                    *sample = i16::from_le_bytes(*pair);
                }
            }
            Self::Opus(both) => both.1.decode(bytes, &mut samples)?,
        }
        Ok(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_survive_pcm16() {
        let mut coder = Coder::new(Codec::Pcm16).unwrap();
        let samples: Samples = std::array::from_fn(|n| n as i16 * 97);
        let message = coder.encode(&samples).unwrap();
        assert_eq!(coder.decode(&message.into_data()).unwrap(), samples);
        assert!(matches!(coder.decode(&[0; 639]), Err(BadAudio::Length(639))));
    }

    #[test]
    fn opus_is_opus() {
        let mut coder = Coder::new(Codec::Opus).unwrap();
        let message = coder.encode(&[0; FRAME_SAMPLES]).unwrap();
        let heard = coder.decode(&message.into_data()).unwrap();
        // Silence but for the last bit.
        assert!(heard.iter().all(|sample| sample.unsigned_abs() <= 1), "{heard:?}");
        assert!(matches!(coder.decode(&[]), Err(BadAudio::Opus(_))));
    }
}
