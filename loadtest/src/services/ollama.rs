//! Ollama's own API, after its published [description](https://github.com/ollama/ollama/blob/main/docs/api.md):
//! `POST /api/chat`, line by line or whole, and `GET /api/tags`. A model whose name begins with `missing` is not there.

use super::config::Llm;
use super::mocks::Mocks;
use super::paced::{Answer, Failure, Piece, unanswered};
use super::quirk::Quirk;
use super::quirk_effects::parts;
use super::reply::Reply;
use super::stats::Service;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What a request is refused with.
#[derive(Clone, Debug, PartialEq)]
struct ApiError(StatusCode, String);

/// What is read of a request; the rest of it is as it may be.
#[derive(Debug)]
struct Request {
    model: String,
    stream: bool,
    most_tokens: Option<u64>,
    prompt_tokens: usize,
    /// The model is to be loaded, and to say nothing.
    loads: bool,
}

/// A message on its way.
#[derive(Debug)]
struct Message {
    request: Request,
    reply: Reply,
    quirk: Quirk,
}

/// Handles a request that has arrived whole.
pub async fn chat(State(mocks): State<Arc<Mocks>>, body: Bytes) -> Response<Body> {
    let complete = Instant::now();
    let mut ticket = mocks.arrived(Service::Llm);
    let request = match Request::parse(&body) {
        Ok(request) if request.loads => {
            ticket.answered();
            return Json(loaded(&request)).into_response();
        }
        Ok(request) => request,
        Err(error) => {
            ticket.rejected();
            return error.into_response();
        }
    };
    let mut fate = mocks.fate(&ticket);
    let (llm, streamed) = (&mocks.config.llm, request.stream);
    let message = Message::new(llm, request, ticket.number());
    let pauses: Vec<_> = (1..message.reply.count()).map(|_| llm.token_ms.draw(&mut fate.rng)).collect();
    if !streamed {
        fate.delay += pauses.iter().map(|pause| fate.stretched(*pause)).sum::<Duration>();
    }
    match fate.first_byte(complete).await {
        Ok(()) if streamed => {
            let mut answer = message.streamed(&pauses);
            fate.breaks_off = message.quirk.stream(&mut answer, "", "\n");
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
                Failure::Status(status) => {
                    ApiError(status, format!("the mock was told to fail with {}", status.as_u16()))
                        .into_response()
                }
            }
        }
    }
}

