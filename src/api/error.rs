use crate::access::Denied;
use crate::admission::Refused;
use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CONNECTION;
use axum::response::{IntoResponse, Response};
use ringway_actors::WrongState;
use ringway_frame::CallId;
use serde_json::json;

/// An error as clients of the API see it: `{code, message, sessionId, recoverable}`.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No such call, now or lately.
    #[error("no call has the id {0:?}")]
    UnknownCall(String),
    /// The call is over.
    #[error("the call {0} has ended: it can be read, but not hung up")]
    CallEnded(CallId),
    /// It has as many as it may have, or has just ended.
    #[error("the call takes no more legs")]
    NoMoreLegs,
    /// The call has no such leg.
    #[error("the call has no leg {0}")]
    UnknownLeg(u32),
    /// The leg is in a state in which it cannot be changed so.
    #[error(transparent)]
    WrongState(#[from] WrongState),
    /// Nothing is served there.
    #[error("nothing is served at this path")]
    NotFound,
    /// Something is served there, but not by this method.
    #[error("this path does not take this method: the header Allow names those that it takes")]
    Method,
    /// Whoever asks may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The body is not what is wanted.
    #[error("{0}")]
    BadRequest(String),
    /// The body is longer than any that is wanted.
    #[error("a body has at most {longest} bytes here")]
    LongBody {
        /// How long it may be.
        longest: usize,
    },
    /// The body did not come in time.
    #[error("the request's body did not come in time")]
    SlowBody,
    /// The carrier's signature is missing or wrong.
    #[error("the X-Twilio-Signature is missing or does not match this request")]
    Signature,
    /// The caller cannot be let in.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The engines are being built.
    #[error("the server is starting")]
    Starting,
    /// Not a WebSocket handshake.
    #[error("this is a WebSocket: {0}")]
    Handshake(&'static str),
}

impl ApiError {
    /// The status of HTTP.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::UnknownCall(_) | Self::CallEnded(_) | Self::UnknownLeg(_) | Self::NotFound => {
                StatusCode::NOT_FOUND
            }
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoMoreLegs | Self::WrongState(_) => StatusCode::CONFLICT,
            Self::Denied(Denied::Token) => StatusCode::UNAUTHORIZED,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::LongBody { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::Denied(_) | Self::Signature => StatusCode::FORBIDDEN,
            Self::Refused(Refused::Address(_)) => StatusCode::TOO_MANY_REQUESTS,
            Self::Refused(_) | Self::Starting => StatusCode::SERVICE_UNAVAILABLE,
            Self::Handshake(_) => StatusCode::UPGRADE_REQUIRED,
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownCall(_) => "unknown_call",
            Self::CallEnded(_) => "call_ended",
            Self::UnknownLeg(_) => "unknown_leg",
            Self::NoMoreLegs => "no_more_legs",
            Self::WrongState(_) => "wrong_state",
            Self::NotFound => "not_found",
            Self::Method => "method_not_allowed",
            Self::Denied(Denied::Token) => "unauthorized",
            Self::Denied(denied) => denied.reason(),
            Self::BadRequest(_) => "bad_request",
            Self::LongBody { .. } => "body_too_long",
            Self::SlowBody => "body_too_slow",
            Self::Signature => "signature",
            Self::Refused(refused) => refused.reason(),
            Self::Starting => "starting",
            Self::Handshake(_) => "websocket_expected",
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let recoverable = matches!(self, Self::Refused(_) | Self::Starting);
        let body = json!({
            "code": self.code(),
            "message": self.to_string(),
            "sessionId": null,
            "recoverable": recoverable,
        });
        let mut response = (self.status(), Json(body)).into_response();
        if recoverable {
            response.headers_mut().insert("retry-after", axum::http::HeaderValue::from_static("1"));
        }
        response
    }
}

/// Whatever has no route.
pub async fn not_found() -> ApiError {
    ApiError::NotFound
}

/// A path that is asked in a way that it does not know.
pub async fn method_not_allowed() -> ApiError {
    ApiError::Method
}

/// Whatever is asked of a server that is starting. The connection is closed, since it never leads any further.
pub async fn starting() -> impl IntoResponse {
    ([(CONNECTION, "close")], ApiError::Starting)
}
