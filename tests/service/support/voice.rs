use ringway_frame::SampleRate;
use std::path::{Path, PathBuf};

/// Recorded prompts of the Debian package asterisk-core-sounds-en-wav.
const PROMPTS: &str = "/usr/share/asterisk/sounds/en";

/// A recorded prompt: `digits/day-1` is "Monday".
pub fn prompt(name: &str, rate: SampleRate) -> Vec<i16> {
    let path = path(name);
    let file =
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error} (make setup-test)", path.display()));
    ringway_wire::wav::read(&file, rate).expect("a WAV file")
}

/// Where it is.
pub fn path(name: &str) -> PathBuf {
    Path::new(PROMPTS).join(format!("{name}.wav"))
}
