//! The log: to standard error, as text for people or as JSON for machines.
//!
//! ```text
//!  event ──► Limit ──► line of bounded, escaped values ──► bounded queue ──► one thread ──► standard error
//!              └ too many of a kind           full: dropped ┘      not writable: lost ┘
//! ```
//! Nobody who logs waits for whoever reads: what cannot be kept or written is counted, and the next line that can be
//! written tells of it.

mod layer;
mod limit;
mod line;
mod queue;

use clap::ValueEnum;
use layer::LogLayer;
use queue::Queue;
use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How long the end of the process waits for whoever reads the log.
const FLUSH_WITHIN: Duration = Duration::from_millis(500);

static QUEUE: OnceLock<Queue> = OnceLock::new();

/// Starts logging; `RUST_LOG` chooses what is logged, or else what other voice systems read: `VOICE_LOG_LEVEL`, a level,
/// and `VOICE_DEBUG`, which when true means the level debug.
///
/// # Errors
/// The system gives no thread or no file descriptor.
pub fn start(format: LogFormat) -> std::io::Result<()> {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(level(|name| std::env::var(name).ok())));
    let stderr = std::io::stderr();
    let colours = format == LogFormat::Text && stderr.is_terminal();
    // A descriptor of its own: whoever else writes there must not wait behind a write that does not end.
    let queue = Queue::start(std::fs::File::from(stderr.as_fd().try_clone_to_owned()?))?;
    let queue = QUEUE.get_or_init(|| queue);
    tracing_subscriber::registry().with(filter).with(LogLayer::new(format, colours, queue.clone())).init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let detail = panic.payload_as_str().unwrap_or("panic");
        tracing::error!(place, detail, "panic");
    }));
    Ok(())
}

/// Puts a text for people into standard error, behind what is logged.
pub fn say(text: &str) {
    match QUEUE.get() {
        Some(queue) => queue.put(format!("{text}\n")),
        // Whoever closed it does not want to know.
        None => drop(writeln!(std::io::stderr(), "{text}")),
    }
}

/// Waits until what was logged is written, as long as somebody reads it.
pub fn flush() {
    if let Some(queue) = QUEUE.get() {
        queue.flush(FLUSH_WITHIN);
    }
}

/// Every reason for which lines are missing in the log.
pub const REASONS: [&str; 3] = ["limit", "queue", "write"];

/// Brings the number of lines that are missing into the metrics.
pub fn report() {
    let Some(queue) = QUEUE.get() else { return };
    let missing = [limit::suppressed(), queue.dropped(), queue.unwritten()];
    for (reason, lines) in REASONS.into_iter().zip(missing) {
        metrics::counter!("ringway_log_lines_dropped_total", "reason" => reason).absolute(lines);
    }
}

fn level(variable: impl Fn(&str) -> Option<String>) -> String {
    let debug =
        variable("VOICE_DEBUG").is_some_and(|value| matches!(value.as_str(), "1" | "true" | "yes" | "on"));
    let named = variable("VOICE_LOG_LEVEL").and_then(|level| match level.to_ascii_lowercase().as_str() {
        "warning" => Some("warn".to_owned()),
        "critical" | "fatal" => Some("error".to_owned()),
        level => level.parse::<tracing::Level>().ok().map(|level| level.to_string().to_ascii_lowercase()),
    });
    named.unwrap_or_else(|| if debug { "debug" } else { "info" }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_may_come_from_other_systems_variables() {
        let of = |variables: &'static [(&str, &str)]| {
            level(|name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(of(&[]), "info");
        assert_eq!(of(&[("VOICE_DEBUG", "true")]), "debug");
        assert_eq!(of(&[("VOICE_DEBUG", "false")]), "info");
        assert_eq!(of(&[("VOICE_DEBUG", "true"), ("VOICE_LOG_LEVEL", "WARNING")]), "warn");
        assert_eq!(of(&[("VOICE_LOG_LEVEL", "chatty")]), "info");
    }
}
