//! How stages fail.

use crate::cause::Cause;
use ringway_stages::llm::LlmError;
use ringway_stages::services::Refused;
use ringway_stages::speech_to_speech::SpeechError;
use ringway_stages::stt::SttError;
use ringway_stages::tts::TtsError;

/// Why a stage gave up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// Voice activity detection failed.
    #[error(transparent)]
    Vad(#[from] ringway_stages::vad::VadError),
    /// The recogniser failed.
    #[error(transparent)]
    Stt(#[from] ringway_stages::stt::SttError),
    /// The language model failed.
    #[error(transparent)]
    Llm(#[from] ringway_stages::llm::LlmError),
    /// The voice failed.
    #[error(transparent)]
    Tts(#[from] ringway_stages::tts::TtsError),
    /// The service that hears and speaks failed.
    #[error(transparent)]
    Speech(#[from] ringway_stages::speech_to_speech::SpeechError),
    /// The router does not take what it is told.
    #[error("the router's mailbox is {0}")]
    Router(&'static str),
    /// The stage's ring ends were taken back.
    #[error("the stage was replaced")]
    Fenced,
    /// No engine is configured, or none is left.
    #[error("no engine is left")]
    NoEngine,
    /// On request.
    #[error("injected error")]
    Injected,
}

impl StageError {
    /// What it counts as.
    pub(crate) fn cause(&self) -> Cause {
        let refusal = match self {
            Self::Llm(LlmError::Empty { reason, .. }) => return Cause::Empty(*reason),
            Self::Stt(SttError::Service { source, .. })
            | Self::Llm(LlmError::Service { source, .. })
            | Self::Tts(TtsError::Service { source, .. } | TtsError::Refused { source, .. })
            | Self::Speech(SpeechError::Service { source, .. }) => source.refusal(),
            _ => None,
        };
        match refusal {
            Some(Refused::Request) => Cause::Refused,
            Some(Refused::Service) => Cause::Unfit,
            None => Cause::Error,
        }
    }
}

/// A fault that is put into a stage on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The stage returns an error.
    Error,
    /// The stage panics.
    Panic,
    /// The stage stops making progress.
    Stall,
}

/// A fault that is put into a leg on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegFault {
    /// Its pump panics.
    Panic,
    /// Its network is gone without a sign.
    Disconnect,
}

/// How a stage ended: `None` when it was told to.
pub(crate) type Death = Option<(Cause, String)>;

/// What a panic said.
pub(crate) fn panic_text(payload: Box<dyn std::any::Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => {
            payload.downcast::<&str>().map_or_else(|_| "panic".to_owned(), |text| (*text).to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_stages::llm::Emptiness;

    #[test]
    fn an_empty_answer_counts_by_its_reason_and_other_errors_as_errors() {
        let empty = |reason| StageError::Llm(LlmError::Empty { engine: "x", reason }).cause().name();
        let names = Emptiness::ALL.map(empty);
        assert!(
            names.iter().zip(Emptiness::ALL).all(|(name, of)| *name == format!("empty_{of}")),
            "{names:?}"
        );
        assert_eq!(StageError::Injected.cause(), Cause::Error);
    }
}
