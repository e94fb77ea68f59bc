use crate::heard::Words;
use crate::reply::Model;
use crate::{Event, RequestId, StageKind, ToolFiller, Turn, TurnNumber};
use ringway_frame::MediaTime;

/// The tools that run for one reply.
#[derive(Debug, Default)]
pub(crate) struct Tools {
    running: u32,
    /// What bridges the wait for the first of them that has words, and since when it runs.
    filler: Option<(MediaTime, ToolFiller)>,
}

impl Tools {
    /// The model waits for one.
    pub(crate) fn are_running(&self) -> bool {
        self.running > 0
    }
}

impl Turn {
    /// The model waits for a tool: what it has said until now is spoken, whole clause or not.
    ///
    /// The model has done its part, and is waited for again when the tool has: each has a limit of its own.
    pub(crate) fn tool_began(&mut self, request: RequestId, filler: Option<ToolFiller>) {
        let (now, model) = (self.now, self.model());
        // What speaks by itself bridges the wait by itself.
        let filler = filler.filter(|_| model == StageKind::Llm);
        let Some(reply) = self.asked(request) else { return };
        reply.pause();
        reply.tools.running += 1;
        reply.tools.filler = reply.tools.filler.take().or(filler.map(|filler| (now, filler)));
        self.patience.came(model);
        self.usual = None;
        self.speak();
    }

    /// How many tools the model waits for; `None` when this is not the running request.
    pub fn tools_running(&self, request: RequestId) -> Option<u32> {
        let reply = self.reply.as_ref().filter(|reply| reply.model == Model::Asked(request))?;
        Some(reply.tools.running)
    }

    pub(crate) fn tool_ended(&mut self, request: RequestId) {
        let (now, model) = (self.now, self.model());
        let Some(reply) = self.asked(request) else { return };
        reply.tools.running = reply.tools.running.saturating_sub(1);
        if reply.tools.running == 0 {
            reply.tools.filler = None;
            self.patience.asked(model, now);
        }
    }

    /// What makes replies now.
    pub(crate) fn model(&self) -> StageKind {
        if self.health.converses() { StageKind::SpeechToSpeech } else { StageKind::Llm }
    }

    /// Keys that the model presses, behind what it has said until now.
    pub(crate) fn press(&mut self, request: RequestId, keys: String) {
        if let Some(reply) = self.asked(request) {
            reply.press(keys);
            self.speak();
        }
    }

    /// Passages that the model was given for the running request.
    pub(crate) fn cited(&mut self, request: RequestId, passages: Vec<String>) {
        if self.asked(request).is_some() {
            self.tell(Event::Cited { turn: self.turn_of_reply(), passages });
        }
    }

    /// The turn whose reply runs, or the newest.
    pub(crate) fn turn_of_reply(&self) -> TurnNumber {
        self.reply.as_ref().map_or(self.turn, |reply| reply.turn)
    }

    /// When the words of a tool are due: nothing sounds, and the tool has run for long enough.
    pub(crate) fn tool_filler_at(&self) -> Option<MediaTime> {
        let reply = self.reply.as_ref().filter(|reply| reply.released && reply.ledger.is_heard_out())?;
        let (since, filler) = reply.tools.filler.as_ref()?;
        let speaks = self.utterance.is_some() || self.doubt.is_any();
        (!speaks && !self.tongue.holds()).then(|| reply.progress.max(*since) + filler.after)
    }

    /// Bridges the wait for a tool; the turn's own filler is then not needed.
    pub(crate) fn say_tool_filler(&mut self) {
        let Some((_, filler)) = self.reply.as_mut().and_then(|reply| reply.tools.filler.take()) else {
            return;
        };
        self.filler_spent = true;
        self.tell(Event::Filler { turn: self.turn_of_reply() });
        self.say(Words::Filler(filler.words));
    }
}
