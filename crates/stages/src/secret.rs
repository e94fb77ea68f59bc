//! Secrets as environments hold them, and texts that may hold one, as they may be shown.

use std::borrow::Cow;

/// What stands for a secret where a text with one is shown.
pub const HIDDEN: &str = "(hidden)";

/// Why a secret is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Something else is missing than whoever set it believes.
    #[error("holds nothing but blanks; leave it empty to set none")]
    Blank,
    /// Files of variables keep quotation marks as they are.
    #[error("stands in quotation marks, which would count as part of it: write it without them")]
    Quoted,
    /// No header and no form holds it.
    #[error("has a line end or another invisible character within it")]
    Broken,
    /// Its bytes are lost.
    #[error("is not UTF-8 text")]
    NotText,
}

/// A secret without the line ends, blanks and byte order marks around it, which editors and shells leave there. `None`:
/// it is empty, which counts as not set.
///
/// # Errors
/// It cannot be what was meant.
pub fn read(text: &str) -> Result<Option<&str>, SecretError> {
    let secret = text.trim_matches(is_around);
    if secret.is_empty() {
        return if text.is_empty() { Ok(None) } else { Err(SecretError::Blank) };
    }
    if secret.contains(char::REPLACEMENT_CHARACTER) {
        return Err(SecretError::NotText);
    }
    if is_quoted(secret) {
        return Err(SecretError::Quoted);
    }
    if secret.chars().any(is_invisible) {
        return Err(SecretError::Broken);
    }
    Ok(Some(secret))
}

/// Whether a text reads as the name of an environment variable, as people write those. Keys of services do not: they are
/// long, or mix letters of both cases and digits.
pub fn is_variable_name(text: &str) -> bool {
    let part = |part: &str| {
        let digits = part.chars().any(|char| char.is_ascii_digit());
        let capital = part.chars().all(|char| char.is_ascii_uppercase() || char.is_ascii_digit());
        capital && part.len() <= if digits { LONGEST_MIXED_PART } else { LONGEST_PART }
    };
    let first = text.chars().next().unwrap_or('0');
    !first.is_ascii_digit() && text.len() <= LONGEST_NAME && text.split('_').all(part)
}

/// What is said of a variable that a configuration names. What does not read as a name may be the secret itself.
pub fn named(variable: &str) -> Cow<'_, str> {
    if is_variable_name(variable) {
        Cow::Owned(format!("the variable {variable:?}"))
    } else {
        Cow::Borrowed(
            "the variable that it names (which must be a name such as SHOP_KEY, not the secret itself)",
        )
    }
}

/// A text without the secrets that addresses in it hold, users and passwords and keys in queries, and without what begins
/// as the keys of well-known services do.
pub fn masked(text: &str) -> Cow<'_, str> {
    let suspicious = text.contains(['@', '?']) || KEYS.iter().any(|begin| text.contains(begin));
    if !suspicious {
        return Cow::Borrowed(text);
    }
    text.split_inclusive(char::is_whitespace).map(masked_word).collect::<String>().into()
}

/// The same for a text that is meant as an address: all that stands before an `@` goes.
pub fn masked_address(text: &str) -> Cow<'_, str> {
    let Some((user, host)) = text.rsplit_once('@') else { return masked(text) };
    let scheme = user.find("://").map_or("", |at| &user[..at + 3]);
    format!("{scheme}{HIDDEN}@{}", masked(host)).into()
}

fn masked_word(word: &str) -> String {
    let address = match word.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => masked_user(word),
        _ => word.to_owned(),
    };
    masked_keys(&masked_query(&address))
}

fn masked_user(word: &str) -> String {
    let quote = word.starts_with(['"', '\'', '`']);
    let (front, rest) = word.split_at(usize::from(quote));
    let (user, host) = rest.rsplit_once('@').unwrap_or(("", rest));
    let scheme = user.find("://").map_or("", |at| &user[..at + 3]);
    format!("{front}{scheme}{HIDDEN}@{host}")
}

/// Values of a query whose names say that they are secret.
fn masked_query(word: &str) -> String {
    let Some((front, query)) = word.split_once('?') else { return word.to_owned() };
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, value)) if is_secret_name(name) => {
            let end = value.trim_end_matches(|char: char| char.is_whitespace() || "\"'`:;,.)".contains(char));
            format!("{name}={HIDDEN}{}", &value[end.len()..])
        }
        _ => pair.to_owned(),
    };
    format!("{front}?{}", query.split('&').map(pair).collect::<Vec<_>>().join("&"))
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

