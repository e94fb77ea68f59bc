//! WhisperLiveKit's own socket, `GET /asr`, as its server of version 0.2.26 speaks it when started with `--pcm-input`:
//! samples up, all that is understood of the call down, and never a word about the end of a turn.
//!
//! It is the streaming recogniser of [`Service::Listen`], and hears loudness as that does.

mod session;

use super::fault::Fault;
use super::mocks::Mocks;
use super::paced::{Failure, unanswered};
use super::stats::Service;
use super::upgrade::Handshake;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use session::{Mode, Session};
use std::sync::Arc;
use tokio::time::Instant;

/// Answers the handshake; the socket lives on in a task.
pub async fn asr(
    State(mocks): State<Arc<Mocks>>,
    RawQuery(query): RawQuery,
    mut request: Request<Body>,
) -> Response<Body> {
    let complete = Instant::now();
    let mut ticket = mocks.arrived(Service::Listen);
    let fate = mocks.fate_of_part(&ticket, 0, Fault::is_of_handshakes);
    let handshake = match Handshake::read(&mut request) {
        Ok(handshake) => handshake,
        Err(reason) => {
            ticket.rejected();
            return (StatusCode::BAD_REQUEST, reason).into_response();
        }
    };
    if fate.fault.is_some()
        && let Err(failure) = fate.first_byte(complete).await
    {
        ticket.answered();
        return match failure {
            Failure::Refused => unanswered(),
            Failure::Status(status) => status.into_response(),
        };
    }
    let (response, socket) = handshake.answer();
    let session = Session::new(mocks, ticket, Mode::read(query.as_deref().unwrap_or_default()));
    tokio::spawn(async move {
        // A client that is gone before the upgrade counts as one that has given up.
        if let Ok(socket) = socket.await {
            session.serve(socket).await;
        }
    });
    response
}

/// That it is ready: only this server tells, so that clients know it by it.
pub async fn health() -> impl IntoResponse {
    axum::Json(serde_json::json!({"status": "ok", "backend": "mock", "ready": true}))
}
