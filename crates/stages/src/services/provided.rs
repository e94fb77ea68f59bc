//! Fields of a provider's own, put together from the pieces that they come in.

use serde_json::{Map, Value};

/// Fields that grow; beyond a bound they are all left out, since half of them are worth nothing.
#[derive(Debug, Default)]
pub(super) struct Fields {
    fields: Map<String, Value>,
    bytes: usize,
}

impl Fields {
    /// More of them: texts and lists grow, other values are replaced.
    pub(super) fn add(&mut self, more: Map<String, Value>) {
        for (name, value) in more.into_iter().filter(|(_, value)| !value.is_null()) {
            self.bytes = self.bytes.saturating_add(name.len() + weight(&value));
            if self.bytes > LARGEST {
                self.fields.clear();
                return;
            }
            merge(self.fields.entry(name).or_insert(Value::Null), value);
        }
    }

    pub(super) fn into_inner(self) -> Map<String, Value> {
        self.fields
    }
}

/// Puts such fields into an object, beside its own.
pub(super) fn add(object: &mut Value, fields: Option<&Map<String, Value>>) {
    let (Some(object), Some(fields)) = (object.as_object_mut(), fields) else { return };
    for (name, value) in fields {
        object.entry(name).or_insert_with(|| value.clone());
    }
}

fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (_, Value::Null) => {}
        (Value::String(text), Value::String(more)) => text.push_str(&more),
        (Value::Array(items), Value::Array(more)) => more.into_iter().for_each(|item| add_item(items, item)),
        (Value::Object(fields), Value::Object(more)) => {
            for (name, value) in more {
                // These name the part and are repeated with each piece of it.
                if matches!(name.as_str(), "type" | "format" | "id" | "index") {
                    fields.insert(name, value);
                } else {
                    merge(fields.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        (into, more) => *into = more,
    }
}

/// Pieces of one part have its number and its type.
fn add_item(items: &mut Vec<Value>, item: Value) {
    let part = |item: &Value| Some((item.get("index")?.as_u64()?, item.get("type")?.as_str()?.to_owned()));
    let of = part(&item);
    match items.iter_mut().rfind(|other| of.is_some() && part(other) == of) {
        Some(other) => merge(other, item),
        None => items.push(item),
    }
}

fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum::<usize>() + items.len(),
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + weight(value)).sum(),
        _ => 8,
    }
}

/// Bytes of them that are kept.
const LARGEST: usize = 256 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(pieces: &[Value]) -> Value {
        let mut fields = Fields::default();
        pieces.iter().for_each(|piece| fields.add(piece.as_object().unwrap().clone()));
        fields.into_inner().into()
    }

    #[test]
    fn texts_and_lists_grow_and_pieces_of_one_part_are_joined() {
        let text = |text: &str| json!({"type": "reasoning.text", "index": 0, "text": text});
        let found = of(&[
            json!({"reasoning_content": "I look ", "reasoning_details": [text("I look ")]}),
            json!({"reasoning_content": "it up.", "reasoning_details": [text("it up.")]}),
            json!({"reasoning_details": [{"type": "reasoning.text", "index": 0, "signature": "s", "text": null},
                {"type": "reasoning.encrypted", "data": "x"}, {"type": "reasoning.encrypted", "data": "y"}]}),
        ]);
        assert_eq!(
            found,
            json!({"reasoning_content": "I look it up.", "reasoning_details": [
                {"type": "reasoning.text", "index": 0, "text": "I look it up.", "signature": "s"},
                {"type": "reasoning.encrypted", "data": "x"}, {"type": "reasoning.encrypted", "data": "y"},
            ]})
        );
    }

    #[test]
    fn too_many_are_none() {
        let much = json!({"reasoning": "x".repeat(LARGEST / 2)});
        assert_eq!(of(&[much.clone(), much.clone(), json!({"a": 1}), much]), json!({}));
    }
}
