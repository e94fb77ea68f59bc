//! The seam between a call and its edge.

mod dates;
pub(crate) mod input;
pub(crate) mod kind;
pub(crate) mod link;
pub(crate) mod mic;
pub(crate) mod playout;
pub(crate) mod port;
pub(crate) mod pump;
pub(crate) mod state;
pub(crate) mod transport;
