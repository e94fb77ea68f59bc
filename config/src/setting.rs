use crate::problem::{Origin, Problem};
use crate::schema::Schema;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::{Table, Value};

/// One key's value and where it was set.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The key's dotted path.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// Where it was set.
    pub origin: Origin,
}

/// The setting of each key that counts: a later layer replaces an earlier one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    by_key: BTreeMap<String, Setting>,
}

impl Setting {
    /// Whether the key exists and its own type takes the value.
    ///
    /// # Errors
    /// The mistake.
    pub(crate) fn check(&self, schema: &Schema) -> Result<(), Problem> {
        let kind = schema.key(&self.key).map(|key| &key.kind);
        let known = kind.map_or_else(|| Err("unknown key".to_owned()), |kind| kind.check(&self.value));
        let read =
            || crate::Config::deserialize(nested([self])).map_err(|error| self.shown_in(error.message()));
        known.and_then(|()| read().map(drop)).map_err(|message| self.problem(message))
    }

    /// A parser's message, with the value where it does not tell it.
    fn shown_in(&self, message: &str) -> String {
        let value = self.value.to_string();
        if message.contains(&value) { message.to_owned() } else { format!("{value}: {message}") }
    }

    pub(crate) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem { origin: self.origin.clone(), key: self.key.clone(), message: message.into() }
    }
}

impl Settings {
    /// Where the key was set; none: nowhere, the default counts.
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.by_key.get(key).map(|setting| &setting.origin)
    }

    /// The value that was set for the key.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.by_key.get(key).map(|setting| &setting.value)
    }

    pub(crate) fn set(&mut self, setting: Setting) {
        self.by_key.insert(setting.key.clone(), setting);
    }

    /// All of them as a document.
    pub(crate) fn document(&self) -> Table {
        nested(self.by_key.values())
    }
}

/// Dotted keys as tables within tables.
fn nested<'s>(settings: impl IntoIterator<Item = &'s Setting>) -> Table {
    let mut document = Table::new();
    for setting in settings {
        let (sections, name) = setting.key.rsplit_once('.').unwrap_or(("", &setting.key));
        let mut table = &mut document;
        for section in sections.split('.').filter(|section| !section.is_empty()) {
            let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(inner) = entry else { unreachable!("no key lies below another") };
            table = inner;
        }
        table.insert(name.to_owned(), setting.value.clone());
    }
    document
}
