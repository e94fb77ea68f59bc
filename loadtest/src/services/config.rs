//! What the mock services do, as read from TOML.

use super::delay::Delay;
use super::fault::{Extent, Limit, Rule};
use super::quirk::Quirk;
use super::stats::Service;
use ringway_frame::SampleRate;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// All mock services.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The port of the loopback; 0 is any that is free.
    pub port: u16,
    /// The seed of everything that is left to chance.
    pub seed: u64,
    /// A key that clients have to send; without it any will do, and none.
    pub api_key: Option<String>,
    /// By how much a request that is struck by `slow` is slower.
    pub slow_factor: f64,
    /// When a connection that is struck by `limit` ends.
    pub limit_ms: u64,
    /// After how many bytes it ends, if that comes first: of the client's on a socket, of the answer over HTTP.
    pub limit_bytes: Option<u64>,
    /// Transcription of whole utterances.
    pub stt: Stt,
    /// The streaming recogniser's socket.
    pub listen: Listen,
    /// The socket of the recogniser that judges turns.
    pub flux: Listen,
    /// The socket of the transcription session.
    pub live: Listen,
    /// The socket of the recogniser that is told to finalize.
    pub cartesia: Listen,
    /// The socket of the recogniser that tells segments over and over.
    pub whisperlive: WhisperLive,
    /// Transcription of whole utterances by Wyoming.
    pub wyoming_stt: Listen,
    /// Chat completions.
    pub llm: Llm,
    /// The voice.
    pub tts: Tts,
    /// The socket that hears and speaks.
    pub realtime: Realtime,
    /// The voice in OpenAI's form.
    pub speech: Voice,
    /// ElevenLabs' socket.
    pub elevenlabs: Voice,
    /// The socket of Cartesia's voice.
    pub sonic: Voice,
    /// The socket of Deepgram's voice.
    pub speak: Voice,
    /// The voice that speaks Wyoming.
    pub wyoming_tts: Voice,
    /// The voice of a telephone system.
    pub phone_tts: Voice,
}

/// A voice that speaks as `tts` does.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Voice {
    /// From the complete request, or what flushes a text, to its audio; without it that of `tts`.
    pub delay_ms: Option<Delay>,
    /// Failures and their rates: on sockets of handshakes for `refuse` and statuses, of utterances for the others.
    pub fail: Vec<Rule>,
}

/// How fast a service is, and how it fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Conduct {
    /// From the complete request to the first byte of the answer.
    pub delay_ms: Delay,
    /// Failures and their rates.
    pub fail: Vec<Rule>,
}

/// Transcription of whole utterances.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stt {
    /// From the complete request to the first byte.
    pub delay_ms: Delay,
    /// Failures and their rates.
    pub fail: Vec<Rule>,
    /// What has been said, request after request, and over again.
    pub texts: Vec<String>,
    /// The language that is reported when none was asked for, as the service names it.
    pub language: String,
}

/// A streaming recogniser's socket.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// From the audio or message that causes a result to the result; without it that of `stt`.
    pub delay_ms: Option<Delay>,
    /// Failures and their rates: of sockets for `refuse` and statuses, of utterances for the others.
    pub fail: Vec<Rule>,
    /// What is said in the utterances of a call, one after the other; without any those of `stt`.
    pub texts: Vec<String>,
}

/// The socket of the recogniser that tells segments over and over.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WhisperLive {
    /// As of every socket that listens.
    pub delay_ms: Option<Delay>,
    /// As of every socket that listens.
    pub fail: Vec<Rule>,
    /// As of every socket that listens.
    pub texts: Vec<String>,
    /// Clients that are served at one time; others are told to wait. Without it any number.
    pub most_clients: Option<u32>,
    /// The longest that a client is served; without it for ever.
    pub longest_ms: Option<u64>,
}

/// Chat completions.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Llm {
    /// From the complete request to the first token.
    pub delay_ms: Delay,
    /// From each token to the next.
    pub token_ms: Delay,
    /// Failures and their rates.
    pub fail: Vec<Rule>,
    /// The replies, request after request, and over again; a word is a token.
    pub replies: Vec<String>,
    /// How streams differ from what the vendors describe, request after request, and over again.
    pub quirks: Vec<Quirk>,
}

/// The voice.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tts {
    /// From the complete request to the first byte.
    pub delay_ms: Delay,
    /// Failures and their rates.
    pub fail: Vec<Rule>,
    /// Samples a second.
    pub rate_hz: u32,
    /// How long a character is spoken.
    pub character_ms: u32,
    /// So many times faster than it is spoken the audio is sent, in pieces of 100 ms; without it all at once.
    pub speed: Option<f64>,
    /// Which of Piper's servers it is.
    pub generation: Generation,
}

