//! Servers beside ringway that no call asks yet: `ringway doctor` does.

use ringway_stages::secret::masked;
use ringway_stages::services::Endpoint;
use serde::Deserialize;

/// Where state is shared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisConfig {
    /// Where Redis listens, as `redis://HOST:PORT/DATABASE`, or `rediss` with TLS; none: there is none.
    pub url: Option<RedisUrl>,
    /// The environment variable of its password; a server that asks for none needs none.
    pub key: String,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self { url: None, key: "REDIS_PASSWORD".into() }
    }
}

/// Where conferences are held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LiveKitConfig {
    /// Where LiveKit listens, such as `ws://127.0.0.1:7880`; none: there is none.
    pub url: Option<Endpoint>,
}

/// The address of a Redis, without a password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct RedisUrl(String);

impl std::fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RedisUrl({})", self.authority())
    }
}

/// Why a text is no address of a Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedisUrlError {
    /// Something else.
    #[error("must begin with redis:// or rediss:// and name a host")]
    Scheme,
    /// Secrets do not stand in configurations.
    #[error("must hold no password: the environment variable that redis.key names has it")]
    Password,
}

impl RedisUrl {
    /// The address as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port, as people read them.
    pub fn authority(&self) -> &str {
        let behind = self.0.split_once("://").map_or(&*self.0, |(_, behind)| behind);
        behind.split(['/', '?']).next().unwrap_or_default()
    }
}

impl TryFrom<String> for RedisUrl {
    type Error = RedisUrlError;

    fn try_from(text: String) -> Result<Self, RedisUrlError> {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        let url = Self(text.clone());
        match scheme {
            Some("redis" | "rediss") if holds_password(&text) => Err(RedisUrlError::Password),
            Some("redis" | "rediss") if !url.authority().is_empty() => Ok(url),
            _ => Err(RedisUrlError::Scheme),
        }
    }
}

/// Before the host, or in the query.
fn holds_password(text: &str) -> bool {
    text.contains('@') || masked(text) != text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_host_and_no_password() {
        let read = |text: &str| RedisUrl::try_from(text.to_owned());
        assert_eq!(read("redis://redis:6379/0").unwrap().authority(), "redis:6379");
        assert_eq!(read("rediss://cache.example").unwrap().authority(), "cache.example");
        for wrong in ["redis", "http://redis:6379", "redis://", "redis:///0"] {
            assert_eq!(read(wrong), Err(RedisUrlError::Scheme), "{wrong}");
        }
        for text in
            ["redis://:secret@redis:6379", "redis://:se/cret@redis", "redis://redis/0?password=secret"]
        {
            assert_eq!(read(text), Err(RedisUrlError::Password), "{text}");
        }
    }
}
