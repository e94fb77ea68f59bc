//! JSON objects read field by field, so that an error can name the field.

use crate::{CloseCode, ErrorCode, ProtocolError};
use bytes::BufMut;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;

/// An object and the way to it, as in `start.mediaFormat`.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    path: Path<'a>,
    fields: &'a Map<String, Value>,
}

/// At most two names deep: no protocol here nests further.
#[derive(Clone, Copy)]
struct Path<'a> {
    outer: &'a str,
    inner: &'a str,
}

/// Reads the whole of `text` as JSON.
pub(crate) fn parse(text: &str) -> Result<Value, ProtocolError> {
    serde_json::from_str(text).map_err(|error| {
        ProtocolError::fatal(
            ErrorCode::BadJson,
            CloseCode::Bytes,
            format!("the message is not JSON: {error}"),
        )
    })
}

/// Appends `text` as a JSON string, quotes included.
pub(crate) fn put_string(out: &mut impl BufMut, text: &str) {
    serde_json::to_writer(out.writer(), text).expect("the buffer grows as needed");
}

/// Appends `message` as JSON.
pub(crate) fn put(out: &mut impl BufMut, message: &impl serde::Serialize) {
    serde_json::to_writer(out.writer(), message).expect("the buffer grows and every key is a string");
}

impl<'a> Object<'a> {
    /// The message itself.
    pub(crate) fn root(value: &'a Value) -> Result<Self, ProtocolError> {
        let fields = value.as_object().ok_or_else(|| {
            ProtocolError::recoverable(
                ErrorCode::BadField,
                format!("a message is a JSON object, not {}", kind(value)),
            )
        })?;
        Ok(Self { path: Path { outer: "", inner: "" }, fields })
    }

    /// The object in field `name`.
    pub(crate) fn object(&self, name: &'a str) -> Result<Self, ProtocolError> {
        let value = self.required(name)?;
        let fields = value.as_object().ok_or_else(|| self.wrong_type(name, "an object", value))?;
        let path = match self.path.outer {
            "" => Path { outer: name, inner: "" },
            outer => Path { outer, inner: name },
        };
        Ok(Self { path, fields })
    }

    /// The object in field `name`, if the field is there.
    pub(crate) fn optional_object(&self, name: &'a str) -> Result<Option<Self>, ProtocolError> {
        if self.get(name).is_some() { self.object(name).map(Some) } else { Ok(None) }
    }

