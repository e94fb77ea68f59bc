//! Accepts connections and serves HTTP on them: as many as the process can hold, each for as long as it gets on.

use crate::addresses::{Addresses, Kind, Peer};
use crate::connections::{Connection, Connections};
use crate::refusals;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use ringway_config::Network;
use socket2::SockRef;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// How long a client may take for the head of a request, and for a TLS handshake.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of a request's head. Addresses with queries count; forms have a bound of their own.
const LONGEST_HEAD: usize = 32 * 1024;

/// Bytes that the system keeps for a peer that does not read: 2 s of wideband audio. It would grow them to megabytes,
/// and a minute would pass before a deaf peer is noticed.
const SEND_BUFFER: usize = 64 * 1024;

/// How long the system is left alone after it had no file descriptor for a connection.
const OUT_OF_FILES: Duration = Duration::from_millis(10);

/// A listener and what all its connections share.
pub struct Listener {
    /// The certificate, where it is shown.
    pub acceptor: Option<TlsAcceptor>,
    /// What is served at the moment.
    pub routes: watch::Receiver<axum::Router>,
    /// All connections of the process.
    pub connections: Arc<Connections>,
    /// What each address holds.
    pub addresses: Arc<Addresses>,
    /// Proxies, which bring many clients.
    pub proxies: Vec<Network>,
}

impl Listener {
    /// Accepts for as long as the process runs.
    pub async fn accept(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => self.take(stream, peer.ip().to_canonical()),
                Err(error) => {
                    // Out of file descriptors, most likely: whoever gets on least makes room.
                    refusals::refused("files", &format_args!("cannot accept: {error}"), None, "");
                    self.connections.make_room();
                    tokio::time::sleep(OUT_OF_FILES).await;
                }
            }
        }
    }

    fn take(&self, stream: TcpStream, peer: IpAddr) {
        let is_proxy = self.proxies.iter().any(|network| network.contains(peer));
        let of_address = self.addresses.take(Some(peer).filter(|_| !is_proxy), Kind::Connection);
        let of_address = match of_address {
            Ok(held) => held,
            Err(full) => return refusals::refused("address", &full, Some(peer), ""),
        };
        let Some(connection) = self.connections.open() else {
            return refusals::refused(
                "connections",
                &"as many connections are open as may be",
                Some(peer),
                "",
            );
        };
        let (acceptor, routes) = (self.acceptor.clone(), self.routes.borrow().clone());
        tokio::spawn(async move {
            connection.until_closed(|state| serve(stream, peer, acceptor, routes, state)).await;
            drop(of_address);
        });
    }
}

async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    acceptor: Option<TlsAcceptor>,
    routes: axum::Router,
    connection: Connection,
) {
    // A socket that cannot be tuned serves as well, only later and with more memory.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
    match acceptor {
        None => http(TokioIo::new(stream), peer, routes, connection).await,
        Some(acceptor) => match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => http(TokioIo::new(Box::new(stream)), peer, routes, connection).await,
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_elapsed) => tracing::debug!("TLS handshake took too long"),
        },
    }
}

async fn http<S>(io: TokioIo<S>, peer: IpAddr, routes: axum::Router, connection: Connection)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        request.extensions_mut().insert(connection.clone());
        let answer = routes.call(request);
        let connection = connection.clone();
        async move {
            let answer = answer.await;
            connection.set_busy(false);
            answer
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(io, service)
        .with_upgrades();
    if let Err(error) = served.await {
        tracing::debug!(%error, "connection ended");
    }
}
