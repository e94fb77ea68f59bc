//! What voices behind services have in common: clauses that are asked for, and frames made of what answers them.

mod pieces;
mod progress;
mod requested;
mod speech;
mod spoken;

pub(super) use pieces::{Later, Pieces, Whole};
pub(super) use requested::{Requested, Session};
pub(super) use speech::{Coding, Spares};
