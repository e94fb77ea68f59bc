use ringway_actors::{CoreLoad, Engines};
use ringway_turn::StageKind;
use std::sync::Arc;

/// Whether a stage can serve those who call now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// By all that it has.
    Ready,
    /// Part of it is away and is being rebuilt.
    Degraded,
    /// Nothing of it can serve.
    Failed,
}

/// All four stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stages {
    pub vad: Readiness,
    pub stt: Readiness,
    pub llm: Readiness,
    pub tts: Readiness,
}

impl Readiness {
    /// Of several that serve or do not.
    fn of(serving: impl IntoIterator<Item = bool>) -> Self {
        let (mut some, mut all) = (false, true);
        for serves in serving {
            some |= serves;
            all &= serves;
        }
        match (some, all) {
            (true, true) => Self::Ready,
            (true, false) => Self::Degraded,
            (false, _) => Self::Failed,
        }
    }

    /// Its name in `/health`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
        }
    }
}

impl Stages {
    /// As they are at the moment: detectors are the media cores', all others are shared.
    pub fn of<'c>(engines: &Engines, cores: impl IntoIterator<Item = &'c Arc<CoreLoad>>) -> Self {
        let serving = |stage| engines.slots(stage).into_iter().map(|slots| slots != Some(0));
        Self {
            vad: Readiness::of(cores.into_iter().map(|core| core.hears())),
            stt: Readiness::of(serving(StageKind::Stt)),
            llm: Readiness::of(serving(StageKind::Llm)),
            tts: Readiness::of(serving(StageKind::Tts)),
        }
    }

    /// Calls suffer: those on a core that is deaf, or all, because nothing serves in some stage. Where one engine of a
    /// stage takes another's place, they do not.
    pub fn trouble(self) -> bool {
        self.vad != Readiness::Ready || [self.stt, self.llm, self.tts].contains(&Readiness::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Stages =
        Stages { vad: Readiness::Ready, stt: Readiness::Ready, llm: Readiness::Ready, tts: Readiness::Ready };

    #[test]
    fn a_stage_is_as_ready_as_what_it_has() {
        assert_eq!(Readiness::of([true, true]), Readiness::Ready);
        assert_eq!(Readiness::of([true, false]), Readiness::Degraded);
        assert_eq!(Readiness::of([false, false]), Readiness::Failed);
        assert_eq!(Readiness::of([]), Readiness::Failed);
    }

    #[test]
    fn a_deaf_core_is_trouble_and_an_engine_that_has_a_substitute_is_none() {
        assert!(!WELL.trouble());
        assert!(Stages { vad: Readiness::Degraded, ..WELL }.trouble());
        assert!(!Stages { stt: Readiness::Degraded, ..WELL }.trouble());
        assert!(Stages { tts: Readiness::Failed, ..WELL }.trouble());
    }
}
