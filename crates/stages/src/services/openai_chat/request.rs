use super::Config;
use crate::llm::{Cue, LlmRequest, Role};
use crate::services::http::Post;
use hyper::header::HeaderValue;
use serde::Serialize;

/// The request for a reply.
pub(super) fn post(config: &Config, request: &LlmRequest) -> Post {
    let body = serde_json::to_vec(&Body::new(config, request)).expect("text and numbers are JSON");
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
    temperature: Option<f32>,
    /// What most servers know.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    /// What OpenAI itself asks for in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
}

#[derive(Serialize)]
struct Message<'r> {
    role: &'static str,
    content: std::borrow::Cow<'r, str>,
}

impl<'r> Body<'r> {
    fn new(config: &'r Config, request: &'r LlmRequest) -> Self {
        let openai = config.url.host() == "api.openai.com";
        let most = Some(config.max_tokens);
        Self {
            model: &config.model,
            messages: messages(config, request),
            stream: true,
            temperature: config.temperature,
            max_tokens: most.filter(|_| !openai),
            max_completion_tokens: most.filter(|_| openai),
        }
    }
}

fn messages<'r>(config: &'r Config, request: &'r LlmRequest) -> Vec<Message<'r>> {
    let mut messages = Vec::with_capacity(request.history.len() + 4);
    if !config.system.is_empty() {
        messages.push(message("system", config.system.as_str()));
    }
    messages.extend(request.history.iter().map(|said| {
        let role = match said.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        message(role, said.text.as_str())
    }));
    messages.push(message("user", cue(&request.cue)));
    if !request.already.is_empty() {
        messages.push(message("assistant", request.already.as_str()));
        messages.push(message("user", GO_ON));
    }
    messages
}

/// What the caller did, in words; what was not said stands in brackets.
fn cue(cue: &Cue) -> std::borrow::Cow<'_, str> {
    match cue {
        Cue::Joined => "[The caller has just come on the line. Greet them.]".into(),
        Cue::Said(text) if text.is_empty() => "[The caller said something that was not understood.]".into(),
        Cue::Said(text) => text.as_str().into(),
        Cue::Pressed(keys) => format!("[The caller pressed these keys: {keys}]").into(),
        Cue::Silent(1) => "[The caller says nothing. Ask whether they are still there.]".into(),
        Cue::Silent(_) => "[The caller still says nothing. Ask once more whether they are there.]".into(),
    }
}

fn message<'r>(role: &'static str, content: impl Into<std::borrow::Cow<'r, str>>) -> Message<'r> {
    Message { role, content: content.into() }
}

const GO_ON: &str = "[You were cut off. Go on with exactly the words that follow, without repeating any.]";

/// Bytes of a whole stream that are taken in: a reply of some thousand tokens, each with a few hundred bytes around it.
const LARGEST_ANSWER: usize = 8 * 1_024 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::Said;
    use serde_json::{Value, json};

    fn body(config: &Config, request: &LlmRequest) -> Value {
        serde_json::from_slice(&post(config, request).body).unwrap()
    }

    fn request(cue: Cue) -> LlmRequest {
        let history = vec![
            Said { role: Role::Assistant, text: "Hello.".into() },
            Said { role: Role::User, text: "what time is it".into() },
        ];
        LlmRequest { id: 1, cue, history, memo: String::new(), already: String::new() }
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
    fn a_reply_that_was_begun_is_gone_on_with() {
        let mut request = request(Cue::Pressed("12".into()));
        request.already = "It is".into();
        let messages = body(&Config::default(), &request)["messages"].clone();
        assert_eq!(messages[3]["content"], "[The caller pressed these keys: 12]");
        assert_eq!(messages[4], json!({"role": "assistant", "content": "It is"}));
        assert_eq!(messages[5]["content"], GO_ON);
    }
}
