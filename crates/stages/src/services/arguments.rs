//! Arguments of a call, whichever way a model wrote them.

use serde_json::{Map, Value};

/// An object: those of a model that wrote something else are none.
pub(super) fn object(text: &str) -> Map<String, Value> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => object,
        Ok(Value::String(inner)) => serde_json::from_str(&inner).unwrap_or_default(),
        _ => Map::new(),
    }
}

/// As a text that holds an object, where that is what was meant: out of a text that holds a text, and for nothing at all
/// an empty one. What is no JSON stays as it is, so that the model can be told.
pub(super) fn text(text: &str) -> String {
    match serde_json::from_str(text) {
        Ok(Value::String(inner)) if matches!(serde_json::from_str(&inner), Ok(Value::Object(_))) => inner,
        Ok(Value::String(inner)) if inner.trim().is_empty() => "{}".into(),
        Ok(Value::Null) => "{}".into(),
        _ if text.trim().is_empty() => "{}".into(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_found_in_a_text_and_nothing_is_an_empty_one() {
        for (written, expected) in [
            (r#"{"id":12}"#, r#"{"id":12}"#),
            (r#""{\"id\":12}""#, r#"{"id":12}"#),
            ("", "{}"),
            ("null", "{}"),
            ("\"\"", "{}"),
            ("{\"id\":", "{\"id\":"),
        ] {
            assert_eq!(text(written), expected, "{written}");
        }
        assert_eq!(object(r#""{\"id\":12}""#)["id"], 12);
        assert!(object("[1]").is_empty());
    }
}
