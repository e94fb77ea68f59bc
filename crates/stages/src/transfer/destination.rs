use std::fmt;

/// A telephone number or a SIP address that may be dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination(String);

/// Why a text is nothing that can be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// There is nothing.
    #[error("is empty: it must be a telephone number such as +15550100, or a sip: address")]
    Empty,
    /// Something else.
    #[error("must be a telephone number such as +15550100, or a sip: address")]
    Form,
    /// More than a number has.
    #[error("is too long for a telephone number, which has at most {MOST_DIGITS} digits")]
    Long,
}

impl Destination {
    /// Whom an operator has written down.
    ///
    /// # Errors
    /// It can be no number and no SIP address.
    pub fn written(text: &str) -> Result<Self, DestinationError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(DestinationError::Empty);
        }
        match sip(text) {
            Some(address) => address.map(Self),
            None => number(text, &['*', '#']).map(Self),
        }
    }

    /// The number that somebody else says, `None` where it is none; never a SIP address.
    pub(super) fn dictated(text: &str) -> Option<Self> {
        let text = text.trim();
        let number_of = |text: &str| number(text, &[]).ok().map(Self);
        number_of(text.strip_prefix("tel:").unwrap_or(text))
    }

    /// As it is dialled.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// It is a SIP address, no number.
    pub fn is_sip(&self) -> bool {
        self.0.starts_with("sip")
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Digits behind a plus, as people group them, and those of `keys`.
fn number(text: &str, keys: &[char]) -> Result<String, DestinationError> {
    let (plus, rest) = text.strip_prefix('+').map_or(("", text), |rest| ("+", rest));
    let grouping = |char: char| matches!(char, ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}');
    let digits: String = rest.chars().filter(|char| !grouping(*char)).collect();
    if digits.len() > MOST_DIGITS {
        return Err(DestinationError::Long);
    }
    let dialable = |char: char| char.is_ascii_digit() || keys.contains(&char);
    if !digits.chars().all(dialable) || !digits.contains(|char: char| char.is_ascii_digit()) {
        return Err(DestinationError::Form);
    }
    Ok(format!("{plus}{digits}"))
}

/// A SIP address, its scheme in small letters; `None` where it claims to be none.
fn sip(text: &str) -> Option<Result<String, DestinationError>> {
    let (scheme, rest) = text.split_once(':')?;
    let scheme = ["sip", "sips"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known))?;
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let plain = |char: char| char.is_ascii_graphic() && !matches!(char, '<' | '>' | '"' | '\\' | '`');
    let good = rest.chars().all(plain)
        && rest.len() <= LONGEST_ADDRESS
        && host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[');
    Some(if good { Ok(format!("{scheme}:{rest}")) } else { Err(DestinationError::Form) })
}

/// Of an international number: ITU-T E.164 has 15; a few more for the prefix of a line.
const MOST_DIGITS: usize = 20;

/// Letters of a SIP address.
const LONGEST_ADDRESS: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_writes_numbers_and_sip_addresses() {
        for (text, dialled) in [
            ("+15550100", "+15550100"),
            (" +43 (1) 234-56/7 ", "+431234567"),
            ("112", "112"),
            ("*21#", "*21#"),
            ("sip:desk@example.com", "sip:desk@example.com"),
            ("SIPS:desk@example.com:5061;transport=tls", "sips:desk@example.com:5061;transport=tls"),
            ("sip:example.com", "sip:example.com"),
        ] {
            let to = Destination::written(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((to.as_str(), to.is_sip()), (dialled, dialled.contains("sip")), "{text}");
        }
    }

    #[test]
    fn nothing_else_is_dialled() {
        for (text, error) in [
            ("", DestinationError::Empty),
            ("  ", DestinationError::Empty),
            ("+", DestinationError::Form),
            ("*", DestinationError::Form),
            ("sales", DestinationError::Form),
            ("+1900;+1901", DestinationError::Form),
            ("+1900,,1", DestinationError::Form),
            ("++1900", DestinationError::Form),
            ("+1\n900", DestinationError::Form),
            ("client:boss", DestinationError::Form),
            ("sip:", DestinationError::Form),
            ("sip:desk@", DestinationError::Form),
            ("sip:a b@example.com", DestinationError::Form),
            ("sip:a@example.com\r\nX: y", DestinationError::Form),
            ("+123456789012345678901", DestinationError::Long),
        ] {
            assert_eq!(Destination::written(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn nobody_else_names_an_address_or_a_code_of_the_exchange() {
        for text in ["sip:desk@example.com", "*21#", "#31#", "+", ""] {
            assert_eq!(Destination::dictated(text), None, "{text:?}");
        }
        assert_eq!(Destination::dictated("tel:+43-1-234").map(|to| to.0), Some("+431234".to_owned()));
    }
}
