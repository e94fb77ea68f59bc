//! `POST /v1/chat/completions`, streamed or not.

use super::{ApiError, authorize};
use crate::services::config::Llm;
use crate::services::fate::Fate;
use crate::services::mocks::Mocks;
use crate::services::paced::{Answer, Piece};
use crate::services::quirk::Quirk;
use crate::services::quirk_effects::parts;
use crate::services::reply::Reply;
use crate::services::stats::{Service, Ticket};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderValue, Response};
use axum::response::IntoResponse;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What is read of a request; the rest of it is as it may be.
#[derive(Debug, PartialEq)]
struct ChatRequest {
    model: String,
    prompt_tokens: usize,
    stream: bool,
    include_usage: bool,
    most_tokens: Option<u64>,
    /// Calls in its messages have come back without what belongs to them.
    unsigned: bool,
}

/// A reply on its way.
#[derive(Debug)]
struct Completion {
    id: String,
    created: i64,
    model: String,
    include_usage: bool,
    reply: Reply,
    call_id: String,
    prompt_tokens: usize,
    quirk: Quirk,
}

/// An event that is no JSON, and no end of the stream.
const GARBAGE_EVENTS: &[u8] = b"data: {\"id\": \"chatcmpl-\n\ndata: <!doctype html>\n\n";

/// A body that is no JSON.
const GARBAGE: &[u8] = b"<!doctype html><title>upstream</title>";

/// Handles a request that has arrived whole.
pub async fn complete(State(mocks): State<Arc<Mocks>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let complete = Instant::now();
    let mut ticket = mocks.arrived(Service::Llm);
    let request = match authorize(&mocks, &headers).and_then(|()| ChatRequest::parse(&body)) {
        Ok(request) => request,
        Err(error) => {
            ticket.rejected();
            return error.into_response();
        }
    };
    let fate = mocks.fate(&ticket);
    answer(&mocks.config.llm, request, fate, ticket, complete).await
}

async fn answer(
    llm: &Llm,
    request: ChatRequest,
    mut fate: Fate,
    mut ticket: Ticket,
    complete: Instant,
) -> Response<Body> {
    let streamed = request.stream;
    let unsigned = request.unsigned;
    let completion = Completion::new(llm, request, &mut fate, ticket.number());
    if completion.quirk == Quirk::Signs && unsigned {
        ticket.rejected();
        let message = "Function call is missing a thought_signature in functionCall parts";
        return ApiError::invalid(message, Some("messages"), None).into_response();
    }
    let pauses: Vec<_> = (1..completion.reply.count()).map(|_| llm.token_ms.draw(&mut fate.rng)).collect();
    if !streamed {
        // What is not streamed is sent when its last token is there.
        fate.delay += pauses.iter().map(|pause| fate.stretched(*pause)).sum::<Duration>();
    }
    match fate.first_byte(complete).await {
        Ok(()) if streamed => {
            let mut answer = completion.streamed(&pauses);
            fate.breaks_off = completion.quirk.stream(&mut answer, DONE, ": ping\n\n");
            let mut response = fate.respond(ticket, answer);
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            response
        }
        Ok(()) => {
            fate.respond(ticket, Answer::whole("application/json", completion.whole().to_string(), GARBAGE))
        }
        Err(failure) => {
            ticket.answered();
            failure.respond(|status| ApiError::injected(status).into_response())
        }
    }
}

impl ChatRequest {
    fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let body: Value = serde_json::from_slice(body).map_err(|error| {
            ApiError::invalid(format!("The body of the request is no JSON: {error}"), None, None)
        })?;
        let model = body["model"].as_str().filter(|model| !model.is_empty());
        let messages = body["messages"].as_array().ok_or_else(|| ApiError::missing("messages"))?;
        if messages.is_empty() {
            let message = "Invalid 'messages': empty array. Expected an array with minimum length 1.";
            return Err(ApiError::invalid(message, Some("messages"), Some("empty_array")));
        }
        if body["n"].as_u64().is_some_and(|n| n != 1) {
            return Err(ApiError::invalid("This mock gives one choice.", Some("n"), None));
        }
        let most = |key: &str| body[key].as_u64();
        Ok(Self {
            model: model.ok_or_else(|| ApiError::missing("model"))?.to_owned(),
            prompt_tokens: messages.iter().map(tokens_of).collect::<Result<Vec<_>, _>>()?.iter().sum(),
            stream: body["stream"] == true,
            include_usage: body["stream_options"]["include_usage"] == true,
            unsigned: messages.iter().any(is_unsigned),
            most_tokens: most("max_completion_tokens").or_else(|| most("max_tokens")),
        })
    }
}

