use super::{Options, Vendor};
use crate::llm::{Called, LlmRequest, ToolCall, ToolSpec};
use crate::services::conversation::{Line, lines};
use crate::services::http::Post;
use crate::services::provided;
use hyper::header::HeaderValue;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// The request for a reply.
pub(super) fn post<V: Vendor>(
    config: &Options<V>,
    system: &str,
    tools: &[ToolSpec],
    request: &LlmRequest,
) -> Post {
    let body =
        serde_json::to_vec(&Body::new(config, system, tools, request)).expect("text and numbers are JSON");
    Post {
        path: config.url.below("/chat/completions"),
        content_type: HeaderValue::from_static("application/json"),
        accept: HeaderValue::from_static("text/event-stream"),
        body: body.into(),
        answer_limit: LARGEST_ANSWER,
    }
}

#[derive(Serialize)]
struct Body<'r> {
    model: &'r str,
    messages: Vec<Message<'r>>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    /// What most servers know.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    /// What OpenAI itself asks for in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'r str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Value>,
    /// The configuration's own, none of which is among those above.
    #[serde(flatten)]
    extra: &'r Map<String, Value>,
}

#[derive(Serialize)]
struct Message<'r> {
    role: &'static str,
    content: Cow<'r, str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'r str>,
    /// The provider's own fields.
    #[serde(flatten)]
    own: Option<&'r Map<String, Value>>,
}

impl<'r> Body<'r> {
    fn new<V: Vendor>(
        config: &'r Options<V>,
        system: &'r str,
        tools: &[ToolSpec],
        request: &'r LlmRequest,
    ) -> Self {
        let openai = config.url.host() == "api.openai.com";
        let extra = config.extra_body.fields();
        // Whoever asks for the newer name behind another address wants it in place of the older one.
        let most = Some(config.max_tokens).filter(|_| !extra.contains_key("max_completion_tokens"));
        Self {
            model: &config.model,
            messages: messages(V::NAME, system, request),
            stream: true,
            stream_options: config.usage.then(|| json!({"include_usage": true})),
            temperature: config.temperature,
            max_tokens: most.filter(|_| !openai),
            max_completion_tokens: most.filter(|_| openai),
            reasoning_effort: config.reasoning_effort.as_deref().filter(|effort| !effort.is_empty()),
            tools: tools.iter().map(tool).collect(),
            extra,
        }
    }
}

fn messages<'r>(vendor: &str, system: &'r str, request: &'r LlmRequest) -> Vec<Message<'r>> {
    let mut messages = Vec::with_capacity(request.history.len() + 4);
    for line in lines(system, request) {
        match line {
            Line::System(text) => messages.push(message("system", text)),
            Line::User(text) => messages.push(message("user", text)),
            Line::Assistant(text) => messages.push(message("assistant", text)),
            Line::Round(round) => {
                let tool_calls = round.calls.iter().map(|called| tool_call(vendor, &called.call)).collect();
                let own = round.provided_by(vendor);
                messages.push(Message { tool_calls, own, ..message("assistant", round.text.as_str()) });
                messages.extend(round.calls.iter().map(result));
            }
        }
    }
    messages
}

fn message<'r>(role: &'static str, content: impl Into<Cow<'r, str>>) -> Message<'r> {
    Message { role, content: content.into(), tool_calls: Vec::new(), tool_call_id: None, own: None }
}

fn tool_call(vendor: &str, call: &ToolCall) -> Value {
    let ToolCall { id, name, arguments, .. } = call;
    let mut value = json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
    provided::add(&mut value, call.provided_by(vendor).map(|provided| &provided.call));
    value
}

fn result(Called { call, result, .. }: &Called) -> Message<'_> {
    Message { tool_call_id: Some(&call.id), ..message("tool", result.as_str()) }
}

fn tool(tool: &ToolSpec) -> Value {
    let ToolSpec { name, description, parameters } = tool;
    json!({"type": "function", "function": {"name": name, "description": description, "parameters": parameters}})
}

