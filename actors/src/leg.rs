//! The seam between a call and its edge.

pub(crate) mod audience;
pub(crate) mod connection;
mod conversion;
mod dates;
pub(crate) mod door;
pub(crate) mod ends;
pub(crate) mod input;
mod intake;
pub(crate) mod kind;
pub(crate) mod link;
pub(crate) mod mic;
mod mix;
pub(crate) mod mixer;
pub(crate) mod playout;
pub(crate) mod pump;
pub(crate) mod spec;
pub(crate) mod state;
pub(crate) mod tap;
pub(crate) mod transport;
