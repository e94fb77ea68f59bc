//! One line of the log. Whatever a value says, it stays on the line, inside its field and below a bound.

use super::LogFormat;
use ringway_frame::excerpt;
use serde_json::Value;
use std::fmt::{Debug, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

/// Bytes of a value, and of the message.
const VALUE: usize = 1_024;

/// Bytes of all values of a line, beside its message.
const VALUES: usize = 8 * 1_024;

/// What an event tells.
#[derive(Debug)]
pub struct Line {
    time: jiff::Timestamp,
    level: Level,
    target: String,
    message: String,
    fields: Vec<(&'static str, Value)>,
    left: usize,
}

impl Line {
    /// Of this event, before which so many of its kind were not logged.
    pub fn of(event: &Event<'_>, suppressed: u64) -> Self {
        let metadata = event.metadata();
        let mut line = Self::new(*metadata.level(), metadata.target());
        event.record(&mut line);
        if suppressed > 0 {
            line.fields.push(("suppressed", suppressed.into()));
        }
        line
    }

    fn new(level: Level, target: &str) -> Self {
        let (message, fields) = Default::default();
        let target = target.to_owned();
        Self { time: jiff::Timestamp::now(), level, target, message, fields, left: VALUES }
    }

    /// With its end.
    pub fn write(&self, format: LogFormat, colours: bool) -> String {
        let mut out = String::with_capacity(256);
        let written = match format {
            LogFormat::Text => self.write_text(&mut out, colours),
            LogFormat::Json => self.write_json(&mut out),
        };
        // A string takes everything.
        debug_assert!(written.is_ok());
        out.push('\n');
        out
    }

    fn write_text(&self, out: &mut String, colours: bool) -> std::fmt::Result {
        let (on, off) = if colours { (colour(self.level), "\x1b[0m") } else { ("", "") };
        write!(out, "{:.3} {on}{:>5}{off} {}", self.time, self.level.as_str(), self.message)?;
        for (name, value) in &self.fields {
            match value.as_str() {
                Some(text) if stands_alone(text) => write!(out, " {name}={text}")?,
                _ => write!(out, " {name}={value}")?,
            }
        }
        Ok(())
    }

    fn write_json(&self, out: &mut String) -> std::fmt::Result {
        let (level, target) = (self.level.as_str(), Value::from(self.target.as_str()));
        write!(out, r#"{{"timestamp":"{:.3}","level":"{level}","#, self.time)?;
        write!(out, r#""message":{},"target":{target}"#, Value::from(self.message.as_str()))?;
        for (name, value) in &self.fields {
            write!(out, ",{}:{value}", Value::from(*name))?;
        }
        out.push('}');
        Ok(())
    }

    fn put(&mut self, field: &Field, value: Value) {
        self.fields.push((field.name(), value));
    }
}

/// Whether a value needs no quotes to be told from what stands beside it.
fn stands_alone(text: &str) -> bool {
    !text.is_empty() && !text.contains([' ', '"', '=', '\\', '\u{a0}'])
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        if field.name() == "message" {
            let _ = excerpt(&mut text, format_args!("{value:?}"), VALUE);
            self.message = text;
        } else if field.name() == "log.target" {
            // Of what comes by the `log` crate, whose place in the code says nothing.
            let _ = excerpt(&mut text, format_args!("{value:?}"), VALUE);
            self.target = text;
        } else if !field.name().starts_with("log.") {
            let _ = excerpt(&mut text, format_args!("{value:?}"), VALUE.min(self.left));
            self.left -= text.len().min(self.left);
            self.put(field, text.into());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::{Context, SubscriberExt};

    struct Keeping(Arc<Mutex<Vec<Line>>>);

    impl<S: tracing::Subscriber> Layer<S> for Keeping {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.lock().expect("no panic").push(Line::of(event, 0));
        }
    }

    fn logged(log: impl FnOnce()) -> Line {
        let lines = Arc::default();
        let subscriber = tracing_subscriber::registry().with(Keeping(Arc::clone(&lines)));
        tracing::subscriber::with_default(subscriber, log);
        lines.lock().expect("no panic").pop().expect("a line")
    }

    const ATTACK: &str = "CA1\r\n2026-01-01 ERROR forged\u{1b}[31m\u{9b}2J\" reason=\"x";

    #[test]
    fn nothing_that_a_peer_says_leaves_its_field_in_either_format() {
        let line = logged(|| {
            let error = std::io::Error::other(ATTACK);
            tracing::warn!(callId = "7", said = ATTACK, shown = %ATTACK, debugged = ?ATTACK, %error, "call.started");
        });
        let text = line.write(LogFormat::Text, false);
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        assert!(!text.trim_end().contains(char::is_control), "{text}");
        let said = r#" said="CA1\\r\\n2026-01-01 ERROR forged\\u{1b}[31m\\u{9b}2J\" reason=\"x""#;
        assert!(text.contains(said) && text.contains(" callId=7 "), "{text}");

        let json = line.write(LogFormat::Json, false);
        assert_eq!(json.matches('\n').count(), 1, "{json}");
        let read: Value = serde_json::from_str(&json).expect("JSON");
        for field in ["said", "shown", "debugged", "error"] {
            let value = read[field].as_str().expect("text");
            assert!(value.contains("forged") && !value.contains(char::is_control), "{field}: {value}");
        }
    }

    #[test]
    fn a_value_of_a_million_bytes_is_cut_and_so_is_a_line_of_many() {
        let long = "x".repeat(1_000_000);
        let line = logged(|| {
            tracing::info!(
                a = long,
                b = long,
                c = long,
                d = long,
                e = long,
                f = long,
                g = long,
                h = long,
                i = long,
                j = long,
                last = 7,
                "{long}"
            );
        });
        let json = line.write(LogFormat::Json, false);
        assert!(json.len() < VALUE + VALUES + 512, "{}", json.len());
        let read: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(read["a"].as_str().map(str::len), Some(VALUE + 3));
        assert_eq!(read["last"], 7);
    }

    #[test]
    fn a_line_of_json_has_its_fields_beside_time_level_message_and_target() {
        let line = logged(|| tracing::info!(callId = %7, turns = 3u32, share = 0.5, ok = true, "call.ended"));
        let read: Value = serde_json::from_str(&line.write(LogFormat::Json, false)).expect("JSON");
        assert_eq!((&read["level"], &read["message"]), (&"INFO".into(), &"call.ended".into()));
        assert_eq!((&read["callId"], &read["turns"]), (&"7".into(), &3.into()));
        assert_eq!((&read["share"], &read["ok"]), (&0.5.into(), &true.into()));
        assert!(read["target"].as_str().is_some_and(|target| target.ends_with("logging::line::tests")));
        assert!(read["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')));
    }
}
