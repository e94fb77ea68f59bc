//! The listener, and the server's end.

use crate::api;
use crate::app::{Server, StartError, Starting};
use crate::signals::{Reloads, Stops};
use crate::tls::{self, Certificate};
use crate::{drain, tts_api};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use ringway_config::{Config, Secrets};
use rustls::ServerConfig;
use socket2::SockRef;
use std::io::Write;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// How long a client may take for the head of a request, and for a TLS handshake.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes that the system keeps for a peer that does not read: 2 s of wideband audio. It would grow them to megabytes,
/// and a minute would pass before a deaf peer is noticed.
const SEND_BUFFER: usize = 64 * 1024;

/// How long nobody is accepted when the system has no descriptor left.
const REST: Duration = Duration::from_millis(50);

/// Serves until it is told to stop and the calls have ended.
///
/// # Errors
/// It cannot start.
pub async fn run(config: Config, secrets: Secrets) -> Result<(), StartError> {
    let address = config.server.address();
    let (mut signals, reloads) = (Stops::new()?, Reloads::new()?);
    let certificate =
        config.server.tls.clone().map(|tls| Certificate::read(tls, address.ip())).transpose()?;
    let connections = Connections::new(certificate.as_ref().map(Certificate::present));
    tokio::spawn(reload(reloads, certificate));
    let starting = Starting::new(config.clone(), secrets);
    let listener =
        TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?;
    let address = listener.local_addr()?;
    let tts_api = Opened::bind(&config).await?;
    let (routes, routed) = watch::channel(api::starting());
    // Also while it starts and drains: whoever comes then is refused in words, and load balancers ask /health.
    tokio::spawn(connections.doors.clone().accept(listener, routed));
    let tts_api = tts_api.map(|opened| opened.accept(&connections));
    let server = tokio::select! {
        server = starting.finish() => server?,
        name = signals.next() => {
            tracing::info!(signal = name, "ended before it served");
            return Ok(());
        }
    };
    // It is heard as long as the task that accepts is there.
    let _ = routes.send(api::router(server.clone()));
    let tts_address = tts_api.map(|api| api.serve(&server, &config)).transpose()?;
    announce(&server, address, tts_address, connections.doors.tls.is_some());
    server.make_phrases();
    tokio::spawn(keep_up(server.clone()));
    let name = signals.next().await;
    tracing::info!(signal = name, calls = server.admission.calls(), "draining");
    drain::drain(&server, &mut signals, connections).await;
    Ok(())
}

/// The voice's listener, open before the engines are built: a port that is taken is told at once.
struct Opened {
    listener: TcpListener,
    address: SocketAddr,
}

/// The same while it answers.
struct Answering {
    routes: watch::Sender<axum::Router>,
    address: SocketAddr,
}

impl Opened {
    async fn bind(config: &Config) -> Result<Option<Self>, StartError> {
        let Some(address) = config.tts_api.address() else { return Ok(None) };
        let listener =
            TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?;
        let address = listener.local_addr()?;
        Ok(Some(Self { listener, address }))
    }

    fn accept(self, connections: &Connections) -> Answering {
        let (routes, routed) = watch::channel(tts_api::starting());
        tokio::spawn(connections.doors.clone().accept(self.listener, routed));
        Answering { routes, address: self.address }
    }
}

impl Answering {
    fn serve(self, server: &Arc<Server>, config: &Config) -> Result<SocketAddr, StartError> {
        let _ = self.routes.send(tts_api::router(server.clone(), config.tts_api.clone())?);
        Ok(self.address)
    }
}

/// Says where the page is, on standard output: users look for it.
fn announce(server: &Server, address: SocketAddr, tts_api: Option<SocketAddr>, tls: bool) {
    let (http, ws) = if tls { ("https", "wss") } else { ("http", "ws") };
    let reached = |address: SocketAddr| {
        SocketAddr::new(tls::reached_at(address.ip()).unwrap_or(address.ip()), address.port())
    };
    let address = reached(address);
    let voice = tts_api.map(|at| format!("  voice    {http}://{}/tts\n", reached(at))).unwrap_or_default();
    let text = format!(
        "ringway {}\n  page     {http}://{address}/\n  browser  {ws}://{address}/voice-ws\n  \
         carrier  {ws}://{address}/media/twilio\n  health   {http}://{address}/health\n  \
         metrics  {http}://{address}/metrics\n{voice}  engines  {}\n",
        env!("CARGO_PKG_VERSION"),
        server.engines(),
    );
    // On a thread of its own: a pipe may be full, and whoever closed it does not want to know.
    std::thread::spawn(move || drop(std::io::stdout().write_all(text.as_bytes())));
}

/// The metrics exporter folds its samples into buckets now and then.
async fn keep_up(server: Arc<Server>) {
    let mut every = tokio::time::interval(crate::telemetry::UPKEEP_EVERY);
    loop {
        every.tick().await;
        server.report();
    }
}

/// Reads the certificate again whenever that is asked for. There is no file of the log to open again.
async fn reload(mut signals: Reloads, certificate: Option<Certificate>) {
    loop {
        let signal = signals.next().await;
        match certificate.as_ref().map(Certificate::read_again) {
            None => tracing::info!(signal, "nothing is read again without TLS"),
            Some(Ok(())) => tracing::info!(signal, "the certificate was read again"),
            Some(Err(error)) => {
                tracing::error!(signal, %error, "the certificate cannot be read: the one before stays");
            }
        }
    }
}

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
}

impl Connections {
    fn new(tls: Option<watch::Receiver<Arc<ServerConfig>>>) -> Self {
        let (sender, closing) = watch::channel(false);
        Self { closing: sender, doors: Doors { tls, closing } }
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
                Ok((stream, _)) => {
                    let routes = routes.borrow().clone();
                    tokio::spawn(self.clone().connection(stream, routes));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: some time for others to close.
                    tracing::error!(%error, "cannot accept");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    async fn connection(self, stream: TcpStream, routes: axum::Router) {
        // A socket that cannot be tuned serves as well, only later and with more memory.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
        let acceptor = self.tls.map(|present| TlsAcceptor::from(present.borrow().clone()));
        match acceptor {
            None => http(TokioIo::new(stream), routes, self.closing).await,
            Some(acceptor) => match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => http(TokioIo::new(Box::new(stream)), routes, self.closing).await,
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

async fn http<S>(io: TokioIo<S>, routes: axum::Router, mut closing_told: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(routes);
    let mut http1 = http1::Builder::new();
    http1.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    let mut served = pin!(http1.serve_connection(io, service).with_upgrades());
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = closing(&mut closing_told) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}
