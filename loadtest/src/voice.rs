//! What callers say, encoded once for all calls.

pub mod burst;
pub mod flite;
mod source;

pub use source::{Pause, Source};

use crate::prompts::NoPrompts;
use bytes::Bytes;
use ringway_frame::SampleRate;
use ringway_wire::level::Dbfs;
use ringway_wire::opus::{self, Encoder, OpusError};
use ringway_wire::wav::WavError;
use ringway_wire::{g711, voice_ws};
use std::path::PathBuf;
use std::time::Duration;

/// How callers' audio is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// G.711 mu-law at 8 kHz.
    Mulaw,
    /// s16le at 16 kHz.
    Pcm16,
    /// Opus at 16 kHz.
    Opus,
}

/// All that callers can say.
#[derive(Debug)]
pub struct Voice {
    /// At least one.
    pub utterances: Vec<Utterance>,
    /// A frame in which nothing is said.
    pub silence: Bytes,
}

/// Something to say, in encoded frames of 20 ms, from shortly before its first loud frame on.
#[derive(Debug)]
pub struct Utterance {
    /// Where it is from.
    pub name: String,
    /// Encoded.
    pub frames: Vec<Bytes>,
    /// Which frames are loud.
    pub loud: Vec<bool>,
    /// The last loud frame.
    pub last_loud: usize,
}

