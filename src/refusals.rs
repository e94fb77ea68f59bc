//! Requests that are refused: counted each, and logged as far as the log takes lines of one kind.

use std::fmt::Display;
use std::net::IpAddr;

/// The reasons besides those of admission and access.
pub const REASONS: [&str; 5] = ["signature", "unknown_dialogue", "unknown_session", "connections", "files"];

/// Letters of what a peer sent that reach the log.
const LONGEST: usize = 200;

/// Counts a refusal, and logs it.
pub fn refused(reason: &'static str, why: &dyn Display, peer: Option<IpAddr>, path: &str) {
    count(reason);
    let peer = peer.map(|peer| peer.to_string());
    let why: String = why.to_string().chars().take(LONGEST).collect();
    let path: String = path.chars().take(LONGEST).collect();
    tracing::warn!(code = reason, peer, path, "refused: {why}");
}

/// Counts a refusal that is logged elsewhere.
pub fn count(reason: &'static str) {
    metrics::counter!("ringway_refusals_total", "reason" => reason).increment(1);
}