/// Bytes of a whole stream that are taken in: a reply of some thousand tokens, each with a few hundred bytes around it.
const LARGEST_ANSWER: usize = 8 * 1_024 * 1_024;

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;
    use crate::llm::{Cue, Role, Round, Said};

    fn body(config: &Config, request: &LlmRequest) -> Value {
        serde_json::from_slice(&post(config, &config.system, &[], request).body).unwrap()
    }

    fn request(cue: Cue) -> LlmRequest {
        let history = vec![
            Said { role: Role::Assistant, text: "Hello.".into() },
            Said { role: Role::User, text: "what time is it".into() },
        ];
        LlmRequest { history, ..LlmRequest::new(1, cue) }
    }

    #[test]
    fn the_model_is_told_all_that_was_said() {
        let config = Config { system: "Be brief.".into(), ..Config::default() };
        let body = body(&config, &request(Cue::Said("in Rome".into())));
        assert_eq!(
            body,
            json!({
                "model": "gpt-4o-mini",
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "assistant", "content": "Hello."},
                    {"role": "user", "content": "what time is it"},
                    {"role": "user", "content": "in Rome"},
                ],
                "stream": true,
                "stream_options": {"include_usage": true},
                "max_completion_tokens": 300,
            })
        );
    }

    #[test]
    fn other_servers_get_the_older_name_of_the_longest_reply() {
        let url = super::super::Endpoint::parse("http://localhost:8000/v1").unwrap();
        let body = body(&Config { url, max_tokens: 9, ..Config::default() }, &request(Cue::Silent(1)));
        assert_eq!((&body["max_tokens"], body.get("max_completion_tokens")), (&json!(9), None));
    }

    #[test]
    fn a_vendors_own_fields_and_the_effort_of_reasoning_are_in_each_request() {
        let extra = toml::from_str::<toml::Value>("top_p = 0.5\nmax_completion_tokens = 900").unwrap();
        let config = Config {
            url: super::super::Endpoint::parse("https://d.openai.azure.com/openai/v1").unwrap(),
            extra_body: extra.try_into().unwrap(),
            reasoning_effort: Some("low".into()),
            ..Config::default()
        };
        let body = body(&config, &request(Cue::Silent(1)));
        assert_eq!((&body["top_p"], &body["reasoning_effort"]), (&json!(0.5), &json!("low")));
        assert_eq!((&body["max_completion_tokens"], body.get("max_tokens")), (&json!(900), None));
        assert_eq!(body["stream"], true);
    }

    #[test]
    fn a_reply_that_was_begun_is_gone_on_with() {
        let mut request = request(Cue::Pressed("12".into()));
        request.already = "It is".into();
        let messages = body(&Config::default(), &request)["messages"].clone();
        assert_eq!(messages[3]["content"], "[The caller pressed these keys: 12]");
        assert_eq!(messages[4], json!({"role": "assistant", "content": "It is"}));
        assert_eq!(messages[5]["content"], crate::services::conversation::GO_ON);
    }

    #[test]
    fn tools_and_what_they_said_are_in_the_services_form() {
        let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}});
        let spec = ToolSpec { name: "weather".into(), description: "Of a city.".into(), parameters };
        let call = ToolCall::new("c1", "weather", r#"{"city":"Rome"}"#);
        let calls = vec![Called { call, result: "Sunny.".into(), failed: false }];
        let mut request = LlmRequest::new(1, Cue::Said("weather in Rome".into()));
        request.rounds.push(Round { after: 1, text: "Let me see.".into(), calls });
        let body: Value =
            serde_json::from_slice(&post(&Config::default(), "", std::slice::from_ref(&spec), &request).body)
                .unwrap();
        assert_eq!(
            body["messages"],
            json!([
                {"role": "user", "content": "weather in Rome"},
                {"role": "assistant", "content": "Let me see.", "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Rome\"}"}},
                ]},
                {"role": "tool", "content": "Sunny.", "tool_call_id": "c1"},
            ])
        );
        assert_eq!(body["tools"][0]["function"]["parameters"], spec.parameters);
    }
}
