//! Reads media messages and marks as carriers write them, without building a JSON tree.
//!
//! Takes only what it is sure of: each key at most once and known, every value a string without escapes. All else
//! is `None` and goes through `serde_json`, so that what is accepted and refused does not depend on this scanner.

use super::Dialect;
use super::media::{Media, Track, from_millis};
use crate::json::digits;

/// A media message, its payload still base64.
#[derive(Debug, Default)]
pub(super) struct Scanned<'t> {
    pub(super) stream: Option<&'t str>,
    sequence: Option<u64>,
    chunk: Option<u64>,
    timestamp: Option<u64>,
    track: Option<Track>,
    pub(super) payload: &'t str,
}

/// The media message that `text` is, if it is plainly one.
pub(super) fn media<'t>(dialect: &Dialect, text: &'t str) -> Option<Scanned<'t>> {
    let mut cursor = Cursor { text, at: 0 };
    let mut scanned = Scanned::default();
    let (mut event, mut payload) = (None, None);
    cursor.object(|cursor, key| match key {
        "event" => once(&mut event, cursor.string()?),
        "media" => cursor.object(|cursor, key| match key {
            "payload" => once(&mut payload, cursor.string()?),
            "chunk" => once(&mut scanned.chunk, digits(cursor.string()?)?),
            "timestamp" => once(&mut scanned.timestamp, digits(cursor.string()?)?),
            "track" => once(&mut scanned.track, Track::from_name(cursor.string()?)?),
            _ => None,
        }),
        key if key == dialect.stream => once(&mut scanned.stream, cursor.string()?),
        key if key == dialect.sequence => once(&mut scanned.sequence, digits(cursor.string()?)?),
        _ => None,
    })?;
    cursor.end()?;
    scanned.payload = payload?;
    (event? == "media").then_some(scanned)
}

/// The name of the mark that `text` returns, if it is plainly such a message.
pub(super) fn mark<'t>(dialect: &Dialect, text: &'t str) -> Option<&'t str> {
    let mut cursor = Cursor { text, at: 0 };
    let (mut event, mut name, mut stream, mut sequence) = (None, None, None, None);
    cursor.object(|cursor, key| match key {
        "event" => once(&mut event, cursor.string()?),
        "mark" => cursor.object(|cursor, key| match key {
            "name" => once(&mut name, cursor.string()?),
            _ => None,
        }),
        key if key == dialect.stream => once(&mut stream, cursor.string()?),
        key if key == dialect.sequence => once(&mut sequence, digits(cursor.string()?)?),
        _ => None,
    })?;
    cursor.end()?;
    (event? == "mark").then_some(name?)
}

impl Scanned<'_> {
    /// The message, with its payload decoded to `audio`.
    pub(super) fn media(self, audio: &[u8]) -> Media<'_> {
        Media {
            sequence: self.sequence,
            chunk: self.chunk,
            timestamp: self.timestamp.map(from_millis),
            track: self.track.unwrap_or_default(),
            payload: audio,
            unreadable: None,
        }
    }
}

/// Sets `slot`, unless it is set already.
fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

/// A place in JSON text.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    /// Reads an object of at least one field; `field` reads the value of the key it is given.
    fn object(&mut self, mut field: impl FnMut(&mut Self, &'t str) -> Option<()>) -> Option<()> {
        self.expect(b'{')?;
        loop {
            let key = self.string()?;
            self.expect(b':')?;
            field(self, key)?;
            match self.token()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Reads a string that has no escapes.
    fn string(&mut self) -> Option<&'t str> {
        self.expect(b'"')?;
        let rest = &self.text[self.at..];
        let end = plain(rest.as_bytes());
        self.at += end;
        self.expect_here(b'"')?;
        Some(&rest[..end])
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.token()? == byte).then_some(())
    }

    fn expect_here(&mut self, byte: u8) -> Option<()> {
        (*self.text.as_bytes().get(self.at)? == byte).then(|| self.at += 1)
    }

    /// The next byte that is not white space.
    fn token(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            self.at += 1;
            if !is_space(byte) {
                return Some(byte);
            }
        }
    }

    /// Nothing but white space is left.
    fn end(&self) -> Option<()> {
        self.text.as_bytes()[self.at..].iter().copied().all(is_space).then_some(())
    }
}

