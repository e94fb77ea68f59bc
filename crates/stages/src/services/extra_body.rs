//! Fields of a vendor's own that a configuration adds to the body of each request.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt;
use std::marker::PhantomData;

/// Whose requests have fields of their own, which nothing else may set.
pub trait OwnFields {
    /// Their names, each with the key of the service's configuration that sets it; empty where none does.
    const OWN: &'static [(&'static str, &'static str)];
}

/// Fields beside those that requests of `S` have anyway: a table, or the text of a JSON object, since variables hold no
/// tables.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub struct ExtraBody<S: OwnFields> {
    fields: Map<String, Value>,
    of: PhantomData<S>,
}

/// Why they are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtraBodyError {
    /// Neither.
    #[error("must be a table such as {{ top_p = 0.9 }}, or the text of a JSON object")]
    NotAnObject,
    /// JSON has no dates.
    #[error("must not hold a date or a time: write it as a string")]
    Date,
    /// The request has it anyway.
    #[error("must not hold {field:?}, which each request has of its own{}", instead(.key))]
    Own {
        /// The field.
        field: &'static str,
        /// The key that sets it.
        key: &'static str,
    },
}

fn instead(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!(": set the key {key} instead") }
}

impl<S: OwnFields> ExtraBody<S> {
    /// The fields.
    pub(super) const fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }
}

impl<S: OwnFields> Default for ExtraBody<S> {
    fn default() -> Self {
        Self { fields: Map::new(), of: PhantomData }
    }
}

/// Values may be secret.
impl<S: OwnFields> fmt::Debug for ExtraBody<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.fields.keys()).finish()
    }
}

impl<S: OwnFields> TryFrom<toml::Value> for ExtraBody<S> {
    type Error = ExtraBodyError;

    fn try_from(value: toml::Value) -> Result<Self, ExtraBodyError> {
        let object = match value {
            toml::Value::String(text) => {
                serde_json::from_str(&text).map_err(|_| ExtraBodyError::NotAnObject)?
            }
            value => json(value)?,
        };
        let Value::Object(fields) = object else { return Err(ExtraBodyError::NotAnObject) };
        match S::OWN.iter().find(|(field, _)| fields.contains_key(*field)) {
            Some(&(field, key)) => Err(ExtraBodyError::Own { field, key }),
            None => Ok(Self { fields, of: PhantomData }),
        }
    }
}

fn json(value: toml::Value) -> Result<Value, ExtraBodyError> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(_) => return Err(ExtraBodyError::Date),
        toml::Value::Array(items) => items.into_iter().map(json).collect::<Result<Vec<_>, _>>()?.into(),
        toml::Value::Table(fields) => {
            let fields = fields.into_iter().map(|(name, value)| Ok((name, json(value)?)));
            fields.collect::<Result<Map<_, _>, _>>()?.into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, PartialEq)]
    struct Service;

    impl OwnFields for Service {
        const OWN: &'static [(&'static str, &'static str)] =
            &[("messages", ""), ("max_tokens", "max_tokens")];
    }

    fn read(text: &str) -> Result<Value, ExtraBodyError> {
        let table: toml::Table = text.parse().unwrap();
        ExtraBody::<Service>::try_from(table["x"].clone()).map(|extra| extra.fields.into())
    }

    #[test]
    fn a_table_and_the_text_of_an_object_become_json() {
        let expected = json!({"top_p": 0.5, "user": "a", "n": 1, "stop": ["x"], "provider": {"only": true}});
        let table = "x = { top_p = 0.5, user = 'a', n = 1, stop = ['x'], provider = { only = true } }";
        assert_eq!(read(table).unwrap(), expected);
        assert_eq!(read(&format!("x = '{expected}'")).unwrap(), expected);
    }

    #[test]
    fn what_a_request_has_of_its_own_is_refused_with_the_key_that_sets_it() {
        for (text, expected) in [
            ("x = { messages = [] }", "must not hold \"messages\", which each request has of its own"),
            (
                "x = '{\"max_tokens\": 1}'",
                "must not hold \"max_tokens\", which each request has of its own: set the key max_tokens instead",
            ),
            ("x = 1", "must be a table such as { top_p = 0.9 }, or the text of a JSON object"),
            ("x = '[1]'", "must be a table such as { top_p = 0.9 }, or the text of a JSON object"),
            ("x = { a = [2026-12-01] }", "must not hold a date or a time: write it as a string"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), expected);
        }
    }
}
