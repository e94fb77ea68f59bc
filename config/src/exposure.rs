//! Settings that make sense and still leave the server open, or closed to those who are to reach it.

use crate::mistake::Mistake;
use crate::{Config, PublicUrl, Secrets};

const PUBLIC_URL: &str = "server.public_url";

/// It works, with carriers that take it.
const PLAIN: &str =
    "TwiML names a socket without TLS, ws://, which Twilio does not open: write https:// for it";

/// What an operator is warned of.
pub(crate) fn warnings(config: &Config, secrets: &Secrets) -> Vec<Mistake> {
    let mut warnings = Vec::new();
    let Some(public_url) = &config.server.public_url else { return warnings };
    if public_url.parse::<PublicUrl>().is_ok_and(|url| !url.secure) {
        warnings.push((PUBLIC_URL.to_owned(), PLAIN.to_owned()));
    }
    let signed = secrets.twilio_auth_token.is_some() || secrets.twilio_shared_key.is_some();
    if secrets.admin_token.is_none() {
        let but = if signed { "but signed ones of the carrier " } else { "" };
        let message = format!(
            "all requests {but}that come through a proxy are refused without a token: set {}",
            Secrets::ADMIN_TOKEN
        );
        warnings.push((PUBLIC_URL.to_owned(), message));
    }
    if !signed {
        let message = format!(
            "requests of the carrier are not verified, and any program that reaches /media/twilio can begin calls: set {}",
            Secrets::TWILIO_AUTH_TOKEN
        );
        warnings.push((PUBLIC_URL.to_owned(), message));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(public: bool, admin: bool, twilio: bool) -> Vec<String> {
        let mut config = Config::default();
        config.server.public_url = public.then(|| "https://voice.example".to_owned());
        let token = |set: bool| set.then(|| "token".to_owned());
        let secrets =
            Secrets { admin_token: token(admin), twilio_auth_token: token(twilio), ..Secrets::default() };
        warnings(&config, &secrets).into_iter().map(|(_, message)| message).collect()
    }

    #[test]
    fn a_server_behind_a_proxy_needs_its_tokens() {
        assert_eq!(warned(true, true, true).len(), 0);
        assert_eq!(warned(false, false, false).len(), 0, "it serves this machine");
        let neither = warned(true, false, false);
        assert!(neither[0].contains("RINGWAY_ADMIN_TOKEN") && neither[1].contains("TWILIO_AUTH_TOKEN"));
        let signed = warned(true, false, true);
        assert!(signed.len() == 1 && signed[0].contains("but signed ones of the carrier"), "{signed:?}");
        assert!(warned(true, true, false)[0].contains("can begin calls"));
    }

    #[test]
    fn a_public_address_without_tls_is_doubted() {
        let mut config = Config::default();
        config.server.public_url = Some("http://voice.example:3000".to_owned());
        assert_eq!(warnings(&config, &Secrets::default())[0], (PUBLIC_URL.to_owned(), PLAIN.to_owned()));
    }
}
