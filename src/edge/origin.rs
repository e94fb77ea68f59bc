//! Which pages may open a browser socket.

use crate::access::is_loopback;
use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use ringway_config::ServerConfig;
use std::net::IpAddr;

/// Whether a request comes from a page that may connect: our own, one that is configured, or no page at all (a program
/// is not tricked into connecting; a browser always says where its page is from).
pub fn permitted(headers: &HeaderMap, server: &ServerConfig) -> Result<(), String> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let origin = String::from_utf8_lossy(origin.as_bytes()).into_owned();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = origin
        .split_once("://")
        .is_some_and(|(_, authority)| Some(authority) == host && is_ours(authority, server));
    let listed = server.allowed_origins.iter().chain(&server.public_url);
    if own || listed.into_iter().any(|allowed| allowed.trim_end_matches('/').eq_ignore_ascii_case(&origin)) {
        Ok(())
    } else {
        Err(origin)
    }
}

/// Whether a page at this authority is our own. On loopback a name that others may give us in the DNS is not: their page
/// would be where we are once the name has been rebound.
fn is_ours(authority: &str, server: &ServerConfig) -> bool {
    let address = authority.parse::<Authority>().ok();
    let is_address =
        || address.is_some_and(|address| address.host().trim_matches(['[', ']']).parse::<IpAddr>().is_ok());
    !server.listen.is_loopback() || is_loopback(authority) || is_address()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(origin: &'static str, host: &'static str) -> HeaderMap {
        HeaderMap::from_iter([
            (ORIGIN, HeaderValue::from_static(origin)),
            (HOST, HeaderValue::from_static(host)),
        ])
    }

    fn listed(origins: &[&str]) -> ServerConfig {
        let allowed_origins = origins.iter().map(|&origin| origin.to_owned()).collect();
        ServerConfig { allowed_origins, ..ServerConfig::default() }
    }

    #[test]
    fn a_page_of_another_site_may_not_connect() {
        let own = headers("http://127.0.0.1:3000", "127.0.0.1:3000");
        let foreign = headers("https://evil.example", "127.0.0.1:3000");
        let none = listed(&[]);
        assert_eq!(permitted(&own, &none), Ok(()));
        assert_eq!(permitted(&foreign, &none), Err("https://evil.example".to_owned()));
        assert_eq!(permitted(&foreign, &listed(&["https://evil.example/"])), Ok(()));
        assert!(permitted(&headers("null", "127.0.0.1:3000"), &none).is_err());
        assert!(permitted(&headers("http://127.0.0.1:3000.evil.example", "127.0.0.1:3000"), &none).is_err());
    }

    #[test]
    fn a_name_that_was_rebound_to_loopback_is_not_ours() {
        let rebound = headers("http://evil.example:3000", "evil.example:3000");
        assert!(permitted(&rebound, &listed(&[])).is_err());
        for own in ["localhost:3000", "app.localhost", "[::1]:3000", "127.0.0.1"] {
            assert!(is_ours(own, &listed(&[])), "{own}");
        }
        let open = ServerConfig { listen: [0, 0, 0, 0].into(), ..ServerConfig::default() };
        assert_eq!(permitted(&rebound, &open), Ok(()), "there, names are how we are reached");
        let tunnel =
            ServerConfig { public_url: Some("https://voice.example".into()), ..ServerConfig::default() };
        assert_eq!(permitted(&headers("https://voice.example", "voice.example"), &tunnel), Ok(()));
    }

    #[test]
    fn a_program_has_no_origin() {
        assert_eq!(permitted(&HeaderMap::new(), &listed(&[])), Ok(()));
    }
}
