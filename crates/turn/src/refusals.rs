use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What voices refused of one reply.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Refusals {
    /// Clauses by their ends, which stay where they are when their beginnings were said, and how often each was refused.
    counts: Vec<(usize, u32)>,
    left_out: Vec<Range<usize>>,
    /// How many of them others know.
    told: usize,
}

impl Refusals {
    /// A voice refused this piece of the reply's text.
    pub(crate) fn count(&mut self, piece: &Range<usize>) {
        match self.counts.iter_mut().find(|(end, _)| *end == piece.end) {
            Some((_, times)) => *times += 1,
            None => self.counts.push((piece.end, 1)),
        }
    }

    /// No voice is asked for it again.
    pub(crate) fn gave_up(&self, piece: &Range<usize>) -> bool {
        self.counts.iter().any(|(end, times)| *end == piece.end && *times >= MOST)
    }

    /// It is not said.
    pub(crate) fn leave_out(&mut self, piece: Range<usize>) {
        self.left_out.push(piece);
    }

    /// No voice was to say it.
    pub(crate) fn is_left_out(&self, piece: &Range<usize>) -> bool {
        self.left_out.iter().any(|left| left.start <= piece.start && piece.end <= left.end)
    }

    /// The reply's text ends at byte `end` now.
    pub(crate) fn cut(&mut self, end: usize) {
        self.told = self.left_out[..self.told].iter().filter(|piece| piece.start < end).count();
        self.left_out.retain(|piece| piece.start < end);
        self.left_out.iter_mut().for_each(|piece| piece.end = piece.end.min(end));
    }

    /// Its pieces are pieces of this text.
    pub(crate) fn fit(&self, text: &str) -> bool {
        self.told <= self.left_out.len()
            && self.left_out.iter().all(|piece| text.get(piece.clone()).is_some())
    }

    /// How many were left out since this was asked last.
    pub(crate) fn news(&mut self) -> usize {
        let news = self.left_out.len() - self.told;
        self.told = self.left_out.len();
        news
    }

    /// What is left of the first `heard` bytes of the reply's text.
    pub(crate) fn without(&self, text: &str, heard: usize) -> String {
        let (mut said, mut at) = (Vec::new(), 0);
        for piece in self.left_out.iter().filter(|piece| piece.end <= text.len()) {
            said.push(text[at..piece.start.min(heard).max(at)].trim());
            at = piece.end.min(heard).max(at);
        }
        said.push(text[at..heard.max(at)].trim());
        said.retain(|piece| !piece.is_empty());
        said.join(" ")
    }
}

/// How often a clause is asked for.
const MOST: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_is_given_up_when_it_was_refused_twice_wherever_it_began() {
        let mut refusals = Refusals::default();
        refusals.count(&(5..20));
        assert!(!refusals.gave_up(&(5..20)));
        refusals.count(&(9..20));
        assert!(refusals.gave_up(&(9..20)) && !refusals.gave_up(&(21..30)));
    }

    #[test]
    fn what_is_left_out_is_cut_with_the_text() {
        let mut refusals = Refusals::default();
        let text = "One. Two. Three.";
        refusals.leave_out(0..4);
        assert_eq!(refusals.news(), 1);
        refusals.leave_out(5..9);
        refusals.cut(7);
        assert!(refusals.fit(&text[..7]));
        assert_eq!((refusals.news(), refusals.left_out.as_slice()), (1, [0..4, 5..7].as_slice()));
        refusals.cut(4);
        assert!(refusals.fit(&text[..4]));
        assert_eq!(refusals.news(), 0);
    }

    #[test]
    fn what_is_left_out_was_not_heard() {
        let mut refusals = Refusals::default();
        let text = "One. Two. Three.";
        refusals.leave_out(5..9);
        for (heard, said) in [(4, "One."), (9, "One."), (16, "One. Three.")] {
            assert_eq!(refusals.without(text, heard), said);
        }
    }
}
