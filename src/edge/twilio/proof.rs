//! The carrier's signature: over the address that it was given, which proxies and carriers write in several ways.

use crate::api::ApiError;
use crate::app::Server;
use crate::refusals;
use axum::http::header::HOST;
use axum::http::{HeaderMap, Uri};
use ringway_config::{PublicUrl, Secrets};
use ringway_wire::twilio::signature::{Algorithm, Claim, Settings};
use std::collections::BTreeSet;

/// What the carrier calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// Over HTTP.
    Webhook,
    /// As a WebSocket.
    Socket,
}

/// Why a request is not taken for the carrier's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Doubt {
    #[error("it has no X-Twilio-Signature")]
    Missing,
    #[error("its signature is no base64")]
    Garbled,
    #[error("it is signed by an algorithm that is not known here")]
    Algorithm,
    #[error("it is signed with the auth token, and TWILIO_AUTH_TOKEN is not set")]
    NoToken,
    #[error(
        "its signature does not fit: forged, signed with another key, or for another address than the one checked"
    )]
    Unfit,
}

/// A request, as far as its signature covers it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'r> {
    pub(super) door: Door,
    pub(super) headers: &'r HeaderMap,
    pub(super) uri: &'r Uri,
    pub(super) form: &'r [(&'r str, &'r str)],
}

impl Signed<'_> {
    /// The address at which the carrier reaches us: where keys are set to check it with, the one that it has signed.
    ///
    /// # Errors
    /// The signature is missing or does not fit.
    pub(super) fn verify(self, server: &Server) -> Result<PublicUrl, ApiError> {
        let mut addresses = self.addresses(server);
        let Some(keys) = Keys::of(&server.secrets) else { return Ok(addresses.swap_remove(0)) };
        let algorithm = self.algorithm();
        let proved = algorithm.and_then(|(algorithm, shared)| {
            let key = if shared { keys.shared } else { keys.token.ok_or(Doubt::NoToken)? };
            self.proved(&addresses, algorithm, key)
        });
        let checked = self.written(&addresses[0]);
        let algorithm = algorithm.map_or("unknown", |(algorithm, _)| algorithm.name());
        match proved {
            Ok(index) => {
                tracing::debug!(algorithm, checked, "a request is signed by the carrier");
                Ok(addresses.swap_remove(index))
            }
            Err(doubt) => {
                refusals::count("signature");
                tracing::warn!(
                    code = "signature",
                    algorithm,
                    checked,
                    reason = %doubt,
                    "a request is refused that is not signed by the carrier"
                );
                Err(ApiError::Signature)
            }
        }
    }

    /// How it is signed, and whether with a shared key.
    fn algorithm(self) -> Result<(Algorithm, bool), Doubt> {
        match self.headers.get("x-twilio-webhooks-signature-settings") {
            None => Ok((Algorithm::default(), false)),
            Some(settings) => {
                let settings = settings.to_str().ok().and_then(|text| Settings::parse(text).ok());
                settings.map(|settings| (settings.algorithm, true)).ok_or(Doubt::Algorithm)
            }
        }
    }

    /// Which of these addresses is signed.
    fn proved(self, addresses: &[PublicUrl], algorithm: Algorithm, key: &str) -> Result<usize, Doubt> {
        let signature = self.headers.get("x-twilio-signature").ok_or(Doubt::Missing)?;
        let signature = signature.to_str().map_err(|_| Doubt::Garbled)?;
        let claim = Claim::new(algorithm, signature, self.form).map_err(|_| Doubt::Garbled)?;
        let signed = |address: &PublicUrl| self.ways(address).iter().any(|url| claim.covers(key, url));
        addresses.iter().position(signed).ok_or(Doubt::Unfit)
    }

    /// Where we may be reached, the likeliest first: as it is configured, or else as the request says. What a proxy says
    /// needs no trust where it is signed.
    fn addresses(self, server: &Server) -> Vec<PublicUrl> {
        let configured = server.config.public_url.as_deref().and_then(|url| url.parse().ok());
        if let Some(address) = configured {
            return vec![address];
        }
        let scheme = match self.first("x-forwarded-proto") {
            Some("http") => "http",
            _ => "https",
        };
        let named = |host: &str| format!("{scheme}://{host}").parse::<PublicUrl>().ok();
        let proxied = self.first("x-forwarded-host").and_then(named).map(|address| {
            let port = self.first("x-forwarded-port").and_then(|port| port.parse().ok());
            PublicUrl { port: address.port.or(port.filter(|port| !is_usual(*port))), ..address }
        });
        let asked = self.headers.get(HOST).and_then(|host| host.to_str().ok()).and_then(named);
        let asked = asked.or_else(|| named("localhost"));
        let proxied = proxied.filter(|_| Keys::of(&server.secrets).is_some());
        proxied.into_iter().chain(asked).collect()
    }

    /// The first of several values, which is what the first proxy says.
    fn first(&self, header: &str) -> Option<&str> {
        let value = self.headers.get(header)?.to_str().ok()?;
        value.split(',').next().map(str::trim).filter(|value| !value.is_empty())
    }

    /// The whole address as one would write it.
    fn written(self, address: &PublicUrl) -> String {
        match self.door {
            Door::Webhook => address.http(self.path()),
            Door::Socket => address.ws(self.path()),
        }
    }

    /// All ways to write the same address: carriers sign it with its port and without, as the one that a scheme implies
    /// or as it was typed, and a socket's by the scheme of HTTP too. None of it tells anything about who signs.
    fn ways(self, address: &PublicUrl) -> BTreeSet<String> {
        let PublicUrl { host, port, path, .. } = address;
        let schemes: &[(&str, u16)] = match self.door {
            Door::Webhook => &[("https", 443), ("http", 80)],
            Door::Socket => &[("wss", 443), ("ws", 80), ("https", 443), ("http", 80)],
        };
        let mut ways = BTreeSet::new();
        for (scheme, usual) in schemes {
            for host in [host.to_ascii_lowercase(), host.clone()] {
                for port in [None, *port, Some(*usual)] {
                    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
                    ways.extend(self.paths().map(|own| format!("{scheme}://{host}{port}{path}{own}")));
                }
            }
        }
        ways
    }

    /// The path and query as they were asked for; a socket's also with the slash at its end that is there or is not.
    fn paths(self) -> impl Iterator<Item = String> {
        let asked = self.path();
        let other = match asked.strip_suffix('/') {
            Some(without) => without.to_owned(),
            None => format!("{asked}/"),
        };
        let other = (self.door == Door::Socket).then_some(other);
        std::iter::once(asked.to_owned()).chain(other)
    }

    fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", |path| path.as_str())
    }
}

