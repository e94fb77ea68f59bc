//! What the router wants of the supervisor.

use super::*;

impl Handler<Hurry> for Call {
    type Result = ();

    fn handle(&mut self, Hurry(stage): Hurry, ctx: &mut Self::Context) {
        self.hurry(stage, &ctx.address());
    }
}

impl Handler<BetweenTurns> for Call {
    type Result = ();

    fn handle(&mut self, BetweenTurns(stage): BetweenTurns, ctx: &mut Self::Context) {
        if stage == StageKind::SpeechToSpeech {
            self.give_back(&ctx.address());
        }
        self.prefer(stage, &ctx.address());
    }
}

impl Handler<Apologise> for Call {
    type Result = ();

    /// Needs no engine: the voice's stage is rebuilt with one that only recites what is in memory.
    fn handle(&mut self, Apologise(epoch): Apologise, ctx: &mut Self::Context) {
        self.drop_child(StageKind::Tts);
        if self.stages.s2s.is_some() {
            self.drop_child(StageKind::SpeechToSpeech);
        }
        self.apology = Some(epoch);
        self.start(StageKind::Tts, &ctx.address());
    }
}
