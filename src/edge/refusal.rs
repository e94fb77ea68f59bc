//! Requests that an edge refuses at its door, counted by reason.

/// The reasons, besides those of admission.
pub const REASONS: [&str; 3] = ["signature", "origin", "unknown_dialogue"];

/// Counts a refusal.
pub fn count(reason: &'static str) {
    metrics::counter!("ringway_refusals_total", "reason" => reason).increment(1);
}
