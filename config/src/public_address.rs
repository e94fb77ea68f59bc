//! Our own addresses and those of pages, which people give in more than one way, read as they are meant.

use crate::{PublicUrl, PublicUrlError};
use serde::{Deserialize, Deserializer};

/// The address that carriers reach us at, without a slash at its end. Capitals of the host stay: carriers may sign it as
/// it was typed.
pub(crate) fn public<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| typed(&text).map_err(serde::de::Error::custom)).transpose()
}

fn typed(text: &str) -> Result<String, PublicUrlError> {
    text.parse::<PublicUrl>().map(|url| url.as_typed())
}

/// Origins as browsers send them: <https://www.rfc-editor.org/rfc/rfc6454#section-7>.
pub(crate) fn origins<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| origin(text).ok_or_else(|| serde::de::Error::custom(NO_ORIGIN))).collect()
}

fn web(text: &str) -> Result<String, PublicUrlError> {
    text.parse::<PublicUrl>().map(|url| url.http(""))
}

fn origin(text: &str) -> Option<String> {
    let address = web(text).ok()?;
    let (scheme, host) = address.split_once("://")?;
    let usual = if scheme == "https" { ":443" } else { ":80" };
    let host = host.strip_suffix(usual).unwrap_or(host);
    (!host.contains('/')).then(|| format!("{scheme}://{host}"))
}

const NO_ORIGIN: &str = "each must be an origin such as https://shop.example, without a path";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_keeps_the_capitals_of_its_host_and_an_origin_does_not() {
        assert_eq!(
            typed("HTTPS://Voice.Example:8443/Path/").as_deref(),
            Ok("https://Voice.Example:8443/Path")
        );
        for (text, read) in [
            ("https://voice.example", "https://voice.example"),
            ("HTTPS://Voice.Example/", "https://voice.example"),
            ("http://voice.example:3000/Path/", "http://voice.example:3000/Path"),
        ] {
            assert_eq!(web(text).as_deref(), Ok(read));
        }
        for text in [
            "voice.example",
            "ws://voice.example",
            "https://",
            "https:///x",
            "https://h/?a=1",
            "https://h o/",
        ] {
            assert!(web(text).is_err(), "{text}");
        }
        assert_eq!(web("https://me:secret@voice.example"), Err(PublicUrlError::Credentials));
    }

    #[test]
    fn an_origin_is_read_as_browsers_send_it() {
        for (text, read) in [
            ("https://Shop.example:443/", Some("https://shop.example")),
            ("http://shop.example:81", Some("http://shop.example:81")),
            ("https://shop.example/page", None),
            ("https://me:secret@shop.example", None),
            ("shop.example", None),
        ] {
            assert_eq!(origin(text).as_deref(), read, "{text}");
        }
    }
}
