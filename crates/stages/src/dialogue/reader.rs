use super::diagnostic::{Place, Problems};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Finds the line of a byte.
#[derive(Debug)]
pub(super) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// The line of the byte at `offset`, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }
}

/// A string and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) value: String,
    pub(super) place: Place,
}

/// A table that is read key by key; what nobody asks for is an unknown key.
///
/// A value of the wrong type is reported and then read as if it were absent, so that one mistake hides no other.
#[derive(Debug)]
pub(super) struct Table<'t> {
    pub(super) place: Place,
    lines: &'t Lines,
    unread: BTreeMap<&'t str, (usize, &'t Spanned<DeValue<'t>>)>,
    known: Vec<&'static str>,
}

impl<'t> Table<'t> {
    pub(super) fn new(table: &'t DeTable<'t>, lines: &'t Lines, place: Place) -> Self {
        let entry = |(key, value): (&'t Spanned<std::borrow::Cow<'t, str>>, _)| {
            (key.get_ref().as_ref(), (key.span().start, value))
        };
        Self { place, lines, unread: table.iter().map(entry).collect(), known: Vec::new() }
    }

    /// The key is there and was not read yet.
    pub(super) fn has(&self, key: &str) -> bool {
        self.unread.contains_key(key)
    }

    /// A string.
    pub(super) fn string(&mut self, key: &'static str, problems: &mut Problems) -> Option<Text> {
        let (place, value) = self.take(key)?;
        string(value, place, problems)
    }

    /// A list of strings, or one string.
    pub(super) fn strings(&mut self, key: &'static str, problems: &mut Problems) -> Vec<Text> {
        let Some((place, value)) = self.take(key) else { return Vec::new() };
        match value.get_ref() {
            DeValue::Array(items) => {
                let text = |(index, item): (usize, &Spanned<DeValue<'_>>)| {
                    let line = self.lines.line(item.span().start);
                    string(item, Place { line, key: format!("{}[{}]", place.key, index + 1) }, problems)
                };
                items.iter().enumerate().filter_map(text).collect()
            }
            _ => string(value, place, problems).into_iter().collect(),
        }
    }

    /// `true` or `false`; `false` when absent.
    pub(super) fn flag(&mut self, key: &'static str, problems: &mut Problems) -> bool {
        let Some((place, value)) = self.take(key) else { return false };
        value.get_ref().as_bool().unwrap_or_else(|| {
            wrong_type("true or false", value, &place, problems);
            false
        })
    }

    /// A number from 1 to 255.
    pub(super) fn count(&mut self, key: &'static str, problems: &mut Problems) -> Option<u8> {
        let (place, value) = self.take(key)?;
        let number = value.get_ref().as_integer().and_then(|number| number.as_str().parse::<u8>().ok());
        if number.is_none_or(|number| number == 0) {
            problems.report(&place, "must be a whole number from 1 to 255");
        }
        number.filter(|number| *number > 0)
    }

    /// A table.
    pub(super) fn table(&mut self, key: &'static str, problems: &mut Problems) -> Option<Table<'t>> {
        let (place, value) = self.take(key)?;
        self.open(value, place, problems)
    }

    /// A list of tables.
    pub(super) fn tables(&mut self, key: &'static str, problems: &mut Problems) -> Vec<Table<'t>> {
        let Some((place, value)) = self.take(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            let written = if place.key.is_empty() { key.to_owned() } else { place.key.clone() };
            problems.report(&place, format!("must be a list of tables: write [[{written}]]"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let line = self.lines.line(item.span().start);
            let place = Place { line, key: format!("{}[{}]", place.key, index + 1) };
            tables.extend(self.open(item, place, problems));
        }
        tables
    }

    /// All its entries as tables, by name.
    pub(super) fn into_tables(mut self, problems: &mut Problems) -> Vec<(String, Table<'t>)> {
        let mut tables = Vec::new();
        for (name, (at, value)) in std::mem::take(&mut self.unread) {
            let table = self.open(value, self.place_of(name, at), problems);
            tables.extend(table.map(|table| (name.to_owned(), table)));
        }
        tables
    }

    /// All its entries as strings, by name.
    pub(super) fn into_strings(mut self, problems: &mut Problems) -> Vec<(String, Text)> {
        let mut strings = Vec::new();
        for (name, (at, value)) in std::mem::take(&mut self.unread) {
            let text = string(value, self.place_of(name, at), problems);
            strings.extend(text.map(|text| (name.to_owned(), text)));
        }
        strings
    }

    fn open(
        &self,
        value: &'t Spanned<DeValue<'t>>,
        place: Place,
        problems: &mut Problems,
    ) -> Option<Table<'t>> {
        let DeValue::Table(table) = value.get_ref() else {
            wrong_type("a table", value, &place, problems);
            return None;
        };
        Some(Table::new(table, self.lines, place))
    }

    /// Reports what has not been read.
    pub(super) fn finish(self, problems: &mut Problems) {
        let mut known = self.known.clone();
        known.sort_unstable();
        for (key, (at, _)) in &self.unread {
            let message = format!("unknown key; here may be: {}", known.join(", "));
            problems.report(&self.place_of(key, *at), message);
        }
    }

    fn take(&mut self, key: &'static str) -> Option<(Place, &'t Spanned<DeValue<'t>>)> {
        self.known.push(key);
        let (at, value) = self.unread.remove(key)?;
        Some((self.place_of(key, at), value))
    }

    fn place_of(&self, key: &str, at: usize) -> Place {
        let key =
            if self.place.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place.key) };
        Place { line: self.lines.line(at), key }
    }
}

fn string(value: &Spanned<DeValue<'_>>, place: Place, problems: &mut Problems) -> Option<Text> {
    match value.get_ref().as_str() {
        Some(text) => Some(Text { value: text.to_owned(), place }),
        None => {
            wrong_type("a string", value, &place, problems);
            None
        }
    }
}

fn wrong_type(wanted: &str, value: &Spanned<DeValue<'_>>, place: &Place, problems: &mut Problems) {
    problems.report(place, format!("must be {wanted}, not {}", value.get_ref().type_str()));
}
