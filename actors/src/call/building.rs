//! Stages, made of the services that serve them.

use super::*;
use crate::core::vad_batch::Ticket;
use crate::error::StageError;
use crate::orders::Stuck;
use crate::stages::cached_phrase::CachedPhrase;
use crate::stages::clip::Clip;
use crate::stages::driver::{Stage, spawn};
use crate::stages::llm::weigh;
use ringway_ring::OnLoan;
use ringway_stages::Expectation;
use ringway_stages::health::Health;
use ringway_stages::llm::LlmCall;
use ringway_stages::speech_to_speech::SpeechCall;
use ringway_stages::stt::SttCall;
use ringway_stages::tts::{TtsCall, TtsError, TtsSession};

/// Why a stage could not be started.
pub(super) enum Refusal {
    /// The old one still holds a ring's end, or there is no room for the news of its death: in a moment.
    NotYet,
    /// The engine cannot serve the call.
    Engine(StageError),
}

impl From<OnLoan> for Refusal {
    fn from(_: OnLoan) -> Self {
        Self::NotYet
    }
}

impl From<Stuck> for Refusal {
    fn from(_: Stuck) -> Self {
        Self::NotYet
    }
}

impl<E: Into<StageError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Engine(error.into())
    }
}

impl Call {
    pub(super) fn build(&mut self, stage: StageKind, engine: usize) -> Result<StageNews, Refusal> {
        let from_memory = stage == StageKind::Tts && self.apology.is_some();
        if engine >= self.core.engines.count(stage) && !from_memory {
            return Err(Refusal::Engine(StageError::NoEngine));
        }
        let core = self.core.clone();
        let _marked = core.load().marker().mark(Some(stage));
        match stage {
            StageKind::Vad => self.build_vad(),
            StageKind::Stt => self.build_stt(engine),
            StageKind::Llm => self.build_llm(engine),
            StageKind::Tts => self.build_tts(engine),
            StageKind::SpeechToSpeech => self.build_s2s(engine),
        }
    }

    fn run<A: Stage>(&mut self, stage: StageKind, actor: A) -> Result<Child<A>, Stuck> {
        let on_exit = self.on_exit(stage)?;
        Ok(spawn(actor, self.core.load().marker(), on_exit))
    }

    fn build_vad(&mut self) -> Result<StageNews, Refusal> {
        let format = self.profile.format;
        let engine = &self.core.engines.vad;
        let ticket = (self.core.vad.clone(), Ticket::new(engine, format)?);
        let ends = (self.rings.mic.lend()?, self.rings.speech_in.lend()?);
        let actor = VadStage::new(ends, ticket, (format, self.clock()), self.inbox.clone());
        self.stages.vad = Some(self.run(StageKind::Vad, actor)?);
        Ok(StageNews::Vad)
    }

    fn build_stt(&mut self, engine: usize) -> Result<StageNews, Refusal> {
        let format = self.profile.format;
        let service = self.core.engines.stt[engine].clone();
        let speech = self.rings.speech_out.lend()?;
        let session = service.open(SttCall { format })?;
        let actor = SttStage::new(speech, session, Expectation::anything(), format, self.inbox.clone());
        let child = self.run(StageKind::Stt, actor)?;
        let news = StageNews::Stt(child.addr.clone(), self.health(StageKind::Stt, engine)?);
        self.stages.stt = Some(child);
        Ok(news)
    }

    fn build_llm(&mut self, engine: usize) -> Result<StageNews, Refusal> {
        let session = self.core.engines.llm[engine].open(self.llm_call())?;
        let health = self.health(StageKind::Llm, engine)?;
        let actor = LlmStage::new(session, health.service().clone(), self.inbox.clone());
        let child = self.run(StageKind::Llm, actor)?;
        let news = StageNews::Llm(child.addr.clone(), health);
        self.stages.llm = Some(child);
        Ok(news)
    }

    /// What a session of the language model is to know.
    pub(super) fn llm_call(&self) -> LlmCall {
        let dialogue = self.profile.dialogue.clone();
        let (variables, effects) = (self.profile.variables.clone(), self.effects.clone());
        LlmCall { dialogue, variables, effects, weigh: weigh(), ..LlmCall::default() }
    }

    fn build_tts(&mut self, engine: usize) -> Result<StageNews, Refusal> {
        let format = self.profile.format;
        let voice = self.rings.voice.lend()?;
        let session = match self.apology {
            None => self.voice(engine, format)?,
            Some(_) => {
                Box::new(Clip::new(self.core.engines.apology_in(self.profile.language).audio(format).clone()))
            }
        };
        let alone = !self.life(StageKind::Tts).chain.has_others();
        let actor = TtsStage::new(session, voice, self.count.clone(), format, self.inbox.clone())
            .refusing(self.refusals.clone(), alone);
        let child = self.run(StageKind::Tts, actor)?;
        let addr = child.addr.clone();
        self.stages.tts = Some(child);
        Ok(match self.apology {
            None => StageNews::Tts(addr, self.health(StageKind::Tts, engine)?),
            Some(epoch) => StageNews::Apology(addr, epoch),
        })
    }

    fn build_s2s(&mut self, engine: usize) -> Result<StageNews, Refusal> {
        let Profile { format, dialogue, .. } = self.profile.clone();
        let service = self.core.engines.s2s[engine].clone();
        let ends = (self.rings.speech_out.lend()?, self.rings.voice.lend()?);
        let effects = self.effects.clone();
        let session =
            service.open(SpeechCall { dialogue, effects, weigh: weigh(), ..SpeechCall::of(format) })?;
        let actor = SpeechStage::new(ends, session, self.count.clone(), format, self.inbox.clone());
        let child = self.run(StageKind::SpeechToSpeech, actor)?;
        let news =
            StageNews::SpeechToSpeech(child.addr.clone(), self.health(StageKind::SpeechToSpeech, engine)?);
        self.stages.s2s = Some(child);
        Ok(news)
    }

    /// The voice, with the filler in memory.
    fn voice(&self, engine: usize, format: Format) -> Result<Box<dyn TtsSession>, TtsError> {
        let filler = self.core.engines.filler_in(self.profile.language);
        let voice = self.core.engines.tts[engine].open(TtsCall { format })?;
        Ok(Box::new(CachedPhrase::new(voice, &filler.text, filler.audio(format).clone())))
    }

    pub(super) fn health(&self, stage: StageKind, service: usize) -> Result<Arc<Health>, StageError> {
        self.core.health.of(stage, service).cloned().ok_or(StageError::NoEngine)
    }
}
