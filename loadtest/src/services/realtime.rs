//! A model that hears and speaks, behind a socket in the form of OpenAI's `GET /v1/realtime`, after its published
//! description (`openapi.yaml`).
//!
//! It hears where sound is loud, not what is said: what it says and understands is in the configuration. Its voice is a
//! tone.

mod conversation;
mod ear;
mod message;
mod session;

pub(super) use ear::{Coding, Ear, Found};

use super::fault::Fault;
use super::mocks::Mocks;
use super::openai::{ApiError, authorize, live};
use super::paced::{Failure, page, unanswered};
use super::stats::Service;
use super::upgrade::Handshake;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{Request, Response};
use axum::response::IntoResponse;
use session::Session;
use std::sync::Arc;
use tokio::time::Instant;

/// A conversation, or a transcription session, which lies at the same path.
pub async fn open(
    mocks: State<Arc<Mocks>>,
    RawQuery(query): RawQuery,
    request: Request<Body>,
) -> Response<Body> {
    if live::is_wanted(query.as_deref().unwrap_or_default()) {
        return live::transcribe(mocks, RawQuery(query), request).await;
    }
    converse(mocks, RawQuery(query), request).await
}

/// Answers the handshake; the socket lives on in a task.
async fn converse(
    State(mocks): State<Arc<Mocks>>,
    RawQuery(query): RawQuery,
    mut request: Request<Body>,
) -> Response<Body> {
    let complete = Instant::now();
    let mut ticket = mocks.arrived(Service::Realtime);
    let fate = mocks.fate_of_part(&ticket, 0, Fault::is_of_handshakes);
    let accepted = authorize(&mocks, request.headers()).and_then(|()| {
        let model = model(query.as_deref().unwrap_or_default())?;
        let handshake = Handshake::read(&mut request).map_err(|why| ApiError::invalid(why, None, None))?;
        Ok((model, handshake))
    });
    let (model, handshake) = match accepted {
        Ok(accepted) => accepted,
        Err(refused) => {
            ticket.rejected();
            return refused.into_response();
        }
    };
    if fate.fault.is_some()
        && let Err(failure) = fate.first_byte(complete).await
    {
        ticket.answered();
        return match failure {
            Failure::Refused => unanswered(),
            Failure::Page => page(),
            Failure::Status(status) => ApiError::injected(status).into_response(),
        };
    }
    let (response, socket) = handshake.answer();
    let session = Session::new(mocks, ticket, model);
    tokio::spawn(async move {
        // A client that is gone before the upgrade counts as one that has given up.
        if let Ok(socket) = socket.await {
            session.serve(socket).await;
        }
    });
    response
}

fn model(query: &str) -> Result<String, ApiError> {
    let mut given = form_urlencoded::parse(query.as_bytes());
    let model = given.find(|(name, _)| name == "model").map(|(_, model)| model.into_owned());
    model.filter(|model| !model.is_empty()).ok_or_else(|| ApiError::missing("model"))
}
