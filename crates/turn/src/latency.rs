//! Where the time of an answer goes: at each moment to what its first sound then waited for.
//!
//! The state of the turn says what that is (`Turn::note_wait`), and each change of it is noted. Of two things that are
//! waited for at once the one that takes longer counts, which is known only afterwards: when what is left is the end of
//! the turn, or the transcript, the work that was hidden behind it is void.

use crate::Latency;
use crate::utterance::Utterance;
use ringway_frame::MediaTime;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What an answer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wait {
    /// To be sure that the caller has finished.
    EndOfTurn,
    /// The transcript.
    Stt,
    /// The first clause.
    Llm,
    /// Tools that the model needs for it.
    Tools,
    /// The first audio.
    Tts,
    /// A stage that is being built.
    Rebuild,
    /// The audio is there and on its way to the socket.
    Playout,
}

/// What the answer to the running turn has been waiting for, since when. Before the first entry: the end of the turn.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Waits(Vec<(MediaTime, Wait)>);

/// Changes of one turn that are kept; what comes after them counts as the last.
const MOST: usize = 64;

impl Waits {
    /// It waits for this since then, and will have waited for nothing else in the meantime.
    pub(crate) fn note(&mut self, wait: Wait, since: MediaTime) {
        if self.current() == wait {
            return;
        }
        self.0.retain(|(at, _)| *at < since);
        if self.current() != wait && self.0.len() < MOST {
            self.0.push((since, wait));
        }
    }

    /// The question is answered just `now`: the request that follows has waited for it, whatever a guess was good for.
    pub(crate) fn answered(&mut self, utterance: &Utterance, now: MediaTime) {
        if let Some(asked) = utterance.asked_at.filter(|_| utterance.answered_at == Some(now)) {
            self.note(Wait::Stt, asked);
        }
    }

    /// All is ready but the end of the turn: nothing else was waited for, but that somebody listened for speech.
    pub(crate) fn hide(&mut self, deaf: Option<Deaf>) {
        self.0.clear();
        let Some((from, until)) = deaf else { return };
        self.0.push((from, Wait::Rebuild));
        self.0.extend(until.map(|until| (until, Wait::EndOfTurn)));
    }

    fn current(&self) -> Wait {
        self.0.last().map_or(Wait::EndOfTurn, |(_, wait)| *wait)
    }

    /// The parts of the wait from `ended`, the arrival of the end of the caller's turn, to `sounding`.
    pub(crate) fn latency(&self, ended: MediaTime, sounding: MediaTime) -> Latency {
        let ended = ended.min(sounding);
        let mut latency = Latency { answer: sounding - ended, ..Latency::default() };
        let (mut from, mut wait) = (ended, Wait::EndOfTurn);
        for (at, next) in &self.0 {
            let at = (*at).clamp(from, sounding);
            *latency.part(wait) += at - from;
            (from, wait) = (at, *next);
        }
        *latency.part(wait) += sounding - from;
        latency
    }
}

impl Latency {
    fn part(&mut self, wait: Wait) -> &mut Duration {
        match wait {
            Wait::EndOfTurn => &mut self.end_of_turn,
            Wait::Stt => &mut self.stt,
            Wait::Llm => &mut self.llm,
            Wait::Tools => &mut self.tools,
            Wait::Tts => &mut self.tts,
            Wait::Rebuild => &mut self.rebuild,
            Wait::Playout => &mut self.playout,
        }
    }
}

/// When nobody listened for speech, last; it is over if its end is known.
pub(crate) type Deaf = (MediaTime, Option<MediaTime>);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Wait; 7] =
        [Wait::EndOfTurn, Wait::Stt, Wait::Llm, Wait::Tools, Wait::Tts, Wait::Rebuild, Wait::Playout];

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    fn parts(waits: &Waits, ended: u64, sounding: u64) -> [u64; 7] {
        let mut latency = waits.latency(at(ended), at(sounding));
        ALL.map(|wait| latency.part(wait).as_millis() as u64)
    }

    fn noted(waits: &[(u64, Wait)]) -> Waits {
        let mut noted = Waits::default();
        waits.iter().for_each(|(millis, wait)| noted.note(*wait, at(*millis)));
        noted
    }

    #[test]
    fn services_that_are_waited_for_beyond_the_hang_over_have_their_times() {
        let waits = [(1_060, Wait::Stt), (1_110, Wait::Llm), (1_210, Wait::Tts), (1_260, Wait::Playout)];
        assert_eq!(parts(&noted(&waits), 1_000, 1_265), [60, 50, 100, 0, 50, 0, 5]);
    }

    #[test]
    fn what_was_hidden_behind_the_hang_over_was_not_waited_for() {
        let mut waits = noted(&[(1_060, Wait::Stt), (1_110, Wait::Llm), (1_210, Wait::Tts)]);
        waits.hide(None);
        waits.note(Wait::Playout, at(1_700));
        assert_eq!(parts(&waits, 1_000, 1_703), [700, 0, 0, 0, 0, 0, 3]);
    }

    #[test]
    fn a_silence_that_nobody_heard_was_not_the_end_of_the_turn() {
        let mut waits = noted(&[(1_060, Wait::Stt), (1_110, Wait::Llm)]);
        waits.hide(Some((at(1_200), Some(at(1_500)))));
        waits.note(Wait::Playout, at(1_900));
        assert_eq!(parts(&waits, 1_000, 1_900), [600, 0, 0, 0, 0, 300, 0]);
    }

    #[test]
    fn what_was_noted_before_the_turn_ended_does_not_count() {
        let waits = noted(&[(100, Wait::Llm), (900, Wait::Tts), (1_100, Wait::Playout)]);
        assert_eq!(parts(&waits, 1_000, 1_150), [0, 0, 0, 0, 100, 0, 50]);
        assert_eq!(parts(&waits, 2_000, 1_150), [0; 7]);
    }

    proptest! {
        #[test]
        fn the_parts_sum_to_the_answer(
            steps in proptest::collection::vec((0..5_000u64, 0..ALL.len()), 0..200),
            ended in 0..5_000u64,
            wait in 0..5_000u64,
        ) {
            let waits: Vec<_> = steps.into_iter().map(|(millis, index)| (millis, ALL[index])).collect();
            let waits = noted(&waits);
            prop_assert!(waits.0.len() <= MOST && waits.0.is_sorted_by_key(|(at, _)| *at));
            prop_assert_eq!(parts(&waits, ended, ended + wait).iter().sum::<u64>(), wait);
        }
    }
}
