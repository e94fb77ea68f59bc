//! One plain request, which both kinds of server answer and only one understands.

use super::Kind;
use crate::services::connector::Connector;
use crate::services::{Phase, ServiceError};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// Asks for the health of the server that listens there.
pub(super) async fn ask(connector: &Connector, limit: Duration) -> Result<Kind, ServiceError> {
    let endpoint = connector.endpoint();
    let path = health(&endpoint.below(""));
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", endpoint.host_header());
    let mut stream = connector.connect().await?;
    let mut answer = Vec::new();
    let exchange = timeout(limit, async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let mut stream = stream.take(LONGEST_ANSWER);
        stream.read_to_end(&mut answer).await
    });
    let late = |_| ServiceError::Late { phase: Phase::FirstByte, limit };
    exchange.await.map_err(late)?.map_err(|error| ServiceError::cut(Phase::FirstByte, error))?;
    read(&String::from_utf8_lossy(&answer))
}

/// Beside the socket.
fn health(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let base = path.trim_end_matches('/');
    format!("{}/health", base.strip_suffix("/asr").unwrap_or(base))
}

/// WhisperLiveKit tells its backend; WhisperLive wants a socket whatever it is asked.
fn read(answer: &str) -> Result<Kind, ServiceError> {
    let status = answer.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).unwrap_or_default();
    let lower = answer.to_ascii_lowercase();
    match status {
        "200" if lower.contains("\"backend\"") => Ok(Kind::WhisperLiveKit),
        "426" => Ok(Kind::WhisperLive),
        "400" | "401" | "403" if lower.contains("websocket") => Ok(Kind::WhisperLive),
        "" => Err(ServiceError::malformed("answer", "it is none of HTTP")),
        _ => Err(ServiceError::Unfit { reason: NEITHER }),
    }
}

const NEITHER: &str = "the server is neither WhisperLiveKit nor WhisperLive";

/// Bytes of an answer that are taken in.
const LONGEST_ANSWER: u64 = 16 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_known_by_its_answer() {
        let health =
            "HTTP/1.1 200 OK\r\n\r\n{\"status\":\"ok\",\"backend\":\"faster-whisper\",\"ready\":true}";
        assert_eq!(read(health).unwrap(), Kind::WhisperLiveKit);
        for answer in [
            "HTTP/1.1 426 Upgrade Required\r\n\r\nFailed to open a WebSocket connection",
            "HTTP/1.1 401 Unauthorized\r\nServer: Python/3.11 websockets/15.0\r\n\r\n",
        ] {
            assert_eq!(read(answer).unwrap(), Kind::WhisperLive);
        }
        for (answer, expected) in [
            (
                "HTTP/1.1 404 Not Found\r\n\r\n",
                "cannot be used: the server is neither WhisperLiveKit nor WhisperLive",
            ),
            ("SSH-2.0", "malformed answer: it is none of HTTP"),
        ] {
            assert_eq!(read(answer).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn its_health_lies_beside_the_socket() {
        assert_eq!(health("/"), "/health");
        assert_eq!(health("/asr?language=en"), "/health");
        assert_eq!(health("/stt/asr"), "/stt/health");
    }
}
