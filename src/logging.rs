//! The log: to standard error, as text for people or as JSON for machines.

use clap::ValueEnum;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// Form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging; `RUST_LOG` chooses what is logged, or else what other voice systems read: `VOICE_LOG_LEVEL`, a level,
/// and `VOICE_DEBUG`, which when true means the level debug.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(level(|name| std::env::var(name).ok())));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_timer(Utc);
    let colours = std::io::stderr().is_terminal();
    match format {
        LogFormat::Text => log.with_ansi(colours).with_target(false).init(),
        LogFormat::Json => {
            log.json().flatten_event(true).with_current_span(false).with_span_list(false).init()
        }
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("panic");
        tracing::error!(place, message, "panic");
    }));
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

/// Times as RFC 3339 in UTC, with milliseconds.
struct Utc;

impl FormatTime for Utc {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        write!(writer, "{:.3}", jiff::Timestamp::now())
    }
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
