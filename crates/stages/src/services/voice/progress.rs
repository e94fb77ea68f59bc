use crate::text::word_end;
use crate::tts::{Clause, TtsEvent};
use std::collections::VecDeque;

/// How far a clause was spoken, and which of its words that tells of.
#[derive(Debug)]
pub(super) struct Progress {
    clause: Clause,
    /// Frames that were given.
    frames: u64,
    /// Bytes of the text up to the end of the last word that was reported.
    words: usize,
    /// Ends of words as the service tells them, in order; empty when it does not.
    marks: VecDeque<Mark>,
    /// The service tells when words are spoken.
    timed: bool,
}

/// So many frames hold all of the text up to here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    upto: usize,
    frames: u64,
}

impl Progress {
    pub(super) const fn new(clause: Clause, timed: bool) -> Self {
        Self { clause, frames: 0, words: 0, marks: VecDeque::new(), timed }
    }

    pub(super) const fn clause(&self) -> &Clause {
        &self.clause
    }

    /// A frame was given.
    pub(super) const fn spoke(&mut self) {
        self.frames += 1;
    }

    /// The service says that so many frames hold the text up to byte `upto`.
    pub(super) fn mark(&mut self, upto: usize, frames: u64) {
        self.marks.push_back(Mark { upto, frames });
    }

    /// The next word whose audio was given; `total` is the clause's length in frames, if that is known.
    pub(super) fn word(&mut self, total: Option<u64>) -> Option<TtsEvent> {
        let upto = if self.timed { self.marked()? } else { self.shared(total)? };
        // The last word is reported behind the last frame.
        if upto >= self.clause.text.len() {
            return None;
        }
        self.words = upto;
        Some(TtsEvent::Word { clause: self.clause.id, upto: upto as u32 })
    }

    fn marked(&mut self) -> Option<usize> {
        let (mut upto, length) = (None, self.clause.text.len());
        while let Some(mark) = self.marks.pop_front_if(|mark| mark.frames <= self.frames) {
            upto = Some(mark.upto).filter(|upto| *upto > self.words && *upto < length).or(upto);
        }
        upto
    }

    /// Of a service that does not tell, each word takes its share of the characters.
    fn shared(&self, total: Option<u64>) -> Option<usize> {
        let length = self.clause.text.len();
        let rest = &self.clause.text[self.words..];
        let upto = self.words + word_end(rest);
        let total = total.unwrap_or(length as u64 * SLOWEST);
        let due = total * upto as u64 / (length as u64).max(1);
        (self.frames >= due.max(1)).then_some(upto)
    }

    /// All audio was given: the words that are left, then the end.
    pub(super) fn end(&mut self) -> TtsEvent {
        let (clause, all) = (self.clause.id, self.clause.text.len());
        if self.words < all {
            self.words = all;
            return TtsEvent::Word { clause, upto: all as u32 };
        }
        TtsEvent::Done { clause }
    }
}

/// Frames a character that a voice takes at most, where the length is not known: words are rather told late than
/// before they were heard.
const SLOWEST: u64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(text: &str, timed: bool) -> Progress {
        Progress::new(Clause { id: 7, text: text.into() }, timed)
    }

    fn words(progress: &mut Progress, frames: u64, total: Option<u64>) -> Vec<(u64, u32)> {
        let mut words = Vec::new();
        for at in 1..=frames {
            progress.spoke();
            while let Some(TtsEvent::Word { upto, .. }) = progress.word(total) {
                words.push((at, upto));
            }
        }
        words
    }

    #[test]
    fn words_share_the_frames_by_their_characters() {
        assert_eq!(
            words(&mut progress("Good day to you.", false), 20, Some(20)),
            [(5, 4), (10, 8), (13, 11)]
        );
    }

    #[test]
    fn where_the_length_is_not_known_words_are_told_late() {
        assert_eq!(words(&mut progress("Good day.", false), 40, None), [(20, 4)]);
    }

    #[test]
    fn words_are_told_when_the_service_says_that_they_were_spoken() {
        let mut progress = progress("Good day to you.", true);
        for (upto, frames) in [(4, 3), (8, 3), (11, 6), (16, 9)] {
            progress.mark(upto, frames);
        }
        // Two words that end within one frame are one report.
        assert_eq!(words(&mut progress, 9, Some(9)), [(3, 8), (6, 11)]);
        assert_eq!(progress.end(), TtsEvent::Word { clause: 7, upto: 16 });
        assert_eq!(progress.end(), TtsEvent::Done { clause: 7 });
    }
}
