//! What the configured engines are, for those who look at a call.

use ringway_config::Config;
use serde::Serialize;

/// An engine, with the model and the voice that it is configured with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// `stt`, `llm`, `tts` or `s2s`.
    pub stage: &'static str,
    /// Its name in the configuration.
    pub engine: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<String>,
}

/// The engines that calls begin with: the first of each chain.
pub fn first_of_each(config: &Config) -> Vec<Named> {
    let chains = [
        ("s2s", &config.speech_to_speech.engines),
        ("stt", &config.stt.engines),
        ("llm", &config.llm.engines),
        ("tts", &config.tts.engines),
    ];
    let first = chains.into_iter().filter_map(|(stage, engines)| Some((stage, engines.first()?)));
    first
        .map(|(stage, engine)| Named {
            stage,
            engine: engine.clone(),
            model: model(config, engine),
            voice: voice(config, engine),
        })
        .collect()
}

fn model(config: &Config, engine: &str) -> Option<String> {
    let model = match engine {
        "openai_stt" => &config.openai_stt.model,
        "deepgram" => &config.deepgram.model,
        "deepgram_flux" => &config.deepgram_flux.model,
        "whisperlive" => &config.whisperlive.model,
        "openai_realtime_stt" => &config.openai_realtime_stt.model,
        "cartesia_stt" => &config.cartesia_stt.model,
        "wyoming_stt" => config.wyoming_stt.model.as_ref()?,
        "openai_llm" => &config.openai_llm.model,
        "ollama" => &config.ollama.model,
        "anthropic" => &config.anthropic.model,
        "openai_realtime" => &config.openai_realtime.model,
        "openai_tts" => &config.openai_tts.model,
        "elevenlabs" => &config.elevenlabs.model,
        "cartesia" => &config.cartesia.model,
        "deepgram_tts" => &config.deepgram_tts.model,
        _ => return None,
    };
    Some(model.clone())
}

fn voice(config: &Config, engine: &str) -> Option<String> {
    let voice = match engine {
        "openai_realtime" => &config.openai_realtime.voice,
        "openai_tts" => &config.openai_tts.voice,
        "elevenlabs" => &config.elevenlabs.voice,
        "cartesia" => &config.cartesia.voice,
        "piper" => config.piper.voice.as_ref()?,
        "wyoming_tts" => config.wyoming_tts.voice.as_ref()?,
        "phone_tts" => config.phone_tts.voice.as_ref()?,
        _ => return None,
    };
    Some(voice.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_engine_of_each_stage_is_named_with_its_model_and_voice() {
        let mut config = Config::default();
        config.stt.engines = vec!["pocketsphinx".into()];
        config.llm.engines = vec!["openai_llm".into(), "dialogue".into()];
        config.tts.engines = vec!["cartesia".into(), "flite".into()];
        let named = first_of_each(&config);
        let engines: Vec<_> = named.iter().map(|it| (it.stage, it.engine.as_str())).collect();
        assert_eq!(engines, [("stt", "pocketsphinx"), ("llm", "openai_llm"), ("tts", "cartesia")]);
        assert_eq!(named[0].model, None);
        assert_eq!(named[1].model.as_deref(), Some(config.openai_llm.model.as_str()));
        assert_eq!(named[2].voice.as_deref(), Some(config.cartesia.voice.as_str()));
    }
}
