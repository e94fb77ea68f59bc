//! Anthropic's Messages.

use crate::support::{LONG, Server, Step, chunk, chunked};
use ringway_stages::llm::{
    Cue, LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, ToolCall,
};
use ringway_stages::services::anthropic::{Anthropic, Config};
use ringway_stages::services::{ApiKey, Endpoint};
use serde_json::{Value, json};
use std::future::poll_fn;

fn config(url: Endpoint) -> Config {
    Config { url, connect: LONG, first_byte: LONG, idle: LONG, ..Config::default() }
}

fn open(config: Config) -> Box<dyn LlmSession> {
    let key = ApiKey::new("sk-test");
    Anthropic::new(config, Some(&key)).unwrap().open(LlmCall::default()).unwrap()
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

fn sent(event: &Value) -> Step {
    let name = event["type"].as_str().unwrap();
    chunk(format!("event: {name}\ndata: {event}\n\n").as_bytes())
}

fn token(text: &str) -> Step {
    sent(&json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}))
}

fn begin() -> [Step; 2] {
    [
        sent(
            &json!({"type": "message_start", "message": {"id": "msg_1", "role": "assistant", "content": []}}),
        ),
        sent(
            &json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        ),
    ]
}

fn stop() -> [Step; 4] {
    [
        sent(&json!({"type": "content_block_stop", "index": 0})),
        sent(
            &json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
        ),
        sent(&json!({"type": "message_stop"})),
        chunk(b""),
    ]
}

fn stream(steps: impl IntoIterator<Item = Step>) -> Vec<Step> {
    std::iter::once(chunked("text/event-stream; charset=utf-8")).chain(begin()).chain(steps).collect()
}

#[tokio::test]
async fn words_come_as_the_model_says_them() {
    let steps = [sent(&json!({"type": "ping"})), token("Good"), Step::Wait, token(" day.")];
    let mut server = Server::start(vec![stream(steps.into_iter().chain(stop()))]).await;
    let mut session = open(config(server.endpoint("")));
    session.reply(said(7)).unwrap();
    assert_eq!(event(&mut *session).await.unwrap(), LlmEvent::Text { id: 7, text: "Good".into() });
    server.go_on();
    assert_eq!(reply(&mut *session).await.unwrap().0, " day.");
    let asked = server.asked().await;
    for expected in [
        "post /v1/messages http/1.1\r\n",
        "\r\nx-api-key: sk-test\r\n",
        "\r\nanthropic-version: 2023-06-01\r\n",
    ] {
        assert!(asked.head.contains(expected), "{}", asked.head);
    }
    assert!(!asked.head.contains("authorization"), "{}", asked.head);
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body["messages"], json!([{"role": "user", "content": [{"type": "text", "text": "hi"}]}]));
}

#[tokio::test]
async fn the_arguments_of_a_call_come_in_pieces() {
    let piece = |json: &str| {
        sent(
            &json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": json}}),
        )
    };
    let call = json!({"type": "content_block_start", "index": 1,
        "content_block": {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}});
    let steps = [
        token("Let me see."),
        sent(&json!({"type": "content_block_stop", "index": 0})),
        sent(&call),
        piece(""),
        piece("{\"city\": \"Ro"),
        piece("me\"}"),
    ];
    let server = Server::start(vec![stream(steps.into_iter().chain(stop()))]).await;
    let mut session = open(config(server.endpoint("")));
    session.reply(said(1)).unwrap();
    let (words, calls) = reply(&mut *session).await.unwrap();
    let arguments = r#"{"city": "Rome"}"#;
    let call = ToolCall::new("toolu_1", "weather", arguments);
    assert_eq!((words.as_str(), calls), ("Let me see.", vec![call]));
}
