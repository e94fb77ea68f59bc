use crate::language_key::LanguageKey;
use crate::problem::{Origin, Problem};
use crate::schema::{Kind, Schema, shown};
use ringway_stages::secret::{masked, masked_address};
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

/// What is wrong with a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Misread {
    /// What is to be told as it is.
    Plain(String),
    /// What a value of its kind must be.
    Kind(String),
    /// What its own type says of the value.
    Value(String),
}

impl Misread {
    /// With the value, as far as it may be shown.
    fn shown(&self, value: &Value, is_address: bool) -> String {
        let shown = match value {
            Value::String(text) if is_address => Value::from(masked_address(text).into_owned()).to_string(),
            value => shown(value),
        };
        let text = value.to_string();
        match self {
            Self::Plain(message) => message.clone(),
            Self::Kind(message) => format!("{message}, not {shown}"),
            Self::Value(message) if message.starts_with(BOUNDS) => message.clone(),
            Self::Value(message) if message.contains(&text) => message.replace(&text, &shown),
            Self::Value(message) => format!("{shown}: {}", masked(message)),
        }
    }

    /// Without a trace of the text.
    pub(crate) fn without_value(&self, text: &str) -> String {
        match self {
            Self::Value(message) if message.contains(text) => "it cannot be read".to_owned(),
            Self::Plain(message) | Self::Kind(message) | Self::Value(message) => message.clone(),
        }
    }
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
        self.read(schema).map_err(|mistake| self.problem(mistake.shown(&self.value, self.is_address())))
    }

    /// The same.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read(&self, schema: &Schema) -> Result<(), Misread> {
        let language = LanguageKey::of(&self.key);
        if language.is_some_and(LanguageKey::is_own) {
            return Kind::Text.check(&self.value).map_err(|_| Misread::Kind(Kind::Text.demand()));
        }
        if let Some(refusal) = language.and_then(|key| key.refusal(schema)) {
            return Err(Misread::Plain(refusal.to_owned()));
        }
        let plain = Self { key: self.plain_key().to_owned(), ..self.clone() };
        let Some(key) = schema.key(&plain.key) else { return Err(Misread::Plain("unknown key".to_owned())) };
        key.kind.check(&self.value).map_err(|_| Misread::Kind(key.kind.demand()))?;
        let read = crate::Config::read(nested([&plain]));
        read.map(drop).map_err(|error| Misread::Value(error.message().to_owned()))
    }

    /// It is meant as the address of a service.
    pub(crate) fn is_address(&self) -> bool {
        self.key.ends_with("url")
    }

    /// It is the name of an environment variable that holds a secret.
    pub(crate) fn names_variable(&self) -> bool {
        self.key.ends_with(".key")
    }

    /// The key as it is written where no language is meant.
    fn plain_key(&self) -> &str {
        LanguageKey::of(&self.key).map_or(&self.key, |key| key.rest)
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

/// What begins so names the value itself, which is a number or a duration.
const BOUNDS: &str = "must be from ";
