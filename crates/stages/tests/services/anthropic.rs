//! Anthropic's Messages.

use crate::support::{LONG, Server, Step, answer, chunk, chunked, nobody};
use ringway_stages::llm::{
    Cue, LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, ToolCall,
};
use ringway_stages::services::anthropic::{Anthropic, Config};
use ringway_stages::services::{ApiKey, Endpoint};
use serde_json::{Value, json};
use std::future::poll_fn;
use std::time::Duration;

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

fn good(text: &str) -> Vec<Step> {
    stream([token(text)].into_iter().chain(stop()))
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

#[tokio::test]
async fn a_cancelled_reply_closes_its_connection() {
    let server = Server::start(vec![stream([token("One"), Step::Hang]), good("Two.")]).await;
    let mut session = open(config(server.endpoint("")));
    session.reply(said(1)).unwrap();
    event(&mut *session).await.unwrap();
    session.cancel();
    server.gone().await;
    session.reply(said(2)).unwrap();
    assert_eq!(reply(&mut *session).await.unwrap().0, "Two.");
}

#[tokio::test]
async fn every_failure_is_told_with_its_place() {
    let sse = "text/event-stream";
    let json = "application/json";
    let overloaded = br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let missing = br#"{"type":"error","error":{"type":"not_found_error","message":"model: claude-none"}}"#;
    let inside = sent(&serde_json::from_slice(overloaded).unwrap());
    let cut = |step| stream([token("One"), step, Step::Close]);
    let cases = [
        (answer("529 Overloaded", json, overloaded), "status 529: Overloaded"),
        (answer("401 No", json, b"sk-test is bad"), "status 401: the key is missing or was refused"),
        (answer("404 No", json, missing), "it has no model \"claude-haiku-4-5\": model: claude-none"),
        (
            answer("200 OK", "text/html", b"<html>"),
            "malformed answer: text/html, where text/event-stream was asked for",
        ),
        (
            answer("200 OK", sse, b"data: {oops\n\n"),
            "malformed event: key must be a string at line 1 column 2",
        ),
        (cut(inside), "failed inside its answer: overloaded_error: Overloaded"),
        (answer("200 OK", sse, b""), "the connection ended inside the answer: the reply has no end"),
        (cut(chunk(b"data: {\"type")), "the connection ended inside the answer: "),
        (vec![Step::Send(b"garbage\r\n\r\n".to_vec())], "malformed head of the answer: "),
    ];
    for (steps, expected) in cases {
        let server = Server::start(vec![steps]).await;
        let mut session = open(config(server.endpoint("")));
        session.reply(said(1)).unwrap();
        let error = reply(&mut *session).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("anthropic: {expected}")), "{error}");
        assert!(!error.contains("sk-test"), "{error}");
    }
    let mut session = open(config(nobody().await));
    session.reply(said(1)).unwrap();
    let error = reply(&mut *session).await.unwrap_err().to_string();
    assert!(error.starts_with("anthropic: cannot connect to 127.0.0.1:"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn every_wait_has_its_limit() {
    let limits =
        |url| Config { first_byte: Duration::from_secs(3), idle: Duration::from_secs(2), ..config(url) };
    for (steps, expected) in [
        (vec![Step::Hang], "anthropic: nothing came within 3s before the answer"),
        (stream([token("One"), Step::Hang]), "anthropic: nothing came within 2s inside the answer"),
    ] {
        let server = Server::start(vec![steps]).await;
        let mut session = open(limits(server.endpoint("")));
        session.reply(said(1)).unwrap();
        assert_eq!(reply(&mut *session).await.unwrap_err().to_string(), expected);
        server.gone().await;
    }
}
