use super::{Answer, Arguments, Calling, Effect, Knowledge, Passage, Reach, Tool, ToolError};
use ringway_stages::tool_use::Slots;
use serde_json::{Value, json};
use std::sync::Arc;

/// Which of ringway's own tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Hands the call over.
    Transfer,
    /// Ends the call.
    HangUp,
    /// Presses keys.
    SendDtmf,
    /// Keeps a value for the rest of the call.
    SetSlot,
    /// Searches the knowledge base.
    LookUp,
    /// Has the call go on in another language.
    SwitchLanguage,
}

impl Kind {
    /// All of them.
    pub(super) const ALL: [Self; 6] =
        [Self::Transfer, Self::HangUp, Self::SendDtmf, Self::SetSlot, Self::LookUp, Self::SwitchLanguage];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::HangUp => "hang_up",
            Self::SendDtmf => "send_dtmf",
            Self::SetSlot => "set_slot",
            Self::LookUp => "look_up",
            Self::SwitchLanguage => "switch_language",
        }
    }

    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Transfer => "Transfers the caller to somebody else, once you have said so.",
            Self::HangUp => "Ends the call, once you have said goodbye.",
            Self::SendDtmf => "Presses keys of the telephone on the caller's line.",
            Self::SetSlot => "Keeps something that the caller said, under a name.",
            Self::LookUp => "Searches what is known for an answer to a question.",
            Self::SwitchLanguage => {
                "Goes on in another language, when the caller asks for it or speaks it. Call it before you answer in it."
            }
        }
    }

    pub(super) fn parameters(self) -> Value {
        let text = |description: &str| json!({"type": "string", "description": description});
        match self {
            Self::HangUp => json!({"type": "object", "properties": {}}),
            Self::SendDtmf => object("digits", json!({"type": "string", "pattern": "^[0-9A-D*#]{1,32}$"})),
            Self::SetSlot => {
                let properties = json!({"name": text("Its name."), "value": text("Its value.")});
                json!({"type": "object", "required": ["name", "value"], "properties": properties})
            }
            Self::LookUp => object("question", text("What is to be known, in a few words.")),
            // Their own types know whom and which there are.
            Self::Transfer => object("to", text("Whom.")),
            Self::SwitchLanguage => object("language", text("Its code.")),
        }
    }
}

fn object(name: &str, property: Value) -> Value {
    json!({"type": "object", "required": [name], "properties": {name: property}})
}

/// One of ringway's own tools.
#[derive(Debug)]
pub(super) struct BuiltIn {
    kind: Kind,
    knowledge: Option<Arc<dyn Knowledge>>,
}

impl BuiltIn {
    pub(super) fn new(kind: Kind, knowledge: Option<Arc<dyn Knowledge>>) -> Self {
        Self { kind, knowledge }
    }

    fn effect(&self, text: &str, effect: Effect) -> Result<Answer, ToolError> {
        Ok(Answer { text: text.to_owned(), effect: Some(effect) })
    }
}

impl Tool for BuiltIn {
    fn reach(&self) -> Reach {
        Reach::Call
    }

    fn call(&self, mut arguments: Arguments, _: Slots) -> Calling {
        let mut text = |name: &str| match arguments.remove(name) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        let answer = match self.kind {
            Kind::HangUp => self.effect(HUNG_UP, Effect::HangUp),
            Kind::SendDtmf => self.effect("They are being pressed.", Effect::Keys(text("digits"))),
            Kind::SetSlot => self.effect("Kept.", Effect::Slot(text("name"), text("value"))),
            Kind::LookUp => return look_up(self.knowledge.clone(), text("question")),
            Kind::Transfer => Err(ToolError::Said("calls are not transferred here".into())),
            Kind::SwitchLanguage => Err(ToolError::Said("there is no other language".into())),
        };
        Box::pin(std::future::ready(answer))
    }
}

fn look_up(knowledge: Option<Arc<dyn Knowledge>>, question: String) -> Calling {
    Box::pin(async move {
        let knowledge = knowledge.ok_or(ToolError::NoKnowledge)?;
        let found = knowledge.look_up(question, MOST_PASSAGES).await;
        let passages = found.map_err(|error| ToolError::Said(error.to_string()))?;
        if passages.is_empty() {
            return Ok(Answer::text(NOTHING_KNOWN));
        }
        let told = passages.iter().map(|Passage { source, text }| format!("[{source}]\n{text}"));
        let text = told.collect::<Vec<_>>().join("\n\n");
        let cited = passages.iter().map(|passage| passage.source.clone()).collect();
        Ok(Answer { text, effect: Some(Effect::Cited(cited)) })
    })
}

const NOTHING_KNOWN: &str =
    "The knowledge base holds nothing that fits. Ask it in other words, or say that you do not know.";
const HUNG_UP: &str = "The call will end as soon as your next words were heard: say goodbye.";

/// Enough for an answer, and little enough to be read before it.
const MOST_PASSAGES: usize = 4;
