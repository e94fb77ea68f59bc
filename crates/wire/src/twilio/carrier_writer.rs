use super::{Dialect, Start, payload};
use crate::json;
use bytes::BufMut;
use serde_json::{Value, json};
use std::io::Write;

/// Writes what a carrier says about one stream: the far end, for load testers and tests.
#[derive(Clone, Debug)]
pub struct CarrierWriter {
    dialect: &'static Dialect,
    start: Start,
    sequence: u64,
    chunk: u64,
    bytes: u64,
}

impl CarrierWriter {
    /// Speaks of the stream that `start` describes.
    pub const fn new(dialect: &'static Dialect, start: Start) -> Self {
        Self { dialect, start, sequence: 0, chunk: 0, bytes: 0 }
    }

    /// Appends the first message of a socket.
    pub fn connected(&self, out: &mut impl BufMut) {
        json::put(out, &json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}));
    }

    /// Appends the beginning of the stream.
    pub fn start(&mut self, out: &mut impl BufMut) {
        let Self { dialect, start, .. } = self;
        let about = json!({
            dialect.account: start.account,
            dialect.stream: start.stream,
            dialect.call: start.call,
            "tracks": ["inbound"],
            dialect.media_format: {
                "encoding": dialect.encoding_name(start.format),
                dialect.sample_rate: start.format.rate().hz(),
                "channels": 1,
            },
            dialect.custom_parameters: start.custom_parameters,
        });
        self.event(out, "start", about);
    }

    /// Appends audio of the caller; allocates nothing but what `out` needs.
    pub fn media(&mut self, out: &mut impl BufMut, payload: &[u8]) {
        let bytes_per_ms = self.start.format.bytes() as u64 / 20;
        let (sequence, timestamp) = (self.next_sequence(), self.bytes / bytes_per_ms);
        self.chunk += 1;
        self.bytes += payload.len() as u64;
        let Dialect { sequence: sequence_name, stream: stream_name, .. } = self.dialect;
        let mut text = out.writer();
        write!(text, r#"{{"event":"media","{sequence_name}":"{sequence}","media":{{"track":"inbound","#)
            .and_then(|()| write!(text, r#""chunk":"{}","timestamp":"{timestamp}","payload":""#, self.chunk))
            .expect("the buffer grows as needed");
        payload::encode(payload, out);
        out.put_slice(br#""},""#);
        out.put_slice(stream_name.as_bytes());
        out.put_slice(br#"":"#);
        json::put_string(out, &self.start.stream);
        out.put_u8(b'}');
    }

    /// Appends a key that the caller pressed.
    pub fn dtmf(&mut self, out: &mut impl BufMut, digit: char) {
        self.event(out, "dtmf", json!({"track": "inbound_track", "digit": digit}));
    }

    /// Appends a mark that comes back.
    pub fn mark(&mut self, out: &mut impl BufMut, name: &str) {
        self.event(out, "mark", json!({"name": name}));
    }

    /// Appends the end of the stream.
    pub fn stop(&mut self, out: &mut impl BufMut) {
        let about = json!({self.dialect.account: self.start.account, self.dialect.call: self.start.call});
        self.event(out, "stop", about);
    }

    fn event(&mut self, out: &mut impl BufMut, event: &str, about: Value) {
        let sequence = self.next_sequence().to_string();
        let message = json!({
            "event": event,
            self.dialect.sequence: sequence,
            self.dialect.stream: self.start.stream,
            event: about,
        });
        json::put(out, &message);
    }

    const fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}
