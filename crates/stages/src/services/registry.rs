//! Which services there are. Each is a file of its own; whoever has to know of them all, from the configuration to the
//! page, asks here.
//!
//! A new one takes a file named after its engine, with a `Config` that implements [`Section`], and a line in the list
//! below. Its section in `config/default.toml` and its row in `docs/start/services.md` are asked for by tests.

pub use super::section::{Engine, Entry, Problem, Section, Sections, SpeechRate, Stage};

use super::Endpoint;
use serde::Deserialize;

macro_rules! services {
    ($($(#[$about:meta])* $section:ident,)*) => {
        /// The sections of all services, each named like the engine that it sets up.
        #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Services {
            $($(#[$about])* pub $section: super::$section::Config,)*
        }

        impl Services {
            /// All of them by name.
            pub fn all(&self) -> impl Iterator<Item = (&'static str, &dyn Section)> {
                [$((stringify!($section), &self.$section as &dyn Section)),*].into_iter()
            }

            /// The one of this name, to be changed.
            pub fn get_mut(&mut self, name: &str) -> Option<&mut dyn Section> {
                match name {
                    $(stringify!($section) => Some(&mut self.$section),)*
                    _ => None,
                }
            }
        }
    };
}

services! {
    /// A model that hears and speaks, behind a socket.
    openai_realtime,
    /// A speech server of one's own.
    speech_server,
    /// A recogniser of whole utterances behind HTTP.
    openai_stt,
    /// A streaming recogniser behind a socket.
    deepgram,
    /// A server of WhisperLiveKit or WhisperLive, whichever it is.
    whisper_auto,
    /// A streaming recogniser behind WhisperLiveKit's own socket.
    whisperlivekit,
    /// A streaming recogniser behind WhisperLive's socket.
    whisperlive,
    /// A recogniser of whole utterances that speaks Wyoming.
    wyoming_stt,
    /// A streaming recogniser behind a socket that judges when the caller has finished.
    deepgram_flux,
    /// A transcription session behind a socket.
    openai_realtime_stt,
    /// A streaming recogniser behind a socket that is told where utterances end.
    cartesia_stt,
    /// A language model behind HTTP.
    openai_llm,
    /// A language model at Groq.
    groq,
    /// A language model that Ollama runs.
    ollama,
    /// A language model of Anthropic's.
    anthropic,
    /// A voice behind HTTP.
    piper,
    /// A voice in OpenAI's form.
    openai_tts,
    /// ElevenLabs' voice.
    elevenlabs,
    /// Cartesia's voice.
    cartesia,
    /// Deepgram's voice.
    deepgram_tts,
    /// A voice that speaks Wyoming.
    wyoming_tts,
    /// A telephone system's voice.
    phone_tts,
}

impl Sections for Services {
    fn section(&self, name: &str) -> Option<&dyn Section> {
        self.get(name)
    }
}

impl Services {
    /// Those of a stage, by name.
    pub fn of(&self, stage: Stage) -> impl Iterator<Item = (&'static str, &dyn Section)> {
        self.all().filter(move |(_, service)| service.entry().stage == stage)
    }

    /// The one of this name.
    pub fn get(&self, name: &str) -> Option<&dyn Section> {
        self.all().find(|(known, _)| *known == name).map(|(_, service)| service)
    }

    /// Whether this is where a vendor listens, who serves nobody without a key: the default of a service across the
    /// Internet.
    pub fn is_vendor(url: &Endpoint) -> bool {
        Self::default().all().any(|(_, service)| {
            let usual = service.entry().url;
            usual.is_secure() && usual.host() == url.host()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::section::within;
    use super::super::{whisperlive, whisperlivekit};
    use super::*;

    #[tokio::test]
    async fn every_service_builds_an_engine_of_its_stage_under_the_name_of_its_section() {
        let services = Services::default();
        for (name, service) in services.all() {
            let engine = service.build(&services, None).expect("its defaults make sense");
            assert_eq!(engine.about(), (service.entry().stage, name));
        }
    }

    #[test]
    fn a_service_can_look_into_the_section_of_another() {
        let mut services = Services::default();
        services.whisperlive.same_output += 1;
        let sections: &dyn Sections = &services;
        let seen: whisperlive::Config = sections.of(whisperlive::NAME);
        assert_eq!(seen, services.whisperlive);
        assert_eq!(sections.of::<whisperlivekit::Config>(whisperlivekit::NAME), services.whisperlivekit);
    }

    #[test]
    fn vendors_are_those_whose_defaults_lie_across_the_internet() {
        let is_vendor = |url: &str| Services::is_vendor(&Endpoint::parse(url).expect("an address"));
        assert!(is_vendor("https://api.openai.com/v1") && is_vendor("wss://api.deepgram.com/v2/listen"));
        assert!(!is_vendor("http://127.0.0.1:5000") && !is_vendor("https://llm.example/v1"));
    }

    #[test]
    fn bounds_take_their_ends_and_name_them() {
        assert_eq!(within("speed", Some(0.7), 0.7..=1.2), None);
        assert_eq!(within("speed", None, 0.7..=1.2), None);
        let told = within("speed", Some(1.3), 0.7..=1.2).map(|problem| problem.message);
        assert_eq!(told.as_deref(), Some("must be from 0.7 to 1.2"));
        assert!(within("speed", Some(f32::NAN), 0.7..=1.2).is_some());
    }
}
