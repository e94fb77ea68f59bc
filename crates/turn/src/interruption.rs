use crate::Config;
use ringway_frame::MediaTime;
use serde::{Deserialize, Serialize};

/// Whether what sounds like the caller speaking over the bot is meant to stop it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Interruption {
    /// Nobody speaks over the bot, or it has stopped. `=> Paused` at the first sign of speech.
    #[default]
    None,
    /// The bot is paused until speech or words confirm. `=> None` with the verdict, `=> Resumed` when it takes long.
    Paused {
        /// Since when.
        at: MediaTime,
        /// When the first sign came.
        from: MediaTime,
    },
    /// The bot went on, but the words may still come. `=> Paused` at more speech, `=> None` with the words.
    Resumed {
        /// When the first sign came.
        from: MediaTime,
    },
}

impl Interruption {
    /// The first sign of speech came at `from`; says whether the bot is to pause for it.
    pub(crate) fn begin(&mut self, now: MediaTime, from: MediaTime) -> bool {
        let pauses = !self.is_paused();
        if pauses {
            *self = Self::Paused { at: now, from };
        }
        pauses
    }

    /// The verdict takes long: the bot goes on without it.
    pub(crate) fn postpone(&mut self) {
        if let Self::Paused { from, .. } = *self {
            *self = Self::Resumed { from };
        }
    }

    /// It is decided, or nothing is left to be interrupted; says whether the bot was paused.
    pub(crate) fn end(&mut self) -> bool {
        let paused = self.is_paused();
        *self = Self::None;
        paused
    }

    pub(crate) fn is_paused(self) -> bool {
        matches!(self, Self::Paused { .. })
    }

    /// Since when the bot is paused.
    pub(crate) fn paused_at(self) -> Option<MediaTime> {
        match self {
            Self::Paused { at, .. } => Some(at),
            Self::None | Self::Resumed { .. } => None,
        }
    }

    /// When its first sign came.
    pub(crate) fn from(self) -> Option<MediaTime> {
        match self {
            Self::Paused { from, .. } | Self::Resumed { from } => Some(from),
            Self::None => None,
        }
    }

    /// Its name in the table of states.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Paused { .. } => "paused",
            Self::Resumed { .. } => "resumed",
        }
    }

    pub(crate) fn is_any(self) -> bool {
        self != Self::None
    }

    /// When the bot has waited long enough for a reason to stop, given the end of what sounded like speech.
    pub(crate) fn deadline(self, quiet: Option<MediaTime>, config: &Config) -> Option<MediaTime> {
        let Self::Paused { at, .. } = self else { return None };
        let longest = at + config.pause_max;
        Some(quiet.map_or(longest, |since| longest.min(since.max(at) + config.verdict_within)))
    }
}
