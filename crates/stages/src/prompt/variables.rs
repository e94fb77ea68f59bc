use crate::tool_use::Slots;
use jiff::Zoned;
use jiff::tz::TimeZone;
use minijinja::Value;
use minijinja::value::Object;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of a call when it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// Its id.
    pub call_id: String,
    /// The carrier's own id of it.
    pub carrier_call_id: Option<String>,
    /// By which edge it comes.
    pub edge: String,
    /// The number of the person on the line, whichever side placed the call.
    pub caller: Option<String>,
    /// Our own number.
    pub called: Option<String>,
    /// Which side placed the call, as the carrier names it: `inbound`, `outbound-api`.
    pub direction: Option<String>,
    /// Who or what answered a call that we placed, as the carrier names it: `human`, `machine_start`.
    pub answered_by: Option<String>,
    /// What the caller's side passed on, by name: anybody may have written it.
    pub parameters: BTreeMap<String, String>,
    /// When it began, where its operator is.
    pub began: Zoned,
    /// The language that is spoken, as people call it.
    pub language: String,
}

/// All that a template may name.
pub(super) const NAMES: [&str; 14] = [
    "answered_by",
    "call_id",
    "carrier_call_id",
    "called",
    "caller",
    "date",
    "direction",
    "edge",
    "language",
    "parameter",
    "slot",
    "time",
    "time_zone",
    "weekday",
];

/// Slots that every dialogue may say from the beginning; empty where nothing is known.
pub(crate) const CALL_SLOTS: [&str; 4] = ["answered_by", "called", "caller", "direction"];

impl Variables {
    /// What a dialogue knows of its call.
    pub(crate) fn call_slots(&self) -> Slots {
        let values = [&self.answered_by, &self.called, &self.caller, &self.direction];
        let known = CALL_SLOTS.into_iter().zip(values);
        known.filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect()
    }

    /// A machine answered a call that we placed.
    pub(crate) fn is_machine(&self) -> bool {
        self.answered_by.as_deref().is_some_and(|by| by.starts_with("machine") || by == "fax")
    }

    pub(super) fn values(&self, slots: &Slots) -> Value {
        let mut values = BTreeMap::from([
            ("call_id", self.call_id.as_str().into()),
            ("edge", self.edge.as_str().into()),
            ("language", self.language.as_str().into()),
            ("parameter", named(&self.parameters)),
            ("slot", named(slots)),
        ]);
        values.extend(moment(&self.began));
        let told = [
            ("carrier_call_id", &self.carrier_call_id),
            ("caller", &self.caller),
            ("called", &self.called),
            ("direction", &self.direction),
            ("answered_by", &self.answered_by),
        ];
        values.extend(told.into_iter().filter_map(|(name, value)| Some((name, data(value.as_deref()?)))));
        Value::from_pairs(values)
    }
}

fn moment(began: &Zoned) -> [(&'static str, Value); 4] {
    let zone = began.time_zone().iana_name().unwrap_or("UTC");
    [
        ("date", began.strftime("%Y-%m-%d").to_string().into()),
        ("time", began.strftime("%H:%M").to_string().into()),
        ("weekday", began.strftime("%A").to_string().into()),
        ("time_zone", zone.into()),
    ]
}

fn named(values: &BTreeMap<String, String>) -> Value {
    let bounded = values.iter().take(MOST_VALUES);
    Value::from_pairs(bounded.map(|(name, value)| (name.as_str(), data(value))))
}

/// A value from outside: one line of bounded length.
fn data(value: &str) -> Value {
    let line =
        |char: char| if char.is_control() || matches!(char, '\u{2028}' | '\u{2029}') { ' ' } else { char };
    value.chars().take(LONGEST_VALUE).map(line).collect::<String>().into()
}

/// A call that brings nothing that it may lack.
pub(super) fn nothing() -> Value {
    Variables::default().values(&Slots::new())
}

/// A call that brings everything that it may bring, parameters and slots of any name.
pub(super) fn everything() -> Value {
    let told = || Some("+1234".to_owned());
    let full = Variables {
        carrier_call_id: told(),
        caller: told(),
        called: told(),
        direction: told(),
        answered_by: told(),
        ..Variables::default()
    };
    let mut values: BTreeMap<String, Value> = BTreeMap::new();
    let known = full.values(&Slots::new());
    values.extend(NAMES.iter().filter_map(|name| Some(((*name).to_owned(), known.get_attr(name).ok()?))));
    for any in ["parameter", "slot"] {
        values.insert(any.to_owned(), Value::from_object(Anything));
    }
    Value::from_pairs(values)
}

/// Has a value under every name.
#[derive(Debug)]
struct Anything;

impl Object for Anything {
    fn get_value(self: &Arc<Self>, _: &Value) -> Option<Value> {
        Some("something".into())
    }
}

/// The time zone of this name in the IANA database.
///
/// # Errors
/// There is none such, or no database.
pub fn time_zone(name: &str) -> Result<TimeZone, jiff::Error> {
    TimeZone::get(name)
}

/// Values of one kind that a call may bring, and characters of each.
const MOST_VALUES: usize = 64;
const LONGEST_VALUE: usize = 1_000;