/// The socket that hears and speaks.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Realtime {
    /// From the request for an answer to its first audio.
    pub delay_ms: Delay,
    /// Failures and their rates: of sockets for `refuse` and statuses, of answers for the others.
    pub fail: Vec<Rule>,
    /// From the end of a turn of the client's to its words.
    pub transcript_ms: u64,
    /// What is said in the turns of a session, one after the other; without any that of `stt`.
    pub texts: Vec<String>,
    /// The answers of a session, one after the other; without any the replies of `llm`.
    pub replies: Vec<String>,
    /// So many times faster than it is spoken an answer is sent.
    pub speed: f64,
    /// The longest session; without it an hour.
    pub longest_ms: Option<u64>,
}

/// The servers of Piper, which share a name and little else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Generation {
    /// All at once, as far as they can be told apart.
    #[default]
    #[serde(rename = "any")]
    Any,
    /// rhasspy/piper: text by `GET /?text=` or as the body of `POST /`.
    #[serde(rename = "legacy")]
    Legacy,
    /// `piper1-gpl` 1.3 and 1.4: JSON to `POST /`.
    #[serde(rename = "1.4")]
    RootJson,
    /// `piper1-gpl` from 1.5 on: JSON to `POST /synthesize`.
    #[serde(rename = "1.5")]
    Synthesize,
}

