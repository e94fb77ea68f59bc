use crate::heard::Words;
use crate::reply::Model;
use crate::{Event, RequestId, StageKind, ToolFiller, Turn, TurnNumber};
use ringway_frame::MediaTime;

impl Turn {
    /// The model waits for a tool: what it has said until now is spoken, whole clause or not.
    ///
    /// The model has done its part, and is waited for again when the tool has: each has a limit of its own.
    pub(super) fn tool_began(&mut self, request: RequestId, filler: Option<ToolFiller>) {
        let (now, model) = (self.now, self.model());
        // What speaks by itself bridges the wait by itself.
        let filler = filler.filter(|_| model == StageKind::Llm);
        let Some(reply) = self.asked(request) else { return };
        reply.pause();
        reply.tools.began(filler, now);
        self.deadlines.came(model);
        self.usual = None;
        self.speak();
    }

    /// How many tools the model waits for; `None` when this is not the running request.
    pub fn tools_running(&self, request: RequestId) -> Option<u32> {
        let reply = self.reply.as_ref().filter(|reply| reply.model == Model::Asked(request))?;
        Some(reply.tools.running())
    }

    pub(super) fn tool_ended(&mut self, request: RequestId) {
        let (now, model) = (self.now, self.model());
        let Some(reply) = self.asked(request) else { return };
        if reply.tools.ended() {
            self.deadlines.asked(model, now);
        }
    }

    /// What makes replies now.
    pub(super) fn model(&self) -> StageKind {
        if self.health.converses() { StageKind::SpeechToSpeech } else { StageKind::Llm }
    }

    /// Keys that the model presses, behind what it has said until now.
    pub(super) fn press(&mut self, request: RequestId, keys: String) {
        if let Some(reply) = self.asked(request) {
            reply.press(keys);
            self.speak();
        }
    }

    /// Passages that the model was given for the running request.
    pub(super) fn cited(&mut self, request: RequestId, passages: Vec<String>) {
        if self.asked(request).is_some() {
            self.tell(Event::Cited { turn: self.turn_of_reply(), passages });
        }
    }

    /// The turn whose reply runs, or the newest.
    pub(super) fn turn_of_reply(&self) -> TurnNumber {
        self.reply.as_ref().map_or(self.turn, |reply| reply.turn)
    }

    /// When the words of a tool are due: nothing sounds, and the tool has run for long enough.
    pub(super) fn tool_filler_at(&self) -> Option<MediaTime> {
        let reply = self.reply.as_ref().filter(|reply| reply.released && reply.ledger.is_heard_out())?;
        let speaks = self.utterance.is_some() || self.interruption.is_any();
        reply.tools.filler_at(reply.progress).filter(|_| !speaks && !self.language.holds())
    }

    /// Bridges the wait for a tool; the turn's own filler is then not needed.
    pub(super) fn say_tool_filler(&mut self) {
        let Some(words) = self.reply.as_mut().and_then(|reply| reply.tools.take_filler()) else { return };
        self.filler_spent = true;
        self.tell(Event::Filler { turn: self.turn_of_reply() });
        self.say(Words::Filler(words));
    }
}
