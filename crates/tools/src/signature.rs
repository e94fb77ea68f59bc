use hmac::{Hmac, KeyInit, Mac};
use hyper::header::HeaderName;
use sha2::Sha256;

/// A signature that a receiver can check: the HMAC-SHA256 of the time in seconds since 1970, a dot, and the body, in
/// hexadecimal digits. So many services sign their webhooks; with the time in it, an old request cannot be sent again.
pub(super) fn sign(secret: &str, seconds: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How requests are signed.
#[derive(Clone)]
pub(super) struct Signing {
    pub(super) secret: String,
    pub(super) signature: HeaderName,
    pub(super) timestamp: HeaderName,
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signing").field("signature", &self.signature).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret` tells it.
    #[test]
    fn a_signature_is_what_openssl_makes_of_it() {
        let expected = "49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686";
        assert_eq!(sign("secret", 1_700_000_000, br#"{"a":1}"#), expected);
    }
}
