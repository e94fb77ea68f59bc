//! Which keys there are and what they hold, asked of the types themselves.
//!
//! A type is deserialised from a [`Probe`], which notes what it is asked for and then has nothing to give. So the keys
//! are those that serde knows: an option that is unset by default is among them, and none is kept by hand.

use ringway_stages::secret::masked;
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use std::cell::RefCell;
use std::fmt;
use toml::Value;

/// All keys of a type, in the order of its declaration.
#[derive(Clone, Debug)]
pub struct Schema {
    keys: Vec<Key>,
}

/// One key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its dotted path, such as `turn.filler`.
    pub path: String,
    /// What it holds.
    pub kind: Kind,
    /// It may be absent.
    pub optional: bool,
}

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string, or anything that is written as one: a path, a duration, an address.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number within these bounds.
    Integer {
        /// The least.
        least: i64,
        /// The greatest.
        most: i64,
    },
    /// A number.
    Float,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Several of a kind.
    List(Box<Kind>),
    /// Whatever its type makes of it.
    Any,
}

impl Schema {
    /// The keys of `T`.
    pub fn of<T: DeserializeOwned>() -> Self {
        let mut keys = Vec::new();
        explore::<T>(&mut Vec::new(), &mut keys);
        Self { keys }
    }

    /// The keys of both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.keys.extend(other.keys);
        self
    }

    /// All keys.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// The key of this dotted path.
    pub fn key(&self, path: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.path == path)
    }

    /// Whether keys lie below this dotted path.
    pub fn is_section(&self, path: &str) -> bool {
        self.keys.iter().any(|key| below(&key.path, path).is_some())
    }

    /// The names right below a section; of the whole when `section` is empty.
    pub fn names<'s>(&'s self, section: &'s str) -> impl Iterator<Item = &'s str> {
        let name = |rest: &'s str| rest.split('.').next().unwrap_or(rest);
        self.keys.iter().filter_map(move |key| below(&key.path, section)).map(name)
    }
}

/// What is left of `path` below `section`.
fn below<'p>(path: &'p str, section: &str) -> Option<&'p str> {
    if section.is_empty() { Some(path) } else { path.strip_prefix(section)?.strip_prefix('.') }
}

impl Kind {
    /// Reads a value as the environment holds it; a list is separated by commas.
    ///
    /// # Errors
    /// What it must be.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let refusal = || format!("{}, not {:?}", self.demand(), masked(text));
        match self {
            Self::Text | Self::Choice(_) | Self::Any => Ok(Value::String(text.to_owned())),
            Self::Flag => match text {
                "true" | "1" => Ok(Value::Boolean(true)),
                "false" | "0" => Ok(Value::Boolean(false)),
                _ => Err(refusal()),
            },
            Self::Integer { .. } => text.trim().parse().map(Value::Integer).map_err(|_| refusal()),
            Self::Float => text.trim().parse().map(Value::Float).map_err(|_| refusal()),
            Self::List(kind) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                items.map(|item| kind.parse(item)).collect::<Result<_, _>>().map(Value::Array)
            }
        }
    }

    /// What a value must be.
    pub(crate) fn demand(&self) -> String {
        format!("must be {self}")
    }

    /// Whether a value is of this kind; its own type may know more.
    ///
    /// # Errors
    /// What it must be.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        let good = match (self, value) {
            (Self::Any, _)
            | (Self::Text, Value::String(_))
            | (Self::Flag, Value::Boolean(_))
            | (Self::Float, Value::Float(_) | Value::Integer(_)) => true,
            (Self::Integer { least, most }, Value::Integer(number)) => (least..=most).contains(&number),
            (Self::Choice(words), Value::String(word)) => words.contains(&word.as_str()),
            (Self::List(kind), Value::Array(items)) => {
                return items.iter().try_for_each(|item| kind.check(item));
            }
            _ => false,
        };
        if good { Ok(()) } else { Err(format!("{}, not {}", self.demand(), shown(value))) }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("a string"),
            Self::Flag => f.write_str("true or false"),
            Self::Integer { least, most: i64::MAX } => write!(f, "a whole number from {least}"),
            Self::Integer { least, most } => write!(f, "a whole number from {least} to {most}"),
            Self::Float => f.write_str("a number"),
            Self::Choice(words) => write!(f, "one of {}", words.join(", ")),
            Self::List(kind) => write!(f, "a list, each {kind}"),
            Self::Any => f.write_str("a value"),
        }
    }
}

/// A value as a message names it: short ones whole, others by their type, secrets not at all.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Table(_) => format!("a {}", if value.is_array() { "list" } else { "table" }),
        _ => masked(&value.to_string()).into_owned(),
    }
}

fn explore<T: DeserializeOwned>(path: &mut Vec<&'static str>, keys: &mut Vec<Key>) {
    let seen = RefCell::new(Seen::default());
    // Always an error: a probe has no value to give.
    let _ = T::deserialize(Probe { path, seen: &seen });
    let Seen { fields, kind, optional } = seen.into_inner();
    for field in fields {
        path.push(field);
        explore::<T>(path, keys);
        path.pop();
    }
    keys.extend(kind.map(|kind| Key { path: path.join("."), kind, optional }));
}

/// What a type asked for at the end of the path.
#[derive(Debug, Default)]
struct Seen {
    fields: &'static [&'static str],
    kind: Option<Kind>,
    optional: bool,
}

/// Leads a type along the path and notes what it asks for there.
#[derive(Clone, Copy)]
struct Probe<'p> {
    path: &'p [&'static str],
    seen: &'p RefCell<Seen>,
}

impl Probe<'_> {
    fn note<V>(self, kind: Kind) -> Result<V, Error> {
        self.seen.borrow_mut().kind = Some(kind);
        Err(nothing())
    }

    fn integer<V>(self, least: i64, most: i64) -> Result<V, Error> {
        self.note(Kind::Integer { least, most })
    }
}

