//! A streaming recogniser's socket in the form of Deepgram's `GET /v1/listen`, after its published description
//! (`asyncapi.yml`) and documents.
//!
//! It hears where sound is loud, not what is said: the words are those of the configuration.

mod hearing;
mod message;
pub mod options;
mod refused;
mod session;

pub use refused::Refused;

use super::mocks::Mocks;
use super::socket::Opening;
use super::stats::Service;
use super::upgrade::Handshake;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Request, Response};
use options::Options;
use refused::{REQUEST_ID, header};
use session::Session;
use std::sync::Arc;

/// Answers the handshake; the socket lives on in a task.
pub async fn listen(
    State(mocks): State<Arc<Mocks>>,
    RawQuery(query): RawQuery,
    mut request: Request<Body>,
) -> Response<Body> {
    let mut opening = Opening::new(&mocks, Service::Listen);
    let request_id = request_id(opening.fate.rng.u128(..));
    let accepted = authorize(&mocks, request.headers())
        .and_then(|()| Options::read(query.as_deref().unwrap_or_default()))
        .and_then(|options| Ok((options, Handshake::read(&mut request).map_err(Refused::invalid)?)));
    match accepted {
        Ok((options, handshake)) => {
            let texts = mocks.config.socket_texts(Service::Listen);
            let session = Session::new(options, texts, request_id.clone());
            let refuse = |status| Refused::injected(status).respond(&request_id);
            let mut response = opening.accept(handshake, session, refuse).await;
            response.headers_mut().insert(REQUEST_ID, header(&request_id));
            response
        }
        Err(refused) => opening.reject(refused.respond(&request_id)),
    }
}

/// `Authorization: Token KEY`, or `Bearer` with a token of its own making.
///
/// # Errors
/// The key is another, or there is none.
pub fn authorize(mocks: &Mocks, headers: &HeaderMap) -> Result<(), Refused> {
    let Some(wanted) = &mocks.config.api_key else { return Ok(()) };
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
    match given {
        Some((scheme, key)) if is_key_scheme(scheme) && key == wanted => Ok(()),
        _ => Err(Refused::unauthorized()),
    }
}

fn is_key_scheme(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("token") || scheme.eq_ignore_ascii_case("bearer")
}

/// In the form of a UUID.
pub fn request_id(random: u128) -> String {
    let hex = format!("{random:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
