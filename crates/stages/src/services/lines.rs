//! Lines of text, one JSON value each: <https://github.com/ndjson/ndjson-spec>.

use super::ServiceError;
use bytes::{Buf, Bytes};

/// Takes lines out of a stream that comes in pieces of any length.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// A line whose end has not come.
    line: Vec<u8>,
}

impl Lines {
    /// Reads on in `piece` to the end of the next line that is not blank; `None` when the piece is used up.
    pub(super) fn next(&mut self, piece: &mut Bytes) -> Result<Option<String>, ServiceError> {
        while !piece.is_empty() {
            let end = piece.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(piece.len());
            if self.line.len() + taken > LARGEST_LINE {
                return Err(ServiceError::TooLarge { place: "line", limit: LARGEST_LINE });
            }
            self.line.extend_from_slice(&piece[..taken]);
            piece.advance(end.map_or(taken, |end| end + 1));
            if end.is_some()
                && let Some(line) = self.finish()?
            {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    /// The stream has ended, perhaps without the end of its last line.
    pub(super) fn finish(&mut self) -> Result<Option<String>, ServiceError> {
        let line = std::mem::take(&mut self.line);
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let text = String::from_utf8(line);
        text.map(Some).map_err(|error| ServiceError::malformed("line", error.utf8_error()))
    }
}

/// Bytes of one line that are taken in.
const LARGEST_LINE: usize = 1_024 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for piece in pieces {
            let mut piece = Bytes::copy_from_slice(piece);
            while let Some(line) = lines.next(&mut piece).unwrap() {
                found.push(line);
            }
        }
        found.extend(lines.finish().unwrap());
        found
    }

    #[test]
    fn lines_are_the_same_however_the_stream_is_cut() {
        let stream = b"{\"a\":1}\n\n{\"b\":\"\xc3\xa9\"}\r\n \n{\"c\":3}";
        let expected = lines(&[stream]);
        assert_eq!(
            expected.iter().map(|line| line.trim()).collect::<Vec<_>>(),
            ["{\"a\":1}", "{\"b\":\"é\"}", "{\"c\":3}"]
        );
        for cut in 0..stream.len() {
            assert_eq!(lines(&[&stream[..cut], &stream[cut..]]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_line_has_a_bound_and_must_be_text() {
        let mut endless = Bytes::from(vec![b'x'; LARGEST_LINE + 1]);
        assert!(matches!(Lines::default().next(&mut endless), Err(ServiceError::TooLarge { .. })));
        let mut binary = Bytes::from_static(b"\xff\n");
        assert!(matches!(
            Lines::default().next(&mut binary),
            Err(ServiceError::Malformed { place: "line", .. })
        ));
    }
}
