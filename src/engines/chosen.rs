use ringway_stages::tts::TextToSpeech;
use std::fmt;
use std::sync::Arc;

/// An engine of the chain as it is configured.
#[derive(Clone)]
pub(super) struct Chosen {
    /// Its name in the configuration.
    pub(super) name: String,
    pub(super) voice: Arc<dyn TextToSpeech>,
}

impl fmt::Debug for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
