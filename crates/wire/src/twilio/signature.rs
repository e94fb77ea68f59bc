//! `X-Twilio-Signature`: proof that a request comes from whoever knows the key.
//!
//! An HMAC over the URL that was called and, for a form, each parameter's name and value in the order of names; in base64.
//! By default it is HMAC-SHA1 keyed by the account's auth token. Requests that are signed with a shared key say so in
//! `X-Twilio-Webhooks-Signature-Settings`, with the algorithm. See
//! <https://www.twilio.com/docs/usage/security#validating-requests> and
//! <https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use std::fmt;

/// How a request is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// Twilio's usual one.
    #[default]
    HmacSha1,
    /// With a shared key.
    HmacSha256,
}

/// What `X-Twilio-Webhooks-Signature-Settings` says: the request is signed with a shared key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The name of the key at the carrier.
    pub key: String,
    /// How it is used.
    pub algorithm: Algorithm,
}

/// The header names no algorithm that is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature's algorithm is none of HMAC_SHA1 and HMAC_SHA256")]
pub struct UnknownAlgorithm;

/// The signature does not fit the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not fit the request: forged, or signed for another URL or with another key")]
pub struct Forged;

/// What a request claims to prove itself with, and the form that it covers.
#[derive(Clone, Debug)]
pub struct Claim {
    algorithm: Algorithm,
    signature: Vec<u8>,
    /// Names and values behind the URL.
    form: String,
}

impl Algorithm {
    /// As the header names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC_SHA1",
            Self::HmacSha256 => "HMAC_SHA256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Settings {
    /// Reads the header, such as `key=KY1,algorithm=HMAC_SHA256`.
    ///
    /// # Errors
    /// Its algorithm is not known.
    pub fn parse(header: &str) -> Result<Self, UnknownAlgorithm> {
        let fields = || header.split(',').filter_map(|field| field.split_once('='));
        let field = |wanted: &str| {
            let named = fields().find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
            named.map_or("", |(_, value)| value.trim())
        };
        let known = [Algorithm::HmacSha1, Algorithm::HmacSha256];
        let named = |algorithm: &Algorithm| algorithm.name().eq_ignore_ascii_case(field("algorithm"));
        let algorithm = known.into_iter().find(named).ok_or(UnknownAlgorithm)?;
        Ok(Self { key: field("key").to_owned(), algorithm })
    }
}

impl Claim {
    /// A `signature` that covers the form `parameters`, in any order.
    ///
    /// # Errors
    /// It is no signature at all.
    pub fn new(algorithm: Algorithm, signature: &str, parameters: &[(&str, &str)]) -> Result<Self, Forged> {
        let signature = STANDARD.decode(signature).map_err(|_| Forged)?;
        Ok(Self { algorithm, signature, form: in_order(parameters) })
    }

    /// Whether the holder of `key` has signed this for `url`; compares in constant time.
    pub fn covers(&self, key: &str, url: &str) -> bool {
        let Self { algorithm, signature, form } = self;
        match algorithm {
            Algorithm::HmacSha1 => mac::<Sha1>(key, url, form).verify_slice(signature).is_ok(),
            Algorithm::HmacSha256 => mac::<Sha256>(key, url, form).verify_slice(signature).is_ok(),
        }
    }
}

/// The signature of a request for `url`, the whole of it as the carrier was given it, with the form `parameters`.
pub fn sign(auth_token: &str, url: &str, parameters: &[(&str, &str)]) -> String {
    sign_with(Algorithm::HmacSha1, auth_token, url, parameters)
}

/// The same by another algorithm.
pub fn sign_with(algorithm: Algorithm, key: &str, url: &str, parameters: &[(&str, &str)]) -> String {
    let form = in_order(parameters);
    match algorithm {
        Algorithm::HmacSha1 => STANDARD.encode(mac::<Sha1>(key, url, &form).finalize().into_bytes()),
        Algorithm::HmacSha256 => STANDARD.encode(mac::<Sha256>(key, url, &form).finalize().into_bytes()),
    }
}

