use crate::languages::LanguageKey;
use crate::problem::{Origin, Problem};
use crate::schema::{Kind, Schema};
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
        let language = LanguageKey::of(&self.key);
        if language.is_some_and(LanguageKey::is_own) {
            return Kind::Text.check(&self.value).map_err(|message| self.problem(message));
        }
        if let Some(refusal) = language.and_then(LanguageKey::refusal) {
            return Err(self.problem(refusal));
        }
        let plain = Self { key: self.plain_key().to_owned(), ..self.clone() };
        let kind = schema.key(&plain.key).map(|key| &key.kind);
        let known = kind.map_or_else(|| Err("unknown key".to_owned()), |kind| kind.check(&self.value));
        let read =
            || crate::Config::deserialize(nested([&plain])).map_err(|error| self.shown_in(error.message()));
        known.and_then(|()| read().map(drop)).map_err(|message| self.problem(message))
    }

    /// The key as it is written where no language is meant.
    fn plain_key(&self) -> &str {
        LanguageKey::of(&self.key).map_or(&self.key, |key| key.rest)
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

    /// All of them as a document, without those of languages.
    pub(crate) fn document(&self) -> Table {
        nested(self.by_key.values().filter(|setting| LanguageKey::of(&setting.key).is_none()))
    }

    /// The same with those of this language over it.
    pub(crate) fn document_in(&self, code: &str) -> Table {
        let mut all = Self::default();
        for setting in self.by_key.values().filter(|setting| LanguageKey::of(&setting.key).is_none()) {
            all.set(setting.clone());
        }
        for setting in self.of_language(code).filter(|setting| !is_own(setting)) {
            all.set(Setting { key: setting.plain_key().to_owned(), ..setting.clone() });
        }
        all.document()
    }

    /// The codes of all languages, each with its first setting.
    pub(crate) fn languages(&self) -> BTreeMap<&str, &Setting> {
        let mut languages: BTreeMap<&str, &Setting> = BTreeMap::new();
        for setting in self.by_key.values() {
            let Some(LanguageKey { code, .. }) = LanguageKey::of(&setting.key) else { continue };
            let first = languages.entry(code).or_insert(setting);
            if setting.origin < first.origin {
                *first = setting;
            }
        }
        languages
    }

    /// The sections that a language changes.
    pub(crate) fn sections_of(&self, code: &str) -> impl Iterator<Item = &str> {
        let keys = self.of_language(code).filter(|setting| !is_own(setting)).map(Setting::plain_key);
        keys.filter_map(|key| key.split('.').next())
    }

    /// The settings of a language.
    pub(crate) fn of_language(&self, code: &str) -> impl Iterator<Item = &Setting> {
        let of = move |setting: &&Setting| LanguageKey::of(&setting.key).is_some_and(|key| key.code == code);
        self.by_key.values().filter(of)
    }
}

fn is_own(setting: &Setting) -> bool {
    LanguageKey::of(&setting.key).is_some_and(LanguageKey::is_own)
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
