//! The listener, and the server's end.

use crate::api;
use crate::app::{Server, StartError, Starting};
use crate::{edge, tls, tts_api};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use ringway_config::{Config, Secrets};
use ringway_turn::EndReason;
use socket2::SockRef;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_rustls::TlsAcceptor;

/// How long a client may take for the head of a request, and for a TLS handshake.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes that the system keeps for a peer that does not read: 2 s of wideband audio. It would grow them to megabytes,
/// and a minute would pass before a deaf peer is noticed.
const SEND_BUFFER: usize = 64 * 1024;

/// How often a drain looks whether the last call has ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Serves until it is told to stop and the calls have ended.
///
/// # Errors
/// It cannot start.
pub async fn run(config: Config, secrets: Secrets) -> Result<(), StartError> {
    let address = config.server.address();
    let acceptor = config.server.tls.as_ref().map(|tls| tls::acceptor(tls, address.ip())).transpose()?;
    let drain = config.server.drain;
    let mut signals = Signals::new()?;
    let starting = Starting::new(config.clone(), secrets);
    let listener =
        TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?;
    let address = listener.local_addr()?;
    let tts_api = Opened::bind(&config).await?;
    let (routes, routed) = watch::channel(api::starting());
    let tls = acceptor.is_some();
    // Also while it starts and drains: whoever comes then is refused in words, and load balancers ask /health.
    tokio::spawn(accept(listener, acceptor.clone(), routed));
    let tts_api = tts_api.map(|opened| opened.accept(acceptor));
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
    announce(&server, address, tts_address, tls);
    server.make_phrases();
    tokio::spawn(keep_up(server.clone()));
    let name = signals.next().await;
    tracing::info!(signal = name, calls = server.admission.calls(), "draining");
    tokio::select! {
        () = drain_calls(&server, drain) => {}
        name = signals.next() => tracing::warn!(signal = name, calls = server.admission.calls(), "ending at once"),
    }
    server.admission.stop();
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

    fn accept(self, acceptor: Option<TlsAcceptor>) -> Answering {
        let (routes, routed) = watch::channel(tts_api::starting());
        tokio::spawn(accept(self.listener, acceptor, routed));
        Answering { routes, address: self.address }
    }
}

impl Answering {
    fn serve(self, server: &Arc<Server>, config: &Config) -> Result<SocketAddr, StartError> {
        let _ = self.routes.send(tts_api::router(server.clone(), config.tts_api.clone())?);
        Ok(self.address)
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
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
    // Whoever closed it does not want to know.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// The metrics exporter folds its samples into buckets now and then.
async fn keep_up(server: Arc<Server>) {
    let mut every = tokio::time::interval(crate::telemetry::UPKEEP_EVERY);
    loop {
        every.tick().await;
        server.report();
    }
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, routes: watch::Receiver<axum::Router>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let routes = routes.borrow().clone();
                tokio::spawn(connection(stream, acceptor.clone(), routes));
            }
            Err(error) => {
                // Out of file descriptors, most likely: some time for others to close.
                tracing::error!(%error, "cannot accept");
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, acceptor: Option<TlsAcceptor>, routes: axum::Router) {
    // A socket that cannot be tuned serves as well, only later and with more memory.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
    match acceptor {
        None => http(TokioIo::new(stream), routes).await,
        Some(acceptor) => match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => http(TokioIo::new(Box::new(stream)), routes).await,
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_elapsed) => tracing::debug!("TLS handshake took too long"),
        },
    }
}

async fn http<S>(io: TokioIo<S>, routes: axum::Router)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(routes);
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(io, service)
        .with_upgrades();
    if let Err(error) = served.await {
        tracing::debug!(%error, "connection ended");
    }
}

/// Lets nobody in, waits for the calls, and ends those that are left at the deadline.
async fn drain_calls(server: &Server, patience: Duration) {
    server.admission.close();
    let deadline = Instant::now() + patience;
    while server.admission.calls() > 0 && Instant::now() < deadline {
        sleep_until((Instant::now() + LOOK_EVERY).min(deadline)).await;
    }
    let left = server.hub.handles().await;
    for call in &left {
        // One that ended meanwhile needs no telling.
        let _ = call.hang_up(EndReason::Drain);
    }
    // Their last words are on the way.
    let deadline = Instant::now() + edge::GOODBYE;
    while server.admission.calls() > 0 && Instant::now() < deadline {
        sleep_until((Instant::now() + LOOK_EVERY).min(deadline)).await;
    }
}