/// Methods that do nothing but note what they were asked for.
macro_rules! note {
    ($($method:ident $kind:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            self.note($kind)
        }
    )*};
}

macro_rules! note_integers {
    ($($method:ident $type:ty;)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            // TOML knows 64 bits with a sign.
            self.integer(i64::try_from(<$type>::MIN).unwrap_or(i64::MIN), i64::try_from(<$type>::MAX).unwrap_or(i64::MAX))
        }
    )*};
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    note! {
        deserialize_any Kind::Any;
        deserialize_ignored_any Kind::Any;
        deserialize_bool Kind::Flag;
        deserialize_f32 Kind::Float;
        deserialize_f64 Kind::Float;
        deserialize_char Kind::Text;
        deserialize_str Kind::Text;
        deserialize_string Kind::Text;
        deserialize_identifier Kind::Text;
        deserialize_bytes Kind::Any;
        deserialize_byte_buf Kind::Any;
        deserialize_unit Kind::Any;
        deserialize_map Kind::Any;
    }

    note_integers! {
        deserialize_i8 i8;
        deserialize_i16 i16;
        deserialize_i32 i32;
        deserialize_i64 i64;
        deserialize_i128 i128;
        deserialize_u8 u8;
        deserialize_u16 u16;
        deserialize_u32 u32;
        deserialize_u64 u64;
        deserialize_u128 u128;
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.path.split_first() {
            Some((name, path)) => visitor.visit_map(Entry { name: Some(name), probe: Self { path, ..self } }),
            None => {
                self.seen.borrow_mut().fields = fields;
                Err(nothing())
            }
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.note(Kind::Choice(variants))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.seen.borrow_mut().optional |= self.path.is_empty();
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let optional = self.seen.borrow().optional;
        // Notes what an item is; again always an error.
        let _ = visitor.visit_seq(One(self));
        let item = self.seen.replace(Seen { optional, ..Seen::default() }).kind.unwrap_or(Kind::Any);
        self.note(Kind::List(Box::new(item)))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, _: V) -> Result<V::Value, Error> {
        self.note(Kind::Any)
    }
}

/// A table of one key.
struct Entry<'p> {
    name: Option<&'static str>,
    probe: Probe<'p>,
}

impl<'de> MapAccess<'de> for Entry<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(name) = self.name.take() else { return Ok(None) };
        let name: StrDeserializer<'static, Error> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.probe)
    }
}

/// A list of one item.
struct One<'p>(Probe<'p>);

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        seed.deserialize(self.0).map(Some)
    }
}

fn nothing() -> Error {
    Error::custom("a probe has no value to give")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, LimitsConfig};

    fn key(path: &str, kind: Kind, optional: bool) -> Key {
        Key { path: path.into(), kind, optional }
    }

    #[test]
    fn a_type_tells_its_keys_in_their_order() {
        let number = Kind::Integer { least: 0, most: i64::MAX };
        let keys = [
            key("calls", number.clone(), false),
            key("calls_per_address", number.clone(), false),
            key("unstarted", number.clone(), false),
            key("unstarted_per_address", number.clone(), false),
            key("connections", number.clone(), false),
            key("connections_per_address", number.clone(), false),
            key("exempt_addresses", Kind::List(Box::new(Kind::Text)), false),
            key("calls_per_recogniser", number.clone(), false),
            key("calls_per_voice", number.clone(), false),
            key("media_cores", number, false),
            key("lateness", Kind::Text, false),
        ];
        assert_eq!(Schema::of::<LimitsConfig>().keys, keys);
    }

    #[test]
    fn each_key_tells_what_it_holds() {
        let schema = Schema::of::<Config>();
        for wanted in [
            key("server.listen", Kind::Text, false),
            key("server.port", Kind::Integer { least: 0, most: 65_535 }, false),
            key("server.allowed_origins", Kind::List(Box::new(Kind::Text)), false),
            key("server.tls", Kind::Text, true),
            key("server.chaos", Kind::Flag, false),
            key("turn.speech_start", Kind::Float, false),
            key("turn.speculation", Kind::Choice(&["off", "stt", "llm", "tts"]), false),
            key("turn.key_end", Kind::Text, false),
            key("call.stall.vad", Kind::Text, false),
            key("scripted.stt_ms", Kind::Integer { least: 0, most: 4_294_967_295 }, false),
        ] {
            assert_eq!(schema.key(&wanted.path), Some(&wanted));
        }
    }

    #[test]
    fn sections_are_what_keys_lie_in() {
        let schema = Schema::of::<Config>();
        assert!(["call", "call.stall", "turn"].iter().all(|section| schema.is_section(section)));
        assert!(["cal", "server.port", "nowhere"].iter().all(|section| !schema.is_section(section)));
        assert_eq!(schema.names("call.stall").collect::<Vec<_>>(), ["vad", "stt", "llm", "tts", "s2s"]);
    }

    #[test]
    fn the_environments_text_is_read_by_kind() {
        let flags = Kind::List(Box::new(Kind::Flag));
        assert_eq!(flags.parse("true, 0,").unwrap().to_string(), "[true, false]");
        assert_eq!(Kind::Float.parse("0.5").unwrap(), Value::Float(0.5));
        let port = Kind::Integer { least: 0, most: 65_535 };
        assert_eq!(port.parse("80").unwrap(), Value::Integer(80));
        assert_eq!(port.parse("http").unwrap_err(), "must be a whole number from 0 to 65535, not \"http\"");
        assert_eq!(
            port.check(&Value::Integer(70_000)).unwrap_err(),
            "must be a whole number from 0 to 65535, not 70000"
        );
    }
}
