use super::{ApiError, calls};
use crate::app::Server;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /api/calls/{id}/events`: the call's lifecycle.
pub async fn show(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let events = server.hub.lifecycle(calls::parse(&id)?).await.ok_or(ApiError::UnknownCall(id))?;
    Ok(Json(json!({ "events": events })))
}
