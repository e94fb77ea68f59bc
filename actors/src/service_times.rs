//! How long the services behind a call's stages take: from a request to the first of what it gives.

use ringway_frame::{Epoch, MediaTime};
use ringway_turn::{AskId, Input, RequestId, StageKind};
use std::sync::Arc;
use std::time::Duration;

/// A stopwatch for each stage that has a service.
#[derive(Debug, Default)]
pub(crate) struct ServiceTimes {
    pub(crate) stt: Stopwatch<AskId>,
    pub(crate) llm: Stopwatch<RequestId>,
    pub(crate) tts: Stopwatch<Epoch>,
    pub(crate) s2s: Stopwatch<Epoch>,
}

/// Times one stage's requests, the newest at a time.
#[derive(Debug)]
pub(crate) struct Stopwatch<Id> {
    service: Option<Arc<str>>,
    /// The newest request; it stays when it was answered, so that a further part of it does not begin it anew.
    newest: Option<Id>,
    /// Since when it is waited for.
    since: Option<MediaTime>,
}

/// The first of what a service was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) stage: StageKind,
    pub(crate) service: Arc<str>,
    pub(crate) after: Duration,
}

impl ServiceTimes {
    /// Whether what a stage says is the first of what was asked for.
    pub(crate) fn heard(&mut self, input: &Input, now: MediaTime) -> Option<Served> {
        let (stage, (service, after)) = match input {
            Input::Final { ask, .. } => (StageKind::Stt, self.stt.answered(*ask, now)?),
            Input::Token { request, .. } => (StageKind::Llm, self.llm.answered(*request, now)?),
            Input::Voiced { epoch } => match self.s2s.answered(*epoch, now) {
                Some(answered) => (StageKind::SpeechToSpeech, answered),
                None => (StageKind::Tts, self.tts.answered(*epoch, now)?),
            },
            _ => return None,
        };
        Some(Served { stage, service, after })
    }
}

impl<Id> Default for Stopwatch<Id> {
    fn default() -> Self {
        Self { service: None, newest: None, since: None }
    }
}

impl<Id: Copy + PartialEq> Stopwatch<Id> {
    /// This service is asked from now on; without one nothing is timed.
    pub(crate) fn serve(&mut self, service: Option<Arc<str>>) {
        *self = Self { service, ..Self::default() };
    }

    /// It is asked; further parts of one request do not begin it anew.
    pub(crate) fn asked(&mut self, id: Id, now: MediaTime) {
        if self.newest != Some(id) {
            (self.newest, self.since) = (Some(id), Some(now));
        }
    }

    /// Answers to older requests do not count, and of an answer only the first part.
    fn answered(&mut self, id: Id, now: MediaTime) -> Option<(Arc<str>, Duration)> {
        let since = if self.newest == Some(id) { self.since.take()? } else { return None };
        Some((self.service.clone()?, now.since(since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    fn watch() -> ServiceTimes {
        let mut times = ServiceTimes::default();
        times.tts.serve(Some("flite".into()));
        times
    }

    #[test]
    fn a_request_is_timed_once_by_the_first_of_its_answer() {
        let (mut times, epoch) = (watch(), Epoch::default());
        times.tts.asked(epoch, ms(100));
        times.tts.asked(epoch, ms(140));
        let served =
            Served { stage: StageKind::Tts, service: "flite".into(), after: Duration::from_millis(50) };
        assert_eq!(times.heard(&Input::Voiced { epoch }, ms(150)), Some(served));
        times.tts.asked(epoch, ms(200));
        assert_eq!(
            times.heard(&Input::Voiced { epoch }, ms(250)),
            None,
            "a later clause of the same utterance"
        );
    }

    #[test]
    fn an_answer_that_is_not_waited_for_any_more_is_not_timed() {
        let (mut times, old) = (watch(), Epoch::default());
        times.tts.asked(old, ms(0));
        times.tts.asked(old.next(), ms(10));
        assert_eq!(times.heard(&Input::Voiced { epoch: old }, ms(20)), None);
        times.tts.serve(Some("piper".into()));
        assert_eq!(
            times.heard(&Input::Voiced { epoch: old.next() }, ms(30)),
            None,
            "the service was replaced"
        );
    }

    #[test]
    fn what_comes_from_memory_is_no_service_of_anybody() {
        let (mut times, epoch) = (ServiceTimes::default(), Epoch::default());
        times.tts.asked(epoch, ms(0));
        assert_eq!(times.heard(&Input::Voiced { epoch }, ms(20)), None);
    }
}
