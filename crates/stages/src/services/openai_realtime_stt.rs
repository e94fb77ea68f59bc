//! Transcription over OpenAI's [Realtime](https://developers.openai.com/api/docs/guides/realtime-transcription) socket,
//! in its general form: a session of the type `transcription`, whose turns we end.

mod items;
mod message;

pub(super) use message::read as read_message;

use super::access::Access;
use super::dictation::{Dictated, Heard, Session};
use super::section::{Engine, Entry, Problem, Section, Sections, Stage};
use super::stt_link::{Dialect, KeepAlive};
use super::{ApiKey, Endpoint, KeyHeader, ServiceError, SetupError};
use crate::humane;
use crate::pcm::{self, MAX_SAMPLES};
use crate::resample::Resampler;
use crate::stt::{SpeechToText, SttCall, SttError, SttSession};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use items::Items;
use message::Message;
use ringway_frame::{Format, Frame, SampleRate};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite;

/// Its name in configuration.
pub const NAME: &str = "openai_realtime_stt";

/// Which model listens, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens. Default OpenAI's own.
    pub url: Endpoint,
    /// The model. Default `gpt-realtime-whisper`.
    pub model: String,
    /// The environment variable of its key; a service that asks for none needs none. Default `OPENAI_API_KEY`.
    pub key: String,
    /// The header that it takes the key in: `authorization` has it as `Bearer KEY`, any other the key alone, as Azure's
    /// `api-key` does. Default `authorization`.
    pub key_header: KeyHeader,
    /// The language spoken, as ISO 639-1 has it; empty: it finds out. Default `en`.
    pub language: String,
    /// Words to expect, for models that take them. Default none.
    pub prompt: String,
    /// `near_field`, `far_field`, or nothing: how noise is taken away. Default nothing.
    pub noise_reduction: String,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// How long the words of a turn are waited for before what was guessed of them counts. Default 1.2 s.
    #[serde(deserialize_with = "humane::limit")]
    pub finalize: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("wss://api.openai.com/v1/realtime?intent=transcription")
                .expect("an address"),
            model: "gpt-realtime-whisper".into(),
            key: "OPENAI_API_KEY".into(),
            key_header: KeyHeader::default(),
            language: "en".into(),
            prompt: String::new(),
            noise_reduction: String::new(),
            connect: Duration::from_secs(1),
            finalize: Duration::from_millis(1_200),
        }
    }
}

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry { key: Some(&self.key), model: Some(&self.model), ..Entry::new(Stage::SpeechToText, &self.url) }
    }

    fn build(&self, _: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::SpeechToText(Arc::new(OpenAiRealtimeStt::new(self.clone(), key)?)))
    }

    fn problems(&self) -> Vec<Problem> {
        let known = ["", "near_field", "far_field"].contains(&self.noise_reduction.as_str());
        let message = || "must be empty, near_field or far_field".to_owned();
        (!known).then(|| Problem { key: "noise_reduction", message: message() }).into_iter().collect()
    }
}

/// A recogniser that hears utterances as they are spoken, behind a socket for each call.
#[derive(Clone, Debug)]
pub struct OpenAiRealtimeStt {
    access: Access,
    config: Arc<Config>,
}

impl OpenAiRealtimeStt {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let headers = config.key_header.of(key, &config.url)?;
        let access = Access::new(&config.url, headers, config.connect)?;
        Ok(Self { access, config: Arc::new(config) })
    }
}

impl SpeechToText for OpenAiRealtimeStt {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        Ok(Box::new(Session::open(Speaker::new(self.clone(), call.format), call.format)))
    }
}

/// Speaks with the service in one call.
#[derive(Clone)]
struct Speaker {
    service: OpenAiRealtimeStt,
    items: Items,
    voice: Voice,
}

/// How a call's audio becomes the service's.
enum Voice {
    /// Mu-law goes through untouched.
    Mulaw,
    /// Samples become those of 24 kHz.
    Samples { format: Format, resampler: Box<Resampler>, input: Vec<i16>, output: Vec<i16> },
}

impl Speaker {
    fn new(service: OpenAiRealtimeStt, format: Format) -> Self {
        Self { service, items: Items::default(), voice: Voice::new(format) }
    }

    /// What the session is to be: <https://developers.openai.com/api/reference/resources/realtime/client-events>.
    fn session(&self) -> Value {
        let Config { model, language, prompt, noise_reduction, .. } = &*self.service.config;
        let mut transcription = json!({"model": model});
        for (name, value) in [("language", language), ("prompt", prompt)] {
            if !value.is_empty() {
                transcription[name] = json!(value);
            }
        }
        let format = match self.voice {
            Voice::Mulaw => json!({"type": "audio/pcmu"}),
            Voice::Samples { .. } => json!({"type": "audio/pcm", "rate": SampleRate::HZ_24000.hz()}),
        };
        let noise_reduction = if noise_reduction.is_empty() { None } else { Some(noise_reduction) };
        let input = json!({
            "format": format, "transcription": transcription, "turn_detection": null,
            "noise_reduction": noise_reduction.map(|kind| json!({"type": kind})),
        });
        json!({"type": "session.update", "session": {"type": "transcription", "audio": {"input": input}}})
    }
}

impl Dialect for Speaker {
    const KEEP_ALIVE: KeepAlive = KeepAlive::Ping;
    const CLOSE: Option<&'static str> = None;

    fn access(&self) -> &Access {
        &self.service.access
    }

    fn path(&self, _: Format) -> String {
        self.service.config.url.below("")
    }

    fn begin(&mut self, format: Format) -> Option<String> {
        self.voice = Voice::new(format);
        Some(self.session().to_string())
    }