/// Why there is nothing to say.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// No such file, or not to be read.
    #[error("{path}: {error}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Not audio that we read.
    #[error("{path}: {error}", path = .path.display())]
    Wav {
        /// The file.
        path: PathBuf,
        /// Why.
        error: WavError,
    },
    /// Nothing in it is loud.
    #[error("{0}: no 20 ms of it are louder than -40 dBFS")]
    Silent(String),
    /// Recorded prompts are not installed.
    #[error(transparent)]
    Prompts(#[from] NoPrompts),
    /// Text cannot be spoken.
    #[error(transparent)]
    Flite(#[from] flite::FliteError),
    /// libopus refuses.
    #[error(transparent)]
    Opus(#[from] OpusError),
}

/// Frames kept before the first loud one: the onset of a consonant is not loud.
const ONSET: usize = 2;

/// Frames kept behind the last loud one.
const DECAY: usize = 5;

/// Effort of the Opus encoder, which runs before the first call.
const COMPLEXITY: u8 = 5;

impl Encoding {
    /// Samples a second.
    pub const fn rate(self) -> SampleRate {
        match self {
            Self::Mulaw => SampleRate::HZ_8000,
            Self::Pcm16 | Self::Opus => SampleRate::HZ_16000,
        }
    }

    /// Encodes whole frames of one utterance.
    fn encode(self, samples: &[i16]) -> Result<Vec<Bytes>, OpusError> {
        let frames = samples.chunks_exact(self.rate().frame_samples());
        match self {
            Self::Mulaw => Ok(frames.map(mulaw).collect()),
            Self::Pcm16 => Ok(frames.map(pcm16).collect()),
            Self::Opus => opus_packets(frames),
        }
    }
}

impl From<voice_ws::Codec> for Encoding {
    fn from(codec: voice_ws::Codec) -> Self {
        match codec {
            voice_ws::Codec::Pcm16 => Self::Pcm16,
            voice_ws::Codec::Opus => Self::Opus,
        }
    }
}

fn mulaw(frame: &[i16]) -> Bytes {
    let mut bytes = vec![0; frame.len()];
    g711::encode(frame, &mut bytes);
    bytes.into()
}

fn pcm16(frame: &[i16]) -> Bytes {
    frame.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

fn opus_packets<'a>(frames: impl Iterator<Item = &'a [i16]>) -> Result<Vec<Bytes>, OpusError> {
    let mut encoder = Encoder::new(Encoding::Opus.rate(), COMPLEXITY)?;
    let mut packet = [0; opus::MAX_PACKET];
    let encode = |frame| {
        let len = encoder.encode(frame, &mut packet)?;
        Ok(Bytes::copy_from_slice(&packet[..len]))
    };
    frames.map(encode).collect()
}

impl Voice {
    /// Says these.
    ///
    /// # Errors
    /// libopus refuses to encode silence.
    pub fn new(utterances: Vec<Utterance>, encoding: Encoding) -> Result<Self, OpusError> {
        let silence = vec![0; encoding.rate().frame_samples()];
        let silence = encoding.encode(&silence)?.pop().expect("one frame was encoded");
        Ok(Self { utterances, silence })
    }
}

impl Utterance {
    /// Encodes samples of `encoding`'s rate, with a pause inside where one is wanted.
    ///
    /// # Errors
    /// Nothing in it is loud, or libopus refuses.
    pub fn new(
        name: &str,
        samples: &[i16],
        encoding: Encoding,
        pause: Option<Pause>,
    ) -> Result<Self, VoiceError> {
        let frame = encoding.rate().frame_samples();
        let spoken = trimmed(samples, frame).ok_or_else(|| VoiceError::Silent(name.to_owned()))?;
        let paused = pause.map_or_else(|| spoken.to_vec(), |pause| pause.put_into(spoken, frame));
        let loud = loud_frames(&paused, frame);
        Ok(Self {
            name: name.to_owned(),
            frames: encoding.encode(&paused)?,
            last_loud: loud.iter().rposition(|loud| *loud).expect("something loud was left"),
            loud,
        })
    }

    /// The longest time without a loud frame inside it, which a bot may take for the end of the turn.
    pub fn longest_pause(&self) -> Duration {
        let spoken = self.loud[..=self.last_loud].split(|loud| *loud).skip(1);
        let frames = spoken.map(<[bool]>::len).max().unwrap_or(0);
        ringway_frame::FRAME * u32::try_from(frames).unwrap_or(u32::MAX)
    }
}

fn loud_frames(samples: &[i16], frame: usize) -> Vec<bool> {
    samples.chunks_exact(frame).map(|frame| Dbfs::of_samples(frame).is_loud()).collect()
}

/// Whole frames, from shortly before the first loud one to shortly behind the last.
fn trimmed(samples: &[i16], frame: usize) -> Option<&[i16]> {
    let loud = loud_frames(samples, frame);
    let (first, last) = (loud.iter().position(|loud| *loud)?, loud.iter().rposition(|loud| *loud)?);
    let (from, to) = (first.saturating_sub(ONSET), (last + 1 + DECAY).min(loud.len()));
    Some(&samples[from * frame..to * frame])
}

#[cfg(test)]
impl Utterance {
    /// So many loud frames.
    pub fn tone(frames: usize) -> Self {
        Self {
            name: "said.wav".into(),
            frames: vec![Bytes::from_static(b"loud"); frames],
            loud: vec![true; frames],
            last_loud: frames - 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Loud (`#`) and silent frames.
    fn utterance(frames: &str, encoding: Encoding) -> Result<Utterance, VoiceError> {
        let len = encoding.rate().frame_samples();
        let level = |frame| if frame == '#' { 8_000 } else { 0 };
        let samples: Vec<i16> = frames.chars().flat_map(|frame| vec![level(frame); len]).collect();
        Utterance::new("said.wav", &samples, encoding, None)
    }

    #[test]
    fn silence_around_an_utterance_is_cut_but_its_onset_and_decay() {
        let said = utterance("......##.##..........", Encoding::Mulaw).unwrap();
        let loud: String = said.loud.iter().map(|loud| if *loud { '#' } else { '.' }).collect();
        assert_eq!(loud, "..##.##.....");
        assert_eq!((said.last_loud, said.frames.len()), (6, 12));
        assert!(said.frames.iter().all(|frame| frame.len() == 160));
    }

    #[test]
    fn a_pause_inside_is_known() {
        assert_eq!(
            utterance("..#..##....#......", Encoding::Pcm16).unwrap().longest_pause(),
            ringway_frame::FRAME * 4
        );
        assert_eq!(utterance("..#", Encoding::Pcm16).unwrap().longest_pause(), Duration::ZERO);
    }

    #[test]
    fn a_file_without_a_loud_frame_is_refused() {
        let error = utterance("....", Encoding::Mulaw).unwrap_err();
        assert_eq!(error.to_string(), "said.wav: no 20 ms of it are louder than -40 dBFS");
    }

    #[test]
    fn every_encoding_has_its_frames() {
        for (encoding, bytes) in
            [(Encoding::Mulaw, Some(160)), (Encoding::Pcm16, Some(640)), (Encoding::Opus, None)]
        {
            let said = utterance("##", encoding).unwrap();
            assert_eq!(said.frames.len(), 2);
            assert!(bytes.is_none_or(|bytes| said.frames[0].len() == bytes), "{encoding:?}");
        }
    }
}
