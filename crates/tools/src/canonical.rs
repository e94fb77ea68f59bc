use super::Arguments;
use serde_json::{Number, Value};
use std::fmt::Write;

/// A call in one form, whichever way a model wrote it: keys in order, no blanks, whole numbers without a point.
pub(super) fn canonical(tool: &str, arguments: &Arguments) -> String {
    let mut text = format!("{tool} ");
    object(&mut text, arguments);
    text
}

fn value(text: &mut String, of: &Value) {
    match of {
        Value::Object(fields) => object(text, fields),
        Value::Array(items) => {
            text.push('[');
            for item in items {
                value(text, item);
                text.push(',');
            }
            text.push(']');
        }
        Value::Number(number) => write(text, &whole(number).unwrap_or_else(|| number.clone().into())),
        other => write(text, other),
    }
}

fn object(text: &mut String, fields: &Arguments) {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_unstable_by_key(|(name, _)| *name);
    text.push('{');
    for (name, of) in fields {
        write(text, &Value::from(name.as_str()));
        text.push(':');
        value(text, of);
        text.push(',');
    }
    text.push('}');
}

fn write(text: &mut String, value: &Value) {
    write!(text, "{value}").expect("a String takes all that is written to it");
}

/// A whole number that is written as a float.
#[expect(clippy::cast_possible_truncation, reason = "it is known to be whole and small enough")]
fn whole(number: &Number) -> Option<Value> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    (float.fract() == 0.0 && float.abs() <= LARGEST_WHOLE).then(|| Value::from(float as i64))
}

/// Up to here floats tell all whole numbers apart: 2^53.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> String {
        canonical("book", &serde_json::from_str(json).unwrap())
    }

    #[test]
    fn order_blanks_and_points_make_no_difference_and_values_do() {
        let same = of(r#"{"day":"2026-12-01","people":4,"who":{"a":1,"b":[2,null]}}"#);
        assert_eq!(
            of(r#"{ "who": {"b": [2.0, null], "a": 1e0}, "people": 4.0, "day": "2026-12-01" }"#),
            same
        );
        for other in [
            r#"{"day":"2026-12-02","people":4,"who":{"a":1,"b":[2,null]}}"#,
            r#"{"day":"2026-12-01","people":"4","who":{"a":1,"b":[2,null]}}"#,
            r#"{"day":"2026-12-01","people":4.5,"who":{"a":1,"b":[2,null]}}"#,
            r#"{"day":"2026-12-01","people":4,"who":{"a":1,"b":[null,2]}}"#,
        ] {
            assert_ne!(of(other), same);
        }
    }
}
