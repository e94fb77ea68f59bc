//! The edges: what moves a leg's audio and signals over the network.
//!
//! An edge is a [`Transport`](ringway_actors::Transport) over a codec of `ringway-wire`, in a file and a folder of its
//! name. It knows neither admission nor HTTP: it is given a socket on which a call has begun.
#![forbid(unsafe_code)]

pub mod browser;
mod frame_by_frame;
mod heartbeat;
mod intake;
mod socket;
pub mod twilio;

pub use intake::{BEFORE_START, EXCESS, too_fast};
pub use ringway_actors::{REASONS, reason_name};
pub use socket::{Lost, Socket};

/// Close code of a normal end (RFC 6455 section 7.4.1).
pub const NORMAL: u16 = 1000;

/// Reason of the close frame to a socket whose place in its call another one has taken.
pub(crate) const REPLACED: &str = "replaced";
