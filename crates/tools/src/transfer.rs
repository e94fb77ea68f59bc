use super::{Answer, Arguments, Calling, Effect, Tool, ToolError};
use ringway_stages::tool_use::Slots;
use ringway_stages::transfer::Transfers;
use serde_json::{Value, json};
use std::sync::Arc;

/// Hands the call to somebody whom the operator has listed.
#[derive(Debug)]
pub(super) struct Transfer(Arc<Transfers>);

impl Transfer {
    pub(super) const fn new(transfers: Arc<Transfers>) -> Self {
        Self(transfers)
    }

    /// What a model is told of its argument: the names, where there is nothing else to choose.
    pub(super) fn parameters(&self) -> Value {
        let names: Vec<&str> = self.0.names().collect();
        let known = self.0.known();
        let to = if names.is_empty() || !self.0.allowed().is_empty() {
            json!({"type": "string", "description": format!("One of these, or a number that begins so: {known}.")})
        } else {
            json!({"type": "string", "enum": names})
        };
        object(to)
    }

    /// What arguments are checked against: whom there is, the policy itself decides, and tells the model.
    pub(super) fn arguments() -> Value {
        object(json!({"type": "string"}))
    }
}

fn object(to: Value) -> Value {
    json!({"type": "object", "required": ["to"], "properties": {"to": to}})
}

impl Tool for Transfer {
    fn call(&self, arguments: Arguments, _: Slots) -> Calling {
        let wanted = arguments.get("to").and_then(Value::as_str).unwrap_or_default();
        let chosen = self.0.choose(wanted).map_err(ToolError::from);
        let answer = chosen.map(|to| Answer { text: TOLD.into(), effect: Some(Effect::Transfer(to)) });
        Box::pin(std::future::ready(answer))
    }
}

const TOLD: &str = "The caller will be transferred as soon as your next words were heard: announce it.";

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_stages::transfer::Config;

    fn parameter(targets: &[(&str, &str)], allow: &[&str]) -> Value {
        let targets = targets.iter().map(|(name, to)| ((*name).to_owned(), (*to).to_owned())).collect();
        let config = Config { targets, allow: allow.iter().map(|text| (*text).to_owned()).collect() };
        let tool = Transfer::new(Arc::new(Transfers::new(&config).unwrap()));
        tool.parameters()["properties"]["to"].clone()
    }

    #[test]
    fn a_model_is_told_whom_it_can_choose() {
        let desk = [("desk", "+431234"), ("orders", "sip:orders@pbx.example")];
        assert_eq!(parameter(&desk, &[]), json!({"type": "string", "enum": ["desk", "orders"]}));
        let described = parameter(&desk, &["+43*"])["description"].clone();
        assert_eq!(described, "One of these, or a number that begins so: desk, orders, +43*.");
        assert!(parameter(&[], &[]).get("enum").is_none(), "services refuse a choice of nothing");
    }
}
