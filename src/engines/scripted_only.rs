//! Scripted engines alone, for tests of the assembly.

use super::*;

/// Scripted engines behind this recogniser, and a detector that is never built.
pub fn scripted_with(recogniser: Arc<dyn SpeechToText>) -> Engines {
    let script = scripted::Config::default();
    Engines {
        vad: ringway_actors::VadEngine {
            name: "none".into(),
            rate: ringway_frame::SampleRate::HZ_16000,
            window: 512,
            state: ringway_stages::vad::VadState::zeroed(0),
            build: Box::new(|| Err(VadError::Inference("never".into()))),
        },
        s2s: Vec::new(),
        stt: vec![recogniser],
        llm: vec![Arc::new(scripted::ScriptedLlm::new(&script))],
        tts: vec![Arc::new(scripted::ScriptedTts::new(&script))],
        languages: Vec::new(),
        apology: ringway_actors::Phrase::default(),
        filler: ringway_actors::Phrase::default(),
    }
}
