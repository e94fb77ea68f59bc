//! What the router says to the stage that hears and speaks by itself.

use super::{Router, ready, working};
use crate::stages::s2s::Talk;
use ringway_turn::{Converse, StageKind};

impl Router {
    /// To the stage that hears and speaks by itself.
    pub(super) fn converse(&mut self, command: Converse) {
        match &command {
            Converse::Answer { epoch, .. } => {
                self.stages.watches.s2s.owe_anew();
                self.stages.times.s2s.asked(*epoch, self.clock.now());
                self.events.put(working(StageKind::SpeechToSpeech));
            }
            Converse::Cancel { .. } => {
                self.stages.watches.s2s.settle();
                self.events.put(ready(StageKind::SpeechToSpeech));
            }
        }
        self.talk(Talk::Converse(command));
    }

    pub(super) fn talk(&mut self, talk: Talk) {
        let put = self.stages.s2s.as_ref().map(|s2s| s2s.put(talk));
        self.took(StageKind::SpeechToSpeech, put);
    }
}
