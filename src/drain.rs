//! The end of the server: calls, goodbyes, transfers, records, connections and media cores, in this order.

use crate::app::Server;
use crate::listener::Connections;
use crate::signals::Stops;
use ringway_turn::EndReason;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// All that follows when the calls have ended, or have had their time, takes so long at most. `server.drain` and this
/// together are below the 30 s that Kubernetes gives by default.
pub const CLOSE_WITHIN: Duration = Duration::from_secs(4);

/// How often a drain looks whether what it waits for has happened.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Lets nobody in and waits for the calls, up to `server.drain`; those that are left are ended, and what they leave
/// behind is waited for. A signal cuts the first short, a second one the rest.
pub async fn drain(server: &Server, signals: &mut Stops, connections: Connections) {
    server.admission.close();
    tokio::select! {
        () = calls_end(server) => {}
        name = signals.next() => {
            tracing::warn!(signal = name, calls = server.admission.calls(), "the drain is cut short: calls are ended");
        }
    }
    tokio::select! {
        () = close(server, connections) => {}
        name = signals.next() => {
            tracing::warn!(signal = name, calls = server.admission.calls(), "ending at once");
        }
    }
    server.hub.end_all().await;
    server.admission.stop();
}

async fn calls_end(server: &Server) {
    let deadline = Instant::now() + server.config.drain;
    until(deadline, async || server.admission.calls() == 0).await;
}

async fn close(server: &Server, connections: Connections) {
    let deadline = Instant::now() + CLOSE_WITHIN;
    for call in &server.hub.handles().await {
        // One that ended meanwhile needs no telling.
        let _ = call.hang_up(EndReason::Drain);
    }
    until(deadline, async || server.admission.calls() + server.admission.lines() == 0).await;
    // What the calls have told is in the books, and goes to those who read it.
    until(deadline, async || server.admission.lifecycle_backlog() == 0).await;
    // What carriers do next is answered as long as they may ask.
    until(deadline, async || server.hub.carriers_to_ask().await == 0).await;
    until(deadline, async || server.recordings_are_written()).await;
    if let Some(webhooks) = &server.webhooks {
        let _ = timeout_at(deadline, webhooks.drained()).await;
    }
    // Answers that are under way are finished.
    let _ = timeout_at(deadline, connections.close()).await;
}

/// Waits until it is so, at most until `deadline`.
async fn until(deadline: Instant, so: impl AsyncFn() -> bool) {
    while !so().await && Instant::now() < deadline {
        sleep_until((Instant::now() + LOOK_EVERY).min(deadline)).await;
    }
}
