//! Names that other voice systems give their settings, honoured here.

use crate::environment::{Said, Variables, origin, problem};
use crate::problem::{Origin, Problem};
use crate::schema::Schema;
use crate::setting::Setting;

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
    /// This key, an address: where the variable lacks them, with this scheme and this port.
    Url(&'static str, &'static str, u16),
    /// This key, a path of ours.
    Path(&'static str),
    /// This key, in milliseconds where no unit is given.
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
    alias("VOICE_WS_PATH", Meaning::Path("server.browser_path")),
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
    alias("LIVEKIT_URL", Meaning::Url("livekit.url", "ws", 7_880)),
    alias("LIVEKIT_PUBLIC_URL", Meaning::NotYet(LIVEKIT)),
    alias("LIVEKIT_NODE_IP", Meaning::NotYet(LIVEKIT)),
    alias("LIVEKIT_API_KEY", Meaning::NotYet(LIVEKIT)),
    alias("LIVEKIT_API_SECRET", Meaning::NotYet(LIVEKIT)),
    alias("LIVEKIT_SIP_TRUNK_ID", Meaning::NotYet(LIVEKIT)),
    alias("OLLAMA_URL", Meaning::Url("ollama.url", "http", 11_434)),
    alias("OLLAMA_MODEL", Meaning::Key("ollama.model")),
    alias("WHISPERLIVE_URL", Meaning::Url("whisper_auto.url", "ws", WHISPERLIVE)),
    alias(WHISPERLIVE_HOST, Meaning::Host("whisper_auto.url")),
    alias(WHISPERLIVE_PORT, Meaning::Port("whisper_auto.url")),
    alias("PIPER_URL", Meaning::Url("piper.url", "http", 5_000)),
    alias("REDIS_URL", Meaning::Url("redis.url", "redis", 6_379)),
    alias("EC2_WEBSOCKET_URL", Meaning::Url("speech_server.url", "ws", 80)),
    alias("TWILIO_ACCOUNT_SID", Meaning::NotYet(DIALLING)),
    alias("TWILIO_PHONE", Meaning::NotYet(DIALLING)),
];

/// What the aliases in an environment say. What cannot be followed is a warning: a platform may set a variable of the same
/// name for its own ends. Values are never repeated: secrets are among them.
pub(crate) fn read(variables: &Variables, schema: &Schema) -> Said {
    let mut said = Said::default();
    for Alias { variable, meaning } in ALIASES {
        let Some(text) = variables.get(*variable) else { continue };
        match *meaning {
            Meaning::Log => {}
            Meaning::Fixed(values) if values.contains(&text.as_str()) => {}
            Meaning::Fixed(values) => {
                said.ignored(variable, &format!("here it is always {}", values.join(" or ")));
            }
            Meaning::NotYet(feature) => said.ignored(variable, &format!("ringway does not do {feature} yet")),
            Meaning::Key(_) | Meaning::Millis(_) | Meaning::Path(_) | Meaning::Port(_) if is_link(text) => {
                said.ignored(variable, LINK);
            }
            Meaning::Key(key) => said.alias(variable, key, text, schema),
            Meaning::Url(key, scheme, port) => {
                said.alias(variable, key, &address(text, scheme, port), schema);
            }
            Meaning::Path(key) => said.alias(variable, key, &path(text), schema),
            Meaning::Millis(key) => said.alias(variable, key, &with_unit(text), schema),
            Meaning::Host(key) => said.alias(variable, key, &whisperlive(variables), schema),
            Meaning::Port(_) if text.parse::<u16>().is_err() => said.ignored(variable, "it is no port"),
            // It was read together with its host.
            Meaning::Port(_) if variables.contains_key(WHISPERLIVE_HOST) => {}
            Meaning::Port(key) => said.alias(variable, key, &whisperlive(variables), schema),
        }
    }
    said
}

/// What becomes of a mistake that an alias is to blame for; `None`: it is none of an alias.
pub(crate) fn pardoned(mistake: &Problem) -> Option<Problem> {
    let Origin::Environment { variable } = &mistake.origin else { return None };
    let is_alias = ALIASES.iter().any(|alias| alias.variable == variable);
    is_alias.then(|| problem(variable, &mistake.key, format!("ignored: {}", mistake.message)))
}

impl Said {
    fn alias(&mut self, variable: &str, key: &str, text: &str, schema: &Schema) {
        let first = self.settings.iter().find(|setting| setting.key == key).map(|setting| &setting.origin);
        if let Some(Origin::Environment { variable: first }) = first {
            let reason = format!("{first} sets {key} already");
            return self.ignored(variable, &reason);
        }
        let value = schema.key(key).map(|known| known.kind.parse(text).map_err(|_| known.kind.demand()));
        let read = value.unwrap_or_else(|| Err(UNREADABLE.into())).and_then(|value| {
            let setting = Setting { key: key.to_owned(), value, origin: origin(variable) };
            setting.read(schema).map(|()| setting).map_err(|mistake| mistake.without_value(text))
        });
        match read {
            Ok(setting) => self.settings.push(setting),
            Err(reason) => self.ignored(variable, &reason),
        }
    }

    fn ignored(&mut self, variable: &str, reason: &str) {
        self.warnings.push(problem(variable, "", format!("ignored: {reason}")));
    }
}

/// What Kubernetes sets for a service of a name that leads to the same variable:
/// <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>.
fn is_link(text: &str) -> bool {
    ["tcp://", "udp://", "sctp://"].iter().any(|scheme| text.starts_with(scheme))
}

/// An address, with scheme and port where it has none.
fn address(text: &str, scheme: &str, port: u16) -> String {
    if text.contains("://") {
        return text.to_owned();
    }
    let (host, path) = text.split_at(text.find(['/', '?']).unwrap_or(text.len()));
    let (host, has_port) = match host.matches(':').count() {
        0 => (host.to_owned(), false),
        // An IPv6 address in digits.
        2.. if !host.starts_with('[') => (format!("[{host}]"), false),
        _ => (host.to_owned(), !host.ends_with(']')),
    };
    if has_port { format!("{scheme}://{host}{path}") } else { format!("{scheme}://{host}:{port}{path}") }
}

/// A path, with a slash in front and none at the end.
fn path(text: &str) -> String {
    format!("/{}", text.trim_matches('/'))
}

/// Milliseconds, where it is a number alone.
fn with_unit(text: &str) -> String {
    if text.parse::<u64>().is_ok() { format!("{text}ms") } else { text.to_owned() }
}

/// The address out of two variables, of which one is enough.
fn whisperlive(variables: &Variables) -> String {
    let host = variables.get(WHISPERLIVE_HOST).map_or("127.0.0.1", String::as_str);
    let port = variables.get(WHISPERLIVE_PORT).and_then(|port| port.parse().ok());
    address(host, "ws", port.unwrap_or(WHISPERLIVE))
}

const fn alias(variable: &'static str, meaning: Meaning) -> Alias {
    Alias { variable, meaning }
}

const LIVEKIT: &str = "LiveKit";
const WHISPERLIVE_HOST: &str = "WHISPERLIVE_HOST";
const WHISPERLIVE_PORT: &str = "WHISPERLIVE_PORT";
const DIALLING: &str = "calls to telephones";
const LINK: &str =
    "it is the address of a Kubernetes service, which is set for every pod, and no setting of ringway's";
const UNREADABLE: &str = "it cannot be read";
/// The port that its server listens on.
const WHISPERLIVE: u16 = 9_090;
