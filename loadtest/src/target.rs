use clap::ValueEnum;
use std::fmt;
use std::str::FromStr;
use tokio_tungstenite::tungstenite::http::Uri;

/// How the server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// Twilio Media Streams.
    Twilio,
    /// The browser socket `/voice-ws`.
    Browser,
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

/// A server's address, as the user gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server(Uri);

/// Why a URL is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// Not a URL at all, or without a host.
    #[error("not a URL with a host, such as http://127.0.0.1:3000 or ws://127.0.0.1:3000/path")]
    Malformed,
    /// With TLS.
    #[error("TLS is not spoken here: give the server's plain address (http:// or ws://)")]
    Tls,
    /// Another scheme.
    #[error("{0}:// is not spoken here: http:// and ws:// are")]
    Scheme(String),
}

impl FromStr for Server {
    type Err = BadUrl;
    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let uri: Uri = text.parse().map_err(|_| BadUrl::Malformed)?;
        uri.host().ok_or(BadUrl::Malformed)?;
        match uri.scheme_str() {
            Some("http" | "ws") => Ok(Self(uri)),
            Some("https" | "wss") => Err(BadUrl::Tls),
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
        let url = format!("ws://{authority}{}", given.unwrap_or(dialect.path()));
        url.parse().expect("parts of a URL make one")
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
    }

    #[test]
    fn what_is_no_plain_url_is_refused() {
        let refused = |url: &str| url.parse::<Server>().unwrap_err();
        assert_eq!(refused("wss://bot/"), BadUrl::Tls);
        assert_eq!(refused("ftp://bot/"), BadUrl::Scheme("ftp".into()));
        for malformed in ["", "127.0.0.1", "/media", "http://"] {
            assert_eq!(refused(malformed), BadUrl::Malformed, "{malformed:?}");
        }
    }
}
