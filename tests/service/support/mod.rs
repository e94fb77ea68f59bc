//! A server of our own for each test, and callers who talk to it over real sockets.
//!
//! Callers speak in real time, as people do; no test asserts how long anything took. Waits are bounded only so that a
//! failure is reported rather than hung on.

pub mod browser;
pub mod carrier;
pub mod chat;
pub mod line;
pub mod realtime;
pub mod server;
pub mod voice;

use std::future::Future;
use std::time::Duration;

/// How long anything is waited for before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A recorded prompt's file.
pub fn sound(name: &str) -> String {
    voice::path(name).to_str().expect("an ASCII path").to_owned()
}

/// Waits for what must come.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_elapsed) => panic!("{what} did not come within {PATIENCE:?}"),
    }
}
