//! Names that other voice systems give their settings, honoured here.

use crate::environment::{Said, Variables, problem};
use crate::schema::Schema;

/// A variable of another system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The variable.
    pub variable: &'static str,
    /// What it means here.
    pub meaning: Meaning,
}

/// What another system's variable means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// This key.
    Key(&'static str),
    /// This key, in milliseconds.
    Millis(&'static str),
    /// The host of the address that is this key.
    Host(&'static str),
    /// Its port.
    Port(&'static str),
    /// What the log tells: the process reads it before its configuration.
    Log,
    /// Something that ringway fixes; one of these values asks for just that.
    Fixed(&'static [&'static str]),
    /// Something that ringway does not do yet.
    NotYet(&'static str),
}

/// All of them; of two for the same key the first counts.
pub const ALIASES: &[Alias] = &[
    alias("PORT", Meaning::Key("server.port")),
    alias("VOICE_WS_PORT", Meaning::Key("server.port")),
    alias("VOICE_WS_PATH", Meaning::Key("server.browser_path")),
    alias("VOICE_SOCKETIO_PATH", Meaning::NotYet("Socket.IO")),
    alias("VOICE_MAX_CONNECTIONS", Meaning::Key("limits.calls")),
    // Bytes: 20 ms of s16 at 48 kHz, at 16 kHz.
    alias("VOICE_FRAME_SIZE", Meaning::Fixed(&["1920", "640"])),
    alias("VOICE_HEARTBEAT_INTERVAL", Meaning::Millis("server.heartbeat")),
    alias("VOICE_SESSION_TIMEOUT", Meaning::NotYet("a timeout of idle sessions")),
    alias("VOICE_JWT_SECRET", Meaning::NotYet("JSON Web Tokens")),
    alias("VOICE_RATE_LIMIT_PER_IP", Meaning::NotYet("a rate limit for each address")),
    alias("VOICE_DEBUG", Meaning::Log),
    alias("VOICE_LOG_LEVEL", Meaning::Log),
    alias("LIVEKIT_URL", Meaning::Key("livekit.url")),
    alias("LIVEKIT_PUBLIC_URL", Meaning::NotYet(LIVEKIT)),
    alias("LIVEKIT_NODE_IP", Meaning::NotYet(LIVEKIT)),
    alias("LIVEKIT_API_KEY", Meaning::NotYet(LIVEKIT)),
    alias("LIVEKIT_API_SECRET", Meaning::NotYet(LIVEKIT)),
    alias("LIVEKIT_SIP_TRUNK_ID", Meaning::NotYet(LIVEKIT)),
    alias("OLLAMA_URL", Meaning::Key("ollama.url")),
    alias("OLLAMA_MODEL", Meaning::Key("ollama.model")),
    alias("WHISPERLIVE_URL", Meaning::Key("whisper_auto.url")),
    alias(WHISPERLIVE_HOST, Meaning::Host("whisper_auto.url")),
    alias(WHISPERLIVE_PORT, Meaning::Port("whisper_auto.url")),
    alias("PIPER_URL", Meaning::Key("piper.url")),
    alias("REDIS_URL", Meaning::Key("redis.url")),
    alias("EC2_WEBSOCKET_URL", Meaning::Key("speech_server.url")),
    alias("TWILIO_ACCOUNT_SID", Meaning::NotYet(DIALLING)),
    alias("TWILIO_PHONE", Meaning::NotYet(DIALLING)),
];

/// What the aliases in an environment say. Values are never repeated: secrets are among them.
pub(crate) fn read(variables: &Variables, schema: &Schema) -> Said {
    let mut said = Said::default();
    for Alias { variable, meaning } in ALIASES {
        let Some(text) = variables.get(*variable) else { continue };
        match *meaning {
            Meaning::Key(key) => said.alias(variable, key, text, schema),
            Meaning::Millis(key) => said.alias(variable, key, &format!("{text}ms"), schema),
            Meaning::Host(key) => said.alias(variable, key, &whisperlive(variables), schema),
            // It was read together with its host.
            Meaning::Port(_) if variables.contains_key(WHISPERLIVE_HOST) => {}
            Meaning::Port(key) => said.alias(variable, key, &whisperlive(variables), schema),
            Meaning::Log => {}
            Meaning::Fixed(values) if values.contains(&text.as_str()) => {}
            Meaning::Fixed(values) => {
                said.ignored(variable, &format!("here it is always {}", values.join(" or ")));
            }
            Meaning::NotYet(feature) => said.ignored(variable, &format!("ringway does not do {feature} yet")),
        }
    }
    said
}

impl Said {
    fn alias(&mut self, variable: &str, key: &str, text: &str, schema: &Schema) {
        let first = self.settings.iter().find(|setting| setting.key == key).map(|setting| &setting.origin);
        match first {
            Some(crate::Origin::Environment { variable: first }) => {
                let reason = format!("{first} sets {key} already");
                self.ignored(variable, &reason);
            }
            _ => self.take(variable, key, text, schema),
        }
    }

    fn ignored(&mut self, variable: &str, reason: &str) {
        self.warnings.push(problem(variable, "", format!("ignored: {reason}")));
    }
}

/// The address out of two variables, of which one is enough.
fn whisperlive(variables: &Variables) -> String {
    let host = variables.get(WHISPERLIVE_HOST).map_or("127.0.0.1", String::as_str);
    let port = variables.get(WHISPERLIVE_PORT).map_or("9090", String::as_str);
    format!("ws://{host}:{port}")
}

const fn alias(variable: &'static str, meaning: Meaning) -> Alias {
    Alias { variable, meaning }
}

const LIVEKIT: &str = "LiveKit";
const WHISPERLIVE_HOST: &str = "WHISPERLIVE_HOST";
const WHISPERLIVE_PORT: &str = "WHISPERLIVE_PORT";
const DIALLING: &str = "calls to telephones";
