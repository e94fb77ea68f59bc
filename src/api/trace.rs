use super::{ApiError, calls};
use crate::app::Server;
use crate::trace::{Picture, Trace};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

/// In what form the story is wanted.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Wish {
    format: Form,
    /// Of a picture, in pixels.
    width: u16,
    /// The last so many.
    turns: usize,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    #[default]
    Json,
    Text,
    Svg,
}

impl Default for Wish {
    fn default() -> Self {
        Self { format: Form::default(), width: 900, turns: usize::MAX }
    }
}

/// `GET /api/calls/{id}/trace`.
pub async fn show(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(wish) = wish.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let mut trace = server.hub.trace(calls::parse(&id)?).await.ok_or(ApiError::UnknownCall(id))?;
    trace.keep_last(wish.turns);
    Ok(wish.grant(&trace))
}

impl Wish {
    fn grant(self, trace: &Trace) -> Response {
        let body = match self.format {
            Form::Json => return ([(CACHE_CONTROL, "no-store")], Json(trace)).into_response(),
            Form::Text => trace.to_string(),
            Form::Svg => Picture::new(trace, self.width).to_string(),
        };
        let kind = match self.format {
            Form::Svg => "image/svg+xml",
            Form::Json | Form::Text => "text/plain; charset=utf-8",
        };
        let headers = [
            (CONTENT_TYPE, kind),
            (CACHE_CONTROL, "no-store"),
            (CONTENT_SECURITY_POLICY, "default-src 'none'"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (headers, body).into_response()
    }
}
