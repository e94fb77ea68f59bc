//! The edges: where calls' audio enters and leaves.
//!
//! A new edge is a codec in `wire` and a file here that implements [`line::Protocol`]; it touches nothing else.

pub mod browser;
mod browser_audio;
mod intake;
mod line;
mod origin;
mod socket;
mod transport;
pub mod twilio;

pub use intake::EXCESS;
pub use origin::permitted;
