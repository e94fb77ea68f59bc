//! The voice, and what is heard of it.

use super::*;

impl World {
    /// The voice makes some words of the oldest clause that is not whole.
    pub(super) fn make(&mut self, words: u8, end: bool) {
        for _ in 0..words {
            let Some(clause) = self.clauses.iter_mut().find(|clause| !clause.ended) else { return };
            let Some(word) = clause.words.get(clause.said) else { break };
            let made = self.made.entry(clause.epoch).or_default();
            *made += 5;
            clause.said += 1;
            clause.upto += word.len();
            let upto = (clause.upto - (word.len() - word.trim_end().len())) as u32;
            let (epoch, id, frames) = (clause.epoch, clause.id, *made);
            self.voiced.extend(words_of(word).into_iter().map(|word| (word, epoch, frames)));
            self.feed(Input::Word { epoch, clause: id, upto, frames });
        }
        let Some(clause) = self.clauses.iter_mut().find(|clause| !clause.ended) else { return };
        if end && clause.said == clause.words.len() {
            clause.ended = true;
            let (epoch, id) = (clause.epoch, clause.id);
            let frames = self.made.get(&epoch).copied().unwrap_or(0);
            self.feed(Input::ClauseEnd { epoch, clause: id, frames });
        }
    }

    pub(super) fn play(&mut self, frames: u8) {
        if self.detached.is_some() {
            return;
        }
        let Some(epoch) = self.may_sound() else { return };
        let played = self.played.get(&epoch).copied().unwrap_or(0);
        let frames = self.made[&epoch].min(played + u32::from(frames));
        self.played.insert(epoch, frames);
        self.feed(Input::Played { epoch, frames });
    }
}
