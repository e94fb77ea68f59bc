//! What callers say when they are given nothing to say: recorded human prompts, where they are installed.
//!
//! Synthetic sounds would not do: a voice activity detector hears no speech in them.

use std::path::{Path, PathBuf};

/// Where Debian's asterisk-core-sounds packages put the English prompts.
const DIRECTORY: &str = "/usr/share/asterisk/sounds/en";

/// Prompts of 0.7 to 2.5 s, none with a pause of more than 80 ms in it, which a bot could take for the end of a turn.
const PROMPTS: [&str; 14] = [
    "digits/day-0.wav",
    "digits/day-1.wav",
    "digits/day-2.wav",
    "digits/day-3.wav",
    "digits/day-4.wav",
    "digits/day-5.wav",
    "digits/day-6.wav",
    "hello-world.wav",
    "from-unknown-caller.wav",
    "please-try-again.wav",
    "queue-thankyou.wav",
    "telephone-number.wav",
    "to-call-this-number.wav",
    "vm-nobodyavail.wav",
];

/// Why there is no recorded prompt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPrompts {
    /// None are installed.
    #[error(
        "callers have nothing to say: install the package asterisk-core-sounds-en-wav, or give recorded speech with --say FILE.wav"
    )]
    NotInstalled,
    /// This one is not.
    #[error(
        "no recorded prompt {0:?}: it is not in the package asterisk-core-sounds-en-wav, or that is not installed"
    )]
    Unknown(String),
}

/// The recorded prompts that are installed.
pub fn installed() -> Result<Vec<PathBuf>, NoPrompts> {
    found_in(Path::new(DIRECTORY))
}

/// The installed prompt of this name, such as `digits/day-1`.
pub fn named(name: &str) -> Result<PathBuf, NoPrompts> {
    let path = Path::new(DIRECTORY).join(format!("{name}.wav"));
    if path.is_file() { Ok(path) } else { Err(NoPrompts::Unknown(name.to_owned())) }
}

fn found_in(directory: &Path) -> Result<Vec<PathBuf>, NoPrompts> {
    let found: Vec<_> =
        PROMPTS.iter().map(|prompt| directory.join(prompt)).filter(|path| path.is_file()).collect();
    if found.is_empty() { Err(NoPrompts::NotInstalled) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_prompts_the_package_and_the_option_are_named() {
        let error = found_in(Path::new("/nowhere")).unwrap_err().to_string();
        assert!(error.contains("asterisk-core-sounds-en-wav") && error.contains("--say"), "{error}");
    }
}
