use crate::voice::Encoding;
use clap::ValueEnum;
use ringway_wire::voice_ws::Codec;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Uri};

/// Who is called, and how.
#[derive(Clone, Debug)]
pub struct Target {
    /// The media socket.
    pub url: Uri,
    /// How it is spoken to.
    pub dialect: Dialect,
    /// How audio is coded on a browser socket.
    pub codec: Codec,
    /// The dialogue asked for.
    pub dialogue: Option<String>,
    /// Sent along with a carrier's start.
    pub custom_parameters: Vec<(String, String)>,
    /// Sent with the upgrade.
    pub headers: Vec<Header>,
    /// Where the socket is spoken to by TLS.
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

/// How the server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// Twilio Media Streams.
    Twilio,
    /// The browser socket `/voice-ws`.
    Browser,
}

/// A header of the upgrade, as in `Authorization: Bearer abc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: HeaderName,
    /// Its value.
    pub value: HeaderValue,
}

/// A server's address, as the user gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server(Uri);

/// Why a URL is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// Not a URL at all, or without a host.
    #[error("not a URL with a host, such as http://127.0.0.1:3000 or wss://bot.example/path")]
    Malformed,
    /// Another scheme.
    #[error("{0}:// is not spoken here: http://, https://, ws:// and wss:// are")]
    Scheme(String),
}

/// Not a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a header such as 'Authorization: Bearer abc'")]
pub struct BadHeader;

impl Target {
    /// How callers' audio is coded.
    pub fn encoding(&self) -> Encoding {
        match self.dialect {
            Dialect::Twilio => Encoding::Mulaw,
            Dialect::Browser => self.codec.into(),
        }
    }

    /// The name of the coding in reports.
    pub const fn codec_name(&self) -> &'static str {
        match self.dialect {
            Dialect::Twilio => "mulaw",
            Dialect::Browser => self.codec.name(),
        }
    }

    /// What a carrier's start carries: the dialogue, and what else was given.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let dialogue = self.dialogue.iter().map(|dialogue| ("dialogue".to_owned(), dialogue.clone()));
        dialogue.chain(self.custom_parameters.iter().cloned()).collect()
    }
}

impl Dialect {
    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Browser => "browser",
        }
    }

    /// Where ringway speaks it.
    const fn path(self) -> &'static str {
        match self {
            Self::Twilio => "/media/twilio",
            Self::Browser => "/voice-ws",
        }
    }
}

impl FromStr for Header {
    type Err = BadHeader;
    fn from_str(text: &str) -> Result<Self, BadHeader> {
        let (name, value) = text.split_once(':').ok_or(BadHeader)?;
        let name = name.trim().parse().map_err(|_| BadHeader)?;
        Ok(Self { name, value: value.trim().parse().map_err(|_| BadHeader)? })
    }
}

impl FromStr for Server {
    type Err = BadUrl;
    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let uri: Uri = text.parse().map_err(|_| BadUrl::Malformed)?;
        uri.host().ok_or(BadUrl::Malformed)?;
        match uri.scheme_str() {
            Some("http" | "ws" | "https" | "wss") => Ok(Self(uri)),
            Some(other) => Err(BadUrl::Scheme(other.to_owned())),
            None => Err(BadUrl::Malformed),
        }
    }
}

impl Server {
    /// The media socket's address: the path that was given, or the one where ringway speaks `dialect`.
    pub fn socket(&self, dialect: Dialect) -> Uri {
        let authority = self.0.authority().expect("a host was checked for").as_str();
        let given = self.0.path_and_query().map(|path| path.as_str()).filter(|path| *path != "/");
        let scheme = if self.is_tls() { "wss" } else { "ws" };
        let url = format!("{scheme}://{authority}{}", given.unwrap_or(dialect.path()));
        url.parse().expect("parts of a URL make one")
    }

    /// It is spoken to by TLS.
    pub fn is_tls(&self) -> bool {
        matches!(self.0.scheme_str(), Some("https" | "wss"))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_the_dialects_own_unless_one_is_given() {
        let socket = |url: &str, dialect| url.parse::<Server>().unwrap().socket(dialect).to_string();
        assert_eq!(socket("http://127.0.0.1:3000", Dialect::Twilio), "ws://127.0.0.1:3000/media/twilio");
        assert_eq!(socket("ws://localhost:1/", Dialect::Browser), "ws://localhost:1/voice-ws");
        assert_eq!(socket("ws://bot:80/ws?a=1", Dialect::Twilio), "ws://bot:80/ws?a=1");
        assert_eq!(socket("https://bot/", Dialect::Browser), "wss://bot/voice-ws");
    }

    #[test]
    fn what_is_no_url_is_refused() {
        let refused = |url: &str| url.parse::<Server>().unwrap_err();
        assert_eq!(refused("ftp://bot/"), BadUrl::Scheme("ftp".into()));
        for malformed in ["", "127.0.0.1", "/media", "http://"] {
            assert_eq!(refused(malformed), BadUrl::Malformed, "{malformed:?}");
        }
    }

    #[test]
    fn headers_have_a_name_and_a_value() {
        let header: Header = "X-Twilio-Signature: a:b=".parse().unwrap();
        assert_eq!(
            (header.name.as_str(), header.value.as_bytes()),
            ("x-twilio-signature", b"a:b=".as_slice())
        );
        for wrong in ["", "Authorization", "bad name: x", "name: a\nb"] {
            assert_eq!(wrong.parse::<Header>(), Err(BadHeader), "{wrong:?}");
        }
    }
}
