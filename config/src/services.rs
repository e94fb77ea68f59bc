//! Services with keys, which only the environment has.

use crate::Config;
use ringway_stages::services::{
    Endpoint, deepgram, openai_chat, openai_realtime, openai_transcription, speech_server,
};

/// A service that a stage names, and the variable of its key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keyed<'c> {
    /// The key of the configuration that names the variable.
    pub(crate) path: &'static str,
    /// The variable; empty when the service is said to need none.
    pub(crate) variable: &'c str,
    url: &'c Endpoint,
}

impl Keyed<'_> {
    /// It is the vendor's own, who serves nobody without a key.
    pub(crate) fn needs_key(&self) -> bool {
        matches!(self.url.host(), "api.openai.com" | "api.deepgram.com")
    }
}

/// All of them that serve.
pub(crate) fn keyed(config: &Config) -> impl Iterator<Item = Keyed<'_>> {
    let Config { openai_stt, deepgram, openai_llm, openai_realtime: realtime, speech_server: server, .. } =
        config;
    let s2s = &config.speech_to_speech.engines;
    let (stt, llm) = (&config.stt.engines, &config.llm.engines);
    let all = [
        (stt, openai_transcription::NAME, "openai_stt.key", &openai_stt.key, &openai_stt.url),
        (stt, deepgram::NAME, "deepgram.key", &deepgram.key, &deepgram.url),
        (s2s, openai_realtime::NAME, "openai_realtime.key", &realtime.key, &realtime.url),
        (s2s, speech_server::NAME, "speech_server.key", &server.key, &server.url),
        (llm, openai_chat::NAME, "openai_llm.key", &openai_llm.key, &openai_llm.url),
    ];
    let serving = all.into_iter().filter(|(engines, name, ..)| engines.iter().any(|engine| engine == name));
    serving.map(|(_, _, path, variable, url)| Keyed { path, variable, url })
}
