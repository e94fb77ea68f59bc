//! Schemas of arguments as servers write them, made such that every model takes them.

use serde_json::{Map, Value, json};

/// What a model is told, and what its arguments are checked against.
#[derive(Debug, PartialEq)]
pub(super) struct Schemas {
    pub(super) told: Value,
    pub(super) checked: Value,
}

/// Reads a schema; none at all is one without properties.
pub(super) fn read(schema: Value) -> Schemas {
    let mut checked = match schema {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    mend(&mut checked, DEEPEST);
    let is_object = match checked.get("type") {
        None => true,
        Some(Value::Array(types)) => types.iter().any(|it| it == "object"),
        Some(_) => false,
    };
    if is_object {
        checked.insert("type".into(), "object".into());
    }
    let mut told = checked.clone();
    flatten(&mut told);
    Schemas { told: told.into(), checked: checked.into() }
}

/// Old spellings, and `null` where nothing is meant.
fn mend(schema: &mut Map<String, Value>, depth: usize) {
    schema.retain(|key, value| !value.is_null() || matches!(key.as_str(), "const" | "default"));
    schema.remove("$schema");
    bound(schema, "exclusiveMinimum", "minimum");
    bound(schema, "exclusiveMaximum", "maximum");
    if schema.get("type").is_some_and(|it| it == "any") {
        schema.remove("type");
    }
    if schema.get("items").is_some_and(Value::is_array) {
        let items = schema.remove("items").unwrap_or_default();
        schema.insert("prefixItems".into(), items);
    }
    require(schema);
    if depth > 0 {
        schema.iter_mut().for_each(|(key, value)| below(key, value, depth - 1));
    }
}

fn below(key: &str, value: &mut Value, depth: usize) {
    match (key, value) {
        ("properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas", value) => {
            value.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(|one| inner(one, depth));
        }
        ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(all)) => {
            all.iter_mut().for_each(|one| inner(one, depth));
        }
        ("items" | "additionalProperties" | "contains" | "not" | "propertyNames", value) => {
            inner(value, depth)
        }
        _ => {}
    }
}

fn inner(schema: &mut Value, depth: usize) {
    match schema {
        Value::Object(fields) => mend(fields, depth),
        Value::Null => *schema = json!({}),
        _ => {}
    }
}

/// `{"minimum": 0, "exclusiveMinimum": true}` is how draft 4 writes `{"exclusiveMinimum": 0}`.
fn bound(schema: &mut Map<String, Value>, exclusive: &str, inclusive: &str) {
    let Some(&Value::Bool(excludes)) = schema.get(exclusive) else { return };
    schema.remove(exclusive);
    if let Some(limit) = excludes.then(|| schema.remove(inclusive)).flatten() {
        schema.insert(exclusive.into(), limit);
    }
}

/// Draft 3 says at a property that it is required.
fn require(schema: &mut Map<String, Value>) {
    if !schema.get("required").is_none_or(Value::is_array) {
        schema.remove("required");
    }
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let said = properties.filter(|(_, property)| property.get("required") == Some(&Value::Bool(true)));
    let said: Vec<Value> = said.map(|(name, _)| name.as_str().into()).collect();
    if said.is_empty() {
        return;
    }
    if let Some(names) = schema.entry("required").or_insert_with(|| json!([])).as_array_mut() {
        names.extend(said);
    }
}

/// No model takes alternatives or references at the top: their properties are put together.
fn flatten(schema: &mut Map<String, Value>) {
    let whole = Value::Object(schema.clone());
    if let Some(target) = schema.remove("$ref").as_ref().and_then(|it| resolve(&whole, it)) {
        add(schema, target, true);
    }
    for (key, all) in [("allOf", true), ("anyOf", false), ("oneOf", false)] {
        let Some(Value::Array(parts)) = schema.remove(key) else { continue };
        for part in &parts {
            let part = part.get("$ref").and_then(|it| resolve(&whole, it)).unwrap_or(part);
            add(schema, part, all || parts.len() == 1);
        }
    }
    schema.entry("properties").or_insert_with(|| json!({}));
}

/// What a reference within the same schema refers to.
pub(crate) fn resolve<'s>(whole: &'s Value, reference: &Value) -> Option<&'s Value> {
    whole.pointer(reference.as_str()?.strip_prefix('#')?)
}

fn add(schema: &mut Map<String, Value>, part: &Value, requires: bool) {
    if let Some(Value::Object(more)) = part.get("properties") {
        let properties = schema.entry("properties").or_insert_with(|| json!({}));
        for (name, property) in more {
            if let Some(properties) = properties.as_object_mut() {
                properties.entry(name).or_insert_with(|| property.clone());
            }
        }
    }
    if let (true, Some(Value::Array(more))) = (requires, part.get("required")) {
        let required = schema.entry("required").or_insert_with(|| json!([]));
        if let Some(required) = required.as_array_mut() {
            required.extend(more.iter().cloned());
        }
    }
}

/// Schemas within schemas that are looked at.
const DEEPEST: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_schema_takes_no_arguments() {
        for schema in [json!(null), json!({}), json!(true), json!({"type": "object", "properties": null})] {
            let told = read(schema.clone()).told;
            assert_eq!(told, json!({"type": "object", "properties": {}}), "{schema}");
        }
        assert_eq!(read(json!({"type": ["object", "null"]})).checked["type"], "object");
    }

    #[test]
    fn alternatives_and_references_at_the_top_are_told_as_one_object() {
        let a = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]});
        let expected = json!({"a": {"type": "string"}});
        for schema in
            [json!({"anyOf": [a, {"properties": {}}]}), json!({"$ref": "#/$defs/A", "$defs": {"A": a}})]
        {
            let Schemas { told, checked } = read(schema);
            assert_eq!((&told["type"], &told["properties"]), (&json!("object"), &expected));
            assert!(told.get("anyOf").is_none() && told.get("$ref").is_none(), "{told}");
            assert!(checked.get("anyOf").is_some() || checked.get("$ref").is_some(), "{checked}");
        }
    }

    #[test]
    fn bounds_of_draft_4_and_the_required_of_draft_3_are_understood() {
        let old = json!({"$schema": "http://json-schema.org/draft-04/schema#", "properties": {
            "n": {"type": "integer", "minimum": 0, "exclusiveMinimum": true, "required": true}}});
        let expected = json!({"type": "object", "required": ["n"],
            "properties": {"n": {"type": "integer", "exclusiveMinimum": 0}}});
        assert_eq!(read(old).checked, expected);
    }
}
