use crate::api::ApiError;
use crate::engines::VoiceError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ringway_stages::tts::TtsError;
use serde_json::json;
use std::io;
use std::sync::Arc;

/// An error as clients of the voice service see it: that of the API, and `success` beside it.
#[derive(Debug, thiserror::Error)]
pub enum TtsApiError {
    /// The body is not what is wanted.
    #[error("{0}")]
    BadRequest(String),
    /// There is nothing to say.
    #[error("text: there is nothing to say")]
    EmptyText,
    /// There is too much to say.
    #[error("text: {characters} characters, of which {most} are permitted")]
    LongText {
        /// What came.
        characters: usize,
        /// What is permitted.
        most: usize,
    },
    /// No voice could ever speak so.
    #[error("speed: {0} is no speed")]
    Speed(f64),
    /// Nothing can speak so.
    #[error(transparent)]
    Voice(#[from] VoiceError),
    /// As many requests as are permitted are being answered.
    #[error("as many requests as are permitted are being answered")]
    Busy,
    /// No voice of the chain has spoken.
    #[error("no voice spoke: {0}")]
    Silent(TtsError),
    /// It took too long.
    #[error("no voice had spoken within {0:?}")]
    Late(std::time::Duration),
    /// The speech is longer than any that is kept.
    #[error("the speech is longer than any file may be")]
    LongSpeech,
    /// The file cannot be written.
    #[error("the speech cannot be kept: {0}")]
    Storage(io::Error),
    /// What was begun for another client has failed.
    #[error(transparent)]
    Shared(Arc<Self>),
    /// Who may not ask, or nothing is there.
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl TtsApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) | Self::EmptyText | Self::Speed(_) => StatusCode::BAD_REQUEST,
            Self::Voice(VoiceError::Unknown { .. } | VoiceError::Speed { .. }) => StatusCode::BAD_REQUEST,
            Self::LongText { .. } | Self::LongSpeech => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy | Self::Silent(TtsError::Overloaded { .. }) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Silent(_) => StatusCode::BAD_GATEWAY,
            Self::Late(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Voice(VoiceError::Engine(_)) | Self::Storage(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Shared(error) => error.status(),
            Self::Api(error) => error.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "bad_request",
            Self::EmptyText => "empty_text",
            Self::LongText { .. } | Self::LongSpeech => "text_too_long",
            Self::Speed(_) | Self::Voice(VoiceError::Speed { .. }) => "bad_speed",
            Self::Voice(VoiceError::Unknown { .. }) => "unknown_voice",
            Self::Voice(VoiceError::Engine(_)) => "voice_unavailable",
            Self::Busy | Self::Silent(TtsError::Overloaded { .. }) => "busy",
            Self::Silent(_) => "synthesis_failed",
            Self::Late(_) => "synthesis_late",
            Self::Storage(_) => "storage",
            Self::Shared(error) => error.code(),
            Self::Api(error) => error.code(),
        }
    }
}

impl IntoResponse for TtsApiError {
    fn into_response(self) -> Response {
        let (status, code) = (self.status(), self.code());
        let recoverable = matches!(status.as_u16(), 502..=504);
        let body = json!({
            "success": false,
            "code": code,
            "message": self.to_string(),
            "sessionId": null,
            "recoverable": recoverable,
        });
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert("retry-after", HeaderValue::from_static("1"));
        }
        response
    }
}
