//! When a model is asked a second time: its first word is later than usual.

use crate::reply::Model;
use crate::usual::Usual;
use crate::{Command, Event, RequestId, StageKind, Turn};
use ringway_frame::MediaTime;
use std::time::Duration;

impl Turn {
    /// Models may be asked a second time: whoever knows is to tell how long they usually take.
    pub fn hedges(&self) -> bool {
        self.config.hedge
    }

    /// Requests like this one, which was just made, usually give their first word within this time.
    pub(super) fn usually(&mut self, request: RequestId, within: Duration) {
        let since = self.deadlines.since(StageKind::Llm).filter(|_| self.config.hedge && self.runs(request));
        self.usual = since.map(|since| Usual { request, by: since + within }).or(self.usual);
    }

    /// When the running reply is later than usual. Work ahead of the turn's end may take as long as it likes: nobody
    /// waits for it.
    pub(super) fn hedge_at(&self) -> Option<MediaTime> {
        let waits = self.health.has(StageKind::Llm) && self.is_waited_for(StageKind::Llm);
        let usual =
            self.usual.filter(|usual| waits && !self.interruption.is_any() && self.runs(usual.request));
        usual.map(|usual| usual.by)
    }

    /// The request is to be asked a second time, once.
    pub(super) fn hedge(&mut self) {
        if let Some(Usual { request, .. }) = self.usual.take() {
            self.push(Command::Hedge { request });
        }
    }

    /// It was, and the first of both counts: patience begins anew.
    pub(super) fn hedged(&mut self, request: RequestId) {
        if self.runs(request) {
            self.deadlines.asked(StageKind::Llm, self.now);
            self.tell(Event::Hedged { turn: self.turn_of_reply() });
        }
    }

    /// The model has given the first of its reply.
    pub(super) fn model_began(&mut self) {
        let model = self.model();
        self.deadlines.came(model);
        self.usual = None;
    }

    fn runs(&self, request: RequestId) -> bool {
        self.reply.as_ref().is_some_and(|reply| reply.model == Model::Asked(request))
    }
}
