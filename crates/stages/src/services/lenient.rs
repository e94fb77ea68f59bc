//! Fields of services' answers as they come: what is due, `null`, or something of another type, which counts as absent.

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

/// A text; a number counts as its digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(pub(super) Option<String>);

/// A count of things: a whole number, also as a float or in quotes; less than nothing is nothing that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count(pub(super) Option<u32>);

/// A number, also in quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Number(pub(super) Option<f64>);

/// Yes or no.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flag(pub(super) bool);

/// A list; one thing that is not in a list is a list of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct List<T>(pub(super) Vec<T>);

/// An object, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Object<T>(pub(super) T);

/// What a model says: a text, or a list of parts, of which those of text are joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) text: String,
    /// Some of it was thought and not said.
    pub(super) thought: bool,
}

/// Arguments of a call, as JSON in a text: they come as that, as a piece of it, or as an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments(pub(super) String);

impl Text {
    /// The text, if there is any.
    pub(super) fn given(self) -> Option<String> {
        self.0.filter(|text| !text.is_empty())
    }
}

impl Number {
    /// As seconds; what is no time is none.
    pub(super) fn seconds(self) -> Duration {
        Duration::try_from_secs_f64(self.0.unwrap_or_default()).unwrap_or_default()
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// What [`Visitor`]s that take anything do with what they do not want.
macro_rules! otherwise {
    ($what:expr; $($kind:ident)*) => {
        $(otherwise!(@$kind $what);)*
    };
    (@unit $what:expr) => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($what)
        }
        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok($what)
        }
    };
    (@bool $what:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($what)
        }
    };
    (@numbers $what:expr) => {
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($what)
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($what)
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($what)
        }
    };
    (@str $what:expr) => {
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok($what)
        }
    };
    (@seq $what:expr) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok($what)
        }
    };
    (@map $what:expr) => {
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($what)
        }
    };
}

struct Take<T>(PhantomData<T>);

