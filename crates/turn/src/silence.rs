use crate::Config;
use ringway_frame::MediaTime;
use serde::{Deserialize, Serialize};

/// The caller says nothing at all: asked a few times, then the call ends.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Silence {
    since: Option<MediaTime>,
    prompts: u8,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// Ask for the n-th time, from 1.
    Ask(u8),
    /// Give up.
    HangUp,
}

impl Silence {
    /// The line is idle, or is not.
    pub(crate) fn observe(&mut self, idle: bool, now: MediaTime) {
        self.since = idle.then(|| self.since.unwrap_or(now));
    }

    /// The caller was there.
    pub(crate) fn broken(&mut self) {
        self.prompts = 0;
        self.since = None;
    }

    pub(crate) fn deadline(&self, config: &Config) -> Option<MediaTime> {
        self.since.map(|since| since + config.silence_prompt_after)
    }

    /// Time has come to [`Self::deadline`].
    pub(crate) fn tick(&mut self, config: &Config) -> Prompt {
        self.since = None;
        if self.prompts >= config.silence_prompts {
            return Prompt::HangUp;
        }
        self.prompts += 1;
        Prompt::Ask(self.prompts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_caller_is_asked_twice_and_then_left() {
        let config = Config::default();
        let mut silence = Silence::default();
        silence.observe(true, MediaTime::from_millis(1_000));
        silence.observe(true, MediaTime::from_millis(2_000));
        assert_eq!(silence.deadline(&config), Some(MediaTime::from_millis(8_000)));
        let prompts = [silence.tick(&config), silence.tick(&config), silence.tick(&config)];
        assert_eq!(prompts, [Prompt::Ask(1), Prompt::Ask(2), Prompt::HangUp]);
    }

    #[test]
    fn a_word_starts_the_count_again() {
        let config = Config::default();
        let mut silence = Silence::default();
        silence.tick(&config);
        silence.broken();
        assert_eq!(silence.deadline(&config), None);
        assert_eq!(silence.tick(&config), Prompt::Ask(1));
    }
}
