//! `POST /v1/messages` in the shape of Anthropic's, streamed or not, after its published description of the
//! [Messages API](https://docs.anthropic.com/en/api/messages).

mod cache;

pub use cache::PromptCache;

use super::config::Llm;
use super::fate::Fate;
use super::mocks::Mocks;
use super::paced::{Answer, Failure, Piece, unanswered};
use super::quirk::Quirk;
use super::reply::Reply;
use super::stats::Service;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use cache::{Cached, Prefix};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What a request is refused with.
#[derive(Clone, Debug, PartialEq)]
struct ApiError {
    status: StatusCode,
    message: String,
}

/// What is read of a request; the rest of it is as it may be.
#[derive(Debug)]
struct Request {
    model: String,
    stream: bool,
    most_tokens: u64,
    prompt_tokens: usize,
    prefixes: Vec<Prefix>,
}

/// A message on its way.
#[derive(Debug)]
struct Message {
    id: String,
    call_id: String,
    model: String,
    prompt_tokens: usize,
    cached: Cached,
    reply: Reply,
    quirk: Quirk,
}

/// Handles a request that has arrived whole.
pub async fn messages(State(mocks): State<Arc<Mocks>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let complete = Instant::now();
    let mut ticket = mocks.arrived(Service::Llm);
    let request = match authorize(&mocks, &headers).and_then(|()| Request::parse(&headers, &body)) {
        Ok(request) => request,
        Err(error) => {
            ticket.rejected();
            return error.into_response();
        }
    };
    let mut fate = mocks.fate(&ticket);
    let (llm, streamed) = (&mocks.config.llm, request.stream);
    let message = Message::new(&mocks, request, &mut fate, ticket.number());
    let pauses: Vec<_> = (1..message.reply.count()).map(|_| llm.token_ms.draw(&mut fate.rng)).collect();
    if !streamed {
        fate.delay += pauses.iter().map(|pause| fate.stretched(*pause)).sum::<Duration>();
    }
    match fate.first_byte(complete).await {
        Ok(()) if streamed => {
            let mut answer = message.streamed(&pauses);
            fate.breaks_off =
                message.quirk.stream(&mut answer, &stop(), "event: ping\ndata: {\"type\":\"ping\"}\n\n");
            fate.respond(ticket, answer)
        }
        Ok(()) => {
            fate.respond(ticket, Answer::whole("application/json", message.whole().to_string(), GARBAGE))
        }
        Err(failure) => {
            ticket.answered();
            match failure {
                Failure::Refused => unanswered(),
                Failure::Page => super::paced::page(),
                Failure::Status(status) => ApiError::injected(status).into_response(),
            }
        }
    }
}

fn authorize(mocks: &Mocks, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(wanted) = &mocks.config.api_key else { return Ok(()) };
    let given = headers.get("x-api-key").and_then(|value| value.to_str().ok());
    if given == Some(wanted) {
        return Ok(());
    }
    let message = if given.is_some() { "invalid x-api-key" } else { "x-api-key header is required" };
    Err(ApiError { status: StatusCode::UNAUTHORIZED, message: message.into() })
}

