use super::ApiError;
use crate::app::Server;
use crate::live::Whole;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use ringway_frame::CallId;
use ringway_turn::EndReason;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /api/calls`: the calls in progress.
pub async fn list(State(server): State<Arc<Server>>) -> Json<Value> {
    Json(json!({ "calls": server.hub.in_progress().await }))
}

/// `GET /api/calls/{id}`.
pub async fn show(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
) -> Result<Json<Whole>, ApiError> {
    let call = server.hub.whole(parse(&id)?).await;
    call.map(Json).ok_or(ApiError::UnknownCall(id))
}

/// `DELETE /api/calls/{id}`: hangs up.
pub async fn hang_up(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let call = server.hub.handle(parse(&id)?).await.ok_or_else(|| ApiError::UnknownCall(id.clone()))?;
    call.hang_up(EndReason::Operator).map_err(|_| ApiError::UnknownCall(id))?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is no id names no call.
pub(super) fn parse(id: &str) -> Result<CallId, ApiError> {
    id.parse().map_err(|_| ApiError::UnknownCall(id.to_owned()))
}
