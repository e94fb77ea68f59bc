//! Deepgram's recogniser that judges turns, `GET /v2/listen`, after its published description (`asyncapi.yml`) and
//! documents.

mod message;
mod session;

use super::deepgram::{Refused, authorize};
use super::mocks::Mocks;
use super::socket::Opening;
use super::stats::Service;
use super::upgrade::Handshake;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{Request, Response};
use session::{Options, Session};
use std::sync::Arc;

/// Answers the handshake; the socket lives on in a task.
pub async fn listen(
    State(mocks): State<Arc<Mocks>>,
    RawQuery(query): RawQuery,
    mut request: Request<Body>,
) -> Response<Body> {
    let mut opening = Opening::new(&mocks, Service::Flux);
    let request_id = super::deepgram::request_id(opening.fate.rng.u128(..));
    let accepted = authorize(&mocks, request.headers())
        .and_then(|()| Options::read(query.as_deref().unwrap_or_default()))
        .and_then(|options| Ok((options, Handshake::read(&mut request).map_err(Refused::invalid)?)));
    match accepted {
        Ok((options, handshake)) => {
            let session = Session::new(options, mocks.config.socket_texts(Service::Flux), request_id.clone());
            opening.accept(handshake, session, |status| Refused::injected(status).respond(&request_id)).await
        }
        Err(refused) => opening.reject(refused.respond(&request_id)),
    }
}
