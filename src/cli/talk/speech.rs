use ringway_frame::SampleRate;
use ringway_wire::level::Dbfs;
use ringway_wire::wav::{self, WavError};
use std::path::{Path, PathBuf};

/// The rate that is spoken at.
pub const RATE: SampleRate = SampleRate::HZ_16000;

/// Samples of 20 ms.
pub const FRAME_SAMPLES: usize = RATE.frame_samples();

/// 20 ms of one voice.
pub type Samples = [i16; FRAME_SAMPLES];

/// Recorded speech, in frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speech {
    /// The file's name, without its folder.
    pub name: String,
    frames: Vec<Samples>,
    /// The last frame above the level that counts as loud.
    last_loud: usize,
}

/// Why a file cannot be said.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// No such file, or not to be read.
    #[error("{path}: {error}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// No audio that is read here, or not all of it.
    #[error("{path}: {error}", path = .path.display())]
    Wav {
        /// The file.
        path: PathBuf,
        /// Why.
        error: WavError,
    },
    /// Nothing in it is loud.
    #[error("{path}: no 20 ms of it are louder than -40 dBFS", path = .0.display())]
    Silent(PathBuf),
}

impl Speech {
    /// Reads a WAV file.
    ///
    /// # Errors
    /// It cannot be read, is damaged or truncated, or is silent.
    pub fn read(path: &Path) -> Result<Self, SpeechError> {
        let file = std::fs::read(path).map_err(|error| SpeechError::Read { path: path.into(), error })?;
        let samples =
            wav::read(&file, RATE).map_err(|error| SpeechError::Wav { path: path.into(), error })?;
        Self::new(path, &samples)
    }

    fn new(path: &Path, samples: &[i16]) -> Result<Self, SpeechError> {
        let frames: Vec<Samples> = samples.chunks(FRAME_SAMPLES).map(padded).collect();
        let last_loud = frames.iter().rposition(|frame| Dbfs::of_samples(frame).is_loud());
        let last_loud = last_loud.ok_or_else(|| SpeechError::Silent(path.into()))?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { name, frames, last_loud })
    }

    /// The frame of this number; `None` behind the end.
    pub fn frame(&self, number: usize) -> Option<&Samples> {
        self.frames.get(number)
    }

    /// No frame behind this one is loud.
    pub const fn is_last_loud(&self, number: usize) -> bool {
        number == self.last_loud
    }
}

fn padded(samples: &[i16]) -> Samples {
    let mut frame = [0; FRAME_SAMPLES];
    frame[..samples.len()].copy_from_slice(samples);
    frame
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Speech of loud (`#`) and silent frames.
    pub fn speech(frames: &str) -> Speech {
        let level = |frame| if frame == '#' { 8_000 } else { 0 };
        let samples: Vec<i16> = frames.chars().flat_map(|frame| [level(frame); FRAME_SAMPLES]).collect();
        Speech::new(Path::new("a/said.wav"), &samples).unwrap()
    }

    #[test]
    fn the_last_loud_frame_is_known() {
        let speech = speech(".##.#..");
        assert_eq!(speech.name, "said.wav");
        let last: Vec<usize> = (0..7).filter(|&number| speech.is_last_loud(number)).collect();
        assert_eq!(last, [4]);
        assert!(speech.frame(6).is_some() && speech.frame(7).is_none());
    }

    #[test]
    fn a_silent_file_is_refused() {
        let error = Speech::new(Path::new("a.wav"), &[0; 4_000]).unwrap_err();
        assert_eq!(error.to_string(), "a.wav: no 20 ms of it are louder than -40 dBFS");
    }

    #[test]
    fn a_truncated_file_is_refused_by_name() {
        let path = std::env::temp_dir().join(format!("ringway-talk-{}.wav", std::process::id()));
        let whole = wav::write(&[8_000; 16_000], RATE);
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let error = Speech::read(&path).unwrap_err().to_string();
        std::fs::remove_file(&path).unwrap();
        assert!(error.starts_with(&path.display().to_string()) && error.contains("truncated"), "{error}");
    }
}
