//! Services in the shape of OpenAI's HTTP API, after its published description (`openapi.yaml`).

pub mod chat;
pub mod live;
pub mod speech;
pub mod transcription;

use super::mocks::Mocks;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use std::sync::Arc;

/// What a request is refused with: the error object that every route of the API answers with.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// The status.
    pub status: StatusCode,
    /// For people.
    pub message: String,
    /// The part of the request that is wrong.
    pub param: Option<&'static str>,
    /// For programs.
    pub code: Option<&'static str>,
}

/// The model names that are listed; requests may name any.
const MODELS: [&str; 2] = ["mock-chat", "mock-transcribe"];

/// A day long ago: the listed models are no news.
const MODELS_CREATED: u64 = 1_700_000_000;

/// A client that is told to come again may do so after a second.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("1");

impl ApiError {
    /// A mistake in a part of the request.
    pub fn invalid(
        message: impl Into<String>,
        param: Option<&'static str>,
        code: Option<&'static str>,
    ) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into(), param, code }
    }

    /// Something that is not there.
    pub fn missing(param: &'static str) -> Self {
        let message = format!("Missing required parameter: '{param}'.");
        Self::invalid(message, Some(param), Some("missing_required_parameter"))
    }

    /// An injected failure.
    pub fn injected(status: StatusCode) -> Self {
        let message = format!("The mock was told to fail with {}.", status.as_u16());
        let code = (status == StatusCode::TOO_MANY_REQUESTS).then_some("rate_limit_exceeded");
        Self { status, message, param: None, code }
    }

    fn kind(&self) -> &'static str {
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => "requests",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request_error",
        }
    }

    fn body(&self) -> Value {
        json!({"error": {
            "message": self.message, "type": self.kind(), "param": self.param, "code": self.code,
        }})
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response<Body> {
        let mut response = (self.status, Json(self.body())).into_response();
        if matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_S);
        }
        response
    }
}

/// Checks the key, where one is wanted: a bearer's, or a bare one in `api-key`, as Azure wants it.
///
/// # Errors
/// It is another, or there is none.
pub fn authorize(mocks: &Mocks, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(wanted) = &mocks.config.api_key else { return Ok(()) };
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let bearer = text(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
    let given = bearer.or_else(|| text("api-key"));
    if given == Some(wanted) {
        return Ok(());
    }
    let message = match given {
        Some(_) => "Incorrect API key provided.",
        None => "You didn't provide an API key: send 'Authorization: Bearer KEY'.",
    };
    let code = given.map(|_| "invalid_api_key");
    Err(ApiError { status: StatusCode::UNAUTHORIZED, message: message.into(), param: None, code })
}

/// `GET /v1/models`.
pub async fn models(State(mocks): State<Arc<Mocks>>, headers: HeaderMap) -> Result<Json<Value>, ApiError> {
    authorize(&mocks, &headers)?;
    Ok(Json(json!({"object": "list", "data": MODELS.map(model)})))
}

/// `GET /v1/models/{model}`.
pub async fn one_model(
    State(mocks): State<Arc<Mocks>>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    authorize(&mocks, &headers)?;
    let known = MODELS.iter().find(|model| **model == name);
    known.map(|name| Json(model(name))).ok_or_else(|| ApiError {
        status: StatusCode::NOT_FOUND,
        message: format!("The model '{name}' does not exist"),
        param: Some("model"),
        code: Some("model_not_found"),
    })
}

fn model(name: &str) -> Value {
    json!({"id": name, "object": "model", "created": MODELS_CREATED, "owned_by": "ringway"})
}