    pub(crate) fn string(&self, name: &str) -> Result<&'a str, ProtocolError> {
        let value = self.required(name)?;
        value.as_str().ok_or_else(|| self.wrong_type(name, "a string", value))
    }

    /// What the peer calls something by: it is kept, logged and shown.
    pub(crate) fn id(&self, name: &str) -> Result<String, ProtocolError> {
        let text = self.string(name)?;
        if text.len() > LONGEST_ID {
            return Err(self.bad(name, format_args!("is to have at most {LONGEST_ID} bytes")));
        }
        Ok(text.to_owned())
    }

    pub(crate) fn optional_id(&self, name: &str) -> Result<Option<String>, ProtocolError> {
        if self.get(name).is_some() { self.id(name).map(Some) } else { Ok(None) }
    }

    pub(crate) fn optional_string(&self, name: &str) -> Result<Option<&'a str>, ProtocolError> {
        if self.get(name).is_some() { self.string(name).map(Some) } else { Ok(None) }
    }

    pub(crate) fn bool(&self, name: &str) -> Result<bool, ProtocolError> {
        let value = self.required(name)?;
        value.as_bool().ok_or_else(|| self.wrong_type(name, "true or false", value))
    }

    pub(crate) fn optional_bool(&self, name: &str) -> Result<Option<bool>, ProtocolError> {
        if self.get(name).is_some() { self.bool(name).map(Some) } else { Ok(None) }
    }

    pub(crate) fn number(&self, name: &str) -> Result<u64, ProtocolError> {
        let value = self.required(name)?;
        value.as_u64().ok_or_else(|| self.wrong_type(name, "a whole number", value))
    }

    /// A whole number, also as a string of digits or with a fraction of zero; `None` where the field is missing.
    pub(crate) fn optional_digits(&self, name: &str) -> Result<Option<u64>, ProtocolError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_u64().or_else(|| digits(value.as_str()?)).or_else(|| whole(value.as_f64()?));
        number.map(Some).ok_or_else(|| self.wrong_type(name, "a whole number", value))
    }

    /// A string, or a number or a truth value as text; `None` where the field is missing.
    pub(crate) fn optional_text(&self, name: &str) -> Result<Option<Cow<'a, str>>, ProtocolError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = scalar(value).map(Some);
        text.ok_or_else(|| self.wrong_type(name, "a string", value))
    }

    /// The same of a field that must be there.
    pub(crate) fn text(&self, name: &str) -> Result<Cow<'a, str>, ProtocolError> {
        self.optional_text(name)?.ok_or_else(|| self.bad(name, "is missing"))
    }

    /// The object in field `name`, if the field is there; an empty array is an empty object, as some languages write it.
    pub(crate) fn optional_map(&self, name: &'a str) -> Result<Option<Self>, ProtocolError> {
        let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
        if self.get(name).is_some_and(is_empty) { Ok(None) } else { self.optional_object(name) }
    }

    /// The same of what a peer calls something by: bounded.
    pub(crate) fn optional_text_id(&self, name: &str) -> Result<Option<String>, ProtocolError> {
        let Some(text) = self.optional_text(name)? else { return Ok(None) };
        if text.len() > LONGEST_ID {
            return Err(self.bad(name, format_args!("is to have at most {LONGEST_ID} bytes")));
        }
        Ok(Some(text.into_owned()))
    }

    /// All fields as text, to be kept as long as the call lasts, whatever they hold: what is neither text nor a number nor
    /// a truth value as JSON.
    pub(crate) fn owned_texts(&self) -> Result<BTreeMap<String, String>, ProtocolError> {
        let text = |value: &Value| scalar(value).map_or_else(|| value.to_string(), Cow::into_owned);
        let known = self.fields.iter().filter(|(_, value)| !value.is_null());
        let texts: BTreeMap<_, _> = known.map(|(name, value)| (name.clone(), text(value))).collect();
        self.check_size(texts.iter().map(|(name, text)| name.len() + text.len()))?;
        Ok(texts)
    }

    /// All fields and their texts.
    pub(crate) fn strings(&self) -> impl Iterator<Item = Result<(&'a str, &'a str), ProtocolError>> {
        self.fields.keys().map(|name| Ok((name.as_str(), self.string(name)?)))
    }

    /// The same, to be kept as long as the call lasts.
    pub(crate) fn owned_strings(&self) -> Result<BTreeMap<String, String>, ProtocolError> {
        self.check_size(
            self.fields.iter().map(|(name, value)| name.len() + value.as_str().map_or(0, str::len)),
        )?;
        self.strings().map(|pair| pair.map(|(name, text)| (name.to_owned(), text.to_owned()))).collect()
    }

    /// Of what is kept as it came, there is not too much: the bytes of each field.
    fn check_size(&self, fields: impl ExactSizeIterator<Item = usize>) -> Result<(), ProtocolError> {
        let (count, bytes) = (fields.len(), fields.sum::<usize>());
        if count <= MOST_FIELDS && bytes <= MOST_BYTES {
            return Ok(());
        }
        let most = format_args!("is to have at most {MOST_FIELDS} fields and {MOST_BYTES} bytes");
        Err(ProtocolError::recoverable(ErrorCode::BadField, format!("{}: {most}", self.place(""))))
    }

    /// The error that says what is wrong with field `name`.
    pub(crate) fn bad(&self, name: &str, what: impl Display) -> ProtocolError {
        ProtocolError::recoverable(ErrorCode::BadField, format!("{}: {what}", self.place(name)))
    }

    /// The way to field `name`, as in `start.mediaFormat.encoding`.
    pub(crate) fn place(&self, name: &str) -> String {
        let path = [self.path.outer, self.path.inner, name];
        path.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
    }

    /// `null` is the same as missing.
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    fn required(&self, name: &str) -> Result<&'a Value, ProtocolError> {
        self.get(name).ok_or_else(|| self.bad(name, "is missing"))
    }

    fn wrong_type(&self, name: &str, wanted: &str, found: &Value) -> ProtocolError {
        self.bad(name, format_args!("is to be {wanted}, not {}", kind(found)))
    }
}

/// The whole number that `number` is, if it is one that a float can tell exactly.
fn whole(number: f64) -> Option<u64> {
    let exact = (0.0..=EXACT).contains(&number) && number.fract() == 0.0;
    exact.then_some(number as u64)
}

/// The greatest whole number up to which a float tells all of them.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A string as it is, a number or a truth value as JSON writes it.
fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(_) | Value::Bool(_) => Some(Cow::Owned(value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
/// Bytes of what a peer calls something by.
const LONGEST_ID: usize = 256;

/// Fields of an object that is kept as it came, and bytes of their names and texts.
const MOST_FIELDS: usize = 100;
const MOST_BYTES: usize = 16 * 1_024;

/// The number that `text` spells in decimal digits alone.
pub(crate) fn digits(text: &str) -> Option<u64> {
    // `parse` alone would also take a plus sign.
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// The key that `text` names, of those a telephone has.
pub(crate) fn dtmf_digit(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let digit = chars.next()?.to_ascii_uppercase();
    (chars.next().is_none() && matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D')).then_some(digit)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_way_to_the_field() {
        let value = parse(r#"{"start":{"mediaFormat":{"encoding":7}}}"#).unwrap();
        let format = Object::root(&value)
            .and_then(|root| root.object("start"))
            .and_then(|start| start.object("mediaFormat"));
        let error = format.unwrap().string("encoding").unwrap_err();
        assert_eq!(
            error.to_string(),
            "bad_field: start.mediaFormat.encoding: is to be a string, not a number"
        );
    }

    #[test]
    fn numbers_are_digits_alone() {
        assert_eq!(digits("0012"), Some(12));
        for not in ["", "+1", "-1", "1 ", "1.0", "99999999999999999999"] {
            assert_eq!(digits(not), None, "{not:?}");
        }
    }

    #[test]
    fn a_telephone_has_sixteen_keys() {
        let keys: String =
            (0..=255u8).filter_map(|byte| dtmf_digit(char::from(byte).encode_utf8(&mut [0; 4]))).collect();
        assert_eq!(keys, "#*0123456789ABCDABCD");
        assert_eq!(dtmf_digit("12"), None);
        assert_eq!(dtmf_digit(""), None);
    }
}
