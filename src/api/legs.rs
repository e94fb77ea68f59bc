//! Legs beside the caller's, and whom the bot speaks to.

use super::{ApiError, calls};
use crate::app::Server;
use crate::sessions::{Session, Token};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use ringway_actors::{Audience, CallHandle, Core, LegDoor, LegSpec, LegState, WrongState};
use serde::Deserialize;
use serde_json::json;
use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A leg that is to join a call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a leg that is to join")]
pub struct Wanted {
    /// The call's own, if it is not named.
    edge: Option<calls::EdgeName>,
    /// How the language model is to call its peer.
    #[serde(default = "agent")]
    label: String,
    /// Whether the bot hears it.
    #[serde(default = "yes")]
    listened: bool,
}

/// What is to become of a leg.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "what is to become of a leg")]
pub struct Changed {
    held: bool,
}

/// Whom the bot is to speak to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addressed {
    audience: Whom,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Whom {
    Leg(u32),
    Named(Named),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Named {
    All,
    None,
}

/// Bytes of a label.
const LONGEST_LABEL: usize = 64;

fn agent() -> String {
    "Agent".to_owned()
}

fn yes() -> bool {
    true
}

/// `POST /api/calls/{id}/legs`: one more leg, which waits for whoever joins it by its token.
pub async fn join(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<impl IntoResponse, ApiError> {
    let Json(Wanted { edge, label, listened }) = read(wanted)?;
    let call = find(&server, &id).await?;
    let edge = edge.unwrap_or_else(|| call.edge.into());
    let (kind, format) = edge.kind();
    if label.is_empty() || label.len() > LONGEST_LABEL {
        return Err(ApiError::BadRequest(format!("label has 1 to {LONGEST_LABEL} bytes")));
    }
    let (opened, answer) = opening(&server, &call).ok_or_else(|| ApiError::UnknownCall(id.clone()))?;
    let spec = LegSpec { edge: kind, format, label: label.into(), listened, opened };
    call.join(spec).map_err(|_| ApiError::UnknownCall(id.clone()))?;
    let (leg, token) = answer.await.map_err(|_| ApiError::NoMoreLegs)?;
    let body = json!({
        "leg": leg,
        "edge": kind.name(),
        "path": edge.door(),
        "token": token.as_str(),
        "joinWithinMs": server.join_within().as_millis() as u64,
    });
    Ok((StatusCode::CREATED, [(LOCATION, format!("/api/calls/{id}/legs/{leg}"))], Json(body)))
}

type Opened = Box<dyn FnOnce(u32) -> Box<dyn Any + Send> + Send>;

/// Opens the leg's session as soon as its number is known, and tells both.
fn opening(server: &Server, call: &CallHandle) -> Option<(Opened, oneshot::Receiver<(u32, Token)>)> {
    let (_, Session { call, core, .. }) = server.sessions.of(call.id)?;
    let (told, answer) = oneshot::channel();
    let sessions = server.sessions.clone();
    let opened = move |leg| {
        let open = sessions.open(Session { call, core, leg });
        let _ = told.send((leg, open.token().clone()));
        Box::new(open) as Box<dyn Any + Send>
    };
    Some((Box::new(opened), answer))
}

/// `DELETE /api/calls/{id}/legs/{leg}`: it is hung up, and the call goes on.
pub async fn hang_up(
    State(server): State<Arc<Server>>,
    Path((id, leg)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let call = find(&server, &id).await?;
    let leg: u32 = leg.parse().map_err(|_| ApiError::NotFound)?;
    if leg == 0 {
        return Err(ApiError::BadRequest("leg 0 is the caller's: hang up the call".to_owned()));
    }
    known(&server, &call, leg)?;
    call.drop_leg(leg).map_err(|_| ApiError::UnknownCall(id))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PATCH /api/calls/{id}/legs/{leg}`: it is put on hold, or taken back.
pub async fn change(
    State(server): State<Arc<Server>>,
    Path((id, leg)): Path<(String, String)>,
    changed: Result<Json<Changed>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let Json(Changed { held }) = read(changed)?;
    let call = find(&server, &id).await?;
    let leg: u32 = leg.parse().map_err(|_| ApiError::NotFound)?;
    let session = server.sessions.of_leg(call.id, leg).ok_or(ApiError::UnknownLeg(leg))?;
    let to = if held { LegState::Held } else { LegState::Up };
    let (answer, became) = oneshot::channel();
    let core = server.admission.core(session.core);
    let become_state = move |core: Rc<Core>| async move {
        let _ = answer.send(core.door(session.call, leg).map(|door| becomes(&door, to)));
    };
    core.spawn(become_state).await;
    became.await.ok().flatten().ok_or(ApiError::UnknownLeg(leg))??;
    Ok(StatusCode::NO_CONTENT)
}

fn becomes(door: &LegDoor, to: LegState) -> Result<(), WrongState> {
    if door.state() == to { Ok(()) } else { door.become_state(to) }
}

/// `POST /api/calls/{id}/bot`: whom the bot speaks to.
pub async fn address(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    addressed: Result<Json<Addressed>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let Json(Addressed { audience }) = read(addressed)?;
    let audience = match audience {
        Whom::Leg(leg) => Audience::Only(leg),
        Whom::Named(Named::All) => Audience::All,
        Whom::Named(Named::None) => Audience::Nobody,
    };
    let call = find(&server, &id).await?;
    if let Audience::Only(leg) = audience {
        known(&server, &call, leg)?;
    }
    call.address(audience).map_err(|_| ApiError::UnknownCall(id))?;
    Ok(StatusCode::NO_CONTENT)
}

fn known(server: &Server, call: &CallHandle, leg: u32) -> Result<(), ApiError> {
    if server.sessions.has(call.id, leg) { Ok(()) } else { Err(ApiError::UnknownLeg(leg)) }
}

fn read<T>(body: Result<Json<T>, JsonRejection>) -> Result<Json<T>, ApiError> {
    body.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))
}

async fn find(server: &Server, id: &str) -> Result<CallHandle, ApiError> {
    server.hub.handle(calls::parse(id)?).await.ok_or_else(|| ApiError::UnknownCall(id.to_owned()))
}
