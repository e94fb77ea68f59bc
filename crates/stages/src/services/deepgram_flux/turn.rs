use super::message::{Event, TurnInfo};
use std::time::Duration;

/// A turn as the service counts them, which is not as a call does: ours may end in the middle of one of its own.
#[derive(Debug, Default)]
pub(super) struct Turn {
    index: u64,
    pub(super) state: State,
    text: String,
    /// How many of its words belong to what is over for the call.
    spent: usize,
    /// What has been heard, since the call's first audio.
    pub(super) heard: Duration,
    /// The words that a question was answered with, if the service may still take them back.
    pub(super) answered: Option<String>,
}

/// How it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Nobody has spoken. `=> Ongoing` when somebody does.
    #[default]
    Silent,
    /// The caller speaks. `=> Likely` when the service thinks that they may have finished, `=> Silent` at the end.
    Ongoing,
    /// The caller may have finished. `=> Ongoing` when they had not, `=> Silent` at the end.
    Likely,
}

impl Turn {
    /// Takes in what the service says; the socket's stream began at `origin`.
    pub(super) fn follow(&mut self, info: &TurnInfo, origin: Duration) {
        if info.index != self.index {
            *self = Self { index: info.index, ..Self::default() };
        }
        self.heard = origin + info.until;
        self.text.clone_from(&info.text);
        self.state = match (info.event, self.state) {
            (Event::EndOfTurn, _) => State::Silent,
            (Event::EagerEndOfTurn, _) => State::Likely,
            (Event::StartOfTurn | Event::TurnResumed, _) => State::Ongoing,
            (Event::Update | Event::Unknown, State::Silent) if !info.text.is_empty() => State::Ongoing,
            (Event::Update | Event::Unknown, state) => state,
        };
    }

    /// Its words up to now belong to what is over.
    pub(super) fn spend(&mut self) {
        self.spent = self.text.split_whitespace().count();
        self.answered = None;
    }

    /// So do they, and nothing was heard of it since: how it stands is not known.
    pub(super) fn forget(&mut self) {
        self.spend();
        self.state = State::Silent;
    }

    /// Its words that do not.
    pub(super) fn words(&self) -> String {
        self.text.split_whitespace().skip(self.spent).collect::<Vec<_>>().join(" ")
    }
}
