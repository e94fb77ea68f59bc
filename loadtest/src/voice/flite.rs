//! Text spoken by the program `flite` (Debian's package of that name), before the first call.

use ringway_frame::SampleRate;
use ringway_wire::wav::{self, WavError};
use std::io;
use std::process::{Command, Stdio};

/// Why a text is not spoken.
#[derive(Debug, thiserror::Error)]
pub enum FliteError {
    /// The program is not there.
    #[error("text is spoken by flite, which cannot be run ({0}): install the package flite, or give a file")]
    NotThere(io::Error),
    /// It failed.
    #[error("flite failed: {0}")]
    Failed(String),
    /// What it says is no audio.
    #[error("flite: {0}")]
    Wav(#[from] WavError),
}

/// Speaks with Flite's voice `slt`.
pub fn speak(text: &str, rate: SampleRate) -> Result<Vec<i16>, FliteError> {
    let file = std::env::temp_dir().join(format!("ringway-load-{}.wav", std::process::id()));
    let spoken = Command::new("flite")
        .args(["-voice", "slt", "-t", text, "-o"])
        .arg(&file)
        .stdin(Stdio::null())
        .output()
        .map_err(FliteError::NotThere)?;
    let bytes = std::fs::read(&file);
    // Left over, it would do no harm.
    let _ = std::fs::remove_file(&file);
    if !spoken.status.success() {
        return Err(FliteError::Failed(String::from_utf8_lossy(&spoken.stderr).trim().to_owned()));
    }
    Ok(wav::read(&bytes.map_err(FliteError::NotThere)?, rate)?)
}