/// `GET /api/tags`.
pub async fn tags() -> Json<Value> {
    let details =
        json!({"format": "gguf", "family": "mock", "parameter_size": "1", "quantization_level": "F32"});
    let model = json!({"name": "mock-chat:latest", "model": "mock-chat:latest", "modified_at": MODIFIED, "size": 1, "digest": "0", "details": details});
    Json(json!({"models": [model]}))
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response<Body> {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

impl Request {
    fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let invalid = |message: String| ApiError(StatusCode::BAD_REQUEST, message);
        let body: Value = serde_json::from_slice(body).map_err(|error| invalid(error.to_string()))?;
        let model = body["model"].as_str().filter(|model| !model.is_empty());
        let model = model.ok_or_else(|| invalid("model is required".into()))?;
        if model.starts_with("missing") {
            return Err(ApiError(StatusCode::NOT_FOUND, format!("model '{model}' not found")));
        }
        let none = Vec::new();
        let messages = body["messages"].as_array().unwrap_or(&none);
        check(messages).map_err(invalid)?;
        Ok(Self {
            model: model.to_owned(),
            stream: body["stream"] != false,
            most_tokens: body["options"]["num_predict"].as_u64(),
            prompt_tokens: body["messages"].to_string().split_whitespace().count(),
            loads: messages.is_empty(),
        })
    }
}

/// As its types have them: a text is one, and the arguments of a call are an object.
fn check(messages: &[Value]) -> Result<(), String> {
    for message in messages {
        if !matches!(message["role"].as_str(), Some("system" | "user" | "assistant" | "tool")) {
            return Err(format!(
                "invalid role: {}, must be one of [\"user\", \"assistant\", \"system\", \"tool\"]",
                message["role"]
            ));
        }
        let wrong = message["tool_calls"].as_array().into_iter().flatten();
        if let Some(call) = wrong.into_iter().find(|call| !call["function"]["arguments"].is_object()) {
            return Err(format!(
                "json: cannot unmarshal {call} into Go struct field .messages.tool_calls.function.arguments"
            ));
        }
    }
    Ok(())
}

impl Message {
    fn new(llm: &Llm, request: Request, number: u64) -> Self {
        let quirk = Quirk::of(&llm.quirks, number);
        let reply = quirk.reply(Reply::of(llm, number, request.most_tokens));
        Self { request, reply, quirk }
    }

    /// A line a token, and one with the counts.
    fn streamed(&self, pauses: &[Duration]) -> Answer {
        let pauses = std::iter::once(&Duration::ZERO).chain(pauses);
        let line = |message: Value| format!("{}\n", Value::from(self.line(message, false)));
        let mut pieces: Vec<Piece> = self
            .messages()
            .into_iter()
            .zip(pauses)
            .map(|(message, after)| Piece { after: *after, bytes: line(message).into() })
            .collect();
        let mut last = format!("{}\n", self.counted(json!({"role": "assistant", "content": ""})));
        if self.quirk == Quirk::Unended {
            last.clear();
        }
        pieces.push(Piece { after: Duration::ZERO, bytes: last.into() });
        let garbage = Bytes::from_static(GARBAGE);
        Answer { content_type: "application/x-ndjson", pieces, announced: false, garbage }
    }

    fn messages(&self) -> Vec<Value> {
        match &self.reply {
            Reply::Words { tokens, .. } => tokens
                .iter()
                .map(|token| json!({"role": "assistant", "content": self.words(token)}))
                .collect(),
            Reply::Call { name, arguments } => {
                let mut function = json!({"index": 0, "name": name, "arguments": arguments});
                if self.quirk == Quirk::Objects {
                    function["arguments"] = Value::from(arguments.clone()).to_string().into();
                }
                vec![
                    json!({"role": "assistant", "content": "", "tool_calls": [{"id": "call_mock", "function": function}]}),
                ]
            }
        }
    }

    fn words(&self, token: &str) -> Value {
        if self.quirk == Quirk::Parts { parts(token) } else { token.into() }
    }

    fn whole(&self) -> Value {
        let message = match &self.reply {
            Reply::Words { tokens, .. } => json!({"role": "assistant", "content": tokens.concat()}),
            Reply::Call { .. } => self.messages().remove(0),
        };
        self.counted(message)
    }

    fn counted(&self, message: Value) -> Value {
        let reason = if matches!(self.reply, Reply::Words { cut: true, .. }) { "length" } else { "stop" };
        let mut line = self.line(message, true);
        line.insert("done_reason".into(), reason.into());
        let counts = [
            ("total_duration", 1_000_000),
            ("load_duration", 1_000),
            ("prompt_eval_count", self.request.prompt_tokens),
            ("prompt_eval_duration", 1_000),
            ("eval_count", self.reply.count()),
            ("eval_duration", 1_000),
        ];
        line.extend(counts.map(|(name, count)| (name.to_owned(), count.into())));
        line.into()
    }

    fn line(&self, message: Value, done: bool) -> Map<String, Value> {
        let mut line = line(&self.request.model, message, done);
        if self.quirk == Quirk::Nulls {
            line.extend(
                [("done_reason", "".into()), ("prompt_eval_count", Value::Null), ("error", Value::Null)]
                    .map(|(name, value)| (name.to_owned(), value)),
            );
        }
        line
    }
}

fn line(model: &str, message: Value, done: bool) -> Map<String, Value> {
    let created = Timestamp::now().to_string();
    let fields = [
        ("model", model.into()),
        ("created_at", created.into()),
        ("message", message),
        ("done", done.into()),
    ];
    fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

fn loaded(request: &Request) -> Value {
    let mut line = line(&request.model, json!({"role": "assistant", "content": ""}), true);
    line.insert("done_reason".into(), "load".into());
    line.into()
}

/// A day long ago: the listed model is no news.
const MODIFIED: &str = "2024-01-01T00:00:00Z";

/// A body that is no JSON.
const GARBAGE: &[u8] = b"<!doctype html><title>upstream</title>\n";
