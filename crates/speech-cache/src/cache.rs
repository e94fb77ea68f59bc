use super::key::Voice;
use super::session::Session;
use super::tiers::Tiers;
use ringway_frame::{Format, Frame};
use ringway_stages::tts::{Clause, TextToSpeech, TtsCall, TtsError, TtsEvent, TtsSession};
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

/// A voice that remembers what it has said.
pub struct SpeechCache {
    engine: Arc<dyn TextToSpeech>,
    voice: Voice,
    tiers: Arc<Tiers>,
}

impl SpeechCache {
    /// Remembers in `tiers` what `engine` says with this voice at this speed (1 is usual).
    pub fn new(engine: Arc<dyn TextToSpeech>, voice: &str, speed: f32, tiers: Arc<Tiers>) -> Self {
        Self { engine, voice: Voice::new(voice, speed), tiers }
    }

    /// Has these clauses made for calls of this format; returns how many were not there yet. It blocks until they are
    /// made, so it is not for a media core.
    ///
    /// # Errors
    /// The engine's first; what was made before is kept.
    pub fn prefill<'t>(
        &self,
        format: Format,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Result<u64, TtsError> {
        let texts: Vec<&str> = texts.into_iter().collect();
        // A thread of its own, since one that runs a runtime already cannot wait in another.
        std::thread::scope(|scope| {
            let filling = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.map_err(|error| self.failed(&error))?.block_on(self.fill(format, &texts))
            });
            filling.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    async fn fill(&self, format: Format, texts: &[&str]) -> Result<u64, TtsError> {
        let mut session = self.session(format)?;
        let mut frame = Frame::silence(format);
        for (id, text) in (0..).zip(texts) {
            session.speak(Clause { id, text: (*text).to_owned() })?;
            loop {
                match poll_fn(|cx| session.poll_next(cx, &mut frame)).await {
                    Ok(TtsEvent::Done { .. }) => break,
                    Err(TtsError::Refused { lasting: true, source, .. }) => {
                        tracing::warn!(voice = self.name(), error = %source, text, "a phrase is not made ahead");
                        break;
                    }
                    event => event?,
                };
            }
        }
        Ok(session.made())
    }

    fn session(&self, format: Format) -> Result<Session, TtsError> {
        let engine = self.engine.open(TtsCall { format })?;
        Ok(Session::new(engine, self.voice.clone(), format, self.tiers.clone()))
    }

    fn failed(&self, error: &std::io::Error) -> TtsError {
        TtsError::Engine { engine: self.engine.name().to_owned(), reason: error.to_string() }
    }
}

impl TextToSpeech for SpeechCache {
    fn name(&self) -> &str {
        self.engine.name()
    }

    fn slots(&self) -> Option<usize> {
        self.engine.slots()
    }

    fn open(&self, call: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        Ok(Box::new(self.session(call.format)?))
    }
}

impl fmt::Debug for SpeechCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = self.engine.name();
        f.debug_struct("SpeechCache")
            .field("engine", &engine)
            .field("tiers", &self.tiers)
            .finish_non_exhaustive()
    }
}
