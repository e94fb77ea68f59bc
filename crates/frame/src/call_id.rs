use std::fmt;
use std::str::FromStr;

/// Names one call for as long as anyone remembers it; shown as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u128);

/// The text is not a call id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseCallIdError;

impl fmt::Display for ParseCallIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a call id is 32 hexadecimal digits")
    }
}

impl std::error::Error for ParseCallIdError {}

impl CallId {
    /// The id with these bits; callers take them from a source that does not repeat.
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// Its bits.
    pub const fn to_bits(self) -> u128 {
        self.0
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CallId {
    type Err = ParseCallIdError;
    fn from_str(text: &str) -> Result<Self, ParseCallIdError> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ParseCallIdError);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| ParseCallIdError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_shows() {
        let id = CallId::from_bits(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("123".parse::<CallId>(), Err(ParseCallIdError));
        assert_eq!("+123456789012345678901234567890ab".parse::<CallId>(), Err(ParseCallIdError));
    }
}
