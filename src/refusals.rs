//! Requests that are refused: counted each, logged once a second for each reason.

use std::fmt::Display;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time for which a reason that was logged is only counted.
const QUIET: Duration = Duration::from_secs(1);

/// The reasons besides those of admission and access.
pub const REASONS: [&str; 4] = ["signature", "unknown_dialogue", "connections", "files"];

/// When each reason was logged last, and how often it came since. There are as many as the code names.
static LOGGED: Mutex<Vec<Logged>> = Mutex::new(Vec::new());

#[derive(Debug)]
struct Logged {
    reason: &'static str,
    at: Instant,
    unlogged: u64,
}

/// Counts a refusal, and logs it unless the same reason was logged a moment ago.
pub fn refused(reason: &'static str, why: &dyn Display, peer: Option<IpAddr>, path: &str) {
    count(reason);
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(unlogged) = due(&mut logged, reason, Instant::now()) else { return };
    drop(logged);
    let peer = peer.map(|peer| peer.to_string());
    // The message quotes what the peer sent with its control characters escaped; its length is bounded here.
    let why: String = why.to_string().chars().take(LONGEST).collect();
    let path: String = path.escape_default().take(LONGEST).collect();
    tracing::warn!(reason, peer, path, unlogged, "refused: {why}");
}

/// Counts a refusal that is logged elsewhere.
pub fn count(reason: &'static str) {
    metrics::counter!("ringway_refusals_total", "reason" => reason).increment(1);
}

/// Letters of what a peer sent that reach the log.
const LONGEST: usize = 200;

/// How many of this reason were not logged, when it is to be logged now.
fn due(logged: &mut Vec<Logged>, reason: &'static str, now: Instant) -> Option<u64> {
    let Some(last) = logged.iter_mut().find(|last| last.reason == reason) else {
        logged.push(Logged { reason, at: now, unlogged: 0 });
        return Some(0);
    };
    if now.duration_since(last.at) < QUIET {
        last.unlogged += 1;
        return None;
    }
    last.at = now;
    Some(std::mem::take(&mut last.unlogged))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_logged_once_a_second_with_how_many_were_not() {
        let (mut logged, start) = (Vec::new(), Instant::now());
        let mut at = |ms, reason| due(&mut logged, reason, start + Duration::from_millis(ms));
        assert_eq!((at(0, "host"), at(1, "host"), at(2, "host")), (Some(0), None, None));
        assert_eq!(at(3, "token"), Some(0), "another reason");
        assert_eq!((at(1_000, "host"), at(1_001, "host"), at(2_000, "host")), (Some(2), None, Some(1)));
    }
}
