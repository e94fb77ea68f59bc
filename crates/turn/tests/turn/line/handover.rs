//! Another process takes the call over.

use super::*;
use ringway_turn::Snapshot;

const THREE: [StageKind; 4] = [StageKind::Vad, StageKind::Stt, StageKind::Llm, StageKind::Tts];
const ONE: [StageKind; 2] = [StageKind::Vad, StageKind::SpeechToSpeech];

impl Line {
    /// Its process is gone; another one has stages after half of `away`, and the leg after all of it.
    pub fn moves(&mut self, millis: u64, away: u64) {
        self.moves_to(millis, away, &THREE);
    }

    /// The same to a process where one stage hears and speaks by itself.
    pub fn moves_to_one(&mut self, millis: u64, away: u64) {
        self.moves_to(millis, away, &ONE);
    }

    fn moves_to(&mut self, millis: u64, away: u64, stages: &[StageKind]) {
        self.later(millis, World::Handover);
        for &stage in stages {
            self.later(millis + away / 2, World::Ready(stage));
        }
        self.later(millis + away, World::Leg(true));
    }

    /// Engines, playout and what they were at are gone with it.
    pub(super) fn hand_over(&mut self) {
        let kept = serde_json::to_string(&self.turn.snapshot()).expect("JSON");
        let snapshot: Snapshot = serde_json::from_str(&kept).expect("a snapshot");
        self.turn = Turn::take_over(self.config.clone(), snapshot).expect("of this version");
        table::check(self.turn.states());
        assert!(self.turn.is_detached() || self.turn.is_over());
        for stage in StageKind::ALL {
            self.down.insert(stage);
            *self.generation.entry(stage).or_default() += 1;
        }
        self.recogniser = Recogniser { delay: self.recogniser.delay, ..Recogniser::default() };
        self.heard_before.extend(self.playout.played.clone());
        self.playout = Player::default();
        self.voice_free = self.now;
        self.missed_windows.clear();
        self.detached = true;
        self.drain();
    }
}
