//! Accepts connections and serves HTTP on them: as many as the process can hold, each for as long as it gets on.

use crate::addresses::{Addresses, Kind, Peer};
use crate::open_connections::{Connection, OpenConnections};
use crate::refusals;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use ringway_config::{Config, Network};
use rustls::ServerConfig;
use socket2::SockRef;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// How long a client may take for the head of a request, and for a TLS handshake.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of a request's head; addresses with queries count.
const LONGEST_HEAD: usize = 32 * 1024;

/// Bytes that the system keeps for a peer that does not read: 2 s of wideband audio. It would grow them to megabytes,
/// and a minute would pass before a deaf peer is noticed.
const SEND_BUFFER: usize = 64 * 1024;

/// How long nobody is accepted when the system has no descriptor left.
const REST: Duration = Duration::from_millis(10);

/// All connections of the listeners: told when the server ends, and waited for.
#[derive(Debug)]
pub struct Connections {
    closing: watch::Sender<bool>,
    doors: Doors,
}

/// How connections are accepted.
#[derive(Clone, Debug)]
struct Doors {
    tls: Option<watch::Receiver<Arc<ServerConfig>>>,
    closing: watch::Receiver<bool>,
    gate: Gate,
}

/// Which connections are served.
#[derive(Clone, Debug)]
pub struct Gate {
    open: Arc<OpenConnections>,
    addresses: Arc<Addresses>,
    /// They bring many clients.
    proxies: Vec<Network>,
}

impl Gate {
    /// With the configured limits; `addresses` counts what each of them holds.
    pub fn new(config: &Config, addresses: Arc<Addresses>) -> Self {
        let open = OpenConnections::new(config.limits.connections);
        Self { open, addresses, proxies: config.server.trusted_proxies.clone() }
    }
}

impl Connections {
    /// With this certificate, as it is at the moment.
    pub fn new(tls: Option<watch::Receiver<Arc<ServerConfig>>>, gate: Gate) -> Self {
        let (sender, closing) = watch::channel(false);
        Self { closing: sender, doors: Doors { tls, closing, gate } }
    }

    /// Accepts until they are closed.
    pub fn accept(
        &self,
        listener: TcpListener,
        routes: watch::Receiver<axum::Router>,
    ) -> impl Future<Output = ()> + Send + use<> {
        self.doors.clone().accept(listener, routes)
    }

    /// Whether there is a certificate.
    pub fn are_encrypted(&self) -> bool {
        self.doors.tls.is_some()
    }

    /// Leaves at least half of the files that the process may still open to calls.
    pub fn leave_files(&self, free: usize) {
        self.doors.gate.open.leave_files(free);
    }

    /// Accepts nobody else, and waits until those who are being answered have their answers.
    pub async fn close(self) {
        let Self { closing, doors } = self;
        drop(doors);
        closing.send_replace(true);
        closing.closed().await;
    }
}

impl Doors {
    async fn accept(mut self, listener: TcpListener, routes: watch::Receiver<axum::Router>) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = closing(&mut self.closing) => return,
            };
            match accepted {
                Ok((stream, peer)) => self.take(stream, peer.ip().to_canonical(), &routes),
                Err(error) => {
                    // Out of file descriptors, most likely: whoever gets on least makes room.
                    refusals::refused("files", &format_args!("cannot accept: {error}"), None, "");
                    self.gate.open.make_room();
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    fn take(&self, stream: TcpStream, peer: IpAddr, routes: &watch::Receiver<axum::Router>) {
        let Gate { open, addresses, proxies } = &self.gate;
        let is_proxy = proxies.iter().any(|network| network.contains(peer));
        let of_address = match addresses.take(Some(peer).filter(|_| !is_proxy), Kind::Connection) {
            Ok(held) => held,
            Err(full) => return refusals::refused("address", &full, Some(peer), ""),
        };
        let Some(entry) = open.open() else {
            return refusals::refused(
                "connections",
                &"as many connections are open as may be",
                Some(peer),
                "",
            );
        };
        let (doors, routes) = (self.clone(), routes.borrow().clone());
        tokio::spawn(async move {
            entry.until_closed(|connection| doors.connection(stream, peer, routes, connection)).await;
            drop(of_address);
        });
    }

    async fn connection(self, stream: TcpStream, peer: IpAddr, routes: axum::Router, connection: Connection) {
        // A socket that cannot be tuned serves as well, only later and with more memory.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
        let answering = Answering { peer, connection, routes, closing: self.closing };
        let acceptor = self.tls.map(|present| TlsAcceptor::from(present.borrow().clone()));
        match acceptor {
            None => answering.http(TokioIo::new(stream)).await,
            Some(acceptor) => match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => answering.http(TokioIo::new(Box::new(stream))).await,
                Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                Err(_elapsed) => tracing::debug!("TLS handshake took too long"),
            },
        }
    }
}

/// Waits until the server closes its connections.
async fn closing(told: &mut watch::Receiver<bool>) {
    // A sender that is gone has closed too.
    let _ = told.wait_for(|closing| *closing).await;
}

/// What one connection's requests are answered with.
struct Answering {
    peer: IpAddr,
    connection: Connection,
    routes: axum::Router,
    closing: watch::Receiver<bool>,
}

impl Answering {
    async fn http<S>(self, io: TokioIo<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { peer, connection, routes, closing: mut told } = self;
        let routes = TowerToHyperService::new(routes);
        let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            request.extensions_mut().insert(connection.clone());
            let (answer, connection) = (routes.call(request), connection.clone());
            async move {
                let answer = answer.await;
                connection.set_busy(false);
                answer
            }
        });
        let mut http1 = http1::Builder::new();
        http1.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(LONGEST_HEAD);
        let mut served = pin!(http1.serve_connection(io, service).with_upgrades());
        let ended = tokio::select! {
            ended = served.as_mut() => ended,
            () = closing(&mut told) => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended");
        }
    }
}
