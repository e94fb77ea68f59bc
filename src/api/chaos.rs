use super::{ApiError, calls};
use crate::access::Denied;
use crate::app::Server;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use ringway_actors::Fault;
use ringway_turn::StageKind;
use serde::Deserialize;
use std::sync::Arc;

/// A fault to be put into a stage.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    stage: StageKind,
    fault: FaultName,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FaultName {
    Error,
    Panic,
    Stall,
}

/// `POST /api/calls/{id}/chaos`; routed with `--chaos` only.
pub async fn inject(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    order: Result<Json<Order>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    // Without a token nobody may.
    server.secrets.admin_token.as_ref().ok_or(Denied::Token)?;
    let Json(order) = order.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let fault = match order.fault {
        FaultName::Error => Fault::Error,
        FaultName::Panic => Fault::Panic,
        FaultName::Stall => Fault::Stall,
    };
    let call =
        server.hub.handle(calls::parse(&id)?).await.ok_or_else(|| ApiError::UnknownCall(id.clone()))?;
    call.inject(order.stage, fault).map_err(|_| ApiError::UnknownCall(id))?;
    Ok(StatusCode::ACCEPTED)
}
