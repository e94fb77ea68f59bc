//! The events of [Wyoming](https://github.com/OHF-Voice/wyoming) on their way in and out: each is one line of JSON, and
//! behind it as many bytes of more JSON and of binary as the line tells.

use super::ServiceError;
use bytes::{Buf as _, Bytes, BytesMut};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a server says or is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    /// Its type, such as `transcript`.
    pub(super) kind: String,
    data: Map<String, Value>,
    /// Its audio; most events have none.
    pub(super) payload: Bytes,
}

impl Event {
    /// Its data in this shape.
    ///
    /// # Errors
    /// It has another.
    pub(super) fn data<T: DeserializeOwned>(&self) -> Result<T, ServiceError> {
        serde_json::from_value(Value::Object(self.data.clone()))
            .map_err(|error| ServiceError::malformed("event", format_args!("{}: {error}", self.kind)))
    }
}

/// Appends an event to `out`; `data` has to be an object.
pub(super) fn write(kind: &str, data: &impl Serialize, payload: &[u8], out: &mut Vec<u8>) {
    let line = Outgoing { kind, data, payload_length: (!payload.is_empty()).then_some(payload.len()) };
    serde_json::to_writer(&mut *out, &line).expect("data in the shape of JSON");
    out.push(b'\n');
    out.extend_from_slice(payload);
}

/// An event without data or payload.
pub(super) fn write_bare(kind: &str, out: &mut Vec<u8>) {
    write(kind, &Nothing {}, &[], out);
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct Outgoing<'e, T> {
    #[serde(rename = "type")]
    kind: &'e str,
    data: &'e T,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_length: Option<usize>,
}

/// Puts the events of a stream together, in whichever pieces it comes.
#[derive(Debug, Default)]
pub(super) struct Events {
    waiting: BytesMut,
    /// How much of what waits was searched for the end of a line.
    searched: usize,
    head: Option<Head>,
}

/// The line of an event.
#[derive(Debug, Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Option<Map<String, Value>>,
    #[serde(default)]
    data_length: Option<usize>,
    #[serde(default)]
    payload_length: Option<usize>,
}

impl Events {
    /// Takes in a piece of the stream.
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.waiting.extend_from_slice(piece);
    }

    /// No event has begun.
    pub(super) fn is_between(&self) -> bool {
        self.head.is_none() && self.waiting.is_empty()
    }

    /// The next whole event; `None`: more of the stream is needed.
    ///
    /// # Errors
    /// The stream is none of Wyoming, or holds more at once than is taken in.
    pub(super) fn next(&mut self) -> Result<Option<Event>, ServiceError> {
        if self.head.is_none() {
            self.head = self.line()?;
        }
        let Some(head) = &self.head else { return Ok(None) };
        if self.waiting.len() < head.data_bytes() + head.payload_bytes() {
            return Ok(None);
        }
        self.head.take().map(|head| self.event(head)).transpose()
    }

    fn line(&mut self) -> Result<Option<Head>, ServiceError> {
        let Some(end) = self.waiting[self.searched..].iter().position(|byte| *byte == b'\n') else {
            self.searched = self.waiting.len();
            return bounded("line", self.searched, LONGEST_LINE).map(|()| None);
        };
        let line = self.waiting.split_to(self.searched + end);
        self.waiting.advance(1);
        self.searched = 0;
        bounded("line", line.len(), LONGEST_LINE)?;
        let head: Head =
            serde_json::from_slice(&line).map_err(|error| ServiceError::malformed("event", error))?;
        bounded("data", head.data_bytes(), MOST_DATA)?;
        bounded("payload", head.payload_bytes(), MOST_PAYLOAD)?;
        Ok(Some(head))
    }

    fn event(&mut self, head: Head) -> Result<Event, ServiceError> {
        let data = self.waiting.split_to(head.data_bytes());
        let payload = self.waiting.split_to(head.payload_bytes()).freeze();
        let mut all = head.data.unwrap_or_default();
        if !data.is_empty() {
            let more: Map<String, Value> =
                serde_json::from_slice(&data).map_err(|error| ServiceError::malformed("event", error))?;
            all.extend(more);
        }
        Ok(Event { kind: head.kind, data: all, payload })
    }
}

