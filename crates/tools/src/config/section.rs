use ringway_stages::humane;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use toml::{Table, Value};

/// A table of a file of tools. Its keys are taken out one by one, so that one mistake hides no other.
#[derive(Debug)]
pub(super) struct Section {
    at: String,
    left: Table,
}

/// What is wrong at a key, as a dotted path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wrong {
    pub(super) key: String,
    pub(super) message: String,
    /// The key is not there.
    pub(super) missing: bool,
}

/// All that is wrong.
#[derive(Debug, Default)]
pub(super) struct Wrongs(pub(super) Vec<Wrong>);

impl Wrongs {
    /// Notes a mistake; there is no value then.
    pub(super) fn note<T>(&mut self, section: &Section, key: &str, message: impl Into<String>) -> Option<T> {
        self.0.push(Wrong { key: section.path(key), message: message.into(), missing: false });
        None
    }
}

impl Section {
    /// The table at a dotted path.
    pub(super) fn of(at: String, value: Value, wrongs: &mut Wrongs) -> Option<Self> {
        let section = |left| Self { at, left };
        match value {
            Value::Table(left) => Some(section(left)),
            _ => {
                let message = "must be a section";
                let key = section(Table::new()).at;
                wrongs.0.push(Wrong { key, message: message.into(), missing: false });
                None
            }
        }
    }

    /// The path of one of its keys.
    fn path(&self, key: &str) -> String {
        match (self.at.as_str(), key) {
            ("", key) => key.to_owned(),
            (at, "") => at.to_owned(),
            (at, key) => format!("{at}.{key}"),
        }
    }

    /// The value of a key that need not be there.
    pub(super) fn take<T: DeserializeOwned>(&mut self, key: &str, wrongs: &mut Wrongs) -> Option<T> {
        let read = T::deserialize(self.left.remove(key)?);
        read.map_or_else(|error| wrongs.note(self, key, plain(error.message())), Some)
    }

    /// The value of a key that must be there.
    pub(super) fn require<T: DeserializeOwned>(&mut self, key: &str, wrongs: &mut Wrongs) -> Option<T> {
        if !self.left.contains_key(key) {
            wrongs.0.push(Wrong { key: self.path(key), message: "must be given".into(), missing: true });
        }
        self.take(key, wrongs)
    }

    pub(super) fn duration(&mut self, key: &str, wrongs: &mut Wrongs) -> Option<Duration> {
        #[derive(Deserialize)]
        struct Humane(#[serde(with = "humane")] Duration);
        let value = self.left.remove(key)?;
        match Humane::deserialize(value) {
            Ok(Humane(duration)) => Some(duration),
            Err(_) => wrongs.note(self, key, "must be a duration such as \"200ms\", \"1.5s\" or \"30m\""),
        }
    }

    /// A table within it.
    pub(super) fn section(&mut self, key: &str, wrongs: &mut Wrongs) -> Option<Self> {
        let value = self.left.remove(key)?;
        Self::of(self.path(key), value, wrongs)
    }

    /// The names of what is left.
    pub(super) fn names(&self) -> Vec<String> {
        self.left.keys().cloned().collect()
    }

    /// Whatever nobody asked for.
    pub(super) fn refuse_others(self, known: &[&str], wrongs: &mut Wrongs) {
        for key in self.left.keys() {
            wrongs.note::<()>(&self, key, format!("unknown key; there are: {}", known.join(", ")));
        }
    }
}

/// A parser's message in plain words and without the value, which may be a secret.
fn plain(message: &str) -> String {
    let expected = message.split_once("expected ").map(|(_, expected)| expected.trim());
    match expected {
        Some("usize" | "u64" | "u32") => "must be a whole number".into(),
        Some("a sequence") => "must be a list".into(),
        Some("a map") => "must be a table".into(),
        Some(expected) => format!("must be {}", expected.replace('`', "\"")),
        None => "cannot be read".into(),
    }
}
