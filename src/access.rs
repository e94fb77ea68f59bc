//! Who may ask: the one place that every request passes.
//!
//! | route | with a token | without one |
//! |---|---|---|
//! | `/health`, `/metrics`, the page's files | open | open |
//! | a browser's media socket | its Origin must be permitted | the same, from this machine |
//! | a carrier's socket and webhooks, signed | the signature | the signature |
//! | a carrier's socket, unsigned | like a browser's | like a browser's |
//! | everything else | the token | from this machine |
//!
//! "From this machine" is judged by the request, not by its address: the `Host` must be loopback, or a page whose name
//! was rebound to this address could read it, and no proxy may have forwarded it, or the whole world could.

mod denied;
mod loopback;

pub use denied::Denied;
pub use loopback::is_loopback;

use crate::addresses::{Peer, client};
use crate::api::ApiError;
use crate::app::Server;
use crate::edge::permitted;
use crate::edge::twilio::signature_is_required;
use crate::refusals;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{HeaderMap, Uri, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ringway_config::ServerConfig;
use std::net::IpAddr;
use std::sync::Arc;

/// Headers that proxies and tunnels add to what they forward.
const FORWARDED: [&str; 12] = [
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "fastly-client-ip",
    "x-proxyuser-ip",
    "x-amzn-trace-id",
    "x-request-start",
    "x-scheme",
    "x-accel-internal",
];

/// How families of such headers begin.
const FORWARDED_FAMILIES: [&str; 5] = ["x-forwarded-", "x-original-", "x-envoy-", "cf-", "fly-"];

/// What is known of a request before its body.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'r> {
    headers: &'r HeaderMap,
    uri: &'r Uri,
    version: Version,
}

impl<'r> Asked<'r> {
    /// Of this request.
    pub fn of<B>(request: &'r axum::http::Request<B>) -> Self {
        Self { headers: request.headers(), uri: request.uri(), version: request.version() }
    }

    /// For what reveals or does something.
    ///
    /// # Errors
    /// The token is missing or wrong; without one, the request is not from this machine or from another site's page.
    pub fn guarded(self, token: Option<&str>, server: &ServerConfig) -> Result<(), Denied> {
        match token {
            Some(token) => self.knows(token),
            None => self.local().and_then(|()| self.own_page(server)),
        }
    }

    /// For a media socket that nobody signs.
    ///
    /// # Errors
    /// Another site's page asks; without a token, the request is not from this machine.
    pub fn socket(self, token: Option<&str>, server: &ServerConfig) -> Result<(), Denied> {
        if token.is_none() {
            self.local()?;
        }
        permitted(self.headers, server).map_err(Denied::Origin)
    }