/// A message with calls that lacks what [`Quirk::Signs`] gave with them.
fn is_unsigned(message: &Value) -> bool {
    let calls = message["tool_calls"].as_array();
    calls.is_some_and(|calls| {
        message["reasoning_content"] != THOUGHT
            || calls.iter().any(|call| call["extra_content"]["mock"]["thought_signature"] != SIGNATURE)
    })
}

/// Words of a message, as a measure of its tokens.
fn tokens_of(message: &Value) -> Result<usize, ApiError> {
    const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];
    let role = message["role"].as_str();
    if !role.is_some_and(|role| ROLES.contains(&role)) {
        let message = format!("Invalid value: {}. Supported values are: {ROLES:?}.", message["role"]);
        return Err(ApiError::invalid(message, Some("messages"), Some("invalid_value")));
    }
    let words = |text: &Value| text.as_str().map_or(0, |text| text.split_whitespace().count());
    Ok(match &message["content"] {
        Value::Array(parts) => parts.iter().map(|part| words(&part["text"])).sum(),
        text => words(text),
    })
}

impl Completion {
    fn new(llm: &Llm, request: ChatRequest, fate: &mut Fate, number: u64) -> Self {
        Self {
            id: format!("chatcmpl-{:016x}", fate.rng.u64(..)),
            created: Timestamp::now().as_second(),
            model: request.model,
            include_usage: request.include_usage,
            reply: Quirk::of(&llm.quirks, number).reply(Reply::of(llm, number, request.most_tokens)),
            call_id: format!("call_{:016x}", fate.rng.u64(..)),
            prompt_tokens: request.prompt_tokens,
            quirk: Quirk::of(&llm.quirks, number),
        }
    }

