use super::ApiError;
use crate::admission::Refused;
use crate::app::{Arrival, Begun, LANGUAGE, NewCall, Server};
use crate::edge;
use crate::live::Whole;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use ringway_actors::{EdgeKind, LegState};
use ringway_frame::{CallId, Format};
use ringway_turn::EndReason;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::oneshot;

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
    let call = parse(&id)?;
    match server.hub.handle(call).await {
        Some(handle) => handle.hang_up(EndReason::Operator).map_err(|_| ApiError::CallEnded(call))?,
        None if server.hub.whole(call).await.is_some() => return Err(ApiError::CallEnded(call)),
        None => return Err(ApiError::UnknownCall(id)),
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A call that is to wait for its caller.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "a call that is to be created")]
pub struct Wanted {
    edge: EdgeName,
    dialogue: Option<String>,
    /// The code of the language that it begins in.
    language: Option<String>,
    /// The number of the person who is to come.
    caller: Option<String>,
    /// Our own number.
    called: Option<String>,
    /// For prompts, by name.
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum EdgeName {
    Browser,
    Twilio,
}

impl EdgeName {
    pub(super) fn kind(self) -> (EdgeKind, Format) {
        match self {
            Self::Browser => (EdgeKind::Browser, edge::browser::FORMAT),
            Self::Twilio => (EdgeKind::Twilio, Format::Mulaw8k),
        }
    }

    /// Where its peers come for a call in progress.
    pub(super) fn door(self) -> &'static str {
        match self {
            Self::Browser => edge::browser::RESUME,
            Self::Twilio => edge::twilio::RESUME,
        }
    }
}

impl From<EdgeKind> for EdgeName {
    fn from(kind: EdgeKind) -> Self {
        match kind {
            EdgeKind::Browser => Self::Browser,
            EdgeKind::Twilio => Self::Twilio,
        }
    }
}

/// `POST /api/calls`: creates a call that waits for its caller, who joins it by its token.
pub async fn create(
    State(server): State<Arc<Server>>,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<impl IntoResponse, ApiError> {
    let Json(wanted) = wanted.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    if let Some(error) = server.unknown_dialogue(wanted.dialogue.as_deref()) {
        return Err(ApiError::BadRequest(error.message.into_owned()));
    }
    if let Some(language) = wanted.language.as_deref().filter(|language| !server.speaks(language)) {
        return Err(ApiError::BadRequest(format!("language: {language:?} is not configured")));
    }
    let (edge, format) = wanted.edge.kind();
    let Wanted { dialogue, language, caller, called, mut parameters, .. } = wanted;
    parameters.extend(language.map(|language| (LANGUAGE.to_owned(), language)));
    let arrival = Arrival { dialogue, caller, called, parameters, ..Arrival::default() };
    let (handle, core, place) = server.admission.reserve_awaited()?;
    let new = NewCall { edge, format, arrival, place, core, awaited: true };
    let (answer, begun) = oneshot::channel();
    let of_server = server.clone();
    let begin = move |core| async move {
        let _ = answer.send(of_server.start_call(&core, new));
    };
    handle.spawn(begin).await;
    let Begun { call, token } = begun.await.map_err(|_| ApiError::Refused(Refused::Draining))?;
    let id = call.id.to_string();
    let body = json!({
        "id": id,
        "edge": edge.name(),
        "state": LegState::Dialling.name(),
        "token": token.as_str(),
        "joinWithinMs": server.join_within().as_millis() as u64,
    });
    Ok((StatusCode::CREATED, [(LOCATION, format!("/api/calls/{id}"))], Json(body)))
}

/// What is no id names no call.
pub(super) fn parse(id: &str) -> Result<CallId, ApiError> {
    id.parse().map_err(|_| ApiError::UnknownCall(id.to_owned()))
}
