use bytes::{Buf, Bytes, BytesMut};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What one side tells the other: a line of JSON, and behind it as many bytes of more JSON and of audio as it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its type, such as `synthesize`.
    pub kind: String,
    /// Its fields.
    pub data: Map<String, Value>,
    /// Its audio.
    pub payload: Bytes,
}

/// The stream is none of Wyoming.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an event")]
pub struct NoEvent;

#[derive(Deserialize)]
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

impl Event {
    /// Takes the first event out of what has come; `None`: more of it has to come.
    ///
    /// # Errors
    /// What has come is no event, or longer than any.
    pub fn take(stream: &mut BytesMut) -> Result<Option<Self>, NoEvent> {
        let Some(line) = stream.iter().position(|byte| *byte == b'\n') else {
            return if stream.len() > LONGEST { Err(NoEvent) } else { Ok(None) };
        };
        let head: Head = serde_json::from_slice(&stream[..line]).map_err(|_| NoEvent)?;
        let (data, payload) = (head.data_length.unwrap_or(0), head.payload_length.unwrap_or(0));
        if data > LONGEST || payload > LONGEST {
            return Err(NoEvent);
        }
        if stream.len() < line + 1 + data + payload {
            return Ok(None);
        }
        stream.advance(line + 1);
        let mut fields = head.data.unwrap_or_default();
        if data > 0 {
            let more: Map<String, Value> =
                serde_json::from_slice(&stream.split_to(data)).map_err(|_| NoEvent)?;
            fields.extend(more);
        }
        Ok(Some(Self { kind: head.kind, data: fields, payload: stream.split_to(payload).freeze() }))
    }

    /// A field that is text.
    pub fn text(&self, field: &str) -> &str {
        self.data.get(field).and_then(Value::as_str).unwrap_or_default()
    }
}

/// An event as servers write it: its data behind the line.
pub fn written(kind: &str, data: &Value, payload: &[u8]) -> Bytes {
    let data = if data.is_null() { String::new() } else { data.to_string() };
    let mut head = json!({"type": kind, "version": VERSION});
    for (key, length) in [("data_length", data.len()), ("payload_length", payload.len())] {
        if length > 0 {
            head[key] = length.into();
        }
    }
    [head.to_string().as_bytes(), b"\n", data.as_bytes(), payload].concat().into()
}

/// That of the package that defines the protocol.
const VERSION: &str = "1.10.2";

/// Bytes of a line, of its data and of its audio.
const LONGEST: usize = 1_024 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_taken_in_whichever_pieces_it_comes() {
        let stream = [
            written("audio-chunk", &json!({"rate": 16_000}), &[1, b'\n', 3]),
            written("audio-stop", &Value::Null, &[]),
        ]
        .concat();
        let (mut waiting, mut taken) = (BytesMut::new(), Vec::new());
        for byte in stream {
            waiting.extend_from_slice(&[byte]);
            taken.extend(Event::take(&mut waiting).unwrap());
        }
        let kinds: Vec<_> = taken.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["audio-chunk", "audio-stop"]);
        assert_eq!((&taken[0].data["rate"], &taken[0].payload[..]), (&16_000.into(), &[1, b'\n', 3][..]));
        assert!(waiting.is_empty());
    }

    #[test]
    fn what_is_no_event_is_told() {
        for stream in [
            "GET / HTTP/1.1\r\n",
            "{}\n",
            "{\"type\":\"a\",\"data_length\":3}\n{]}",
            "{\"type\":\"a\",\"payload_length\":2000000}\n",
        ] {
            assert_eq!(Event::take(&mut BytesMut::from(stream)), Err(NoEvent), "{stream:?}");
        }
    }
}