    /// For what takes the token in any case.
    ///
    /// # Errors
    /// The token is missing or wrong.
    pub fn knows(self, token: &str) -> Result<(), Denied> {
        let given = self.headers.get(AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
        let known = given.is_some_and(|given| constant_time_eq(given, token.as_bytes()));
        if known { Ok(()) } else { Err(Denied::Token) }
    }

    fn local(self) -> Result<(), Denied> {
        if let Some(header) = self.forwarded() {
            return Err(Denied::Proxied(header));
        }
        let hosts: Vec<_> =
            self.headers.get_all(HOST).iter().map(|host| host.to_str().unwrap_or("?")).collect();
        let target = self.uri.authority().map(axum::http::uri::Authority::as_str);
        let all: Vec<_> = hosts.iter().copied().chain(target).collect();
        if !all.is_empty() && all.iter().all(|host| is_loopback(host)) {
            return Ok(());
        }
        Err(Denied::Host(all.into_iter().find(|host| !is_loopback(host)).unwrap_or_default().to_owned()))
    }

    /// By what a proxy is recognised; those that add no header speak HTTP/1.0 to us.
    fn forwarded(self) -> Option<String> {
        let told = self.headers.keys().map(axum::http::HeaderName::as_str).find(|name| {
            FORWARDED.contains(name) || FORWARDED_FAMILIES.iter().any(|family| name.starts_with(family))
        });
        told.map(str::to_owned).or_else(|| (self.version < Version::HTTP_11).then(|| "HTTP/1.0".to_owned()))
    }

    /// A page of another site may send what needs no permission of ours, even though it cannot read the answer.
    fn own_page(self, server: &ServerConfig) -> Result<(), Denied> {
        permitted(self.headers, server).map_err(Denied::Origin)?;
        let has_origin = self.headers.contains_key(axum::http::header::ORIGIN);
        let elsewhere = self.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
        if elsewhere && !has_origin { Err(Denied::Origin("another site".to_owned())) } else { Ok(()) }
    }
}

/// What stands behind `Bearer`, whose case does not matter (RFC 9110 section 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

/// Compares in a time that does not tell where the first difference is.
fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// Before everything that reveals or does something.
pub async fn guard(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    pass(&server, Door::Guarded, request, next).await
}

/// Before a browser's media socket.
pub async fn socket(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    pass(&server, Door::Socket, request, next).await
}

/// Before a carrier's media socket: whoever can sign does so, and the edge verifies it.
pub async fn carrier_socket(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    if signature_is_required(&server.secrets) {
        return next.run(request).await;
    }
    pass(&server, Door::Socket, request, next).await
}

/// Before a carrier's webhook: whoever can sign does so, and the edge verifies it.
pub async fn webhook(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    if !signature_is_required(&server.secrets) {
        return pass(&server, Door::Guarded, request, next).await;
    }
    next.run(request).await
}

/// What a request is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// It reveals or does something.
    Guarded,
    /// It opens a media socket that nobody signs.
    Socket,
}

