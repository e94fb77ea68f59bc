//! Server-sent events, as <https://html.spec.whatwg.org/multipage/server-sent-events.html> has them.

use super::ServiceError;
use bytes::{Buf, Bytes};

/// Takes events out of a stream that comes in pieces of any length.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// A line whose end has not come.
    line: Vec<u8>,
    /// Data of the event whose end has not come.
    data: Vec<u8>,
    has_data: bool,
    /// The last byte was a carriage return: a line feed behind it belongs to it.
    after_return: bool,
    begun: bool,
}

impl Events {
    /// Reads on in `piece` to the end of the next event, and gives its data; `None` when the piece is used up.
    pub(super) fn next(&mut self, piece: &mut Bytes) -> Result<Option<String>, ServiceError> {
        while !piece.is_empty() {
            let Some(end) = piece.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                self.extend_line(piece)?;
                piece.clear();
                return Ok(None);
            };
            self.extend_line(&piece[..end])?;
            let ending = piece[end];
            piece.advance(end + 1);
            // The line feed of a pair ends nothing.
            let second = ending == b'\n' && end == 0 && self.after_return;
            self.after_return = ending == b'\r';
            if second {
                continue;
            }
            if let Some(event) = self.close_line()? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// The stream has ended; some servers forget the blank line behind their last event.
    pub(super) fn finish(&mut self) -> Result<Option<String>, ServiceError> {
        if !self.line.is_empty() {
            self.close_line()?;
        }
        self.close_event()
    }

    fn extend_line(&mut self, bytes: &[u8]) -> Result<(), ServiceError> {
        if !bytes.is_empty() {
            self.after_return = false;
        }
        if self.line.len() + self.data.len() + bytes.len() > LARGEST_EVENT {
            return Err(ServiceError::TooLarge { place: "event", limit: LARGEST_EVENT });
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn close_line(&mut self) -> Result<Option<String>, ServiceError> {
        let line = std::mem::take(&mut self.line);
        let bom: &[u8] = if self.begun { b"" } else { b"\xef\xbb\xbf" };
        self.begun = true;
        let text = line.strip_prefix(bom).unwrap_or(&line);
        let event = if text.is_empty() { self.close_event() } else { self.field(text).map(|()| None) };
        // Its room is used again.
        self.line = line;
        self.line.clear();
        event
    }

    fn field(&mut self, line: &[u8]) -> Result<(), ServiceError> {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        // Comments, names and numbers of events say nothing that matters here.
        if &line[..colon] == b"data" {
            if self.has_data {
                self.data.push(b'\n');
            }
            self.has_data = true;
            self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
        }
        Ok(())
    }

    fn close_event(&mut self) -> Result<Option<String>, ServiceError> {
        if !std::mem::take(&mut self.has_data) {
            return Ok(None);
        }
        let data = std::mem::take(&mut self.data);
        String::from_utf8(data)
            .map(Some)
            .map_err(|error| ServiceError::malformed("event", error.utf8_error()))
    }
}

/// Bytes of one event that are taken in.
const LARGEST_EVENT: usize = 1_024 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&[u8]]) -> Vec<String> {
        let mut events = Events::default();
        let mut found = Vec::new();
        for piece in pieces {
            let mut piece = Bytes::copy_from_slice(piece);
            while let Some(event) = events.next(&mut piece).unwrap() {
                found.push(event);
            }
        }
        found.extend(events.finish().unwrap());
        found
    }

    #[test]
    fn events_are_the_same_however_the_stream_is_cut() {
        let stream = b"\xef\xbb\xbf: hello\r\ndata: one\r\n\r\ndata:two\ndata: lines\n\nevent: x\rid: 1\rdata: three\r\rdata\n\n\n";
        let expected = ["one", "two\nlines", "three", ""];
        assert_eq!(events(&[stream]), expected);
        for cut in 0..stream.len() {
            assert_eq!(events(&[&stream[..cut], &stream[cut..]]), expected, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(events(&bytes), expected);
    }

    #[test]
    fn a_last_event_without_its_blank_line_counts() {
        assert_eq!(events(&[b"data: [DONE]"]), ["[DONE]"]);
        assert_eq!(events(&[b"data: [DONE]\n"]), ["[DONE]"]);
    }

    #[test]
    fn an_event_has_a_bound_and_must_be_text() {
        let mut endless = Bytes::from(vec![b'x'; LARGEST_EVENT + 1]);
        assert!(matches!(Events::default().next(&mut endless), Err(ServiceError::TooLarge { .. })));
        let mut binary = Bytes::from_static(b"data: \xff\n\n");
        let error = Events::default().next(&mut binary).unwrap_err().to_string();
        assert!(error.starts_with("malformed event: invalid utf-8"), "{error}");
    }
}
