//! `X-Twilio-Signature`: proof that a request comes from whoever knows the account's auth token.
//!
//! HMAC-SHA1 keyed by the token, over the URL that was called and, for a form, each parameter's name and value in
//! the order of names; in base64. See <https://www.twilio.com/docs/usage/security#validating-requests>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// The signature does not fit the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not fit the request: forged, or signed for another URL or with another token")]
pub struct Forged;

/// The signature of a request for `url`, the whole of it as the carrier was given it, with the form `parameters`.
pub fn sign(auth_token: &str, url: &str, parameters: &[(&str, &str)]) -> String {
    STANDARD.encode(mac(auth_token, url, parameters).finalize().into_bytes())
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
    let claimed = STANDARD.decode(signature).map_err(|_| Forged)?;
    mac(auth_token, url, parameters).verify_slice(&claimed).map_err(|_| Forged)
}

fn mac(auth_token: &str, url: &str, parameters: &[(&str, &str)]) -> Hmac<Sha1> {
    let mut mac =
        Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(url.as_bytes());
    let mut sorted = parameters.to_vec();
    sorted.sort_unstable();
    // A name that comes twice counts once a value, as in Twilio's own libraries.
    sorted.dedup();
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    mac
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
    fn the_order_of_parameters_does_not_matter() {
        let mut reversed = FORM;
        reversed.reverse();
        assert_eq!(sign(TOKEN, URL, &reversed), SIGNATURE);
    }
}
