use super::{Dialect, payload};
use crate::json::put_string;
use bytes::BufMut;

/// Writes what the server says to the carrier about one stream.
///
/// Appends to a buffer of the caller's and allocates nothing else, so that audio costs no allocation.
#[derive(Clone, Debug)]
pub struct ServerWriter {
    /// The stream's id as a field, ready to be copied.
    stream_field: Vec<u8>,
}

impl ServerWriter {
    /// Speaks of the stream that the start message called `stream`.
    pub fn new(dialect: &Dialect, stream: &str) -> Self {
        let mut stream_field = Vec::with_capacity(dialect.stream.len() + stream.len() + 6);
        put_string(&mut stream_field, dialect.stream);
        stream_field.put_u8(b':');
        put_string(&mut stream_field, stream);
        Self { stream_field }
    }

    /// Appends audio, of any length; the carrier buffers and paces it.
    pub fn media(&self, out: &mut impl BufMut, payload: &[u8]) {
        self.begin(out, "media");
        out.put_slice(br#","media":{"payload":""#);
        payload::encode(payload, out);
        out.put_slice(br#""}}"#);
    }

    /// Appends a mark, which comes back when the audio before it has been played or cleared.
    pub fn mark(&self, out: &mut impl BufMut, name: &str) {
        self.begin(out, "mark");
        out.put_slice(br#","mark":{"name":"#);
        put_string(out, name);
        out.put_slice(b"}}");
    }

    /// Appends the wish that the carrier drop the audio that it has not played.
    pub fn clear(&self, out: &mut impl BufMut) {
        self.begin(out, "clear");
        out.put_u8(b'}');
    }

    fn begin(&self, out: &mut impl BufMut, event: &str) {
        out.put_slice(br#"{"event":""#);
        out.put_slice(event.as_bytes());
        out.put_slice(br#"","#);
        out.put_slice(&self.stream_field);
    }
}
