//! Services with keys, which only the environment has.

use crate::Config;
use ringway_knowledge::Embeddings;
use ringway_stages::services::{
    Endpoint, anthropic, cartesia, cartesia_stt, deepgram, deepgram_flux, deepgram_tts, elevenlabs, ollama,
    openai_llm, openai_realtime, openai_realtime_stt, openai_stt, openai_tts, phone_tts, speech_server,
    whisper_auto, whisperlive, whisperlivekit,
};

/// A service that a stage names, and the variable of its key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keyed<'c> {
    /// The key of the configuration that names the variable.
    pub(crate) path: &'static str,
    /// The variable; empty when the service is said to need none.
    pub(crate) variable: &'c str,
    /// None where nobody is a vendor.
    url: Option<&'c Endpoint>,
}

impl Keyed<'_> {
    /// The key goes into the header of a request.
    pub(crate) const fn sends_header(&self) -> bool {
        self.url.is_some()
    }

    /// It is the vendor's own, who serves nobody without a key.
    pub(crate) fn needs_key(&self) -> bool {
        matches!(
            self.url.map_or("", Endpoint::host),
            "api.openai.com"
                | "api.deepgram.com"
                | "api.anthropic.com"
                | "api.elevenlabs.io"
                | "api.cartesia.ai"
        )
    }
}

/// All of them that serve.
pub(crate) fn keyed(config: &Config) -> impl Iterator<Item = Keyed<'_>> {
    let Config { openai_stt, deepgram, openai_llm, .. } = config;
    let Config { openai_tts, elevenlabs, cartesia, deepgram_tts, .. } = config;
    let (stt, llm, tts) = (&config.stt.engines, &config.llm.engines, &config.tts.engines);
    let Config { whisper_auto: auto, whisperlivekit: livekit, whisperlive: live, .. } = config;
    let Config { deepgram_flux: flux, openai_realtime_stt: realtime, cartesia_stt, .. } = config;
    let Config { openai_realtime: talk, speech_server: server, .. } = config;
    let s2s = &config.speech_to_speech.engines;
    let all = [
        (s2s, openai_realtime::NAME, "openai_realtime.key", &talk.key, &talk.url),
        (s2s, speech_server::NAME, "speech_server.key", &server.key, &server.url),
        (stt, openai_stt::NAME, "openai_stt.key", &openai_stt.key, &openai_stt.url),
        (stt, deepgram::NAME, "deepgram.key", &deepgram.key, &deepgram.url),
        (stt, whisper_auto::NAME, "whisper_auto.key", &auto.key, &auto.url),
        (stt, whisperlivekit::NAME, "whisperlivekit.key", &livekit.key, &livekit.url),
        (stt, whisperlive::NAME, "whisperlive.key", &live.key, &live.url),
        (stt, deepgram_flux::NAME, "deepgram_flux.key", &flux.key, &flux.url),
        (stt, openai_realtime_stt::NAME, "openai_realtime_stt.key", &realtime.key, &realtime.url),
        (stt, cartesia_stt::NAME, "cartesia_stt.key", &cartesia_stt.key, &cartesia_stt.url),
        (llm, openai_llm::NAME, "openai_llm.key", &openai_llm.key, &openai_llm.url),
        (llm, ollama::NAME, "ollama.key", &config.ollama.key, &config.ollama.url),
        (llm, anthropic::NAME, "anthropic.key", &config.anthropic.key, &config.anthropic.url),
        (tts, openai_tts::NAME, "openai_tts.key", &openai_tts.key, &openai_tts.url),
        (tts, elevenlabs::NAME, "elevenlabs.key", &elevenlabs.key, &elevenlabs.url),
        (tts, cartesia::NAME, "cartesia.key", &cartesia.key, &cartesia.url),
        (tts, deepgram_tts::NAME, "deepgram_tts.key", &deepgram_tts.key, &deepgram_tts.url),
        (tts, phone_tts::NAME, "phone_tts.key", &config.phone_tts.key, &config.phone_tts.url),
    ];
    let serving = all.into_iter().filter(|(engines, name, ..)| engines.iter().any(|engine| engine == name));
    let serving = serving.map(|(_, _, path, variable, url)| Keyed { path, variable, url: Some(url) });
    serving.chain(knowledge(config)).chain(redis(config)).chain(webhook(config))
}

/// The service that embeds questions.
fn knowledge(config: &Config) -> Option<Keyed<'_>> {
    let knowledge = &config.knowledge;
    let serves = knowledge.index.is_some() && knowledge.embeddings == Embeddings::Service;
    let (variable, url) = (&knowledge.service.key, &knowledge.service.url);
    serves.then_some(Keyed { path: "knowledge.service.key", variable, url: Some(url) })
}

/// The receiver of records.
fn webhook(config: &Config) -> Option<Keyed<'_>> {
    let variable = &config.webhook.key;
    config.webhook.url.as_ref().map(|_| Keyed { path: "webhook.key", variable, url: None })
}

fn redis(config: &Config) -> Option<Keyed<'_>> {
    let variable = &config.redis.key;
    config.redis.url.as_ref().map(|_| Keyed { path: "redis.key", variable, url: None })
}