/// A scheme implies it.
fn is_usual(port: u16) -> bool {
    matches!(port, 80 | 443)
}

/// What signatures are checked with.
#[derive(Clone, Copy)]
struct Keys<'s> {
    token: Option<&'s str>,
    /// That of webhooks that are signed with a shared key; the token where there is none of its own.
    shared: &'s str,
}

/// Whether a carrier's requests are checked at all.
pub fn is_required(secrets: &Secrets) -> bool {
    Keys::of(secrets).is_some()
}

impl<'s> Keys<'s> {
    /// `None`: nothing is checked.
    fn of(secrets: &'s Secrets) -> Option<Self> {
        let token = secrets.twilio_auth_token.as_deref();
        let shared = secrets.twilio_shared_key.as_deref().or(token)?;
        Some(Self { token, shared })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};
    use ringway_wire::twilio::signature::sign;

    const FORM: [(&str, &str); 2] = [("CallSid", "CA1"), ("From", "+431")];

    fn ways(door: Door, address: &str, path: &str) -> BTreeSet<String> {
        let (headers, uri) = (HeaderMap::new(), path.parse().unwrap());
        Signed { door, headers: &headers, uri: &uri, form: &[] }.ways(&address.parse().unwrap())
    }

    #[test]
    fn an_address_is_the_same_with_its_port_without_and_with_that_of_its_scheme() {
        let webhook = ways(Door::Webhook, "https://H.example:8443", "/v?a=1");
        for same in [
            "https://h.example:8443/v?a=1",
            "https://h.example/v?a=1",
            "https://h.example:443/v?a=1",
            "https://H.example/v?a=1",
            "http://h.example:80/v?a=1",
        ] {
            assert!(webhook.contains(same), "{same}");
        }
        for other in ["https://h.example:8080/v?a=1", "https://h.example/v", "wss://h.example/v?a=1"] {
            assert!(!webhook.contains(other), "{other}");
        }
        let socket = ways(Door::Socket, "https://h.example/ringway", "/media");
        for same in [
            "wss://h.example/ringway/media",
            "wss://h.example/ringway/media/",
            "https://h.example:443/ringway/media",
        ] {
            assert!(socket.contains(same), "{same}");
        }
    }

    #[test]
    fn a_signature_proves_the_address_that_it_was_made_for_and_no_other() {
        let uri: Uri = "/media/twilio/voice".parse().unwrap();
        let addresses = ["https://proxy.example", "https://h.example:8443"].map(|url| url.parse().unwrap());
        let proved = |token: &str, url: &str| {
            let name = HeaderName::from_static("x-twilio-signature");
            let signature = HeaderValue::from_str(&sign(token, url, &FORM)).unwrap();
            let headers = HeaderMap::from_iter([(name, signature)]);
            let signed = Signed { door: Door::Webhook, headers: &headers, uri: &uri, form: &FORM };
            signed.proved(&addresses, Algorithm::HmacSha1, "12345")
        };
        assert_eq!(proved("12345", "https://h.example/media/twilio/voice"), Ok(1));
        assert_eq!(proved("12345", "https://proxy.example/media/twilio/voice"), Ok(0));
        assert_eq!(proved("12345", "https://other.example/media/twilio/voice"), Err(Doubt::Unfit));
        assert_eq!(proved("54321", "https://h.example/media/twilio/voice"), Err(Doubt::Unfit));
        let unsigned = Signed { door: Door::Webhook, headers: &HeaderMap::new(), uri: &uri, form: &FORM };
        assert_eq!(unsigned.proved(&addresses, Algorithm::HmacSha1, "12345"), Err(Doubt::Missing));
    }
}
