//! The seam between a call and its edge.

pub(crate) mod connection;
mod dates;
pub(crate) mod door;
pub(crate) mod input;
pub(crate) mod kind;
pub(crate) mod link;
pub(crate) mod mic;
pub(crate) mod playout;
pub(crate) mod pump;
pub(crate) mod state;
pub(crate) mod tap;
pub(crate) mod transport;
