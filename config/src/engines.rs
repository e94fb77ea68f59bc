use ringway_stages::services::Services;
use ringway_stages::services::registry::Stage;
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::LazyLock;

/// Voice activity detection.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VadConfig {
    /// The engine: the kernel, or ONNX Runtime, which also serves where the CPU is none for the kernel.
    pub engine: String,
    /// Samples a second that the model hears: 16000, or 8000 at half the price, which is said to miss high voices.
    pub rate: u32,
    /// ONNX Runtime's library.
    pub library: PathBuf,
    /// The Silero model.
    pub model: PathBuf,
}

/// The engines of a stage, by name, in order of preference: the next one serves when one fails or is late.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnginesOf {
    /// Their names.
    pub engines: Vec<String>,
}

/// Voices, by name, in order of preference.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VoicesConfig {
    /// Their names.
    pub engines: Vec<String>,
    /// Those that are given numbers, prices, times and the like in words.
    pub normalize: Vec<String>,
}

impl Default for VoicesConfig {
    fn default() -> Self {
        Self { engines: vec!["flite".into()], normalize: Vec::new() }
    }
}

impl EnginesOf {
    pub(crate) fn one(name: &str) -> Self {
        Self { engines: vec![name.to_owned()] }
    }
}

/// Dialogue scripts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DialogueConfig {
    /// The folder of scripts.
    pub dir: PathBuf,
    /// The script of calls that ask for none.
    pub default: String,
}

/// What is said when a stage cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApologyConfig {
    /// Its words; spoken once at start and kept in memory.
    pub text: String,
}

impl Default for VadConfig {
    fn default() -> Self {
        Self {
            engine: "kernel".into(),
            rate: 16_000,
            library: ".ringway/lib/libonnxruntime.so".into(),
            model: ".ringway/models/silero_vad.onnx".into(),
        }
    }
}

impl Default for DialogueConfig {
    fn default() -> Self {
        Self { dir: "config/dialogue".into(), default: "booking".into() }
    }
}

impl Default for ApologyConfig {
    fn default() -> Self {
        Self { text: "I am sorry, something went wrong here. Please call again later.".into() }
    }
}

/// The engines that there are, by the key that names them.
pub static ENGINES: LazyLock<[(&str, Vec<&str>); 5]> = LazyLock::new(|| {
    let [s2s, stt, llm, tts] = Stage::ALL.map(|stage| (stage.key(), engines_of(stage)));
    [("vad.engine", vec!["kernel", "ort"]), s2s, stt, llm, tts]
});

/// The engines of a stage that come with ringway; the last one is a script for benchmarks.
const fn embedded(stage: Stage) -> &'static [&'static str] {
    match stage {
        Stage::SpeechToSpeech => &[],
        Stage::SpeechToText => &["pocketsphinx", "scripted"],
        Stage::LanguageModel => &["dialogue", "scripted"],
        Stage::TextToSpeech => &["flite", "scripted"],
    }
}

/// Services stand between the embedded engine and the script.
fn engines_of(stage: Stage) -> Vec<&'static str> {
    let services = Services::default();
    let mut names: Vec<_> = services.of(stage).map(|(name, _)| name).collect();
    if let [engine, script] = embedded(stage) {
        names.insert(0, engine);
        names.push(script);
    }
    names
}
