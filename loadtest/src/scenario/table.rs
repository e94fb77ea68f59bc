use super::Problems;
use crate::time;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// A table that is read key by key; what nobody asks for is an unknown key.
#[derive(Debug)]
pub(super) struct Table<'t> {
    at: usize,
    unread: BTreeMap<&'t str, (usize, &'t Value<'t>)>,
    known: Vec<&'static str>,
}

impl<'t> Table<'t> {
    pub(super) fn new(table: &'t DeTable<'t>, at: usize) -> Self {
        let entries = table.iter();
        let unread =
            entries.map(|(key, value)| (key.get_ref().as_ref(), (key.span().start, value))).collect();
        Self { at, unread, known: Vec::new() }
    }

    /// The table that `value` has to be.
    pub(super) fn of(value: &'t Value<'t>, what: &str, problems: &mut Problems) -> Option<Self> {
        match value.get_ref() {
            DeValue::Table(table) => Some(Self::new(table, value.span().start)),
            other => {
                let kind = other.type_str();
                problems.report(value.span().start, format!("{what} must be a table, not {kind}"));
                None
            }
        }
    }

    /// Where it begins.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Reads a key.
    pub(super) fn take(&mut self, key: &'static str) -> Option<&'t Value<'t>> {
        self.known.push(key);
        self.unread.remove(key).map(|(_, value)| value)
    }

    /// The only key, its place and its value, where there is exactly one.
    pub(super) fn only(&self) -> Option<(&'t str, usize, &'t Value<'t>)> {
        let (key, (at, value)) = self.unread.first_key_value()?;
        (self.unread.len() == 1).then_some((*key, *at, *value))
    }

    /// Reports what nobody has asked for.
    pub(super) fn finish(mut self, problems: &mut Problems) {
        self.known.sort_unstable();
        for (key, (at, _)) in self.unread {
            problems.report(at, format!("unknown key {key:?}; here may be: {}", self.known.join(", ")));
        }
    }
}

/// The string that it has to be.
pub(super) fn string<'t>(value: &'t Value<'t>, what: &str, problems: &mut Problems) -> Option<&'t str> {
    let text = value.get_ref().as_str();
    if text.is_none() {
        let kind = value.get_ref().type_str();
        problems.report(value.span().start, format!("{what} must be a string, not {kind}"));
    }
    text
}

/// The list that it has to be.
pub(super) fn list<'t>(value: &'t Value<'t>, what: &str, problems: &mut Problems) -> &'t [Value<'t>] {
    match value.get_ref() {
        DeValue::Array(items) => items,
        other => {
            problems.report(value.span().start, format!("{what} must be a list, not {}", other.type_str()));
            &[]
        }
    }
}

/// One string, or a list of them.
pub(super) fn strings<'t>(
    value: &'t Value<'t>,
    what: &str,
    problems: &mut Problems,
) -> Vec<(usize, &'t str)> {
    let items = match value.get_ref() {
        DeValue::Array(items) => items.as_ref(),
        _ => std::slice::from_ref(value),
    };
    let place = |item: &'t Value<'t>| Some((item.span().start, string(item, what, problems)?));
    items.iter().filter_map(place).collect()
}

/// A time such as "500ms".
pub(super) fn time(value: &Value<'_>, what: &str, problems: &mut Problems) -> Option<Duration> {
    let text = string(value, what, problems)?;
    time::parse(text)
        .map_err(|why| problems.report(value.span().start, format!("{what}: {text:?} is {why}")))
        .ok()
}

/// A time, or two of which each time one between is drawn.
pub(super) fn range(value: &Value<'_>, what: &str, problems: &mut Problems) -> Option<Range<Duration>> {
    let DeValue::Array(ends) = value.get_ref() else {
        return time(value, what, problems).map(|time| time..time);
    };
    let [from, to] = &ends[..] else {
        problems.report(value.span().start, format!("{what} is one time or two, from and to"));
        return None;
    };
    let range = time(from, what, problems)?..time(to, what, problems)?;
    if range.start > range.end {
        problems.report(value.span().start, format!("{what} ends before it begins"));
    }
    Some(range)
}

/// A whole number in this range.
pub(super) fn whole(
    value: &Value<'_>,
    what: &str,
    bounds: Range<u32>,
    problems: &mut Problems,
) -> Option<u32> {
    let number = value.get_ref().as_integer().and_then(|number| number.as_str().parse().ok());
    let number = number.filter(|number| bounds.contains(number));
    if number.is_none() {
        let (least, most) = (bounds.start, bounds.end - 1);
        problems.report(value.span().start, format!("{what} must be a whole number from {least} to {most}"));
    }
    number
}

/// A share from 0 to 1.
pub(super) fn share(value: &Value<'_>, what: &str, problems: &mut Problems) -> Option<f64> {
    let share = match value.get_ref() {
        DeValue::Float(number) => number.as_str().parse().ok(),
        DeValue::Integer(number) => number.as_str().parse().ok(),
        _ => None,
    };
    let share = share.filter(|share| (0.0..=1.0).contains(share));
    if share.is_none() {
        problems.report(value.span().start, format!("{what} must be a number from 0 to 1"));
    }
    share
}

/// `true` or `false`.
pub(super) fn flag(value: &Value<'_>, what: &str, problems: &mut Problems) -> bool {
    let flag = value.get_ref().as_bool();
    if flag.is_none() {
        problems.report(value.span().start, format!("{what} must be true or false"));
    }
    flag.unwrap_or_default()
}
