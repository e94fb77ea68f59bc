//! JSON values inside a text.

use serde_json::Value;

/// A value that begins at the beginning of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// It ends before this byte.
    Whole(usize),
    /// It has no end yet; these brackets are missing, the innermost first.
    Open(String),
}

/// How far the value goes whose bracket is the first byte of `text`. Strings may be in either kind of quotes.
pub(super) fn span(text: &str) -> Span {
    let (mut missing, mut quote, mut escaped) = (Vec::new(), None, false);
    for (at, char) in text.char_indices() {
        match (quote, char) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), char) if open == char => quote = None,
            (Some(_), _) => {}
            // An apostrophe outside of a string would be none of JSON's: some models write Python's form.
            (None, '"' | '\'') => quote = Some(char),
            (None, '{') => missing.push('}'),
            (None, '[') => missing.push(']'),
            (None, '}' | ']') => {
                missing.pop();
                if missing.is_empty() {
                    return Span::Whole(at + char.len_utf8());
                }
            }
            _ => {}
        }
    }
    Span::Open(missing.into_iter().rev().collect())
}

/// The value, in JSON's form or in Python's.
pub(super) fn read(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&from_python(text)).ok())
}

/// Quotes and the words for yes, no and nothing as JSON has them.
fn from_python(text: &str) -> String {
    let (mut json, mut word) = (String::with_capacity(text.len()), String::new());
    let (mut quote, mut escaped) = (None, false);
    for char in text.chars() {
        if quote.is_none() && char.is_ascii_alphabetic() {
            word.push(char);
            continue;
        }
        json.push_str(match word.as_str() {
            "True" if quote.is_none() => "true",
            "False" if quote.is_none() => "false",
            "None" if quote.is_none() => "null",
            other => other,
        });
        word.clear();
        match (quote, char) {
            (Some(_), '\'') if escaped => {
                json.pop();
                json.push('\'');
                escaped = false;
            }
            (Some(open), _) if open == char && !escaped => {
                json.push('"');
                quote = None;
            }
            (Some('\''), '"') if !escaped => json.push_str("\\\""),
            (Some(_), _) => {
                escaped = !escaped && char == '\\';
                json.push(char);
            }
            (None, '"' | '\'') => {
                quote = Some(char);
                json.push('"');
            }
            (None, _) => json.push(char),
        }
    }
    json + &word
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_ends_where_its_brackets_do() {
        assert_eq!(span(r#"{"a":"}","b":[1,{"c":"\"]"}]} and"#), Span::Whole(29));
        assert_eq!(span(r#"{"a":[1,{"#), Span::Open("}]}".into()));
        assert_eq!(span("{'a':'}'}"), Span::Whole(9));
    }

    #[test]
    fn pythons_form_is_read_as_jsons() {
        let python =
            r#"{'name': 'x', 'on': True, 'off': False, 'no': None, 'say': 'it\'s "so"', "a": "True"}"#;
        let expected =
            json!({"name": "x", "on": true, "off": false, "no": null, "say": "it's \"so\"", "a": "True"});
        assert_eq!(read(python), Some(expected));
        assert_eq!(read("{nothing}"), None);
    }
}
