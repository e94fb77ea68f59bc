//! Calls that are taken over by other processes.

use super::*;
use ringway_turn::Snapshot;

const STAGES: [StageKind; 4] = [StageKind::Vad, StageKind::Stt, StageKind::Llm, StageKind::Tts];

impl World {
    /// Stages, frames that were not heard, and what was asked are gone.
    pub(super) fn hand_over(&mut self) {
        let kept = serde_json::to_string(&self.turn.snapshot()).expect("JSON");
        let snapshot: Snapshot = serde_json::from_str(&kept).expect("a snapshot");
        self.lost.extend(STAGES);
        (self.ask, self.paused, self.released) = (None, None, Epoch::ZERO);
        self.following.clear();
        self.clauses.clear();
        self.unknown.extend(self.request.take());
        if let Some((_, words)) = &mut self.utterance {
            // What a segment took the place of, only the old recogniser would have told again.
            let mut here = Turn::restore(self.config.clone(), snapshot.clone()).expect("of this version");
            here.handle(Input::Attached, self.now);
            let known = words_of(&here.running_words());
            self.kept.extend(words.drain(..).filter(|word| known.contains(word)));
        }
        self.made.clone_from(&self.played);
        self.voiced.retain(|(_, epoch, frame)| self.played.get(epoch).is_some_and(|played| played >= frame));
        self.detach();
        self.turn = Turn::take_over(self.config.clone(), snapshot).expect("of this version");
        assert!(self.turn.is_detached() || self.turn.is_over());
        self.stands = false;
        self.drain();
        self.check();
    }
}

fn moving() -> impl Strategy<Value = Step> {
    prop_oneof![15 => step(), 1 => Just(Step::Handover)]
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_time: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn every_call_that_moves_keeps_its_promises_and_ends(
        config in config(),
        steps in proptest::collection::vec(moving(), 1..160),
    ) {
        let mut world = World::new(config);
        world.feed(Input::Started);
        for step in steps {
            if world.turn.is_over() {
                break;
            }
            if matches!(step, Step::Handover) {
                world.run(step);
                STAGES.into_iter().for_each(|stage| world.stage(stage, true));
                world.leg(true);
            } else {
                world.run(step);
            }
        }
        world.pass(at(200_000));
        prop_assert!(world.turn.is_over(), "a silent world ends the call");
    }
}