impl ApiError {
    fn invalid(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    fn injected(status: StatusCode) -> Self {
        Self { status, message: format!("The mock was told to fail with {}.", status.as_u16()) }
    }

    fn kind(&self) -> &'static str {
        match self.status.as_u16() {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            500.. => "api_error",
            _ => "invalid_request_error",
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response<Body> {
        let error = json!({"type": self.kind(), "message": self.message});
        let mut response = (self.status, Json(json!({"type": "error", "error": error}))).into_response();
        if matches!(self.status.as_u16(), 429 | 503) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl Request {
    fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, ApiError> {
        if !headers.contains_key("anthropic-version") {
            return Err(ApiError::invalid("anthropic-version: header is required"));
        }
        let body: Value = serde_json::from_slice(body)
            .map_err(|error| ApiError::invalid(format!("The request body is not valid JSON: {error}")))?;
        let required = |name: &str| ApiError::invalid(format!("{name}: Field required"));
        let messages = body["messages"].as_array().ok_or_else(|| required("messages"))?;
        check(messages)?;
        Ok(Self {
            model: body["model"].as_str().ok_or_else(|| required("model"))?.to_owned(),
            stream: body["stream"] == true,
            most_tokens: body["max_tokens"].as_u64().ok_or_else(|| required("max_tokens"))?,
            prompt_tokens: body["messages"].to_string().split_whitespace().count(),
            prefixes: cache::prefixes(&body).map_err(ApiError::invalid)?,
        })
    }
}

/// The user begins, nothing is empty, and each result belongs to a call in the message before it.
fn check(messages: &[Value]) -> Result<(), ApiError> {
    match messages.first() {
        None => return Err(ApiError::invalid("messages: at least one message is required")),
        Some(first) if first["role"] != "user" => {
            return Err(ApiError::invalid("messages: first message must use the \"user\" role"));
        }
        Some(_) => {}
    }
    for (n, message) in messages.iter().enumerate() {
        if !matches!(message["role"].as_str(), Some("user" | "assistant")) {
            return Err(ApiError::invalid(format!(
                "messages.{n}.role: Input should be 'user' or 'assistant'"
            )));
        }
        let before = n.checked_sub(1).map_or(&Value::Null, |n| &messages[n]);
        check_blocks(n, message, before)?;
        check_answered(n, message, messages.get(n + 1))?;
    }
    Ok(())
}

fn check_blocks(n: usize, message: &Value, before: &Value) -> Result<(), ApiError> {
    for block in blocks(message) {
        if block["type"] == "text" && block["text"].as_str().is_none_or(str::is_empty) {
            return Err(ApiError::invalid("messages: text content blocks must be non-empty"));
        }
        let id = &block["tool_use_id"];
        if block["type"] == "tool_result" && !calls(before).any(|call| call == id) {
            let message =
                format!("messages.{n}: unexpected `tool_use_id` found in `tool_result` blocks: {id}");
            return Err(ApiError::invalid(message));
        }
    }
    Ok(())
}

fn check_answered(n: usize, message: &Value, next: Option<&Value>) -> Result<(), ApiError> {
    let results: Vec<&Value> = next.into_iter().flat_map(blocks).map(|block| &block["tool_use_id"]).collect();
    match calls(message).find(|call| !results.contains(call)) {
        Some(call) => {
            let message =
                format!("messages.{n}: `tool_use` ids were found without `tool_result` blocks: {call}");
            Err(ApiError::invalid(message))
        }
        None => Ok(()),
    }
}

fn blocks(message: &Value) -> impl Iterator<Item = &Value> {
    message["content"].as_array().into_iter().flatten()
}

fn calls(message: &Value) -> impl Iterator<Item = &Value> {
    blocks(message).filter(|block| block["type"] == "tool_use").map(|block| &block["id"])
}

impl Message {
    fn new(mocks: &Mocks, request: Request, fate: &mut Fate, number: u64) -> Self {
        let llm: &Llm = &mocks.config.llm;
        Self {
            id: format!("msg_{:024x}", fate.rng.u64(..)),
            call_id: format!("toolu_{:024x}", fate.rng.u64(..)),
            model: request.model,
            prompt_tokens: request.prompt_tokens,
            cached: mocks.prompts.asked(request.prefixes),
            reply: Quirk::of(&llm.quirks, number).reply(Reply::of(llm, number, Some(request.most_tokens))),
            quirk: Quirk::of(&llm.quirks, number),
        }
    }

    fn stop_reason(&self) -> &'static str {
        match self.reply {
            _ if self.quirk == Quirk::Refuses => "refusal",
            Reply::Words { cut: true, .. } => "max_tokens",
            Reply::Words { .. } => "end_turn",
            Reply::Call { .. } => "tool_use",
        }
    }

    /// Named events: the message with its first block and a ping, a delta a token, and the end with the last.
    fn streamed(&self, pauses: &[Duration]) -> Answer {
        let message = self.head(json!([]), Value::Null, 1);
        let head = [
            event(&json!({"type": "message_start", "message": message})),
            self.opened(),
            event(&json!({"type": "ping"})),
        ];
        let mut pieces = vec![Piece { after: Duration::ZERO, bytes: head.concat().into() }];
        let pauses = std::iter::once(&Duration::ZERO).chain(pauses);
        pieces.extend(self.deltas().into_iter().zip(pauses).map(|(delta, after)| {
            let delta = json!({"type": "content_block_delta", "index": 0, "delta": delta});
            Piece { after: *after, bytes: event(&delta).into() }
        }));
        let usage = json!({"output_tokens": self.reply.count()});
        let delta = json!({"stop_reason": self.stop_reason(), "stop_sequence": null});
        let end = [
            event(&json!({"type": "content_block_stop", "index": 0})),
            event(&json!({"type": "message_delta", "delta": delta, "usage": usage})),
            stop(),
        ];
        let end = if self.quirk == Quirk::Unended { String::new() } else { end.concat() };
        pieces.push(Piece { after: Duration::ZERO, bytes: end.into() });
        let garbage = Bytes::from_static(GARBAGE_EVENTS);
        Answer { content_type: "text/event-stream; charset=utf-8", pieces, announced: false, garbage }
    }

    fn opened(&self) -> String {
        let block = match &self.reply {
            Reply::Words { .. } => json!({"type": "text", "text": ""}),
            Reply::Call { name, .. } => {
                json!({"type": "tool_use", "id": self.call_id, "name": name, "input": self.first_input()})
            }
        };
        event(&json!({"type": "content_block_start", "index": 0, "content_block": block}))
    }

    /// The arguments come in pieces behind it.
    fn first_input(&self) -> Value {
        match &self.reply {
            Reply::Call { arguments, .. } if self.quirk == Quirk::Objects => arguments.clone().into(),
            _ => json!({}),
        }
    }

    fn deltas(&self) -> Vec<Value> {
        match &self.reply {
            Reply::Words { tokens, .. } => {
                tokens.iter().map(|token| json!({"type": "text_delta", "text": token})).collect()
            }
            Reply::Call { .. } if self.quirk == Quirk::Objects => Vec::new(),
            Reply::Call { arguments, .. } => {
                let text = Value::from(arguments.clone()).to_string();
                vec![json!({"type": "input_json_delta", "partial_json": text})]
            }
        }
    }

    fn whole(&self) -> Value {
        let block = match &self.reply {
            Reply::Words { tokens, .. } => json!({"type": "text", "text": tokens.concat()}),
            Reply::Call { name, arguments } => {
                json!({"type": "tool_use", "id": self.call_id, "name": name, "input": arguments})
            }
        };
        self.head(json!([block]), self.stop_reason().into(), self.reply.count())
    }

    fn head(&self, content: Value, stop_reason: Value, output_tokens: usize) -> Value {
        json!({
            "id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": content,
            "stop_reason": stop_reason, "stop_sequence": null,
            "usage": {
                "input_tokens": self.prompt_tokens, "output_tokens": output_tokens,
                "cache_read_input_tokens": self.cached.read, "cache_creation_input_tokens": self.cached.written,
            },
        })
    }
}

/// The last event of a stream.
fn stop() -> String {
    event(&json!({"type": "message_stop"}))
}

fn event(data: &Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default())
}

/// An event that is no JSON, and no end of the stream.
const GARBAGE_EVENTS: &[u8] = b"event: message_start\ndata: {\"type\": \"mess\n\ndata: <!doctype html>\n\n";

/// A body that is no JSON.
const GARBAGE: &[u8] = b"<!doctype html><title>upstream</title>";
