//! `/media/twilio`: Twilio Media Streams, and the webhooks around them.
//!
//! A call comes by [`webhook::voice`], whose answer connects it to the media socket; [`webhook::after`] is asked when that
//! has closed. Whoever asks proves by a signature to be the carrier ([`proof`]).

mod carrier;
mod marks;
mod parties;
mod proof;
mod socket;
mod sorry;
mod webhook;

use crate::app::Server;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get};
use std::sync::Arc;

/// Bytes of a webhook's form: a carrier's own fields have some 2 KB, headers of SIP and proofs of identity a few more.
const LONGEST_FORM: usize = 64 * 1_024;

/// The carrier's doors. Consoles let operators choose GET or POST, and many write a slash at the end.
pub fn routes() -> Router<Arc<Server>> {
    let webhooks = Router::new();
    let webhooks = either(webhooks, VOICE, get(webhook::voice).post(webhook::voice));
    let webhooks = either(webhooks, AFTER, get(webhook::after).post(webhook::after));
    let webhooks = webhooks.layer(DefaultBodyLimit::max(LONGEST_FORM));
    either(webhooks, MEDIA, get(socket::accept))
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

/// What the carrier asks when a call comes.
const VOICE: &str = "/media/twilio/voice";

/// What the carrier asks when the media socket has closed.
const AFTER: &str = "/media/twilio/after";
