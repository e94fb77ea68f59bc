use super::{Config, NAME};
use crate::llm::{Called, LlmRequest, Round, ToolSpec};
use crate::services::arguments;
use crate::services::conversation::{Line, lines};
use crate::services::http::Post;
use crate::services::provided;
use hyper::header::HeaderValue;
use serde_json::{Map, Value, json};

/// The request for a reply.
pub(super) fn chat(config: &Config, system: &str, tools: &[ToolSpec], request: &LlmRequest) -> Post {
    let mut body = base(config);
    let messages = lines(system, request).into_iter().flat_map(messages).collect::<Vec<_>>();
    body.insert("messages".into(), messages.into());
    body.insert("stream".into(), true.into());
    body.insert("think".into(), config.think.value().clone());
    body.insert("options".into(), options(config));
    if !tools.is_empty() {
        body.insert("tools".into(), tools.iter().map(tool).collect());
    }
    post(config, &body.into())
}

/// Has the model loaded: without messages, nothing is said.
pub(super) fn load(config: &Config) -> Post {
    let mut body = base(config);
    body.insert("messages".into(), json!([]));
    // Of another size, the context would be made anew for the first request.
    body.insert("options".into(), options(config));
    post(config, &body.into())
}

fn base(config: &Config) -> Map<String, Value> {
    let seconds = config.keep_alive.trim().parse::<i64>();
    let keep_alive = seconds.map_or_else(|_| config.keep_alive.trim().into(), Value::from);
    let mut base = config.extra_body.fields().clone();
    base.insert("model".into(), config.model.clone().into());
    base.insert("keep_alive".into(), keep_alive);
    base
}

fn options(config: &Config) -> Value {
    let mut options = json!({"num_predict": config.max_tokens});
    provided::add(&mut options, config.extra_body.fields().get("options").and_then(Value::as_object));
    if let Some(temperature) = config.temperature {
        options["temperature"] = json!(temperature);
    }
    if let Some(tokens) = config.context_tokens {
        options["num_ctx"] = json!(tokens);
    }
    options
}

fn post(config: &Config, body: &Value) -> Post {
    Post {
        path: config.url.below("/api/chat"),
        content_type: HeaderValue::from_static("application/json"),
        accept: HeaderValue::from_static("application/x-ndjson"),
        body: body.to_string().into(),
        answer_limit: LARGEST_ANSWER,
    }
}

fn messages(line: Line<'_>) -> Vec<Value> {
    match line {
        Line::System(text) => vec![json!({"role": "system", "content": text})],
        Line::User(text) => vec![json!({"role": "user", "content": text})],
        Line::Assistant(text) => vec![json!({"role": "assistant", "content": text})],
        Line::Round(round) => round_messages(round),
    }
}

fn round_messages(round: &Round) -> Vec<Value> {
    let calls: Vec<Value> = round.calls.iter().map(call).collect();
    let mut asked = json!({"role": "assistant", "content": round.text, "tool_calls": calls});
    provided::add(&mut asked, round.provided_by(NAME));
    std::iter::once(asked).chain(round.calls.iter().map(result)).collect()
}

/// Its arguments are an object here, no text.
fn call(Called { call, .. }: &Called) -> Value {
    let arguments = arguments::object(&call.arguments);
    let mut value = json!({"id": call.id, "function": {"name": call.name, "arguments": arguments}});
    provided::add(&mut value, call.provided_by(NAME).map(|provided| &provided.call));
    value
}

fn result(Called { call, result, .. }: &Called) -> Value {
    json!({"role": "tool", "content": result, "tool_name": call.name, "tool_call_id": call.id})
}

fn tool(tool: &ToolSpec) -> Value {
    let ToolSpec { name, description, parameters } = tool;
    json!({"type": "function", "function": {"name": name, "description": description, "parameters": parameters}})
}

/// Bytes of a whole stream that are taken in: a reply of some thousand tokens, each with a few hundred bytes around it.
const LARGEST_ANSWER: usize = 8 * 1_024 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::{Cue, ToolCall};

    fn body(post: &Post) -> Value {
        serde_json::from_slice(&post.body).unwrap()
    }

    #[test]
    fn the_model_is_loaded_without_a_message() {
        let config = Config { keep_alive: "30m".into(), context_tokens: Some(4_096), ..Config::default() };
        assert_eq!(
            body(&load(&config)),
            json!({"model": "llama3.2", "keep_alive": "30m", "messages": [],
                   "options": {"num_predict": 300, "num_ctx": 4_096}})
        );
    }

    #[test]
    fn further_fields_are_in_each_request_and_further_options_beside_ours() {
        let extra = "format = 'json'\noptions = { top_k = 5, num_predict = 1 }";
        let extra = toml::from_str::<toml::Value>(extra).unwrap();
        let think = toml::Value::from("low").try_into().unwrap();
        let config = Config { extra_body: extra.try_into().unwrap(), think, ..Config::default() };
        let body = body(&chat(&config, "", &[], &LlmRequest::new(1, Cue::Said("hi".into()))));
        assert_eq!((&body["format"], &body["think"]), (&json!("json"), &json!("low")));
        assert_eq!(body["options"], json!({"top_k": 5, "num_predict": 300}));
    }

    #[test]
    fn tools_and_what_they_said_are_in_ollamas_form() {
        let call = ToolCall::new("c1", "add", r#"{"a":1}"#);
        let calls = vec![Called { call, result: "1".into(), failed: false }];
        let mut request = LlmRequest::new(1, Cue::Said("one".into()));
        request.rounds.push(Round { after: 1, text: String::new(), calls });
        let spec = ToolSpec {
            name: "add".into(),
            description: "Adds.".into(),
            parameters: json!({"type": "object"}),
        };
        let body = body(&chat(&Config::default(), "Be brief.", &[spec], &request));
        assert_eq!(
            body,
            json!({
                "model": "llama3.2", "keep_alive": -1, "stream": true, "think": false,
                "options": {"num_predict": 300},
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "one"},
                    {"role": "assistant", "content": "", "tool_calls": [
                        {"id": "c1", "function": {"name": "add", "arguments": {"a": 1}}}]},
                    {"role": "tool", "content": "1", "tool_name": "add", "tool_call_id": "c1"},
                ],
                "tools": [{"type": "function", "function":
                    {"name": "add", "description": "Adds.", "parameters": {"type": "object"}}}],
            })
        );
    }
}
