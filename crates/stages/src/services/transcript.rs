use super::listening::Found;
use crate::stt::{SegmentId, SttEvent};
use std::collections::VecDeque;

/// What a streaming recogniser has said of the running segment, as its call wants to be told.
///
/// An answer is all that was said since the last words for good: the next answer says it again, since speech may go on
/// behind the first one ([`SttEvent::Final`]).
#[derive(Debug)]
pub(super) struct Transcript {
    segment: SegmentId,
    /// Words that will not change, but that only answers have told.
    given: String,
    /// The last guess at the words behind them.
    guess: String,
    /// Words have come since the last answer.
    fresh: bool,
    events: VecDeque<SttEvent>,
}

impl Transcript {
    pub(super) const fn new() -> Self {
        Self {
            segment: SegmentId(0),
            given: String::new(),
            guess: String::new(),
            fresh: false,
            events: VecDeque::new(),
        }
    }

    /// Another segment begins; what is left of the last one is void.
    pub(super) fn begin(&mut self, segment: SegmentId) {
        self.segment = segment;
        self.given.clear();
        self.guess.clear();
        self.fresh = false;
        self.events.clear();
    }

    /// What there is to answer with, if the service does not.
    pub(super) const fn found(&self) -> Found {
        if self.fresh { Found::Words } else { Found::Nothing }
    }

    /// The words behind those for good may be these.
    pub(super) fn guess(&mut self, text: &str) {
        if self.guess == text {
            return;
        }
        text.clone_into(&mut self.guess);
        self.fresh |= !text.is_empty();
        if !text.is_empty() {
            self.events
                .push_back(SttEvent::Partial { segment: self.segment, text: joined(&self.given, text) });
        }
    }

    /// The last guess, which is not one any more.
    pub(super) fn take_guess(&mut self) -> String {
        std::mem::take(&mut self.guess)
    }

    /// These words are for good, in place of the guess; an answer will tell them. None take nothing back.
    pub(super) fn add(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.guess.clear();
        self.fresh = true;
        self.given = joined(&self.given, text);
    }

    /// These words are for good, in place of the guess, and told at once.
    pub(super) fn stand(&mut self, text: &str) {
        self.add(text);
        if !text.is_empty() {
            let text = std::mem::take(&mut self.given);
            self.push_final(text, false);
        }
    }

    /// The answer: these words are the last ones, in place of the guess, which counts where there are none.
    pub(super) fn answer(&mut self, text: &str) {
        let guess = self.take_guess();
        self.add(if text.is_empty() { &guess } else { text });
        self.push_final(self.given.clone(), true);
        self.fresh = false;
    }

    /// An answer that the service may still take back.
    pub(super) fn answer_with_guess(&mut self) {
        self.push_final(joined(&self.given, &self.guess), true);
        self.fresh = false;
    }

    /// How likely the caller has finished.
    pub(super) fn likely(&mut self, probability: f32) {
        self.events.push_back(SttEvent::EndOfTurn { segment: self.segment, probability });
    }

    /// What is to be told next.
    pub(super) fn next(&mut self) -> Option<SttEvent> {
        self.events.pop_front()
    }

    fn push_final(&mut self, text: String, flushed: bool) {
        self.events.push_back(SttEvent::Final { segment: self.segment, text, flushed });
    }
}

/// Letters and digits alone, in lower case: what words are told apart by, however they are written.
pub(super) fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn joined(front: &str, back: &str) -> String {
    let blank = if front.is_empty() || back.is_empty() { "" } else { " " };
    [front, blank, back].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: SegmentId = SegmentId(7);

    fn told(transcript: &mut Transcript) -> Vec<SttEvent> {
        std::iter::from_fn(|| transcript.next()).collect()
    }

    fn words(text: &str, flushed: bool) -> SttEvent {
        SttEvent::Final { segment: SEGMENT, text: text.into(), flushed }
    }

    fn begun() -> Transcript {
        let mut transcript = Transcript::new();
        transcript.begin(SEGMENT);
        transcript
    }

    #[test]
    fn an_answer_that_speech_went_on_behind_is_said_again() {
        let mut transcript = begun();
        transcript.answer("hello");
        transcript.guess("my");
        transcript.answer("my friend");
        let guess = SttEvent::Partial { segment: SEGMENT, text: "hello my".into() };
        assert_eq!(told(&mut transcript), [words("hello", true), guess, words("hello my friend", true)]);
    }

    #[test]
    fn words_that_were_told_for_good_are_not_said_again() {
        let mut transcript = begun();
        transcript.answer("hello");
        transcript.stand("my friend");
        transcript.stand("");
        transcript.answer("");
        let expected = [words("hello", true), words("hello my friend", false), words("", true)];
        assert_eq!(told(&mut transcript), expected);
    }

    #[test]
    fn an_answer_that_is_taken_back_leaves_nothing_behind() {
        let mut transcript = begun();
        transcript.guess("a table");
        transcript.answer_with_guess();
        transcript.answer("a table for two");
        let told = told(&mut transcript);
        assert_eq!(told[1..], [words("a table", true), words("a table for two", true)]);
    }

    #[test]
    fn words_that_are_none_take_back_no_guess() {
        let mut transcript = begun();
        transcript.guess("hello");
        assert_eq!(transcript.found(), Found::Words);
        transcript.stand("");
        transcript.answer("");
        assert_eq!(told(&mut transcript)[1..], [words("hello", true)]);
        assert_eq!(transcript.found(), Found::Nothing, "they are answered with");
        transcript.answer("");
        assert_eq!(told(&mut transcript), [words("hello", true)]);
    }

    #[test]
    fn another_segment_knows_nothing_of_the_last_one() {
        let mut transcript = begun();
        transcript.answer("hello");
        transcript.guess("so");
        transcript.begin(SegmentId(8));
        assert_eq!(transcript.next(), None);
        assert_eq!(transcript.take_guess(), "");
        transcript.answer("");
        let nothing = SttEvent::Final { segment: SegmentId(8), text: String::new(), flushed: true };
        assert_eq!(told(&mut transcript), [nothing]);
    }
}