/// Why a configuration is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No such file, or not to be read.
    #[error("{path}: {error}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Not a configuration.
    #[error("{path}: {error}", path = .path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        error: toml::de::Error,
    },
    /// A value that makes no sense.
    #[error("{key}: {why}")]
    Value {
        /// Which.
        key: String,
        /// What is wrong.
        why: &'static str,
    },
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is no configuration. Values are checked by [`Config::check`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|error| ConfigError::Read { path: path.into(), error })?;
        toml::from_str(&text).map_err(|error| ConfigError::Toml { path: path.into(), error })
    }

    /// Checks what the types do not say.
    ///
    /// # Errors
    /// The first value that makes no sense.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, why| Err(ConfigError::Value { key: key.into(), why });
        for service in Service::ALL {
            let rates: f64 = self.conduct(service).fail.iter().map(|rule| rule.rate).sum();
            // Shares such as 33.3 % are not exact in binary.
            if rates > 1.0 + 1e-9 {
                return wrong(&format!("{service}.fail"), "fails more often than always");
            }
        }
        if self.stt.texts.is_empty() {
            return wrong("stt.texts", "at least one is needed");
        }
        if self.llm.replies.iter().all(|reply| reply.trim().is_empty()) {
            return wrong("llm.replies", "at least one word is needed");
        }
        if SampleRate::new(self.tts.rate_hz).is_none_or(|rate| !(8_000..=48_000).contains(&rate.hz())) {
            return wrong("tts.rate_hz", "from 8000 to 48000");
        }
        if self.tts.speed.is_some_and(|speed| !(0.1..=1_000.0).contains(&speed)) {
            return wrong("tts.speed", "from 0.1 to 1000");
        }
        if !(0.1..=1_000.0).contains(&self.realtime.speed) {
            return wrong("realtime.speed", "from 0.1 to 1000");
        }
        if !(1.0..=1_000.0).contains(&self.slow_factor) {
            return wrong("slow_factor", "from 1 to 1000");
        }
        Ok(())
    }

    /// How fast a service is, and how it fails.
    pub fn conduct(&self, service: Service) -> Conduct {
        let (delay_ms, fail) = match service {
            Service::Stt => (self.stt.delay_ms, &self.stt.fail),
            Service::Listen => self.ear(&self.listen),
            Service::Flux => self.ear(&self.flux),
            Service::Live => self.ear(&self.live),
            Service::Cartesia => self.ear(&self.cartesia),
            Service::WhisperLive => {
                (self.whisperlive.delay_ms.unwrap_or(self.stt.delay_ms), &self.whisperlive.fail)
            }
            Service::WyomingStt => self.ear(&self.wyoming_stt),
            Service::Llm => (self.llm.delay_ms, &self.llm.fail),
            Service::Tts => (self.tts.delay_ms, &self.tts.fail),
            Service::Realtime => (self.realtime.delay_ms, &self.realtime.fail),
            Service::Speech => self.voice(&self.speech),
            Service::ElevenLabs => self.voice(&self.elevenlabs),
            Service::Sonic => self.voice(&self.sonic),
            Service::Speak => self.voice(&self.speak),
            Service::WyomingTts => self.voice(&self.wyoming_tts),
            Service::PhoneTts => self.voice(&self.phone_tts),
        };
        Conduct { delay_ms, fail: fail.clone() }
    }

    fn ear<'c>(&self, ear: &'c Listen) -> (Delay, &'c Vec<Rule>) {
        (ear.delay_ms.unwrap_or(self.stt.delay_ms), &ear.fail)
    }

    fn voice<'c>(&self, voice: &'c Voice) -> (Delay, &'c Vec<Rule>) {
        (voice.delay_ms.unwrap_or(self.tts.delay_ms), &voice.fail)
    }

    /// Failures of a service, to be added to.
    pub fn fail_mut(&mut self, service: Service) -> &mut Vec<Rule> {
        match service {
            Service::Stt => &mut self.stt.fail,
            Service::Listen => &mut self.listen.fail,
            Service::Flux => &mut self.flux.fail,
            Service::Live => &mut self.live.fail,
            Service::Cartesia => &mut self.cartesia.fail,
            Service::Llm => &mut self.llm.fail,
            Service::Tts => &mut self.tts.fail,
            Service::Realtime => &mut self.realtime.fail,
            Service::Speech => &mut self.speech.fail,
            Service::ElevenLabs => &mut self.elevenlabs.fail,
            Service::Sonic => &mut self.sonic.fail,
            Service::Speak => &mut self.speak.fail,
            Service::WhisperLive => &mut self.whisperlive.fail,
            Service::WyomingStt => &mut self.wyoming_stt.fail,
            Service::WyomingTts => &mut self.wyoming_tts.fail,
            Service::PhoneTts => &mut self.phone_tts.fail,
        }
    }

    /// What is said on sockets that answer.
    pub fn realtime_texts(&self) -> &[String] {
        if self.realtime.texts.is_empty() { &self.stt.texts } else { &self.realtime.texts }
    }

    /// What they answer.
    pub fn realtime_replies(&self) -> &[String] {
        if self.realtime.replies.is_empty() { &self.llm.replies } else { &self.realtime.replies }
    }

    /// How far failures go.
    pub fn extent(&self) -> Extent {
        let limit = Limit { after: Duration::from_millis(self.limit_ms), bytes: self.limit_bytes };
        Extent { slow_factor: self.slow_factor, limit }
    }

    /// What is said on a socket.
    pub fn socket_texts(&self, service: Service) -> &[String] {
        let texts = match service {
            Service::Flux => &self.flux.texts,
            Service::Live => &self.live.texts,
            Service::Cartesia => &self.cartesia.texts,
            Service::WhisperLive => &self.whisperlive.texts,
            Service::WyomingStt => &self.wyoming_stt.texts,
            _ => &self.listen.texts,
        };
        if texts.is_empty() { &self.stt.texts } else { texts }
    }

    /// Delays and texts of all recognisers that have those of `stt` where they have none of their own.
    pub fn ears_mut(&mut self) -> [(&mut Option<Delay>, &mut Vec<String>); 6] {
        let live = &mut self.whisperlive;
        let [listen, flux, session, cartesia, wyoming] =
            [&mut self.listen, &mut self.flux, &mut self.live, &mut self.cartesia, &mut self.wyoming_stt]
                .map(|ear| (&mut ear.delay_ms, &mut ear.texts));
        [listen, flux, session, cartesia, wyoming, (&mut live.delay_ms, &mut live.texts)]
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 8090,
            seed: 1,
            api_key: None,
            slow_factor: 10.0,
            limit_ms: 5_000,
            limit_bytes: None,
            stt: Stt::default(),
            listen: Listen::default(),
            flux: Listen::default(),
            live: Listen::default(),
            cartesia: Listen::default(),
            whisperlive: WhisperLive::default(),
            wyoming_stt: Listen::default(),
            llm: Llm::default(),
            tts: Tts::default(),
            realtime: Realtime::default(),
            speech: Voice::default(),
            elevenlabs: Voice::default(),
            sonic: Voice::default(),
            speak: Voice::default(),
            wyoming_tts: Voice::default(),
            phone_tts: Voice::default(),
        }
    }
}

impl Default for Stt {
    fn default() -> Self {
        Self {
            delay_ms: Delay::Fixed(50.0),
            fail: Vec::new(),
            texts: vec!["hello there".into()],
            language: "english".into(),
        }
    }
}

impl Default for Llm {
    fn default() -> Self {
        // A first clause of two words, with which a voice can begin, and a sentence of twelve.
        let reply = "Of course. I will look that up for you and call you right back.";
        Self {
            delay_ms: Delay::Fixed(100.0),
            token_ms: Delay::Fixed(10.0),
            fail: Vec::new(),
            replies: vec![reply.into()],
            quirks: Vec::new(),
        }
    }
}

impl Default for Realtime {
    fn default() -> Self {
        Self {
            delay_ms: Delay::Fixed(150.0),
            fail: Vec::new(),
            transcript_ms: 200,
            texts: Vec::new(),
            replies: Vec::new(),
            speed: 5.0,
            longest_ms: None,
        }
    }
}

impl Default for Tts {
    fn default() -> Self {
        Self {
            delay_ms: Delay::Fixed(50.0),
            fail: Vec::new(),
            rate_hz: 22_050,
            character_ms: 60,
            speed: None,
            generation: Generation::Any,
        }
    }
}

#[cfg(test)]
mod tests;
