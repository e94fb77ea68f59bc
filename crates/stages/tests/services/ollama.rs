//! Ollama's own API.

use crate::support::{LONG, Server, Step, answer, chunk, chunked};
use ringway_stages::llm::{
    Cue, LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, ToolCall, ToolSpec,
};
use ringway_stages::services::Endpoint;
use ringway_stages::services::ollama::{Config, Ollama};
use serde_json::{Value, json};
use std::future::poll_fn;

fn config(url: Endpoint) -> Config {
    Config { url, warm_up: false, connect: LONG, first_byte: LONG, idle: LONG, ..Config::default() }
}

fn open(config: Config) -> Box<dyn LlmSession> {
    Ollama::new(config, None).unwrap().open(LlmCall::default()).unwrap()
}

fn said(id: u32) -> LlmRequest {
    LlmRequest::new(id, Cue::Said("hi".into()))
}

async fn event(session: &mut dyn LlmSession) -> Result<LlmEvent, LlmError> {
    poll_fn(|cx| session.poll_event(cx)).await
}

/// The words of a reply and its calls, to its end.
async fn reply(session: &mut dyn LlmSession) -> Result<(String, Vec<ToolCall>), LlmError> {
    let (mut words, mut calls) = (String::new(), Vec::new());
    loop {
        match event(session).await? {
            LlmEvent::Text { text, .. } => words += &text,
            LlmEvent::Call { call, .. } => calls.push(call),
            LlmEvent::Usage { .. } => {}
            LlmEvent::Done { .. } => return Ok((words, calls)),
            other => panic!("{other:?}"),
        }
    }
}

fn line(message: &Value) -> Step {
    chunk(format!("{}\n", json!({"model": "m", "message": message, "done": false})).as_bytes())
}

fn token(text: &str) -> Step {
    line(&json!({"role": "assistant", "content": text}))
}

fn stop() -> [Step; 2] {
    let last = json!({"message": {"role": "assistant", "content": ""}, "done": true, "done_reason": "stop"});
    [chunk(format!("{last}\n").as_bytes()), chunk(b"")]
}

fn stream(steps: impl IntoIterator<Item = Step>) -> Vec<Step> {
    std::iter::once(chunked("application/x-ndjson")).chain(steps).collect()
}

fn body(asked: &[u8]) -> Value {
    serde_json::from_slice(asked).unwrap()
}

#[tokio::test]
async fn words_come_as_the_model_says_them() {
    let steps = [token("Good"), Step::Wait, line(&json!({"content": "", "thinking": "hm"})), token(" day.")];
    let mut server = Server::start(vec![stream(steps.into_iter().chain(stop()))]).await;
    let mut session = open(config(server.endpoint("")));
    session.reply(said(7)).unwrap();
    assert_eq!(event(&mut *session).await.unwrap(), LlmEvent::Text { id: 7, text: "Good".into() });
    server.go_on();
    assert_eq!(reply(&mut *session).await.unwrap().0, " day.");
    let asked = server.asked().await;
    assert!(asked.head.starts_with("post /api/chat http/1.1\r\n"), "{}", asked.head);
    let body = body(&asked.body);
    assert_eq!((&body["think"], &body["keep_alive"]), (&json!(false), &json!(-1)));
    assert_eq!(body["messages"][1], json!({"role": "user", "content": "hi"}));
}

#[tokio::test]
async fn the_model_is_loaded_before_anybody_calls() {
    let loaded = json!({"model": "llama3.2", "message": {"role": "assistant", "content": ""}, "done": true, "done_reason": "load"});
    let mut server =
        Server::start(vec![answer("200 OK", "application/json", loaded.to_string().as_bytes())]).await;
    let _model = Ollama::new(Config { warm_up: true, ..config(server.endpoint("")) }, None).unwrap();
    let asked = body(&server.asked().await.body);
    assert_eq!(
        (&asked["model"], &asked["messages"], &asked["keep_alive"]),
        (&json!("llama3.2"), &json!([]), &json!(-1))
    );
}

#[tokio::test]
async fn calls_come_whole_and_with_ids_of_their_own() {
    let calls = json!({"content": "", "tool_calls": [
        {"function": {"index": 0, "name": "weather", "arguments": {"city": "Rome"}}},
        {"id": "x1", "function": {"name": "now"}},
    ]});
    let mut server = Server::start(vec![stream([line(&calls)].into_iter().chain(stop()))]).await;
    let spec = ToolSpec {
        name: "weather".into(),
        description: "Of a city.".into(),
        parameters: json!({"type": "object"}),
    };
    let call = LlmCall { tools: [spec].into(), ..LlmCall::default() };
    let mut session = Ollama::new(config(server.endpoint("")), None).unwrap().open(call).unwrap();
    session.reply(said(1)).unwrap();
    let (words, calls) = reply(&mut *session).await.unwrap();
    let call = |id: &str, name: &str, arguments: &str| ToolCall::new(id, name, arguments);
    assert_eq!(
        (words.as_str(), calls),
        ("", vec![call("call_0", "weather", r#"{"city":"Rome"}"#), call("x1", "now", "{}")])
    );
    assert_eq!(body(&server.asked().await.body)["tools"][0]["function"]["name"], "weather");
}

/// Recorded from version 0.17.4.
#[tokio::test]
async fn what_the_real_one_said_is_understood() {
    let recorded = [
        include_bytes!("../fixtures/ollama-reply.ndjson").as_slice(),
        include_bytes!("../fixtures/ollama-call.ndjson"),
    ];
    let answers = recorded.map(|body| answer("200 OK", "application/x-ndjson", body)).to_vec();
    let server = Server::start(answers).await;
    let mut session = open(config(server.endpoint("")));
    session.reply(said(1)).unwrap();
    let (words, _) = reply(&mut *session).await.unwrap();
    assert!(words.starts_with("Hello from a tiny local model. Everything works"), "{words}");
    session.reply(said(2)).unwrap();
    let (_, calls) = reply(&mut *session).await.unwrap();
    assert_eq!((calls[0].name.as_str(), calls[0].arguments.as_str()), ("weather", r#"{"city":"Rome"}"#));
}
