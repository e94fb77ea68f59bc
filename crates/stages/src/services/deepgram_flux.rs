//! Deepgram's [Flux](https://developers.deepgram.com/docs/flux/quickstart): the socket of version 2, whose model judges
//! when the caller has finished.

mod message;
mod session;
mod turn;

pub(super) use message::read as read_message;

use super::access::Access;
use super::section::{Engine, Entry, Problem, Section, Sections, Stage, within};
use super::stt_link::{Dialect, KeepAlive, Link};
use super::{ApiKey, Endpoint, KeyHeader, SetupError};
use crate::address::ask;
use crate::humane;
use crate::stt::{SpeechToText, SttCall, SttError, SttSession};
use ringway_frame::Format;
use serde::Deserialize;
use session::Session;
use std::sync::Arc;
use std::time::Duration;

/// Its name in configuration.
pub const NAME: &str = "deepgram_flux";

/// Which model listens, and how sure it has to be.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens; what the address asks for behind a `?` is asked for too. Default Deepgram's own.
    pub url: Endpoint,
    /// The model. Default `flux-general-en`.
    pub model: String,
    /// The environment variable of its key; a service that asks for none needs none. Default `DEEPGRAM_API_KEY`.
    pub key: String,
    /// A hint for `flux-general-multi`: the language spoken, as BCP 47 has it; empty: none. Default empty.
    pub language: String,
    /// How sure it has to be that the caller has finished to say so early, 0.3 to 0.9; 0: it does not. Default 0.5.
    pub eager_threshold: f32,
    /// How sure it has to be to end the turn, 0.5 to 1. Default 0.7.
    pub end_threshold: f32,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// How long it may take to find the turn over before it is told so, and then to have the last words before what was
    /// guessed of them counts. Default 500 ms.
    #[serde(deserialize_with = "humane::limit")]
    pub finalize: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("wss://api.deepgram.com/v2/listen").expect("an address"),
            model: "flux-general-en".into(),
            key: "DEEPGRAM_API_KEY".into(),
            language: String::new(),
            eager_threshold: 0.5,
            end_threshold: 0.7,
            connect: Duration::from_secs(1),
            finalize: Duration::from_millis(500),
        }
    }
}

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry { key: Some(&self.key), model: Some(&self.model), ..Entry::new(Stage::SpeechToText, &self.url) }
    }

    fn build(&self, _: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::SpeechToText(Arc::new(DeepgramFlux::new(self.clone(), key)?)))
    }

    /// What it accepts: <https://developers.deepgram.com/docs/flux/configuration>.
    fn problems(&self) -> Vec<Problem> {
        let end = within("end_threshold", Some(self.end_threshold), 0.5..=1.0);
        let most = self.end_threshold.min(0.9);
        let wrong = self.eager_threshold != 0.0 && !(0.3..=most).contains(&self.eager_threshold);
        let message = || "must be 0, or from 0.3 to 0.9 and no more than end_threshold".to_owned();
        let eager = wrong.then(|| Problem { key: "eager_threshold", message: message() });
        end.into_iter().chain(eager).collect()
    }
}

/// A recogniser that hears every frame, behind a socket for each call.
#[derive(Clone, Debug)]
pub struct DeepgramFlux {
    access: Access,
    config: Arc<Config>,
}

impl DeepgramFlux {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let headers = KeyHeader::default().behind("Token", key, &config.url)?;
        let access = Access::new(&config.url, headers, config.connect)?;
        Ok(Self { access, config: Arc::new(config) })
    }
}

impl Dialect for DeepgramFlux {
    // Version 2 has no message for it.
    const KEEP_ALIVE: KeepAlive = KeepAlive::Ping;
    const CLOSE: Option<&'static str> = Some(r#"{"type":"CloseStream"}"#);

    fn access(&self) -> &Access {
        &self.access
    }

    fn path(&self, format: Format) -> String {
        let Config { url, model, language, eager_threshold, end_threshold, .. } = &*self.config;
        let mut path = url.below("");
        let encoding = match format {
            Format::Mulaw8k => "mulaw",
            Format::Pcm8k | Format::Pcm16k => "linear16",
        };
        ask(&mut path, "encoding", encoding);
        ask(&mut path, "sample_rate", &format.rate().hz().to_string());
        ask(&mut path, "eot_threshold", &end_threshold.to_string());
        if *eager_threshold > 0.0 {
            ask(&mut path, "eager_eot_threshold", &eager_threshold.to_string());
        }
        ask(&mut path, "model", model);
        ask(&mut path, "language_hint", language);
        path
    }
}

impl SpeechToText for DeepgramFlux {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        Ok(Box::new(Session::new(Link::open(self.clone(), call.format), self.config.finalize)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_calls_audio_is_announced_as_it_is() {
        let path = |config: Config, format| DeepgramFlux::new(config, None).unwrap().path(format);
        let url = Endpoint::parse("ws://localhost/v2/listen?keyterm=balayage").unwrap();
        assert_eq!(
            path(Config { url, ..Config::default() }, Format::Mulaw8k),
            "/v2/listen?keyterm=balayage&encoding=mulaw&sample_rate=8000&eot_threshold=0.7&eager_eot_threshold=0.5&model=flux-general-en"
        );
        let url = Endpoint::parse("ws://localhost").unwrap();
        let config = Config { url, eager_threshold: 0.0, language: "de".into(), ..Config::default() };
        assert_eq!(
            path(config, Format::Pcm16k),
            "/?encoding=linear16&sample_rate=16000&eot_threshold=0.7&model=flux-general-en&language_hint=de"
        );
    }
}
