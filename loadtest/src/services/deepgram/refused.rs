use axum::Json;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::json;

/// What a handshake is refused with.
#[derive(Debug)]
pub struct Refused {
    status: StatusCode,
    code: &'static str,
    pub(super) message: String,
}

/// Carries the id of the request in every answer.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("dg-request-id");

/// Carries why a handshake was refused, for clients that cannot read its body.
const ERROR: HeaderName = HeaderName::from_static("dg-error");

impl Refused {
    /// A mistake.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "INVALID_QUERY_PARAMETER", message: message.into() }
    }

    /// The key is another.
    pub fn unauthorized() -> Self {
        let message = "Invalid credentials.".into();
        Self { status: StatusCode::UNAUTHORIZED, code: "INVALID_AUTH", message }
    }

    /// An injected failure.
    pub fn injected(status: StatusCode) -> Self {
        let message = format!("The mock was told to fail with {}.", status.as_u16());
        Self { status, code: "INTERNAL_SERVER_ERROR", message }
    }

    /// As it goes out.
    pub fn respond(&self, request_id: &str) -> Response<Body> {
        let body = json!({"err_code": self.code, "err_msg": self.message, "request_id": request_id});
        let headers = [(REQUEST_ID, header(request_id)), (ERROR, header(&self.message))];
        (self.status, headers, Json(body)).into_response()
    }
}

/// What cannot stand in a header is left out.
pub(super) fn header(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("-"))
}
