//! What the Call tells of its stages.

use super::*;
use ringway_stages::health::Health;

/// The Call tells the router that a stage is there, with the health of the service behind it, or is not.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) enum StageNews {
    Stt(Addr<SttStage>, Arc<Health>),
    Llm(Addr<LlmStage>, Arc<Health>),
    Tts(Addr<TtsStage>, Arc<Health>),
    SpeechToSpeech(Addr<SpeechStage>, Arc<Health>),
    Vad,
    /// A voice that only plays the apology, in this epoch.
    Apology(Addr<TtsStage>, Epoch),
    Lost(StageKind),
    Gone(StageKind),
    /// It is in the call's language.
    Followed(StageKind),
}

crate::post::takes_orders!(Router, StageNews);

impl Handler<StageNews> for Router {
    type Result = ();

    fn handle(&mut self, news: StageNews, _: &mut Self::Context) {
        let input = match news {
            StageNews::Vad => Input::StageReady { stage: StageKind::Vad },
            StageNews::Stt(addr, service) => {
                self.stages.stt = Some(Post::to(addr));
                self.stages.times.stt.serve(Some(service));
                self.order_stt(Listen::Expect(self.hints.current.clone()));
                self.feed(Input::StageReady { stage: StageKind::Stt });
                return self.order_stt(Listen::Attached);
            }
            StageNews::Llm(addr, service) => {
                self.stages.llm = Some(Post::to(addr));
                self.stages.times.llm.serve(Some(service));
                Input::StageReady { stage: StageKind::Llm }
            }
            StageNews::Tts(addr, service) => {
                self.stages.tts = Some(Post::to(addr));
                self.stages.times.tts.serve(Some(service));
                Input::StageReady { stage: StageKind::Tts }
            }
            StageNews::SpeechToSpeech(addr, service) => {
                self.stages.s2s = Some(Post::to(addr));
                self.stages.times.s2s.serve(Some(service));
                self.feed(Input::StageReady { stage: StageKind::SpeechToSpeech });
                return self.talk(Talk::Attached);
            }
            StageNews::Apology(addr, epoch) => {
                self.stages.tts = Some(Post::to(addr));
                self.stages.times.tts.serve(None);
                return self.say(Say::Clause { epoch, clause: ClauseId::default(), text: String::new() });
            }
            StageNews::Lost(stage) => {
                self.catch_up();
                self.stages.forget(stage);
                Input::StageLost { stage }
            }
            StageNews::Gone(stage) => Input::StageGone { stage },
            StageNews::Followed(stage) => Input::StageFollowed { stage },
        };
        self.feed(input);
    }
}

impl Stages {
    fn forget(&mut self, stage: StageKind) {
        match stage {
            StageKind::Vad => {}
            StageKind::Stt => self.stt = None,
            StageKind::Llm => self.llm = None,
            StageKind::Tts => self.tts = None,
            StageKind::SpeechToSpeech => self.s2s = None,
        }
        if let Some(watch) = self.watches.of(stage) {
            watch.settle();
        }
    }
}