    fn audio(&mut self, frames: Bytes) -> tungstenite::Message {
        let mut message = String::with_capacity(frames.len() * 8 + APPEND.len() + 2);
        message.push_str(APPEND);
        match &mut self.voice {
            Voice::Mulaw => STANDARD.encode_string(&frames, &mut message),
            voice @ Voice::Samples { .. } => STANDARD.encode_string(voice.samples(&frames), &mut message),
        }
        message.push_str("\"}");
        tungstenite::Message::text(message)
    }
}

impl Dictated for Speaker {
    const NAME: &'static str = NAME;
    const FLUSH: &'static str = r#"{"type":"input_audio_buffer.commit"}"#;
    const FORGET: Option<&'static str> = Some(r#"{"type":"input_audio_buffer.clear"}"#);
    // Less than a tenth of a second is refused.
    const LEAST_FRAMES: usize = 6;

    fn patience(&self) -> Duration {
        self.service.config.finalize
    }

    fn asked(&mut self) {
        self.items.asked();
    }

    fn lost(&mut self) {
        self.items = Items::default();
    }

    fn read(&mut self, text: &str, heard: &mut VecDeque<Heard>) -> Result<(), ServiceError> {
        match read_message(text)? {
            Message::Committed(item) => self.items.committed(item),
            Message::Empty => self.items.empty(),
            Message::Delta { item, text } => self.items.delta(item, &text),
            Message::Completed { item, text } => self.items.completed(&item, text),
            Message::Refused(message) if self.items.is_idle() => {
                tracing::debug!(engine = NAME, error = message, "the service refused a message");
            }
            Message::Refused(message) => return Err(ServiceError::Failed { message }),
            Message::Other => {}
        }
        heard.extend(std::iter::from_fn(|| self.items.next()));
        Ok(())
    }
}

impl Voice {
    fn new(format: Format) -> Self {
        if format == Format::Mulaw8k {
            return Self::Mulaw;
        }
        let resampler = Box::new(Resampler::new(format.rate(), SampleRate::HZ_24000));
        Self::Samples { format, resampler, input: Vec::new(), output: Vec::new() }
    }

    /// What comes out of the frames' samples, as s16le of 24 kHz.
    fn samples(&mut self, frames: &[u8]) -> Vec<u8> {
        let Self::Samples { format, resampler, input, output } = self else { return Vec::new() };
        let mut samples = [0; MAX_SAMPLES];
        input.clear();
        output.clear();
        for payload in frames.chunks(format.bytes()) {
            if let Ok(frame) = Frame::new(*format, payload) {
                let count = pcm::decode(&frame, &mut samples);
                input.extend_from_slice(&samples[..count]);
            }
        }
        resampler.push(input, output);
        output.iter().flat_map(|sample| sample.to_le_bytes()).collect()
    }
}

/// One that has heard nothing yet.
impl Clone for Voice {
    fn clone(&self) -> Self {
        match self {
            Self::Mulaw => Self::Mulaw,
            Self::Samples { format, .. } => Self::new(*format),
        }
    }
}

/// What is before the audio of a message.
const APPEND: &str = r#"{"type":"input_audio_buffer.append","audio":""#;

#[cfg(test)]
mod tests {
    use super::*;

    fn speaker(config: Config, format: Format) -> Speaker {
        let url = Endpoint::parse("ws://localhost/v1/realtime?intent=transcription").unwrap();
        Speaker::new(OpenAiRealtimeStt::new(Config { url, ..config }, None).unwrap(), format)
    }

    fn audio(speaker: &mut Speaker, frames: usize, format: Format) -> Vec<u8> {
        let frames = Frame::silence(format).payload().repeat(frames);
        let message: Value = serde_json::from_str(speaker.audio(frames.into()).to_text().unwrap()).unwrap();
        assert_eq!(message["type"], "input_audio_buffer.append");
        STANDARD.decode(message["audio"].as_str().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_session_is_for_transcription_and_leaves_turns_to_us() {
        let config =
            Config { prompt: "balayage".into(), noise_reduction: "far_field".into(), ..Config::default() };
        let mut speaker = speaker(config, Format::Mulaw8k);
        assert_eq!(speaker.path(Format::Mulaw8k), "/v1/realtime?intent=transcription");
        let session: Value = serde_json::from_str(&speaker.begin(Format::Mulaw8k).unwrap()).unwrap();
        let input = json!({
            "format": {"type": "audio/pcmu"}, "turn_detection": null, "noise_reduction": {"type": "far_field"},
            "transcription": {"model": "gpt-realtime-whisper", "language": "en", "prompt": "balayage"},
        });
        let wanted = json!({"type": "transcription", "audio": {"input": input}});
        assert_eq!(session, json!({"type": "session.update", "session": wanted}));
    }

    #[tokio::test]
    async fn mulaw_goes_through_untouched() {
        let mut speaker = speaker(Config::default(), Format::Mulaw8k);
        assert_eq!(audio(&mut speaker, 3, Format::Mulaw8k), vec![Format::Mulaw8k.silence(); 480]);
    }

    #[tokio::test]
    async fn samples_become_those_of_24_khz() {
        for (format, hz) in [(Format::Pcm8k, 8_000), (Format::Pcm16k, 16_000)] {
            let mut speaker = speaker(Config::default(), format);
            let heard: usize = (0..10).map(|_| audio(&mut speaker, 5, format).len()).sum();
            // A second, less the delay of the filter.
            assert!((44_000..=48_000).contains(&heard), "{hz}: {heard}");
        }
    }
}
