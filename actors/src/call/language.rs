//! A call that goes on in another language.

use super::*;

impl Call {
    /// It is in the language of this code from now on.
    pub(super) fn change_language(&mut self, code: &str) {
        self.profile.language = self.core.engines.language_or_first(Some(code));
    }

    /// From the services of one language to those of another. One that serves both stays; a voice is begun anew all the
    /// same, since other words of it are in memory.
    pub(super) fn follow(&mut self, stage: StageKind) {
        let links = self.core.engines.links(stage, self.profile.language);
        let first = self.core.health.first(stage, links.clone());
        let chain = &mut self.life(stage).chain;
        let from = chain.serving();
        chain.narrow(&links, first);
        let to = chain.serving();
        self.switched(stage, from, to, SwitchCause::Language);
        if self.is_running(stage) && (from != to || stage == StageKind::Tts) {
            self.life(stage).follows = true;
            self.drop_child(stage);
            self.tell_router(StageNews::Lost(stage));
            return self.start(stage);
        }
        self.tell_router(StageNews::Followed(stage));
    }
}
