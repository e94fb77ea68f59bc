//! The listener, and the server's end.

use crate::api;
use crate::app::{Server, StartError};
use crate::tls;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use ringway_config::{Config, Secrets};
use ringway_turn::EndReason;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};
use tokio_rustls::TlsAcceptor;

/// How long a client may take for the head of a request, and for a TLS handshake.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a drain looks whether the last call has ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Serves until it is told to stop and the calls have ended.
///
/// # Errors
/// It cannot start.
pub async fn run(config: Config, secrets: Secrets) -> Result<(), StartError> {
    let address = config.server.address();
    let acceptor = config.server.tls.as_ref().map(tls::acceptor).transpose()?;
    let drain = config.server.drain;
    let mut signals = Signals::new()?;
    let server = Server::build(config, secrets)?;
    let listener = TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?;
    server.set_ready();
    announce(&server, &listener, acceptor.is_some())?;
    tokio::spawn(keep_up(server.clone()));
    tokio::select! {
        () = accept(listener, acceptor, server.clone()) => {}
        name = signals.next() => {
            tracing::info!(signal = name, calls = server.admission.calls(), "draining");
        }
    }
    tokio::select! {
        () = drain_calls(&server, drain) => {}
        name = signals.next() => tracing::warn!(signal = name, calls = server.admission.calls(), "ending at once"),
    }
    Ok(())
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
fn announce(server: &Server, listener: &TcpListener, tls: bool) -> std::io::Result<()> {
    let address = listener.local_addr()?;
    let (http, ws) = if tls { ("https", "wss") } else { ("http", "ws") };
    println!("ringway {}", env!("CARGO_PKG_VERSION"));
    println!("  page     {http}://{address}/");
    println!("  browser  {ws}://{address}/voice-ws");
    println!("  carrier  {ws}://{address}/media/twilio");
    println!("  health   {http}://{address}/health    metrics {http}://{address}/metrics");
    println!("  engines  {}", server.engine_names());
    Ok(())
}

/// The metrics exporter folds its samples into buckets now and then.
async fn keep_up(server: Arc<Server>) {
    let mut every = tokio::time::interval(crate::telemetry::UPKEEP_EVERY);
    loop {
        every.tick().await;
        server.metrics.run_upkeep();
    }
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, server: Arc<Server>) {
    let routes = api::router(server);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, acceptor.clone(), routes.clone()))),
            Err(error) => {
                // Out of file descriptors, most likely: some time for others to close.
                tracing::error!(%error, "cannot accept");
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, acceptor: Option<TlsAcceptor>, routes: axum::Router) {
    let _ = stream.set_nodelay(true);
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
    if !left.is_empty() {
        sleep_until(Instant::now() + LOOK_EVERY * 4).await;
    }
}
