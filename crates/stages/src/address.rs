//! What stands in the paths and queries of addresses.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Write as _;

/// A text as a path or a query has it: every byte but the unreserved ones of
/// <https://www.rfc-editor.org/rfc/rfc3986#section-2.3> is encoded.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Puts a parameter behind those that a path has; without a value, none.
pub(crate) fn ask(path: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        let joint = if path.contains('?') { '&' } else { '?' };
        let value = utf8_percent_encode(value, RESERVED);
        write!(path, "{joint}{name}={value}").expect("a string takes whatever is written");
    }
}

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_unreserved_is_encoded() {
        assert_eq!(encoded("Az09-._~"), "Az09-._~");
        assert_eq!(encoded("en GB/é+\n"), "en%20GB%2F%C3%A9%2B%0A");
    }

    #[test]
    fn parameters_are_put_behind_each_other_and_empty_ones_left_out() {
        let mut path = "/listen".to_owned();
        for (name, value) in [("model", "nova 3"), ("language", ""), ("rate", "8000")] {
            ask(&mut path, name, value);
        }
        assert_eq!(path, "/listen?model=nova%203&rate=8000");
    }
}
