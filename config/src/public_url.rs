use std::fmt;
use std::str::FromStr;

/// How others reach this server: `server.public_url`, or what a request says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    /// Over TLS.
    pub secure: bool,
    /// The host, as it was written: a name, or an address, IPv6 in brackets.
    pub host: String,
    /// The port, where it was written.
    pub port: Option<u16>,
    /// What stands before each of our own paths; empty, or with a slash before it and none behind.
    pub path: String,
}

/// Why a text is no public address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicUrlError {
    /// Another scheme, or none.
    #[error("must begin with https:// or http://, then a host")]
    Scheme,
    /// No host, or characters that no host has.
    #[error("must name a host behind https:// or http://")]
    Host,
    /// No number of a port.
    #[error("must have a port from 1 to 65535 behind the colon, or none")]
    Port,
    /// A name or a password.
    #[error("must not hold a name or a password")]
    Credentials,
    /// Something behind the path.
    #[error("must end with its path: neither ? nor # belongs there")]
    Query,
}

impl PublicUrl {
    /// Our `path` over HTTP.
    pub fn http(&self, path: &str) -> String {
        format!("{}://{self}{path}", if self.secure { "https" } else { "http" })
    }

    /// The address with the host as it was written.
    pub fn as_typed(&self) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{}{port}{}", if self.secure { "https" } else { "http" }, self.host, self.path)
    }

    /// Our `path` as a WebSocket.
    pub fn ws(&self, path: &str) -> String {
        format!("{}://{self}{path}", if self.secure { "wss" } else { "ws" })
    }
}

/// Host, port and path.
impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host.to_ascii_lowercase())?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(&self.path)
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(PublicUrlError::Scheme)?;
        let secure = scheme.eq_ignore_ascii_case("https");
        if !secure && !scheme.eq_ignore_ascii_case("http") {
            return Err(PublicUrlError::Scheme);
        }
        if rest.contains(['?', '#']) {
            return Err(PublicUrlError::Query);
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = host_and_port(authority)?;
        let path = path.trim_end_matches('/').to_owned();
        if path.chars().any(|char| char.is_whitespace() || char.is_control()) {
            return Err(PublicUrlError::Host);
        }
        Ok(Self { secure, host: host.to_owned(), port, path })
    }
}

fn host_and_port(authority: &str) -> Result<(&str, Option<u16>), PublicUrlError> {
    if authority.contains('@') {
        return Err(PublicUrlError::Credentials);
    }
    let behind = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match authority[behind..].find(':') {
        Some(colon) => (&authority[..behind + colon], Some(&authority[behind + colon + 1..])),
        None => (authority, None),
    };
    let is_name = |char: char| char.is_alphanumeric() || matches!(char, '.' | '-' | '_');
    let is_address = || host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let known = host.chars().all(is_name)
        || is_address().is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
    if host.is_empty() || !known {
        return Err(PublicUrlError::Host);
    }
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok())?;
    match port {
        None | Some("") => Ok((host, None)),
        Some(port) => {
            let port = digits(port).filter(|port| *port > 0).ok_or(PublicUrlError::Port)?;
            Ok((host, Some(port)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> PublicUrl {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn an_address_keeps_its_scheme_port_and_path_and_loses_capitals() {
        let plain = read("https://h.example");
        assert_eq!(plain.http("/media"), "https://h.example/media");
        assert_eq!(plain.ws("/media"), "wss://h.example/media");
        assert_eq!(read("HTTPS://H.Example/").http("/a"), "https://h.example/a");
        assert_eq!(read("http://h.example:3000").ws("/a"), "ws://h.example:3000/a");
        assert_eq!(read("https://h.example/ringway/").ws("/a"), "wss://h.example/ringway/a");
        assert_eq!(read("https://[::1]:8443").http("/a"), "https://[::1]:8443/a");
        assert_eq!(read("https://h.example:").port, None);
    }

    #[test]
    fn what_is_no_address_is_refused_by_its_part() {
        for (text, error) in [
            ("h.example", PublicUrlError::Scheme),
            ("wss://h.example", PublicUrlError::Scheme),
            ("https://", PublicUrlError::Host),
            ("https:///path", PublicUrlError::Host),
            ("https://a b", PublicUrlError::Host),
            ("https://[::1", PublicUrlError::Host),
            ("https://h.example:99999", PublicUrlError::Port),
            ("https://h.example:0", PublicUrlError::Port),
            ("https://h.example:+1", PublicUrlError::Port),
            ("https://me:secret@h.example", PublicUrlError::Credentials),
            ("https://h.example/?a=1", PublicUrlError::Query),
            ("https://h.example#a", PublicUrlError::Query),
        ] {
            assert_eq!(text.parse::<PublicUrl>(), Err(error), "{text}");
        }
    }
}
