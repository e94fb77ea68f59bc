use super::{Arguments, ToolError};
use ringway_stages::address;
use ringway_stages::tool_use::Slots;
use serde_json::Value;

/// The path and query of an address with places for arguments, `{name}`, and for slots, `{slot.name}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Argument(String),
    Slot(String),
}

impl Template {
    /// Reads one.
    ///
    /// # Errors
    /// A brace without its other.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, after) =
                behind.split_once('}').ok_or_else(|| format!("{{{behind} has no closing brace"))?;
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(match name.strip_prefix("slot.") {
                Some(slot) => Piece::Slot(slot.to_owned()),
                None => Piece::Argument(name.to_owned()),
            });
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }

    /// The arguments that it names.
    pub(super) fn arguments(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Argument(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Fills it in, and takes what it uses out of the arguments. What is not there is empty.
    ///
    /// # Errors
    /// A value that would lead to another address.
    pub(super) fn fill(&self, arguments: &mut Arguments, slots: &Slots) -> Result<String, ToolError> {
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filled += text,
                Piece::Slot(name) => filled += &encoded(slots.get(name).map_or("", String::as_str))?,
                Piece::Argument(name) => {
                    filled += &encoded(&plain(arguments.get(name).unwrap_or(&Value::Null)))?;
                }
            }
        }
        self.arguments().for_each(|name| drop(arguments.remove(name)));
        Ok(filled)
    }
}

/// A value as it stands in an address.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// A text as an address has it. Servers take dots for steps in the path however they are written.
pub(super) fn encoded(text: &str) -> Result<String, ToolError> {
    if matches!(text, "." | "..") {
        return Err(ToolError::Arguments(format!("{text:?} cannot stand in an address")));
    }
    Ok(address::encoded(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fill(template: &str, arguments: Value) -> Result<(String, Arguments), ToolError> {
        let Value::Object(mut arguments) = arguments else { unreachable!("an object") };
        let slots = Slots::from([("customer".to_owned(), "c/1".to_owned())]);
        Template::parse(template).unwrap().fill(&mut arguments, &slots).map(|filled| (filled, arguments))
    }

    #[test]
    fn arguments_and_slots_find_their_places_and_cannot_leave_them() {
        let arguments = json!({"id": 7, "q": "a b/../?&é", "rest": true});
        let (filled, left) = fill("/orders/{id}/{slot.customer}?q={q}&x={none}", arguments).unwrap();
        assert_eq!(filled, "/orders/7/c%2F1?q=a%20b%2F..%2F%3F%26%C3%A9&x=");
        assert_eq!(Value::from(left), json!({"rest": true}));
        assert!(fill("/orders/{id}", json!({"id": ".."})).is_err());
    }

    #[test]
    fn a_brace_wants_its_other() {
        assert_eq!(Template::parse("/a/{b").unwrap_err(), "{b has no closing brace");
    }
}
