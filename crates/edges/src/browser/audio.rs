//! A browser's audio to the call's format (s16 at 16 kHz) and back.

use bytes::{BufMut, BytesMut};
use ringway_frame::{Frame, SampleRate};
use ringway_wire::opus::{Decoder, Encoder, OpusError};
use ringway_wire::resample::Resampler;
use ringway_wire::voice_ws::{AudioFormat, Codec};
use ringway_wire::{ErrorCode, ProtocolError};

/// Samples of 20 ms at the call's rate, 16 kHz.
const CALL: usize = 320;

/// Samples of 20 ms at 48 kHz.
const WIDE: usize = 960;

/// Bytes of an Opus packet at most (RFC 6716 section 3.4).
const PACKET: usize = 1_275;

/// Effort of the Opus encoder: speech gains little above it, and a media core's frame costs half of 10.
const COMPLEXITY: u8 = 5;

/// One session's codecs and resamplers.
#[derive(Debug)]
pub enum BrowserAudio {
    /// s16 at 16 kHz: nothing to do.
    Same,
    /// s16 at 48 kHz.
    Wide(Box<Wide>),
    /// Opus: it is decoded and encoded at 16 kHz whatever the browser's rate is, since a packet has none.
    Opus(Box<Packets>),
}

/// Resamplers of both directions.
#[derive(Debug)]
pub struct Wide {
    down: Resampler,
    up: Resampler,
}

/// Codecs of both directions.
#[derive(Debug)]
pub struct Packets {
    decoder: Decoder,
    encoder: Encoder,
}

impl BrowserAudio {
    /// What a session of this format needs.
    ///
    /// # Errors
    /// libopus refuses.
    pub fn new(format: AudioFormat) -> Result<Self, OpusError> {
        Ok(match (format.codec(), format.rate()) {
            (Codec::Opus, _) => Self::Opus(Box::new(Packets {
                decoder: Decoder::new(SampleRate::HZ_16000)?,
                encoder: Encoder::new(SampleRate::HZ_16000, COMPLEXITY)?,
            })),
            (Codec::Pcm16, SampleRate::HZ_48000) => Self::Wide(Box::new(Wide {
                down: resampler(SampleRate::HZ_48000, SampleRate::HZ_16000),
                up: resampler(SampleRate::HZ_16000, SampleRate::HZ_48000),
            })),
            (Codec::Pcm16, _) => Self::Same,
        })
    }

    /// 20 ms of the caller as s16le at 16 kHz.
    ///
    /// # Errors
    /// An Opus packet that does not decode.
    pub fn decode(&mut self, bytes: &[u8], hear: impl FnOnce(&[u8])) -> Result<(), ProtocolError> {
        match self {
            Self::Same => hear(bytes),
            Self::Wide(wide) => {
                let mut samples = [0; WIDE];
                read_samples(bytes, &mut samples);
                let mut narrow = [0; CALL];
                wide.down.process(&samples, &mut narrow);
                hear(&bytes_of(&narrow));
            }
            Self::Opus(packets) => {
                let mut samples = [0; CALL];
                packets.decoder.decode(bytes, &mut samples).map_err(|error| bad_packet(&error))?;
                hear(&bytes_of(&samples));
            }
        }
        Ok(())
    }

    /// 20 ms of the bot, for the browser.
    ///
    /// # Errors
    /// libopus refuses.
    pub fn encode(&mut self, frame: &Frame, out: &mut BytesMut) -> Result<(), OpusError> {
        match self {
            Self::Same => out.put_slice(frame.payload()),
            Self::Wide(wide) => {
                let mut samples = [0; CALL];
                read_samples(frame.payload(), &mut samples);
                let mut upsampled = [0; WIDE];
                wide.up.process(&samples, &mut upsampled);
                upsampled.iter().for_each(|sample| out.put_i16_le(*sample));
            }
            Self::Opus(packets) => {
                let mut samples = [0; CALL];
                read_samples(frame.payload(), &mut samples);
                let mut packet = [0; PACKET];
                let length = packets.encoder.encode(&samples, &mut packet)?;
                out.put_slice(&packet[..length]);
            }
        }
        Ok(())
    }
}

fn resampler(from: SampleRate, to: SampleRate) -> Resampler {
    Resampler::new(from, to).expect("20 ms are whole samples at 16 and 48 kHz")
}

fn bad_packet(error: &OpusError) -> ProtocolError {
    ProtocolError::recoverable(ErrorCode::BadFrameSize, format!("the Opus packet cannot be decoded: {error}"))
}

fn read_samples(bytes: &[u8], samples: &mut [i16]) {
    for (sample, pair) in samples.iter_mut().zip(bytes.as_chunks::<2>().0) {
        *sample = i16::from_le_bytes(*pair);
    }
}

fn bytes_of(samples: &[i16; CALL]) -> [u8; 2 * CALL] {
    let mut bytes = [0; 2 * CALL];
    for (pair, sample) in bytes.as_chunks_mut::<2>().0.iter_mut().zip(samples) {
        *pair = sample.to_le_bytes();
    }
    bytes
}