    fn finish_reason(&self) -> &'static str {
        match self.reply {
            Reply::Words { cut: true, .. } => "length",
            Reply::Words { .. } => "stop",
            Reply::Call { .. } => "tool_calls",
        }
    }

    /// The deltas of the tokens, or of the one call: its name comes before its arguments.
    fn deltas(&self) -> Vec<Value> {
        match &self.reply {
            Reply::Words { .. } if self.quirk == Quirk::Refuses => {
                vec![json!({"content": null, "refusal": "I cannot help with that."})]
            }
            Reply::Words { tokens, .. } => tokens.iter().map(|token| self.words(token)).collect(),
            Reply::Call { name, arguments } if self.quirk != Quirk::None => self.odd_call(name, arguments),
            Reply::Call { name, arguments } => {
                let named = json!({"index": 0, "id": self.call_id, "type": "function", "function": {"name": name, "arguments": ""}});
                let arguments = json!({"index": 0, "function": {"arguments": Value::from(arguments.clone()).to_string()}});
                vec![json!({"content": null, "tool_calls": [named]}), json!({"tool_calls": [arguments]})]
            }
        }
    }

    fn words(&self, token: &str) -> Value {
        match self.quirk {
            Quirk::Parts => json!({"content": parts(token)}),
            Quirk::Nulls => json!({"content": token, "tool_calls": null, "refusal": null, "audio": null}),
            _ => json!({"content": token}),
        }
    }

    /// The one call as gateways have it.
    fn odd_call(&self, name: &str, arguments: &Map<String, Value>) -> Vec<Value> {
        let text = Value::from(arguments.clone()).to_string();
        let (front, back) = text.split_at(text.floor_char_boundary(text.len() / 2));
        let delta = |call: Value| json!({"tool_calls": [call]});
        let call = |id: &str, arguments: Value| json!({"index": 0, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
        let whole = || call(&self.call_id, text.clone().into());
        match self.quirk {
            Quirk::Repeats => {
                vec![delta(call("a", front.into())), delta(call("b", back.into())), delta(whole())]
            }
            Quirk::Nulls => {
                let mut nothing = call(&self.call_id, Value::Null);
                nothing["index"] = Value::Null;
                let more = json!({"id": null, "function": {"name": null, "arguments": text}});
                vec![
                    json!({"content": null, "tool_calls": [nothing]}),
                    delta(more),
                    json!({"tool_calls": null}),
                ]
            }
            Quirk::Objects => vec![delta(call(&self.call_id, arguments.clone().into()))],
            Quirk::Signs => {
                let mut signed = whole();
                signed["extra_content"] = json!({"mock": {"thought_signature": SIGNATURE}});
                vec![json!({"content": null, "reasoning_content": THOUGHT}), delta(signed)]
            }
            _ => vec![delta(whole())],
        }
    }

    /// Server-sent events: the role with the first token, then a token each, the end with the last.
    fn streamed(&self, pauses: &[Duration]) -> Answer {
        let role = event(&self.chunk(&json!({"role": "assistant", "content": "", "refusal": null}), None));
        let mut pieces = vec![Piece { after: Duration::ZERO, bytes: role.into() }];
        let pauses = std::iter::once(&Duration::ZERO).chain(pauses);
        let pauses = pauses.chain(std::iter::repeat(&Duration::ZERO));
        pieces.extend(self.deltas().into_iter().zip(pauses).map(|(delta, after)| {
            let bytes = event(&self.chunk(&delta, None)).into();
            Piece { after: *after, bytes }
        }));
        pieces.push(Piece { after: Duration::ZERO, bytes: self.last_events().into() });
        let garbage = Bytes::from_static(GARBAGE_EVENTS);
        Answer { content_type: "text/event-stream; charset=utf-8", pieces, announced: false, garbage }
    }

    fn last_events(&self) -> String {
        if self.quirk == Quirk::Unended {
            return String::new();
        }
        let delta = if self.quirk == Quirk::Nulls { Value::Null } else { json!({}) };
        let mut events = event(&self.chunk(&delta, Some(self.finish_reason())));
        if self.include_usage {
            let mut chunk = self.head("chat.completion.chunk");
            chunk.insert("choices".into(), json!([]));
            chunk.insert("usage".into(), self.usage());
            events += &event(&chunk.into());
        }
        events + DONE
    }

    fn chunk(&self, delta: &Value, finish_reason: Option<&str>) -> Value {
        let mut chunk = self.head("chat.completion.chunk");
        let unfinished = if self.quirk == Quirk::Nulls { Value::from("") } else { Value::Null };
        let finish_reason = finish_reason.map_or(unfinished, Value::from);
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason});
        chunk.insert("choices".into(), json!([choice]));
        if self.include_usage {
            chunk.insert("usage".into(), Value::Null);
        }
        chunk.into()
    }

    fn whole(&self) -> Value {
        let mut whole = self.head("chat.completion");
        let mut message = json!({"role": "assistant", "content": null, "refusal": null, "annotations": []});
        match &self.reply {
            Reply::Words { tokens, .. } => message["content"] = tokens.concat().into(),
            Reply::Call { name, arguments } => {
                let function = json!({"name": name, "arguments": Value::from(arguments.clone()).to_string()});
                message["tool_calls"] =
                    json!([{"id": self.call_id, "type": "function", "function": function}]);
            }
        }
        let choice =
            json!({"index": 0, "message": message, "logprobs": null, "finish_reason": self.finish_reason()});
        whole.insert("choices".into(), json!([choice]));
        whole.insert("usage".into(), self.usage());
        whole.into()
    }

    fn head(&self, object: &str) -> Map<String, Value> {
        let head = json!({
            "id": self.id, "object": object, "created": self.created, "model": self.model,
            "service_tier": "default", "system_fingerprint": "fp_mock",
        });
        match head {
            Value::Object(head) => head,
            _ => unreachable!("a literal object is one"),
        }
    }

    fn usage(&self) -> Value {
        let completion = self.reply.count();
        let prompt = Value::from(self.prompt_tokens);
        let float = Value::from(self.prompt_tokens as f64);
        json!({
            "prompt_tokens": if self.quirk == Quirk::Nulls { float } else { prompt },
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0, "audio_tokens": 0,
                "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
            },
        })
    }
}

/// What stands at the end of a stream.
const DONE: &str = "data: [DONE]\n\n";

/// What has to come back with the result of a call.
const SIGNATURE: &str = "mock-signature";
const THOUGHT: &str = "I look it up.";

fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}
