//! The recogniser.

use super::*;

impl World {
    pub(super) fn listen(&mut self, stt: &Stt) {
        match *stt {
            Stt::Begin { utterance, .. } => {
                let words = self.utterance.take().filter(|(id, _)| *id == utterance).map(|(_, words)| words);
                self.utterance = Some((utterance, words.unwrap_or_default()));
                self.ask = None;
            }
            Stt::Flush { utterance, ask, .. } => {
                assert_eq!(self.utterance.as_ref().map(|(id, _)| *id), Some(utterance));
                self.ask = Some(ask);
            }
            Stt::Continue { .. } => self.ask = None,
            Stt::Drop { .. } => {
                self.ask = None;
                self.utterance = None;
                self.kept.clear();
            }
            Stt::Close { utterance, .. } => {
                let (id, words) = self.utterance.take().expect("an utterance that runs is closed");
                assert_eq!(id, utterance);
                self.closed.extend(words);
                self.closed.extend(self.kept.drain(..));
                self.ask = None;
            }
        }
    }
}
