//! Events delivered to a web service, signed as the [Standard Webhooks](https://www.standardwebhooks.com) specification
//! (1.0) has it, so that its libraries verify them: `webhook-id`, `webhook-timestamp` and `webhook-signature`, the last of
//! them `v1,` and the HMAC-SHA256 of id, time and body, joined by dots, in base64.

use super::{Endpoint, Http, Limits, Post, ServiceError, SetupError};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use sha2::Sha256;
use std::time::Duration;

/// Begins a secret that is base64; any other is taken as it is.
const ENCODED: &str = "whsec_";

/// Bytes of an answer that are taken in; nobody reads them.
const ANSWER_LIMIT: usize = 16 * 1_024;

/// Where events are delivered.
#[derive(Clone)]
pub struct Webhook {
    http: Http,
    key: Option<Vec<u8>>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("endpoint", self.http.endpoint()).finish_non_exhaustive()
    }
}

impl Webhook {
    /// Connections are set up on the present runtime. Without a secret nothing is signed.
    ///
    /// # Errors
    /// No certificate authority is known.
    pub fn new(endpoint: &Endpoint, secret: Option<&str>, timeout: Duration) -> Result<Self, SetupError> {
        let limits = Limits { connect: timeout, first_byte: timeout, idle: timeout };
        Ok(Self { http: Http::new(endpoint, None, limits)?, key: secret.map(key) })
    }

    /// Delivers an event once. `id` is the same for each attempt, so that the receiver can tell repetitions.
    ///
    /// # Errors
    /// It cannot be reached, or its status is not 2xx.
    pub async fn deliver(&self, id: &str, seconds: i64, body: Bytes) -> Result<(), ServiceError> {
        let mut http = self.http.clone().with(header("webhook-id"), value(id));
        http = http.with(header("webhook-timestamp"), value(&seconds.to_string()));
        if let Some(key) = &self.key {
            http = http.with(header("webhook-signature"), value(&signature(key, id, seconds, &body)));
        }
        let post = Post {
            path: self.http.endpoint().below(""),
            content_type: HeaderValue::from_static("application/json"),
            accept: HeaderValue::from_static("*/*"),
            body,
            answer_limit: ANSWER_LIMIT,
        };
        http.send(Method::POST, post).await?.answer.finish();
        Ok(())
    }
}

fn header(name: &'static str) -> HeaderName {
    HeaderName::from_static(name)
}

/// What has a character that no header takes is left out.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

fn key(secret: &str) -> Vec<u8> {
    let encoded = secret.strip_prefix(ENCODED).and_then(|encoded| BASE64_STANDARD.decode(encoded).ok());
    encoded.unwrap_or_else(|| secret.as_bytes().to_vec())
}

fn signature(key: &[u8], id: &str, seconds: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn an_event_is_signed_as_the_specification_has_it() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed = signature(
            &key(secret),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_without_the_prefix_is_taken_as_it_is() {
        assert_eq!(key("secret"), b"secret");
        assert_eq!(key("whsec_c2VjcmV0"), b"secret");
    }
}
