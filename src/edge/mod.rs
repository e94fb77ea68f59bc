//! The edges: where calls' audio enters and leaves.
//!
//! A new edge is a codec in `wire` and a file here that implements [`line::Protocol`]; it touches nothing else.

pub mod browser;
mod browser_audio;
mod line;
mod origin;
pub mod refusal;
mod socket;
mod transport;
pub mod twilio;

pub use origin::permitted;
