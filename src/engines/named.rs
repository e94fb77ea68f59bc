//! What the configured engines are, for those who look at a call.

use ringway_config::Config;
use ringway_stages::services::registry::{Section, Stage};
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
    let first = Stage::ALL.into_iter().filter_map(|stage| Some((stage, config.engines(stage).first()?)));
    first.map(|(stage, engine)| named(config, stage, engine)).collect()
}

fn named(config: &Config, stage: Stage, engine: &str) -> Named {
    let entry = config.services.get(engine).map(Section::entry);
    let told = |text: Option<&str>| text.map(str::to_owned);
    Named {
        stage: stage.name(),
        engine: engine.to_owned(),
        model: told(entry.as_ref().and_then(|entry| entry.model)),
        voice: told(entry.as_ref().and_then(|entry| entry.voice)),
    }
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
        assert_eq!(named[1].model.as_deref(), Some(config.services.openai_llm.model.as_str()));
        assert_eq!(named[2].voice.as_deref(), Some(config.services.cartesia.voice.as_str()));
    }
}
