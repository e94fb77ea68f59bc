//! A short conversation with each peer: the same live, while it is recorded, and with the recording in the peer's place
//! (`tests/recorded`). What comes of it is told in lines, which have to be the same.

use crate::caller::{Caller, utterance};
use crate::talk::ask;
use crate::voices::{loud, open, say};
use ringway_frame::{Format, Frame};
use ringway_stages::llm::{LanguageModel, LlmCall};
use ringway_stages::services::Endpoint;
use ringway_stages::services::ollama::{self, Ollama};
use ringway_stages::services::piper::{self, Piper};
use ringway_stages::services::whisperlive::{self, Samples, WhisperLive};
use ringway_stages::services::whisperlivekit::{self, WhisperLiveKit};
use ringway_stages::services::wyoming_stt::{self, WyomingStt};
use ringway_stages::services::wyoming_tts::{self, WyomingTts};
use ringway_stages::stt::SpeechToText;
use ringway_stages::tts::TextToSpeech;
use std::time::Duration;

/// With the peer of this name at `host:port`.
pub(crate) async fn conversation(name: &str, address: &str) -> Vec<String> {
    let url = |scheme: &str| Endpoint::parse(&format!("{scheme}://{address}")).unwrap();
    match name {
        "whisperlivekit" => {
            let config = whisperlivekit::Config { url: url("ws"), ..Default::default() };
            turns(&WhisperLiveKit::new(config, None).unwrap()).await
        }
        "whisperlive" => {
            let samples = Samples::Int16;
            let config =
                whisperlive::Config { url: url("ws"), samples, same_output: 15, ..Default::default() };
            turns(&WhisperLive::new(config, None).unwrap()).await
        }
        "wyoming_faster_whisper" => {
            let config = wyoming_stt::Config { url: url("tcp"), first_byte: LONG, ..Default::default() };
            utterances(&WyomingStt::new(config).unwrap()).await
        }
        "wyoming_piper" => {
            let config = wyoming_tts::Config { url: url("tcp"), first_byte: LONG, ..Default::default() };
            clauses(&WyomingTts::new(config).unwrap()).await
        }
        "piper_1_4" | "piper_1_8" => {
            let config = piper::Config { url: url("http"), first_byte: LONG, ..Default::default() };
            clauses(&Piper::new(config).unwrap()).await
        }
        "ollama" => {
            let config = ollama::Config {
                url: url("http"),
                model: "stub".into(),
                system: "Be brief.".into(),
                warm_up: false,
                first_byte: LONG,
                idle: LONG,
                ..Default::default()
            };
            let mut session = Ollama::new(config, None).unwrap().open(LlmCall::default()).unwrap();
            let reply = ask(&mut *session, "hello").await.unwrap();
            vec![format!("{} tokens: {}", reply.tokens.len(), reply.words().escape_default())]
        }
        _ => panic!("no conversation with {name}"),
    }
}

/// Loading may take its time: nothing here is about speed.
const LONG: Duration = Duration::from_secs(60);

async fn turns(engine: &dyn SpeechToText) -> Vec<String> {
    let mut caller = Caller::new(engine, Format::Pcm16k);
    let mut heard = Vec::new();
    for milliseconds in [1_800, 1_300] {
        heard.push(caller.turn(Duration::from_millis(milliseconds)).await);
    }
    heard
}

async fn utterances(engine: &dyn SpeechToText) -> Vec<String> {
    let mut heard = Vec::new();
    for milliseconds in [1_100, 600] {
        heard.push(utterance(engine, Format::Pcm8k, Duration::from_millis(milliseconds)).await.unwrap());
    }
    heard
}

async fn clauses(voice: &dyn TextToSpeech) -> Vec<String> {
    let format = Format::Pcm8k;
    let mut session = open(voice, format);
    let mut heard = Vec::new();
    for text in ["Yes.", "Not now."] {
        let (frames, words) = say(&mut *session, format, text).await.unwrap();
        heard.push(format!(
            "{text} {} frames, {} loud, {:08x}, words {words:?}",
            frames.len(),
            loud(&frames),
            sum(&frames)
        ));
    }
    heard
}

/// Of all audio, by FNV-1a.
fn sum(frames: &[Frame]) -> u32 {
    let bytes = frames.iter().flat_map(|frame| frame.payload());
    bytes.fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
