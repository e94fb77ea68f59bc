//! Mock services: what stands behind a conversation, with delays and failures as wanted.
//!
//! ```text
//!  server ──► mocks ──► openai, anthropic, ollama, piper, voices... ──► paced, socket ──► client
//!               │              ▲
//!               └── fate: delay, failure; drawn by seed, service and number of the request
//! ```
//!
//! A delay runs from the complete request to the first byte of its answer.

pub mod config;
pub mod delay;
pub mod fault;
pub mod stats;

mod anthropic;
mod asr;
mod cartesia;
mod deepgram;
mod fate;
mod flux;
mod hearing;
mod mocks;
mod ollama;
mod openai;
mod paced;
mod phone_tts;
mod piper;
mod quirk;
mod quirk_effects;
mod realtime;
mod reply;
mod routes;
mod server;
mod socket;
mod speech_server;
pub mod table;
mod tone;
mod upgrade;
mod voices;
mod whisperlive;
mod wyoming;

#[cfg(test)]
mod tests;

use config::Config;
use mocks::Mocks;
use stats::Snapshot;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port is taken, most likely.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The system has no thread, timer or signal to give.
    #[error("cannot run: {0}")]
    Runtime(#[from] io::Error),
}

/// Serves on the loopback until SIGTERM or Ctrl-C, on `threads` threads, and tells what was served.
///
/// # Errors
/// The port is taken, or the system gives no runtime.
pub fn serve(config: Config, threads: usize) -> Result<Snapshot, ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    let mocks = Arc::new(Mocks::new(config));
    // Whatever is still on its way then is dropped with the runtime.
    runtime.block_on(until_told(mocks.clone()))?;
    drop(runtime);
    Ok(mocks.stats.snapshot())
}

async fn until_told(mocks: Arc<Mocks>) -> Result<(), ServeError> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, mocks.config.port));
    let listener = TcpListener::bind(address).await.map_err(|error| ServeError::Listen { address, error })?;
    // Whoever closed it does not want to know.
    let _ = write!(io::stdout(), "{}", table::of(&mocks.config, listener.local_addr()?));
    tokio::select! {
        never = tokio::spawn(server::accept(listener, mocks)) => match never {
            Ok(never) => match never {},
            Err(error) => Err(io::Error::other(error).into()),
        },
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}
