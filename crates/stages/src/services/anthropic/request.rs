use super::{Config, NAME};
use crate::llm::{Called, LlmRequest, Round, Task, ToolSpec};
use crate::services::arguments;
use crate::services::conversation::{Line, lines};
use crate::services::http::Post;
use crate::services::provided;
use hyper::header::HeaderValue;
use serde_json::{Value, json};

/// The request for a reply.
pub(super) fn post(config: &Config, system: &str, tools: &[ToolSpec], request: &LlmRequest) -> Post {
    Post {
        path: config.url.below("/v1/messages"),
        content_type: HeaderValue::from_static("application/json"),
        accept: HeaderValue::from_static("text/event-stream"),
        body: body(config, system, tools, request).to_string().into(),
        answer_limit: LARGEST_ANSWER,
    }
}

fn body(config: &Config, system: &str, tools: &[ToolSpec], request: &LlmRequest) -> Value {
    let mut messages = Messages::default();
    lines("", request).into_iter().for_each(|line| messages.push(line));
    let mut body = json!({
        "model": config.model, "max_tokens": config.max_tokens, "stream": true, "messages": messages.0,
    });
    // A summary is asked for once: nothing of it is worth remembering.
    let cached = config.prompt_caching && matches!(request.task, Task::Reply);
    if !system.is_empty() {
        body["system"] = if cached { remembered(words(system)).into() } else { system.into() };
    }
    if let Some(temperature) = config.temperature {
        body["temperature"] = json!(temperature);
    }
    if !tools.is_empty() {
        let tools = tools.iter().map(tool).collect();
        body["tools"] = if cached { remembered(tools) } else { tools }.into();
    }
    provided::add(&mut body, Some(config.extra_body.fields()));
    body
}

/// Blocks after which the service may go on from what it remembers:
/// <https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching>. Tools are the same in all calls and the prompt in
/// one, so that each ends what is remembered of it.
fn remembered(mut blocks: Vec<Value>) -> Vec<Value> {
    if let Some(last) = blocks.last_mut() {
        last["cache_control"] = json!({"type": "ephemeral"});
    }
    blocks
}

/// Messages of user and assistant in turns, the user's first: the service takes no others.
#[derive(Debug, Default)]
struct Messages(Vec<Value>);

impl Messages {
    fn push(&mut self, line: Line<'_>) {
        match line {
            Line::System(_) => {}
            Line::User(text) => self.add("user", words(&text)),
            Line::Assistant(text) => self.add("assistant", words(text)),
            Line::Round(round) => {
                self.add("assistant", calls(round));
                self.add("user", round.calls.iter().map(result).collect());
            }
        }
    }

    fn add(&mut self, role: &str, blocks: Vec<Value>) {
        if blocks.is_empty() {
            return;
        }
        if self.0.is_empty() && role == "assistant" {
            self.add("user", words(JOINED));
        }
        match self.0.last_mut().filter(|last| last["role"] == role) {
            Some(Value::Object(last)) => {
                if let Some(Value::Array(content)) = last.get_mut("content") {
                    content.extend(blocks);
                }
            }
            _ => self.0.push(json!({"role": role, "content": blocks})),
        }
    }
}

/// Blocks without words are refused.
fn words(text: &str) -> Vec<Value> {
    let said = !text.trim().is_empty();
    said.then(|| json!({"type": "text", "text": text})).into_iter().collect()
}

fn calls(round: &Round) -> Vec<Value> {
    // What was thought stands first, as it came.
    let thoughts = round.provided_by(NAME).and_then(|fields| fields.get("content")?.as_array());
    let mut blocks = thoughts.cloned().unwrap_or_default();
    blocks.extend(words(&round.text));
    blocks.extend(round.calls.iter().map(|Called { call, .. }| {
        json!({"type": "tool_use", "id": call.id, "name": call.name, "input": arguments::object(&call.arguments)})
    }));
    blocks
}

fn result(Called { call, result, failed }: &Called) -> Value {
    json!({"type": "tool_result", "tool_use_id": call.id, "content": result, "is_error": failed})
}

