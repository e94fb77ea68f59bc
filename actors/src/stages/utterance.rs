//! The recogniser's view of one utterance: which audio belongs to it, and what it is being asked.

use ringway_frame::{FRAME, Frame, MediaTime};
use ringway_turn::{AskId, UtteranceId};
use std::time::Duration;

/// Audio before the first sign of speech that belongs to it: onsets are never cut.
pub(crate) const PRE_ROLL: Duration = Duration::from_millis(300);

/// Audio before this is not part of an utterance that begins after `latest` was heard: its first sign may be told a little
/// later than that.
pub(crate) fn before_next(latest: MediaTime) -> MediaTime {
    latest.saturating_sub(2 * PRE_ROLL)
}

/// An utterance is cut at its best pause when it gets this long.
const LONGEST: Duration = Duration::from_secs(8);

/// The cut is looked for behind this much speech.
const CUT_FROM: Duration = Duration::from_secs(4);

/// A guess is made each time so much more was said.
const PARTIAL_EVERY: Duration = Duration::from_millis(900);

/// What the recogniser is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// A guess to show.
    Partial,
    /// The first part of a long utterance, up to here.
    Cut(MediaTime),
    /// The turn's question.
    Ask(AskId),
}

/// The running utterance.
#[derive(Debug)]
pub(crate) struct Utterance {
    pub(crate) id: UtteranceId,
    /// First audio that no answer covers yet.
    pub(crate) from: MediaTime,
    /// Words of the parts that were cut off.
    pub(crate) said: String,
    pub(crate) job: Option<Job>,
    next_partial: MediaTime,
    quietest: Option<(u64, MediaTime)>,
}

impl Utterance {
    pub(crate) fn new(id: UtteranceId, sign: MediaTime) -> Self {
        let from = sign.saturating_sub(PRE_ROLL);
        Self { id, from, said: String::new(), job: None, next_partial: sign + PARTIAL_EVERY, quietest: None }
    }

    /// Looks for the quietest place to cut.
    pub(crate) fn hear(&mut self, frame: &Frame) {
        if frame.time < self.from + CUT_FROM {
            return;
        }
        let energy = energy(frame);
        if self.quietest.is_none_or(|(least, _)| energy <= least) {
            self.quietest = Some((energy, frame.time + FRAME / 2));
        }
    }

    /// Where to cut, once it has become too long.
    pub(crate) fn cut(&self, latest: MediaTime) -> Option<MediaTime> {
        (latest.since(self.from) >= LONGEST).then(|| self.quietest.map_or(latest, |(_, at)| at))
    }

    /// The part up to `at` has been answered.
    pub(crate) fn advance(&mut self, at: MediaTime, words: &str) {
        self.from = at;
        self.quietest = None;
        self.next_partial = at + PARTIAL_EVERY;
        append(&mut self.said, words);
    }

    /// Whether it is time for a guess.
    pub(crate) fn wants_partial(&mut self, latest: MediaTime) -> bool {
        if self.job.is_some() || latest < self.next_partial {
            return false;
        }
        self.next_partial = latest + PARTIAL_EVERY;
        true
    }

    /// All words so far with these behind them.
    pub(crate) fn with(&self, words: &str) -> String {
        let mut all = self.said.clone();
        append(&mut all, words);
        all
    }
}

fn append(text: &mut String, words: &str) {
    if !text.is_empty() && !words.is_empty() {
        text.push(' ');
    }
    text.push_str(words);
}

/// How loud a frame is, for comparison only: distance of the coded bytes from silence.
fn energy(frame: &Frame) -> u64 {
    match frame.format() {
        // The magnitude bits of mu-law, inverted on the wire, grow with loudness.
        ringway_frame::Format::Mulaw8k => frame.payload().iter().map(|byte| u64::from(!byte & 0x7f)).sum(),
        ringway_frame::Format::Pcm8k | ringway_frame::Format::Pcm16k => frame
            .payload()
            .as_chunks::<2>()
            .0
            .iter()
            .map(|sample| u64::from(i16::from_le_bytes(*sample).unsigned_abs()))
            .sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_frame::Format;

    fn frame(at: MediaTime, level: i16) -> Frame {
        let payload: Vec<u8> = std::iter::repeat_n(level.to_le_bytes(), 160).flatten().collect();
        Frame::new(Format::Pcm8k, &payload).unwrap().at(0, at)
    }

    #[test]
    fn a_long_utterance_is_cut_at_its_quietest_place() {
        let mut utterance = Utterance::new(UtteranceId::new(1), MediaTime::from_millis(300));
        let mut at = MediaTime::ZERO;
        while at < MediaTime::from_millis(8_000) {
            assert_eq!(utterance.cut(at), None);
            let pause = (6_000..6_100).contains(&at.as_millis());
            utterance.hear(&frame(at, if pause { 10 } else { 900 }));
            at += FRAME;
        }
        let cut = utterance.cut(at).unwrap();
        assert!((6_000..=6_100).contains(&cut.as_millis()), "{cut}");
        utterance.advance(cut, "first part");
        assert_eq!(utterance.cut(at), None);
        assert_eq!(utterance.with("and more"), "first part and more");
    }
}