impl Head {
    fn data_bytes(&self) -> usize {
        self.data_length.unwrap_or(0)
    }

    fn payload_bytes(&self) -> usize {
        self.payload_length.unwrap_or(0)
    }
}

fn bounded(place: &'static str, length: usize, limit: usize) -> Result<(), ServiceError> {
    if length > limit { Err(ServiceError::TooLarge { place, limit }) } else { Ok(()) }
}

/// Bytes of a line; the list of a server's voices may stand in one.
const LONGEST_LINE: usize = 1_024 * 1_024;

/// Bytes of JSON behind it.
const MOST_DATA: usize = 1_024 * 1_024;

/// Bytes of audio behind it: half a minute at 16 kHz, where servers send some milliseconds.
const MOST_PAYLOAD: usize = 1_024 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn events(stream: &[u8]) -> Result<Vec<Event>, ServiceError> {
        let (mut events, mut found) = (Events::default(), Vec::new());
        for byte in stream {
            events.push(&[*byte]);
            while let Some(event) = events.next()? {
                found.push(event);
            }
        }
        assert!(events.is_between(), "{events:?}");
        Ok(found)
    }

    fn event(kind: &str, data: Value, payload: &'static [u8]) -> Event {
        let Value::Object(data) = data else { panic!("{data} is no object") };
        Event { kind: kind.into(), data, payload: Bytes::from_static(payload) }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        write("audio-chunk", &json!({"rate": 16_000, "width": 2, "channels": 1}), &[1, b'\n', 3], &mut out);
        write_bare("audio-stop", &mut out);
        let chunk = event("audio-chunk", json!({"rate": 16_000, "width": 2, "channels": 1}), b"\x01\n\x03");
        assert_eq!(events(&out).unwrap(), [chunk, event("audio-stop", json!({}), b"")]);
    }

    /// As the published library writes them: data behind the line, merged with that of the line.
    #[test]
    fn data_may_stand_in_the_line_and_behind_it() {
        let stream =
            b"{\"type\": \"transcript\", \"version\": \"1.10.2\", \"data\": {\"text\": \"no\", \"x\": 1}, \
            \"data_length\": 15}\n{\"text\": \"yes\"}{\"type\": \"pong\", \"payload_length\": null}\n";
        let transcript = event("transcript", json!({"text": "yes", "x": 1}), b"");
        assert_eq!(events(stream).unwrap(), [transcript, event("pong", json!({}), b"")]);
    }

    #[test]
    fn data_has_a_shape() {
        #[derive(Debug, Deserialize)]
        struct Transcript {
            text: String,
        }
        let read = |data| event("transcript", data, b"").data::<Transcript>();
        assert_eq!(read(json!({"text": "yes", "language": "en"})).unwrap().text, "yes");
        let error = read(json!({"text": 1})).unwrap_err().to_string();
        assert_eq!(error, "malformed event: transcript: invalid type: integer `1`, expected a string");
    }

    #[test]
    fn what_is_no_event_is_told() {
        for (stream, expected) in [
            (&b"HTTP/1.1 400 Bad Request\r\n"[..], "malformed event: expected value at line 1 column 1"),
            (b"\n", "malformed event: EOF while parsing a value at line 1 column 0"),
            (b"{}\n", "malformed event: missing field `type` at line 1 column 2"),
            (
                b"{\"type\":\"x\",\"data_length\":2}\n[]",
                "malformed event: invalid type: sequence, expected a map at line 1 column 0",
            ),
            (b"{\"type\":\"x\",\"payload_length\":1048577}\n", "payload of more than 1048576 bytes"),
        ] {
            assert_eq!(events(stream).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_line_without_an_end_has_a_bound() {
        let mut events = Events::default();
        events.push(&vec![b'x'; LONGEST_LINE]);
        assert_eq!(events.next().unwrap(), None);
        events.push(b"x");
        assert_eq!(events.next().unwrap_err().to_string(), "line of more than 1048576 bytes");
    }
}
