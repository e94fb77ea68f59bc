//! The records of a streamed answer: server-sent events, or JSON values one behind the other, whichever comes.

use super::ServiceError;
use super::lenient::Object;
use super::sse::Events;
use bytes::{Buf, Bytes};
use serde::de::DeserializeOwned;

/// Takes records out of a stream that comes in pieces of any length.
#[derive(Debug)]
pub(super) struct Records {
    form: Option<Form>,
    due: Due,
}

/// What a service answers by its own description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Events,
    Values,
}

#[derive(Debug)]
enum Form {
    Events(Events),
    Values(Values),
}

impl Records {
    /// Of a service that answers so; gateways answer in the other form too.
    pub(super) const fn new(due: Due) -> Self {
        Self { form: None, due }
    }

    /// Reads on in `piece` to the end of the next record; `None` when the piece is used up.
    pub(super) fn next(&mut self, piece: &mut Bytes) -> Result<Option<String>, ServiceError> {
        if self.form.is_none() {
            self.form = self.begun(piece);
        }
        match &mut self.form {
            None => Ok(None),
            Some(Form::Events(events)) => events.next(piece),
            Some(Form::Values(values)) => values.next(piece),
        }
    }

    /// The stream has ended, perhaps without the end of its last record.
    pub(super) fn finish(&mut self) -> Result<Option<String>, ServiceError> {
        match &mut self.form {
            None => Ok(None),
            Some(Form::Events(events)) => events.finish(),
            Some(Form::Values(values)) => values.finish(),
        }
    }

    /// The form by the first byte that is no blank: an event's line begins with a letter or a colon, a value with a
    /// bracket.
    fn begun(&self, piece: &mut Bytes) -> Option<Form> {
        let blanks = piece.iter().take_while(|byte| is_blank(**byte)).count();
        piece.advance(blanks);
        let events = || Form::Events(Events::default());
        let values = || Form::Values(Values::default());
        Some(match (*piece.first()?, self.due) {
            (b'{', _) => values(),
            (b'd' | b'e' | b'i' | b'r' | b':', _) | (_, Due::Events) => events(),
            (_, Due::Values) => values(),
        })
    }
}

/// What a record holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Held<T> {
    /// `[DONE]`.
    Done,
    Value(T),
}

/// Reads a record. Servers that forget the blank line between two events make one of them, with a value a line.
pub(super) fn read<T: DeserializeOwned + Default>(
    record: &str,
    place: &'static str,
) -> Result<Vec<Held<T>>, ServiceError> {
    let whole = read_one(record);
    let read = match whole {
        Err(_) if record.trim().contains('\n') => record.lines().map(read_one).collect(),
        whole => whole.map(|held| vec![held]),
    };
    let held = read.map_err(|error| ServiceError::malformed(place, error))?;
    Ok(held.into_iter().flatten().collect())
}

fn read_one<T: DeserializeOwned + Default>(text: &str) -> Result<Option<Held<T>>, serde_json::Error> {
    let text = text.trim();
    let text = text.strip_prefix("data:").map_or(text, str::trim_start);
    if text.is_empty() || text == "null" {
        return Ok(None);
    }
    if text.trim_matches('"').eq_ignore_ascii_case("[done]") {
        return Ok(Some(Held::Done));
    }
    serde_json::from_str(text).map(|Object(value)| Some(Held::Value(value)))
}

/// Blanks, line ends, the three bytes of a byte order mark, and the separator of `application/json-seq`.
const fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, 0xef | 0xbb | 0xbf | 0x1e)
}

/// JSON values, each on a line of its own or on several.
#[derive(Debug, Default)]
struct Values {
    value: Vec<u8>,
    depth: usize,
    quoted: bool,
    escaped: bool,
}

impl Values {
    fn next(&mut self, piece: &mut Bytes) -> Result<Option<String>, ServiceError> {
        while !piece.is_empty() {
            let byte = piece[0];
            piece.advance(1);
            if self.value.is_empty() && is_blank(byte) {
                continue;
            }
            if self.value.len() >= LARGEST_VALUE {
                return Err(ServiceError::TooLarge { place: "line", limit: LARGEST_VALUE });
            }
            self.value.push(byte);
            if self.ends(byte) {
                return self.finish();
            }
        }
        Ok(None)
    }

    fn finish(&mut self) -> Result<Option<String>, ServiceError> {
        (self.depth, self.quoted, self.escaped) = (0, false, false);
        let value = std::mem::take(&mut self.value);
        if value.iter().all(|byte| is_blank(*byte)) {
            return Ok(None);
        }
        let text = String::from_utf8(value);
        text.map(Some).map_err(|error| ServiceError::malformed("line", error.utf8_error()))
    }

    /// Whether the value is complete with this byte; what is no value ends with its line.
    fn ends(&mut self, byte: u8) -> bool {
        if self.quoted {
            self.quoted = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return false;
        }
        match byte {
            b'"' => self.quoted = self.depth > 0,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0 && matches!(self.value.first(), Some(b'{' | b'['));
            }
            b'\n' => return self.depth == 0,
            _ => {}
        }
        false
    }
}

/// Bytes of one value that are taken in.
const LARGEST_VALUE: usize = 1_024 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn records(due: Due, pieces: &[&[u8]]) -> Vec<String> {
        let (mut records, mut found) = (Records::new(due), Vec::new());
        for piece in pieces {
            let mut piece = Bytes::copy_from_slice(piece);
            while let Some(record) = records.next(&mut piece).unwrap() {
                found.push(record);
            }
        }
        found.extend(records.finish().unwrap());
        found.iter().map(|record| record.trim().to_owned()).collect()
    }

    #[test]
    fn either_form_is_read_however_it_is_cut_and_whichever_was_due() {
        let lines = b"\xef\xbb\xbf{\"a\":\"}\\\"{\"}\r\n\n{\n  \"b\": [1]\n}{\"c\":\"\xc3\xa9\"}\n[DONE]\nword\n{\"d\"".as_slice();
        let expected =
            ["{\"a\":\"}\\\"{\"}", "{\n  \"b\": [1]\n}", "{\"c\":\"é\"}", "[DONE]", "word", "{\"d\""];
        let events = b"\n: hello\r\ndata: {\"a\":1}\n\ndata: two".as_slice();
        for due in [Due::Events, Due::Values] {
            for cut in 0..lines.len() {
                assert_eq!(records(due, &[&lines[..cut], &lines[cut..]]), expected, "cut at {cut}");
            }
            for cut in 0..events.len() {
                let found = records(due, &[&events[..cut], &events[cut..]]);
                assert_eq!(found, ["{\"a\":1}", "two"], "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_value_has_a_bound_and_must_be_text() {
        let mut endless = Bytes::from(vec![b'['; LARGEST_VALUE + 1]);
        let error = Records::new(Due::Values).next(&mut endless).unwrap_err();
        assert!(matches!(error, ServiceError::TooLarge { .. }), "{error}");
        let mut binary = Bytes::from_static(b"{\"\xff\"}");
        let error = Records::new(Due::Values).next(&mut binary).unwrap_err();
        assert!(matches!(error, ServiceError::Malformed { place: "line", .. }), "{error}");
    }
}