fn masked_keys(word: &str) -> String {
    let within = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
    let mut masked = String::with_capacity(word.len());
    for piece in word.split_inclusive(|char| !within(char)) {
        let key = piece.trim_end_matches(|char| !within(char));
        let is_key = key.len() >= SHORTEST_KEY && KEYS.iter().any(|begin| key.starts_with(begin));
        masked += if is_key { HIDDEN } else { key };
        masked += &piece[key.len()..];
    }
    masked
}

fn is_quoted(secret: &str) -> bool {
    let mut chars = secret.chars();
    let ends = (chars.next(), chars.next_back());
    [('"', '"'), ('\'', '\''), ('`', '`'), ('\u{201c}', '\u{201d}'), ('\u{2018}', '\u{2019}')]
        .iter()
        .any(|(open, close)| ends == (Some(*open), Some(*close)))
}

fn is_around(char: char) -> bool {
    char.is_whitespace() || is_invisible(char)
}

/// Control characters, the byte order mark, and what joins or parts words without being seen.
fn is_invisible(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2064}')
}

/// How keys of services begin.
const KEYS: [&str; 12] =
    ["sk-", "sk_", "pk_", "xai-", "gsk_", "hf_", "ghp_", "gho_", "glpat-", "xoxb-", "AIza", "AKIA"];
const SHORTEST_KEY: usize = 8;

const SECRET_NAMES: [&str; 8] = ["key", "token", "secret", "pass", "pw", "sig", "auth", "cred"];

const LONGEST_NAME: usize = 64;
const LONGEST_PART: usize = 24;
/// Digits among letters are the mark of a key.
const LONGEST_MIXED_PART: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_editors_and_shells_leave_around_a_secret_is_no_part_of_it() {
        for text in
            ["s3cret", "s3cret\n", "s3cret\r\n", " \ts3cret ", "\u{feff}s3cret", "s3cret\u{200b}", "s3cret\0"]
        {
            assert_eq!(read(text), Ok(Some("s3cret")), "{text:?}");
        }
        assert_eq!(read("correct horse"), Ok(Some("correct horse")));
        assert_eq!(read(""), Ok(None));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, error) in [
            ("\n", SecretError::Blank),
            (" \r\n", SecretError::Blank),
            ("\"s3cret\"", SecretError::Quoted),
            ("'s3cret'\n", SecretError::Quoted),
            ("s3\ncret", SecretError::Broken),
            ("s3\u{200b}cret", SecretError::Broken),
            ("s3\u{fffd}cret", SecretError::NotText),
        ] {
            assert_eq!(read(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn keys_of_services_do_not_read_as_names_of_variables() {
        for name in ["OPENAI_API_KEY", "WLK_API_TOKEN", "KEY", "MY_KEY_2", "AZURE2_KEY", "_X"] {
            assert!(is_variable_name(name), "{name}");
        }
        for key in [
            "sk-proj-abcdef123456",
            "0123456789abcdef0123456789abcdef01234567",
            "sk_car_AbCdEf",
            "AKIAIOSFODNN7EXAMPLE",
            "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
            "hunter",
            "2FA",
        ] {
            assert!(!is_variable_name(key), "{key}");
            assert!(!named(key).contains(key), "{key}");
        }
    }

    #[test]
    fn addresses_are_shown_without_their_secrets() {
        for (text, shown) in [
            ("redis://:pw@redis:6379/0", "redis://(hidden)@redis:6379/0"),
            ("https://me:p/w?@x@host/v1", "https://(hidden)@host/v1"),
            ("me:pw@host:1", "(hidden)@host:1"),
            ("\"wss://u:pw@host\": is no", "\"wss://(hidden)@host\": is no"),
            ("https://h/v1?api-version=1&api-key=abc", "https://h/v1?api-version=1&api-key=(hidden)"),
            ("\"http://h/?token=abc\" is", "\"http://h/?token=(hidden)\" is"),
            ("no engine \"sk-proj-1234567\" is", "no engine \"(hidden)\" is"),
            ("mail me@host.example?", "mail me@host.example?"),
            ("http://host/v1", "http://host/v1"),
        ] {
            assert_eq!(masked(text), shown);
        }
        assert_eq!(masked_address("http://me:p w@host"), "http://(hidden)@host");
        assert_eq!(masked_address("token@host"), "(hidden)@host");
    }
}
