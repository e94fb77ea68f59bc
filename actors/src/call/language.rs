//! A call that goes on in another language.

use super::*;

/// The call is in the language of this code from now on.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct ChangeLanguage(pub(crate) String);

/// The stage goes over to the call's language.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Follow(pub(crate) StageKind);

impl Call {
    /// From the services of one language to those of another. One that serves both stays; a voice is begun anew all the
    /// same, since it has other words by heart.
    fn follow(&mut self, stage: StageKind, call: &Addr<Self>) {
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
            return self.start(stage, call);
        }
        self.tell_router(StageNews::Followed(stage));
    }
}

impl Handler<ChangeLanguage> for Call {
    type Result = ();

    fn handle(&mut self, ChangeLanguage(code): ChangeLanguage, _: &mut Self::Context) {
        self.profile.language = self.core.engines.language_or_first(Some(&code));
    }
}

impl Handler<Follow> for Call {
    type Result = ();

    fn handle(&mut self, Follow(stage): Follow, ctx: &mut Self::Context) {
        if !self.ended {
            self.follow(stage, &ctx.address());
        }
    }
}