/// Checks a signature in constant time.
///
/// # Errors
/// It does not fit.
pub fn verify(
    auth_token: &str,
    url: &str,
    parameters: &[(&str, &str)],
    signature: &str,
) -> Result<(), Forged> {
    let claim = Claim::new(Algorithm::HmacSha1, signature, parameters)?;
    if claim.covers(auth_token, url) { Ok(()) } else { Err(Forged) }
}

fn mac<D: EagerHash>(key: &str, url: &str, form: &str) -> Hmac<D> {
    let mut mac = Hmac::<D>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(url.as_bytes());
    mac.update(form.as_bytes());
    mac
}

/// Names and values, sorted.
fn in_order(parameters: &[(&str, &str)]) -> String {
    let mut sorted = parameters.to_vec();
    sorted.sort_unstable();
    // A name that comes twice counts once a value, as in Twilio's own libraries.
    sorted.dedup();
    sorted.into_iter().flat_map(|(name, value)| [name, value]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "12345";
    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const FORM: [(&str, &str); 5] = [
        ("To", "+18005551212"),
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
    ];
    /// As in the tests of Twilio's own libraries.
    const SIGNATURE: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";

    #[test]
    fn signs_as_twilio_does() {
        assert_eq!(sign(TOKEN, URL, &FORM), SIGNATURE);
        let documented =
            FORM.map(|(name, value)| (name, if value == "+14158675309" { "+12349013030" } else { value }));
        assert_eq!(sign(TOKEN, URL, &documented), "0/KCTR6DLpKmkAf8muzZqo1nDgQ=");
        assert_eq!(verify(TOKEN, URL, &FORM, SIGNATURE), Ok(()));
    }

    #[test]
    fn a_forged_signature_is_refused() {
        let mut other = FORM;
        other[0].1 = "+18005551213";
        assert_eq!(verify(TOKEN, URL, &other, SIGNATURE), Err(Forged));
        assert_eq!(verify("54321", URL, &FORM, SIGNATURE), Err(Forged));
        assert_eq!(verify(TOKEN, "https://mycompany.com/", &FORM, SIGNATURE), Err(Forged));
        for signature in ["", "no base64!", "RSOYDt4T1cUTdK1PDd93", &sign(TOKEN, URL, &[])] {
            assert_eq!(verify(TOKEN, URL, &FORM, signature), Err(Forged), "{signature:?}");
        }
    }

    #[test]
    fn a_shared_key_signs_the_same_text_by_the_algorithm_that_its_settings_name() {
        let settings = Settings::parse("key=KY1, algorithm=HMAC_SHA256").unwrap();
        assert_eq!(settings, Settings { key: "KY1".into(), algorithm: Algorithm::HmacSha256 });
        // printf of the URL and the sorted form, through `openssl dgst -sha256 -hmac 12345 -binary | base64`.
        let signature = "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s=";
        assert_eq!(sign_with(settings.algorithm, TOKEN, URL, &FORM), signature);
        let claim = |algorithm| Claim::new(algorithm, signature, &FORM).unwrap();
        assert!(claim(Algorithm::HmacSha256).covers(TOKEN, URL));
        assert!(!claim(Algorithm::HmacSha1).covers(TOKEN, URL), "an algorithm is no matter of luck");
    }

    #[test]
    fn settings_without_a_known_algorithm_are_refused() {
        assert_eq!(Settings::parse("algorithm=hmac_sha1").unwrap().algorithm, Algorithm::HmacSha1);
        for unknown in ["", "key=KY1", "key=KY1,algorithm=", "algorithm=HMAC_SHA512", "algorithm=none"] {
            assert_eq!(Settings::parse(unknown), Err(UnknownAlgorithm), "{unknown:?}");
        }
    }

    #[test]
    fn the_order_of_parameters_does_not_matter() {
        let mut reversed = FORM;
        reversed.reverse();
        assert_eq!(sign(TOKEN, URL, &reversed), SIGNATURE);
    }
}
