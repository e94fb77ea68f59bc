//! Why calls end, by name.

use ringway_turn::EndReason;

/// All that [`reason_name`] may say.
pub const REASONS: [&str; 14] = [
    "caller",
    "completed",
    "transferred",
    "silence",
    "no_media",
    "max_duration",
    "stage_failed",
    "protocol",
    "slow_consumer",
    "operator",
    "drain",
    "internal",
    "no_answer",
    "not_resumed",
];

/// The name of a reason in metrics, logs and on the wire: one of [`REASONS`].
pub fn reason_name(reason: &EndReason) -> &'static str {
    match reason {
        EndReason::Caller => "caller",
        EndReason::Completed => "completed",
        EndReason::Transferred(_) => "transferred",
        EndReason::Silence => "silence",
        EndReason::NoMedia => "no_media",
        EndReason::MaxDuration => "max_duration",
        EndReason::StageFailed(_) => "stage_failed",
        EndReason::Protocol(_) => "protocol",
        EndReason::SlowConsumer => "slow_consumer",
        EndReason::Operator => "operator",
        EndReason::Drain => "drain",
        EndReason::Internal => "internal",
        EndReason::NoAnswer => "no_answer",
        EndReason::NotResumed => "not_resumed",
    }
}
