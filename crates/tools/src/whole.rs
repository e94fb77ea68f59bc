//! Whole numbers: many models write `12.0` where an integer is due, and many servers take only `12`.

use super::mcp::schema::resolve;
use serde_json::{Map, Value};

/// Makes integers of them, wherever the schema asks for one.
pub(super) fn numbers(value: &mut Value, schema: &Value) {
    walk(value, schema, schema, DEEPEST);
}

fn walk(value: &mut Value, schema: &Value, root: &Value, depth: usize) {
    let (Value::Object(fields), Some(depth)) = (schema, depth.checked_sub(1)) else { return };
    if let Some(target) = fields.get("$ref").and_then(|it| resolve(root, it)) {
        walk(value, target, root, depth);
    }
    for part in ["allOf", "anyOf", "oneOf"].iter().filter_map(|key| fields.get(*key)?.as_array()).flatten() {
        walk(value, part, root, depth);
    }
    match value {
        Value::Number(_) if wants_integer(fields) => integer(value),
        Value::Array(items) => {
            let schema = fields.get("items");
            items.iter_mut().for_each(|item| schema.into_iter().for_each(|it| walk(item, it, root, depth)));
        }
        Value::Object(members) => {
            for (name, member) in members {
                let property = fields.get("properties").and_then(|all| all.get(name));
                let schema = property.or_else(|| fields.get("additionalProperties"));
                schema.into_iter().for_each(|it| walk(member, it, root, depth));
            }
        }
        _ => {}
    }
}

fn wants_integer(schema: &Map<String, Value>) -> bool {
    let says = |word: &str| match schema.get("type") {
        Some(Value::String(name)) => name == word,
        Some(Value::Array(names)) => names.iter().any(|name| name == word),
        _ => false,
    };
    says("integer") && !says("number")
}

fn integer(value: &mut Value) {
    let number = value.as_f64().filter(|_| value.is_f64());
    if let Some(number) = number.filter(|it| it.fract() == 0.0 && it.abs() <= LARGEST) {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
        let integer = number as i64;
        *value = integer.into();
    }
}

/// Up to which all whole numbers are exact, 2^53.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// Schemas within schemas that are looked at.
const DEEPEST: usize = 32;
