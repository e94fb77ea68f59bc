//! The edges: where calls' audio enters and leaves.
//!
//! A socket is accepted here and read up to its start; from then on its edge in `ringway-edges` serves the call.

pub mod browser;
mod origin;
mod transport;
pub mod twilio;

pub use origin::permitted;
