//! A file, key by key, so that one mistake hides no other.

use crate::language_key::{LanguageKey, MUST_BE_SAID, SAID, SECTION, is_code};
use crate::problem::{Origin, Problem};
use crate::schema::Schema;
use crate::setting::Setting;
use crate::suggest::nearest;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;
use toml::de::{DeTable, DeValue, ValueDeserializer};
use toml::{Spanned, Value};

/// The settings of a file, and what is wrong with its form.
pub(crate) fn read(contents: &[u8], path: &Path, schema: &Schema) -> (Vec<Setting>, Vec<Problem>) {
    let text = String::from_utf8_lossy(contents);
    let mut reader = Reader {
        path,
        lines: Lines::of(&text),
        schema,
        language: String::new(),
        settings: Vec::new(),
        problems: Vec::new(),
    };
    if let Err(error) = std::str::from_utf8(contents) {
        reader.report(error.valid_up_to(), "", "not UTF-8 text");
    }
    let (document, errors) = DeTable::parse_recoverable(&text);
    for error in errors {
        reader.report(error.span().map_or(0, |span| span.start), "", error.message());
    }
    // Of one line the first says it; the others follow from it.
    reader.problems.dedup_by(|next, first| next.origin == first.origin);
    // What the parser makes of a broken line would only be told a second time.
    let broken = reader.problems.iter().map(|problem| problem.origin.clone()).collect();
    reader.table(document.get_ref(), "");
    reader.without(&broken)
}

struct Reader<'r> {
    path: &'r Path,
    lines: Lines,
    schema: &'r Schema,
    /// The language that is read, with what stands before its keys.
    language: String,
    settings: Vec<Setting>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, section: &str) {
        for (name, value) in table {
            self.entry(name, value, section);
        }
    }

    fn entry(&mut self, name: &Spanned<Cow<'_, str>>, value: &Spanned<DeValue<'_>>, section: &str) {
        let key = if section.is_empty() {
            name.get_ref().to_string()
        } else {
            format!("{section}.{}", name.get_ref())
        };
        let at = name.span().start;
        match value.get_ref() {
            DeValue::Table(inner) if key == SECTION && self.language.is_empty() => self.languages(inner),
            DeValue::Table(inner) if self.schema.is_section(&key) => self.table(inner, &key),
            _ if self.schema.is_section(&key) => {
                self.report(at, &key, format!("must be a section: write [{}{key}]", self.language));
            }
            _ if self.schema.key(&key).is_some() => self.value(at, &key, value),
            _ => self.report(at, &key, unknown(self.schema, section, name.get_ref())),
        }
    }

    /// Settings that count in one language each.
    fn languages(&mut self, languages: &DeTable<'_>) {
        for (code, language) in languages {
            self.language = format!("{SECTION}.{}.", code.get_ref());
            let at = code.span().start;
            match language.get_ref() {
                // A dot would part the code from itself.
                DeValue::Table(inner) if is_code(code.get_ref()) => {
                    let missing = SAID.into_iter().filter(|key| !inner.contains_key(*key));
                    missing.for_each(|key| self.report(at, key, MUST_BE_SAID));
                    self.language(inner);
                }
                DeValue::Table(_) => {
                    self.report(at, "", "a language's code is letters, digits and -, such as de or pt-BR");
                }
                _ => self.report(at, "", "must be a section"),
            }
        }
        self.language.clear();
    }

    fn language(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            let own = format!("{}{}", self.language, name.get_ref());
            if LanguageKey::of(&own).is_some_and(LanguageKey::is_own) {
                self.value(name.span().start, name.get_ref(), value);
            } else {
                self.entry(name, value, "");
            }
        }
    }

    fn value(&mut self, at: usize, key: &str, value: &Spanned<DeValue<'_>>) {
        let setting =
            |value| Setting { key: format!("{}{key}", self.language), value, origin: self.origin(at) };
        let read = Value::deserialize(ValueDeserializer::from(value.clone()));
        match read.map(setting) {
            Ok(setting) => self.settings.push(setting),
            Err(error) => self.report(at, key, error.message()),
        }
    }

    fn origin(&self, at: usize) -> Origin {
        Origin::File { path: self.path.to_owned(), line: self.lines.line(at) }
    }

    fn report(&mut self, at: usize, key: &str, message: impl Into<String>) {
        let key = format!("{}{key}", self.language).trim_end_matches('.').to_owned();
        self.problems.push(Problem { origin: self.origin(at), key, message: message.into() });
    }

    fn without(self, broken: &BTreeSet<Origin>) -> (Vec<Setting>, Vec<Problem>) {
        let told = |problem: &Problem| problem.key.is_empty() || !broken.contains(&problem.origin);
        let settings = self.settings.into_iter().filter(|setting| !broken.contains(&setting.origin));
        (settings.collect(), self.problems.into_iter().filter(told).collect())
    }
}

/// What to say of a key that does not exist.
pub(crate) fn unknown(schema: &Schema, section: &str, name: &str) -> String {
    let elsewhere =
        || schema.keys().map(|key| key.path.as_str()).find(|path| path.rsplit('.').next() == Some(name));
    let place = |near: &str| if section.is_empty() { near.to_owned() } else { format!("{section}.{near}") };
    let meant = nearest(name, schema.names(section)).map(place).or_else(|| elsewhere().map(str::to_owned));
    match meant {
        Some(meant) => format!("unknown key; did you mean {meant}?"),
        None => "unknown key".to_owned(),
    }
}

/// Finds the line of a byte.
struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// The line of the byte at `offset`, from 1.
    fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }
}
