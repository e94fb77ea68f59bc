use crate::Network;
use ringway_stages::humane;
use ringway_stages::services::ApiKey;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Where and how ringway listens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address to listen on. Not on loopback an API token is required.
    pub listen: IpAddr,
    /// Port to listen on; 0 lets the system choose.
    pub port: u16,
    /// A second path of the browser socket, beside `/voice-ws`.
    pub browser_path: Option<String>,
    /// How often a peer is pinged; one that is silent for 2.4 times as long is gone.
    #[serde(with = "humane")]
    pub heartbeat: Duration,
    /// Origins besides our own whose pages may open `/voice-ws`, such as `https://shop.example`.
    #[serde(deserialize_with = "crate::public_address::origins")]
    pub allowed_origins: Vec<String>,
    /// How carriers reach us, such as `https://voice.example`: signatures are computed over it and TwiML names it.
    /// Without it the request's own `Host` is believed, and what a proxy says of it where that is signed. No slash at
    /// the end.
    #[serde(deserialize_with = "crate::public_address::public")]
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` names the client, for the limits per address.
    pub trusted_proxies: Vec<Network>,
    /// How long SIGTERM waits for calls in progress; what follows takes 4 s more at most.
    #[serde(with = "humane")]
    pub drain: Duration,
    /// TLS of the listener.
    pub tls: Option<Tls>,
    /// Opens the fault injection API.
    pub chaos: bool,
}

/// TLS of the listener.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Tls {
    /// A certificate made at start, for use from another machine of one's own.
    SelfSigned,
    /// PEM files.
    Files {
        /// The certificate chain.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// How much is taken in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Calls at once.
    pub calls: usize,
    /// Calls at once from one address; 0: any number. Signed requests of a carrier are not limited.
    pub calls_per_address: usize,
    /// Media sockets at once that have not sent `start` yet; 0: as many as calls.
    pub unstarted: usize,
    /// The same from one address; 0: any number. Signed requests of a carrier are not limited.
    pub unstarted_per_address: usize,
    /// HTTP connections at once; fewer where the process may open few files.
    pub connections: usize,
    /// HTTP connections at once from one address; 0: any number.
    pub connections_per_address: usize,
    /// Addresses without limits of their own: this machine, and proxies that tell no client's address.
    pub exempt_addresses: Vec<Network>,
    /// Calls for each thread of the recogniser that serves; 0: any number.
    pub calls_per_recogniser: usize,
    /// Calls for each thread of the voice that serves; 0: any number.
    pub calls_per_voice: usize,
    /// Media cores; 0 takes one for every two processors, at least one.
    pub media_cores: usize,
    /// Metronome lateness above which no call is taken.
    #[serde(with = "humane")]
    pub lateness: Duration,
}

/// The voice as a service for others, such as a telephone system.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TtsApiConfig {
    /// Address to listen on; none: it is not served. Not on loopback an API token is required.
    pub listen: Option<IpAddr>,
    /// Port to listen on; 0 lets the system choose.
    pub port: u16,
    /// Requests at once; beyond them 503.
    pub requests: usize,
    /// Characters of the longest text.
    pub longest_text: usize,
}

/// What is shown at `/metrics`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// Counts and measures; off, `/metrics` tells of the process alone.
    pub enabled: bool,
    /// Time within which a turn is to be answered; later ones are counted as over budget.
    #[serde(with = "humane")]
    pub answer_budget: Duration,
}

/// Where a record of each call's turns is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordingConfig {
    /// The folder; none: nothing is recorded.
    pub dir: Option<PathBuf>,
}

/// Secrets; from the environment only, never from a file.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// `RINGWAY_ADMIN_TOKEN`.
    pub admin_token: Option<String>,
    /// `TWILIO_AUTH_TOKEN`.
    pub twilio_auth_token: Option<String>,
    /// `TWILIO_SHARED_KEY_SECRET`.
    pub twilio_shared_key: Option<String>,
    /// Keys of the services that serve, by the variables that the configuration names.
    pub api_keys: BTreeMap<String, Option<String>>,
}

impl Secrets {
    /// The variable of the API token.
    pub const ADMIN_TOKEN: &'static str = "RINGWAY_ADMIN_TOKEN";
    /// The variable of Twilio's token.
    pub const TWILIO_AUTH_TOKEN: &'static str = "TWILIO_AUTH_TOKEN";
    /// The variable of the key that Twilio signs webhooks with in the token's place.
    pub const TWILIO_SHARED_KEY: &'static str = "TWILIO_SHARED_KEY_SECRET";

    /// The key in this variable.
    pub fn api_key(&self, variable: &str) -> Option<ApiKey> {
        self.api_keys.get(variable)?.as_ref().map(ApiKey::new)
    }

    /// The password in this variable, for who cannot take a key.
    pub fn password(&self, variable: &str) -> Option<&str> {
        self.api_keys.get(variable)?.as_deref()
    }

    pub(crate) fn by_variable(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let Self { admin_token, twilio_auth_token, twilio_shared_key, api_keys } = self;
        let ours = [
            (Self::ADMIN_TOKEN, admin_token),
            (Self::TWILIO_AUTH_TOKEN, twilio_auth_token),
            (Self::TWILIO_SHARED_KEY, twilio_shared_key),
        ];
        let services = api_keys.iter().map(|(variable, key)| (variable.as_str(), key));
        ours.into_iter().chain(services).map(|(variable, secret)| (variable, secret.as_deref()))
    }

    /// All that is told of a secret.
    pub(crate) fn shown(secret: Option<&str>) -> &'static str {
        if secret.is_some() { "set" } else { "unset" }
    }
}

impl ServerConfig {
    /// Address and port.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.listen, self.port)
    }
}

impl LimitsConfig {
    /// Media sockets at once that have not sent `start` yet.
    pub fn unstarted_sockets(&self) -> usize {
        if self.unstarted == 0 { self.calls } else { self.unstarted }
    }
}

impl TtsApiConfig {
    /// Address and port, where it is served.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listen.map(|listen| SocketAddr::new(listen, self.port))
    }
}

impl Default for TtsApiConfig {
    fn default() -> Self {
        Self { listen: None, port: 8000, requests: 32, longest_text: 5_000 }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 3000,
            browser_path: None,
            heartbeat: Duration::from_secs(25),
            allowed_origins: Vec::new(),
            public_url: None,
            trusted_proxies: Network::LOOPBACK.to_vec(),
            drain: Duration::from_secs(20),
            tls: None,
            chaos: false,
        }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            calls: 100,
            calls_per_address: 25,
            unstarted: 0,
            unstarted_per_address: 16,
            connections: 1_024,
            connections_per_address: 128,
            exempt_addresses: Network::LOOPBACK.to_vec(),
            calls_per_recogniser: 0,
            calls_per_voice: 0,
            media_cores: 0,
            lateness: Duration::from_millis(200),
        }
    }
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self { enabled: true, answer_budget: Duration::from_millis(800) }
    }
}

impl TryFrom<String> for Tls {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::str::FromStr for Tls {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "self-signed" {
            return Ok(Self::SelfSigned);
        }
        let (certificate, key) = text
            .split_once(',')
            .filter(|(certificate, key)| !certificate.is_empty() && !key.is_empty())
            .ok_or_else(|| format!("{text:?} is neither \"self-signed\" nor CERTIFICATE,KEY"))?;
        Ok(Self::Files { certificate: certificate.into(), key: key.into() })
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = self.by_variable().map(|(name, secret)| (name, Self::shown(secret)));
        f.debug_map().entries(shown).finish()
    }
}