fn tool(tool: &ToolSpec) -> Value {
    let ToolSpec { name, description, parameters } = tool;
    json!({"name": name, "description": description, "input_schema": parameters})
}

const JOINED: &str = "[The caller has come on the line.]";

/// Bytes of a whole stream that are taken in: a reply of some thousand tokens, each with a few hundred bytes around it.
const LARGEST_ANSWER: usize = 8 * 1_024 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::{Cue, Role, Said, ToolCall};

    fn said(role: Role, text: &str) -> Said {
        Said { role, text: text.into() }
    }

    #[test]
    fn user_and_assistant_take_turns_and_the_user_begins() {
        let history = vec![
            said(Role::Assistant, "Hello."),
            said(Role::User, "what time is it"),
            said(Role::User, "hm"),
            said(Role::Assistant, " "),
        ];
        let request = LlmRequest { history, ..LlmRequest::new(1, Cue::Said("in Rome".into())) };
        let text = |text: &str| json!({"type": "text", "text": text});
        assert_eq!(
            body(&Config::default(), "Be brief.", &[], &request),
            json!({
                "model": "claude-haiku-4-5", "max_tokens": 300, "stream": true,
                "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
                "messages": [
                    {"role": "user", "content": [text(JOINED)]},
                    {"role": "assistant", "content": [text("Hello.")]},
                    {"role": "user", "content": [text("what time is it"), text("hm"), text("in Rome")]},
                ],
            })
        );
    }

    #[test]
    fn tools_and_what_they_said_are_blocks() {
        let call = ToolCall::new("c1", "add", r#"{"a":1}"#);
        let calls = vec![Called { call, result: "no".into(), failed: true }];
        let mut request = LlmRequest::new(1, Cue::Said("one".into()));
        request.rounds.push(Round { after: 1, text: "Let me see.".into(), calls });
        let spec = ToolSpec {
            name: "add".into(),
            description: "Adds.".into(),
            parameters: json!({"type": "object"}),
        };
        let body = body(&Config::default(), "", &[spec], &request);
        assert_eq!(
            body["messages"],
            json!([
                {"role": "user", "content": [{"type": "text", "text": "one"}]},
                {"role": "assistant", "content": [
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "c1", "content": "no", "is_error": true},
                ]},
            ])
        );
        assert_eq!(
            body["tools"],
            json!([{"name": "add", "description": "Adds.", "input_schema": {"type": "object"},
                "cache_control": {"type": "ephemeral"}}])
        );
    }

    fn spec(name: &str) -> ToolSpec {
        ToolSpec { name: name.into(), description: String::new(), parameters: json!({"type": "object"}) }
    }

    #[test]
    fn the_last_tool_and_the_prompt_end_what_is_remembered() {
        let mut request = LlmRequest::new(1, Cue::Said("one".into()));
        let config = Config::default();
        let marked = |body: &Value| body.to_string().matches("cache_control").count();
        let tools = [spec("a"), spec("b")];
        let both = body(&config, "Be brief.", &tools, &request);
        assert_eq!((marked(&both), both["tools"][0].get("cache_control")), (2, None));
        assert_eq!(both["tools"][1]["cache_control"]["type"], "ephemeral");
        assert_eq!(marked(&body(&config, "", &tools, &request)), 1);
        let off = Config { prompt_caching: false, ..Config::default() };
        let without = body(&off, "Be brief.", &tools, &request);
        assert_eq!((marked(&without), &without["system"]), (0, &json!("Be brief.")));
        request.task = Task::Summary;
        assert_eq!(marked(&body(&config, "Be brief.", &tools, &request)), 0);
    }

    #[test]
    fn further_fields_are_in_each_request() {
        let extra = toml::from_str::<toml::Value>("thinking = { type = 'disabled' }").unwrap();
        let config = Config { extra_body: extra.try_into().unwrap(), ..Config::default() };
        let request = LlmRequest::new(1, Cue::Said("one".into()));
        assert_eq!(body(&config, "", &[], &request)["thinking"], json!({"type": "disabled"}));
    }
}