/// How many of the bytes stand for themselves in a string. Whole chunks are looked at without a branch in between, which
/// compiles to vector instructions: nearly all of a message is its payload.
fn plain(bytes: &[u8]) -> usize {
    let (chunks, _) = bytes.as_chunks::<32>();
    let clean =
        chunks.iter().take_while(|chunk| !chunk.iter().fold(false, |any, byte| any | is_special(*byte)));
    let clean = clean.count() * 32;
    bytes[clean..].iter().position(|byte| is_special(*byte)).map_or(bytes.len(), |at| clean + at)
}

/// It ends a string, or must be escaped in one (RFC 8259 section 7).
fn is_special(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < b' ')
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    const AS_SENT: &str = r#"{"event":"media","sequenceNumber":"4","media":{"track":"inbound","chunk":"2","timestamp":"20","payload":"AAEC"},"streamSid":"MZ1"}"#;

    #[test]
    fn takes_what_twilio_sends_in_any_order_of_keys() {
        let outer = [
            r#""event":"media""#,
            r#""sequenceNumber":"4""#,
            r#""streamSid":"MZ1""#,
            r#""media":{"payload":"AAEC","timestamp":"20","chunk":"2","track":"inbound"}"#,
        ];
        for first in 0..outer.len() {
            let mut fields = outer;
            fields.rotate_left(first);
            let text = format!("{{ {} }}\n", fields.join(" , "));
            let scanned = media(&Dialect::TWILIO, &text).expect(&text);
            assert_eq!((scanned.stream, scanned.payload), (Some("MZ1"), "AAEC"));
            assert_eq!(scanned.media(&[]).sequence, Some(4));
        }
        assert!(media(&Dialect::TWILIO, AS_SENT).is_some());
    }

    #[test]
    fn takes_marks_as_twilio_returns_them() {
        let sent = r#"{"event":"mark","sequenceNumber":"5","streamSid":"MZ1","mark":{"name":"3-25"}}"#;
        assert_eq!(mark(&Dialect::TWILIO, sent), Some("3-25"));
        let unusual = [
            sent.replace("3-25", r"3\u002d25"),
            sent.replace(r#""name""#, r#""named""#),
            sent.replace(r#""mark","#, r#""stop","#),
            sent.replace(r#"{"name":"3-25"}"#, "{}"),
            sent.replace(r#"{"name":"3-25"}"#, r#"{"name":"a","name":"b"}"#),
            AS_SENT.to_owned(),
        ];
        for text in unusual {
            assert_eq!(mark(&Dialect::TWILIO, &text), None, "{text}");
        }
    }

    #[test]
    fn leaves_everything_unusual_to_the_tree() {
        let unusual = [
            AS_SENT.replace("AAEC", r"AA\/C"),
            AS_SENT.replace("AAEC", "AA\u{1}C"),
            AS_SENT.replace(r#""4""#, "4"),
            AS_SENT.replace(r#""4""#, r#""+4""#),
            AS_SENT.replace(r#""inbound""#, r#""both""#),
            AS_SENT.replace(r#""chunk":"2""#, r#""chunk":"2","chunk":"2""#),
            AS_SENT.replace(r#""chunk""#, r#""more""#),
            AS_SENT.replace(r#""media","#, r#""dtmf","#),
            format!("{AS_SENT}x"),
            AS_SENT[..AS_SENT.len() - 1].to_owned(),
            "{}".to_owned(),
            String::new(),
        ];
        for text in unusual {
            assert!(media(&Dialect::TWILIO, &text).is_none(), "{text}");
        }
    }
}
