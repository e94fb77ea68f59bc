//! The listener, and the server's end.

use crate::api;
use crate::app::{Server, StartError, Starting};
use crate::edge::twilio::signature_is_required;
use crate::listener::{Connections, Gate};
use crate::signals::{Reloads, Stops};
use crate::tls::{self, Certificate};
#[cfg(feature = "tts_api")]
use crate::tts_api;
use crate::{drain, process};
use ringway_config::{Config, Secrets};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Serves until it is told to stop and the calls have ended.
///
/// # Errors
/// It cannot start.
pub async fn run(config: Config, secrets: Secrets) -> Result<(), StartError> {
    let address = config.server.address();
    let (mut signals, reloads) = (Stops::new()?, Reloads::new()?);
    let certificate =
        config.server.tls.clone().map(|tls| Certificate::read(tls, address.ip())).transpose()?;
    let present = certificate.as_ref().map(Certificate::present);
    tokio::spawn(reload(reloads, certificate));
    let starting = Starting::new(config.clone(), secrets);
    let gate = Gate::new(&config, starting.addresses().clone());
    let connections = Connections::new(present, gate);
    let listener =
        TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?;
    let address = listener.local_addr()?;
    #[cfg(feature = "tts_api")]
    let tts_api = Opened::bind(&config).await?;
    let (routes, routed) = watch::channel(api::starting());
    // Also while it starts and drains: whoever comes then is refused in words, and load balancers ask /health.
    tokio::spawn(connections.accept(listener, routed));
    #[cfg(feature = "tts_api")]
    let tts_api = tts_api.map(|opened| opened.accept(&connections));
    let server = tokio::select! {
        server = starting.finish() => server?,
        name = signals.next() => {
            tracing::info!(signal = name, "ended before it served");
            return Ok(());
        }
    };
    if let Some(free) = process::free_files() {
        connections.leave_files(free);
    }
    // It is heard as long as the task that accepts is there.
    let _ = routes.send(api::router(server.clone()));
    #[cfg(feature = "tts_api")]
    let tts_address = tts_api.map(|api| api.serve(&server, &config)).transpose()?;
    #[cfg(not(feature = "tts_api"))]
    let tts_address = None;
    announce(&server, address, tts_address, connections.are_encrypted());
    warn_of_unsigned(&server);
    server.make_phrases();
    tokio::spawn(keep_up(server.clone()));
    let name = signals.next().await;
    tracing::info!(signal = name, calls = server.admission.calls(), "draining");
    drain::drain(&server, &mut signals, connections).await;
    Ok(())
}

/// The voice's listener, open before the engines are built: a port that is taken is told at once.
#[cfg(feature = "tts_api")]
struct Opened {
    listener: TcpListener,
    address: SocketAddr,
}

/// The same while it answers.
#[cfg(feature = "tts_api")]
struct Answering {
    routes: watch::Sender<axum::Router>,
    address: SocketAddr,
}

#[cfg(feature = "tts_api")]
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
        tokio::spawn(connections.accept(self.listener, routed));
        Answering { routes, address: self.address }
    }
}

#[cfg(feature = "tts_api")]
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

/// Whoever can reach the carrier's socket can begin calls.
fn warn_of_unsigned(server: &Server) {
    if !signature_is_required(&server.secrets) {
        tracing::warn!(
            "requests at /media/twilio are not verified: any program that reaches them can begin calls; set TWILIO_AUTH_TOKEN"
        );
    }
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
    let certificate = certificate.map(Arc::new);
    loop {
        let signal = signals.next().await;
        let Some(certificate) = certificate.clone() else {
            tracing::info!(signal, "nothing is read again without TLS");
            continue;
        };
        // A disk may keep it waiting.
        let read = tokio::task::spawn_blocking(move || certificate.read_again()).await;
        match read.map_err(std::io::Error::other).map_err(StartError::from).flatten() {
            Ok(()) => tracing::info!(signal, "the certificate was read again"),
            Err(error) => {
                tracing::error!(signal, %error, "the certificate cannot be read: the one before stays")
            }
        }
    }
}
