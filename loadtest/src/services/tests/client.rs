use crate::services::mocks::Mocks;
use crate::services::server;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

/// What came back on a connection that is used once.
#[derive(Debug)]
pub struct Reply {
    /// The status, 0 without an answer.
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    /// Without its framing.
    pub body: Vec<u8>,
    /// The body came to its end, as its framing says.
    pub whole: bool,
    /// When something came, since the request, and how many bytes.
    pub reads: Vec<(Duration, usize)>,
}

/// More than any answer of the tests: nobody waits for a reader.
const PIPE: usize = 4 << 20;

/// A connection to the services.
pub fn connect(mocks: &Arc<Mocks>) -> DuplexStream {
    let (client, server) = tokio::io::duplex(PIPE);
    tokio::spawn(server::connection(server, mocks.stats.clone(), mocks.router()));
    client
}

/// A request on a connection of its own.
pub async fn ask(
    mocks: &Arc<Mocks>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let mut connection = connect(mocks);
    connection.write_all(&request(method, path, headers, body)).await.unwrap();
    let (sent, mut bytes, mut reads) = (Instant::now(), Vec::new(), Vec::new());
    let mut piece = vec![0; PIPE];
    while let Ok(read @ 1..) = connection.read(&mut piece).await {
        reads.push((sent.elapsed(), read));
        bytes.extend_from_slice(&piece[..read]);
    }
    Reply::read(&bytes, reads)
}

/// JSON to a path.
pub async fn post(mocks: &Arc<Mocks>, path: &str, body: &Value) -> Reply {
    ask(mocks, "POST", path, &[("content-type", "application/json")], body.to_string().as_bytes()).await
}

/// A request as it goes over the wire.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: mock\r\nconnection: close\r\n");
    headers.iter().for_each(|(name, value)| request += &format!("{name}: {value}\r\n"));
    request += &format!("content-length: {}\r\n\r\n", body.len());
    [request.as_bytes(), body].concat()
}

impl Reply {
    fn read(bytes: &[u8], reads: Vec<(Duration, usize)>) -> Self {
        let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
            return Self { status: 0, head: String::new(), body: bytes.into(), whole: false, reads };
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let (body, whole) = if head.contains("transfer-encoding: chunked") {
            unchunked(&bytes[end + 4..])
        } else {
            let body = &bytes[end + 4..];
            let announced = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            (body.to_vec(), announced.is_none_or(|length| length.parse() == Ok(body.len())))
        };
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body, whole, reads }
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Data of server-sent events.
    pub fn events(&self) -> Vec<&str> {
        let events = self.text().split_terminator("\n\n");
        events.map(|event| event.strip_prefix("data: ").unwrap()).collect()
    }

    /// When the first and the last came, in milliseconds.
    pub fn began_and_ended_ms(&self) -> (u128, u128) {
        (self.reads[0].0.as_millis(), self.reads.last().unwrap().0.as_millis())
    }
}

/// The chunks, and whether the last one came.
fn unchunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|end| end == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return (body, true);
        }
        let chunk = &rest[end + 2..];
        body.extend_from_slice(&chunk[..length.min(chunk.len())]);
        rest = chunk.get(length + 2..).unwrap_or_default();
    }
    (body, false)
}