impl<T> Take<T> {
    const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de> Visitor<'de> for Take<Text> {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(Some(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Text, E> {
        Ok(Text(Some(text)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
        Ok(Text(Some(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
        Ok(Text(Some(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
        Ok(Text(Some(number.to_string())))
    }

    otherwise!(Text(None); unit bool seq map);
}

impl<'de> Visitor<'de> for Take<Count> {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a count")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Count, E> {
        Ok(Count(Some(u32::try_from(number).unwrap_or(u32::MAX))))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Count, E> {
        Ok(Count(u32::try_from(number).ok()))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, which is meant"
    )]
    fn visit_f64<E>(self, number: f64) -> Result<Count, E> {
        Ok(Count((number >= 0.0).then_some(number as u32)))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Count, E> {
        text.trim().parse().map_or(Ok(Count(None)), |number: f64| self.visit_f64(number))
    }

    otherwise!(Count(None); unit bool seq map);
}

impl<'de> Visitor<'de> for Take<Number> {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
        Ok(Number(Some(number as f64)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
        Ok(Number(Some(number as f64)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
        Ok(Number(Some(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Number, E> {
        Ok(Number(text.trim().parse().ok()))
    }

    otherwise!(Number(None); unit bool seq map);
}

impl<'de> Visitor<'de> for Take<Flag> {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("yes or no")
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Flag, E> {
        Ok(Flag(yes))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Flag, E> {
        Ok(Flag(number != 0))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Flag, E> {
        Ok(Flag(number != 0))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Flag, E> {
        Ok(Flag(number != 0.0))
    }

    fn visit_str<E>(self, text: &str) -> Result<Flag, E> {
        Ok(Flag(text.trim().eq_ignore_ascii_case("true")))
    }

    otherwise!(Flag(false); unit seq map);
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Take<List<T>> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element::<Option<T>>()? {
            list.extend(item);
        }
        Ok(List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<List<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|one| List(vec![one]))
    }

    otherwise!(List(Vec::new()); unit bool numbers str);
}

impl<'de, T: DeserializeOwned + Default> Visitor<'de> for Take<Object<T>> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }

    otherwise!(Object(T::default()); unit bool numbers str seq);
}

impl<'de> Visitor<'de> for Take<Words> {
    type Value = Words;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or parts of one")
    }

    fn visit_str<E>(self, text: &str) -> Result<Words, E> {
        Ok(Words { text: text.to_owned(), thought: false })
    }

    fn visit_string<E>(self, text: String) -> Result<Words, E> {
        Ok(Words { text, thought: false })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Words, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(seq)).map(|parts| Words::of(&parts))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Words, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(map)).map(|part| Words::of(&part))
    }

    otherwise!(Words::default(); unit bool numbers);
}

impl Words {
    fn of(value: &Value) -> Self {
        match value {
            Value::String(text) => Self { text: text.clone(), thought: false },
            Value::Array(parts) => parts.iter().map(Self::of).fold(Self::default(), |all, part| Self {
                text: all.text + &part.text,
                thought: all.thought || part.thought,
            }),
            Value::Object(part) => Self::of_part(part),
            _ => Self::default(),
        }
    }

    /// Of thoughts, references, pictures and whatever else there may be nothing is said.
    fn of_part(part: &Map<String, Value>) -> Self {
        let kind = part.get("type").and_then(Value::as_str).unwrap_or("text");
        if !matches!(kind, "text" | "output_text" | "text_delta" | "input_text") {
            let thought = kind.contains("think") || kind.contains("reason");
            return Self { text: String::new(), thought };
        }
        match part.get("text") {
            Some(Value::Object(text)) => Self::of(text.get("value").unwrap_or(&Value::Null)),
            Some(text) => Self::of(text),
            None => Self::default(),
        }
    }
}

impl<'de> Visitor<'de> for Take<Arguments> {
    type Value = Arguments;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("arguments")
    }

    fn visit_str<E>(self, text: &str) -> Result<Arguments, E> {
        Ok(Arguments(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Arguments, E> {
        Ok(Arguments(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Arguments, A::Error> {
        let object = Value::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Arguments(object.to_string()))
    }

    otherwise!(Arguments::default(); unit bool numbers seq);
}

macro_rules! lenient {
    ($($name:ident)*) => {
        $(impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Take::<$name>::new())
            }
        })*
    };
}

lenient!(Text Count Number Flag Words Arguments);

impl<'de, T: DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Take::<Self>::new())
    }
}

impl<'de, T: DeserializeOwned + Default> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Take::<Self>::new())
    }
}

/// What `null` is for a field that has a default.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: DeserializeOwned>(json: &str) -> T {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    /// One of each type that JSON has.
    const ANYTHING: [&str; 8] =
        ["null", "true", "-1", "1.5", "\"x\"", "[]", "[null,[1]]", r#"{"x":{"y":1}}"#];

    #[test]
    fn no_field_refuses_what_is_of_another_type() {
        for json in ANYTHING {
            read::<Text>(json);
            read::<Count>(json);
            read::<Number>(json);
            read::<Flag>(json);
            read::<Words>(json);
            read::<Arguments>(json);
            read::<List<Object<Map<String, Value>>>>(json);
            read::<Object<Map<String, Value>>>(json);
        }
    }

    #[test]
    fn a_count_may_be_a_float_a_text_or_negative() {
        let counts = ["57", "57.0", "\"57\"", "-1", "-1.0", "null", "1e99", "\"many\""];
        let read = counts.map(|json| read::<Count>(json).0);
        let most = Some(u32::MAX);
        assert_eq!(read, [Some(57), Some(57), Some(57), None, None, None, most, None]);
    }

    #[test]
    fn a_time_is_a_number_of_seconds_that_can_be_one() {
        let times = ["2", "0.5", "\"1.5\"", "-1", "null", "1e99"].map(|json| read::<Number>(json).seconds());
        assert_eq!(times.map(|time| time.as_millis()), [2_000, 500, 1_500, 0, 0, 0]);
    }

    #[test]
    fn words_are_those_of_the_parts_that_are_text() {
        let said = |json| read::<Words>(json);
        let words = |text: &str, thought| Words { text: text.into(), thought };
        let parts = r#"[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"On "},
            "Mon",{"type":"reference","reference_ids":[1]},{"type":"output_text","text":{"value":"day."}},null]"#;
        assert_eq!(said(parts), words("On Monday.", true));
        assert_eq!(said("\"On Monday.\""), words("On Monday.", false));
        assert_eq!(said(r#"{"type":"text","text":"On"}"#), words("On", false));
        assert_eq!(said("[]"), words("", false));
    }

    #[test]
    fn a_list_of_one_needs_no_list() {
        let list: List<Object<Map<String, Value>>> = read(r#"{"a":1}"#);
        assert_eq!(list.0.len(), 1);
    }
}
