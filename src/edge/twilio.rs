//! `/media/twilio`: Twilio Media Streams, and the webhooks around them.
//!
//! A call comes by [`webhook::voice`], whose answer connects it to the media socket; [`webhook::after`] is asked when that
//! has closed. Whoever asks proves by a signature to be the carrier ([`proof`]).

mod parties;
mod proof;
mod socket;
mod sorry;
mod webhook;

pub use proof::is_required as signature_is_required;

use crate::app::Server;
use axum::Router;
use axum::routing::{MethodRouter, get};
use std::sync::Arc;

/// What the carrier asks over HTTP. Consoles let operators choose GET or POST, and many write a slash at the end.
pub fn webhooks() -> Router<Arc<Server>> {
    let voice = either(Router::new(), VOICE, get(webhook::voice).post(webhook::voice));
    either(voice, AFTER, get(webhook::after).post(webhook::after))
}

/// Where the carrier's media come.
pub fn sockets() -> Router<Arc<Server>> {
    either(either(Router::new(), MEDIA, get(socket::accept)), RESUME, get(socket::resume))
}

/// The path with and without a slash at its end.
fn either(
    router: Router<Arc<Server>>,
    path: &str,
    handler: MethodRouter<Arc<Server>>,
) -> Router<Arc<Server>> {
    router.route(path, handler.clone()).route(&format!("{path}/"), handler)
}

/// The media socket.
const MEDIA: &str = "/media/twilio";

/// The media socket of a call in progress: one whose last socket broke, or that has one more leg.
pub const RESUME: &str = "/media/twilio/resume";

/// What the carrier asks when a call comes.
const VOICE: &str = "/media/twilio/voice";

/// What the carrier asks when the media socket has closed.
const AFTER: &str = "/media/twilio/after";
