use super::{Answer, Arguments, Calling, Effect, Reach, Tool, ToolError};
use ringway_stages::tool_use::{Language, Slots};
use serde_json::{Value, json};
use std::sync::Arc;

/// Has the call go on in another language.
#[derive(Debug)]
pub(super) struct SwitchLanguage(Arc<[Language]>);

impl SwitchLanguage {
    pub(super) const fn new(languages: Arc<[Language]>) -> Self {
        Self(languages)
    }

    /// What a model is told of its argument: there are these languages and no others.
    pub(super) fn parameters(&self) -> Value {
        let codes: Vec<&str> = self.0.iter().map(|language| language.code.as_str()).collect();
        let named = self.0.iter().map(|Language { code, name }| format!("{code}: {name}"));
        let description = named.collect::<Vec<_>>().join(", ");
        let language = json!({"type": "string", "enum": codes, "description": description});
        json!({"type": "object", "required": ["language"], "properties": {"language": language}})
    }
}

impl Tool for SwitchLanguage {
    fn reach(&self) -> Reach {
        Reach::Call
    }

    fn call(&self, arguments: Arguments, _: Slots) -> Calling {
        let code = arguments.get("language").and_then(Value::as_str).unwrap_or_default();
        let language = self.0.iter().find(|language| language.code == code).cloned();
        let answer = language.map(|language| Answer {
            text: format!("From your next word on, you speak {} and are heard in it. Go on.", language.name),
            effect: Some(Effect::Language(language)),
        });
        let unknown = || ToolError::Said(format!("no language has the code {code:?}"));
        Box::pin(std::future::ready(answer.ok_or_else(unknown)))
    }
}