async fn pass(server: &Server, door: Door, request: Request, next: Next) -> Response {
    match admit(server, door, &request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// The address by which a socket's limits go, unless a carrier has signed for it.
pub fn limited_by<B>(server: &Server, request: &axum::http::Request<B>) -> Option<IpAddr> {
    let peer = Peer::of(request)?;
    Some(client(peer, request.headers(), &server.config.trusted_proxies))
}

/// Checks a request; a refusal is counted and logged.
///
/// # Errors
/// It may not ask.
pub fn admit<B>(server: &Server, door: Door, request: &axum::http::Request<B>) -> Result<(), ApiError> {
    let token = server.secrets.admin_token.as_deref();
    let asked = Asked::of(request);
    let judged = match door {
        Door::Guarded => asked.guarded(token, &server.config),
        Door::Socket => asked.socket(token, &server.config),
    };
    judged.map_err(|denied| {
        refusals::refused(denied.reason(), &denied, Peer::of(request), request.uri().path());
        ApiError::Denied(denied)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    const TOKEN: &str = "secret";

    fn request(host: &str, headers: &[(&str, &str)]) -> Request<()> {
        let request = Request::get("/api/calls").header(HOST, host);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(()).unwrap()
    }

    fn guarded(token: Option<&str>, host: &str, headers: &[(&str, &str)]) -> Result<(), Denied> {
        Asked::of(&request(host, headers)).guarded(token, &ServerConfig::default())
    }

    fn socket(token: Option<&str>, host: &str, headers: &[(&str, &str)]) -> Result<(), Denied> {
        Asked::of(&request(host, headers)).socket(token, &ServerConfig::default())
    }

    #[test]
    fn a_token_that_is_set_is_asked_for_whatever_the_address() {
        for host in ["127.0.0.1:3000", "localhost", "voice.example"] {
            assert_eq!(guarded(Some(TOKEN), host, &[]), Err(Denied::Token));
            for wrong in ["Bearer", "Bearer ", "Bearer secre", "Bearer secrets", "Basic secret", "secret"] {
                assert_eq!(
                    guarded(Some(TOKEN), host, &[("authorization", wrong)]),
                    Err(Denied::Token),
                    "{wrong}"
                );
            }
            for right in ["Bearer secret", "bearer secret"] {
                let through_a_proxy = [("authorization", right), ("x-forwarded-for", "203.0.113.9")];
                assert_eq!(guarded(Some(TOKEN), host, &through_a_proxy), Ok(()));
            }
        }
    }

    #[test]
    fn without_a_token_only_loopback_is_answered() {
        for host in [
            "localhost",
            "LOCALHOST:3000",
            "localhost.",
            "app.localhost:1",
            "127.0.0.1",
            "127.1.2.3:80",
            "[::1]:3000",
            "[::ffff:127.0.0.1]",
        ] {
            assert_eq!(guarded(None, host, &[]), Ok(()), "{host}");
            assert_eq!(socket(None, host, &[]), Ok(()), "{host}");
        }
        for host in [
            "evil.example:3000",
            "",
            "0.0.0.0",
            "192.0.2.1",
            "[::2]",
            "::1",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "notlocalhost",
            "127.0.0.1:x",
            "localhost@evil.example",
        ] {
            assert_eq!(guarded(None, host, &[]), Err(Denied::Host(host.to_owned())));
            assert_eq!(socket(None, host, &[]), Err(Denied::Host(host.to_owned())));
        }
    }

    #[test]
    fn a_second_host_hides_nothing() {
        let two = request("localhost", &[("host", "evil.example")]);
        assert_eq!(
            Asked::of(&two).guarded(None, &ServerConfig::default()),
            Err(Denied::Host("evil.example".into()))
        );
        let mut absolute = request("localhost", &[]);
        *absolute.uri_mut() = "http://evil.example/api/calls".parse().unwrap();
        assert!(Asked::of(&absolute).guarded(None, &ServerConfig::default()).is_err());
        let mut none = request("localhost", &[]);
        none.headers_mut().clear();
        assert_eq!(
            Asked::of(&none).guarded(None, &ServerConfig::default()),
            Err(Denied::Host(String::new()))
        );
    }

    #[test]
    fn what_a_proxy_forwards_is_refused_without_a_token() {
        for header in [
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "Forwarded",
            "Via",
            "X-Real-IP",
            "CF-Connecting-IP",
            "X-Original-URI",
        ] {
            let refused = guarded(None, "127.0.0.1:3000", &[(header, "1")]).unwrap_err();
            assert_eq!(refused, Denied::Proxied(header.to_ascii_lowercase()));
            assert!(refused.to_string().contains("behind a proxy: set RINGWAY_ADMIN_TOKEN"), "{refused}");
            assert!(socket(None, "127.0.0.1:3000", &[(header, "1")]).is_err());
            assert_eq!(socket(Some(TOKEN), "voice.example", &[(header, "1")]), Ok(()));
        }
        let mut old = request("127.0.0.1", &[]);
        *old.version_mut() = Version::HTTP_10;
        assert!(matches!(Asked::of(&old).guarded(None, &ServerConfig::default()), Err(Denied::Proxied(_))));
    }

    #[test]
    fn a_page_of_another_site_can_neither_ask_nor_open_a_socket() {
        let evil = [("origin", "http://evil.example")];
        for token in [None, Some(TOKEN)] {
            assert!(matches!(socket(token, "127.0.0.1:3000", &evil), Err(Denied::Origin(_))));
        }
        assert!(matches!(guarded(None, "127.0.0.1:3000", &evil), Err(Denied::Origin(_))));
        let hidden = [("sec-fetch-site", "cross-site")];
        assert!(matches!(guarded(None, "127.0.0.1:3000", &hidden), Err(Denied::Origin(_))));
        let own = [("origin", "http://127.0.0.1:3000"), ("sec-fetch-site", "same-origin")];
        assert_eq!(guarded(None, "127.0.0.1:3000", &own), Ok(()));
    }
}
