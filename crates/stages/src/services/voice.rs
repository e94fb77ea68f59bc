//! What voices behind services have in common: clauses that are asked for, and frames made of what answers them.

mod link;
mod pieces;
mod progress;
mod requested;
mod session;
mod speech;
mod spoken;
mod streamed;

pub(super) use link::{Door, KeepAlive};
pub(super) use pieces::{Later, Pieces, Whole};
pub(super) use requested::Requested;
pub(super) use session::Session;
pub(super) use speech::Coding;
pub(super) use streamed::{Dialect, Heard, Said, Since, Streamed, Timeouts};
