use super::trust::{self, NoTrust};
use ringway_stages::services::connect_tcp;
use rustls::pki_types::ServerName;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::http::{StatusCode, Uri};
use tokio_tungstenite::tungstenite::{Error, client::IntoClientRequest};
use tokio_tungstenite::{WebSocketStream, client_async};

/// A socket to a server, with TLS or without.
pub type Socket = WebSocketStream<Box<dyn Io>>;

/// What a socket runs over.
pub trait Io: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Io for S {}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Not an address of a socket.
    #[error("{0:?} is not an address such as ws://127.0.0.1:3000/voice-ws")]
    Url(String),
    /// Nobody is there.
    #[error("{address}: {error}; does the server run?")]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        error: io::Error,
    },
    /// The server answers the handshake with an error.
    #[error("refused: {0}")]
    Refused(String),
    /// Whatever is there does not speak this.
    #[error("no WebSocket: {0}")]
    Handshake(Box<Error>),
    /// The certificate is not to be trusted, or nothing says which are.
    #[error("TLS: {0}; --insecure takes any certificate")]
    Tls(io::Error),
    /// There is nothing to check certificates by.
    #[error(transparent)]
    Trust(#[from] NoTrust),
}

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Connects to a `ws://` or `wss://` address, or to the socket of a server at `http://` or `https://`.
///
/// # Errors
/// Nobody is there, or the server refuses.
pub async fn open(url: &str, insecure: bool) -> Result<Socket, ConnectError> {
    let malformed = || ConnectError::Url(ringway_stages::secret::masked_address(url).into_owned());
    let uri: Uri = socket_of(url).parse().map_err(|_| malformed())?;
    let host = uri.host().ok_or_else(malformed)?.trim_matches(['[', ']']).to_owned();
    let is_tls = match uri.scheme_str() {
        Some("ws") => false,
        Some("wss") => true,
        _ => return Err(malformed()),
    };
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let stream = reach(&host, port, is_tls, insecure).await?;
    let request = uri.into_client_request().map_err(|_| malformed())?;
    let (socket, _) = client_async(request, stream).await.map_err(refused)?;
    Ok(socket)
}

/// The address of the socket of a server whose own is given; any other as it is.
pub fn socket_of(url: &str) -> String {
    let server = [("http://", "ws://"), ("https://", "wss://")];
    let socket = server.iter().find_map(|(http, ws)| Some((ws, url.strip_prefix(http)?)));
    socket.map_or_else(
        || url.to_owned(),
        |(ws, rest)| match rest.trim_end_matches('/') {
            host if host.contains('/') => format!("{ws}{rest}"),
            host => format!("{ws}{host}/voice-ws"),
        },
    )
}

/// Connects to a server, with TLS or without.
///
/// # Errors
/// Nobody is there, or it is not to be trusted.
pub async fn reach(host: &str, port: u16, is_tls: bool, insecure: bool) -> Result<Box<dyn Io>, ConnectError> {
    let stream = tcp(host, port).await?;
    if is_tls { tls(stream, host.to_owned(), insecure).await } else { Ok(Box::new(stream)) }
}

async fn tcp(host: &str, port: u16) -> Result<TcpStream, ConnectError> {
    let unreachable = |error| ConnectError::Unreachable { address: format!("{host}:{port}"), error };
    connect_tcp(host, port, CONNECT_WITHIN).await.map_err(unreachable)
}

async fn tls(stream: TcpStream, host: String, insecure: bool) -> Result<Box<dyn Io>, ConnectError> {
    let config = if insecure { trust::anyone() } else { trust::known()? };
    let name = ServerName::try_from(host.clone()).map_err(|_| ConnectError::Url(host))?;
    let stream =
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(ConnectError::Tls)?;
    Ok(Box::new(stream))
}

/// An answer to the handshake that is no upgrade; a body, if there is one, says why.
fn refused(error: Error) -> ConnectError {
    let Error::Http(response) = error else { return ConnectError::Handshake(Box::new(error)) };
    let status: StatusCode = response.status();
    let why = response.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    ConnectError::Refused(format!("HTTP {status} {why}").trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_server_leads_to_its_socket() {
        for (given, socket) in [
            ("http://127.0.0.1:3000", "ws://127.0.0.1:3000/voice-ws"),
            ("https://voice.example.com/", "wss://voice.example.com/voice-ws"),
            ("https://example.com/voice/voice-ws", "wss://example.com/voice/voice-ws"),
            ("ws://127.0.0.1:3000/voice-ws", "ws://127.0.0.1:3000/voice-ws"),
        ] {
            assert_eq!(socket_of(given), socket);
        }
    }
}
