//! Codecs of every edge protocol: bytes to types and back, and the small state machines that check their order.
//!
//! Pure: no I/O, no clock, no async. The server, the load tester and the fuzzers share it, so each protocol is
//! spoken in both roles.
//!
//! - [`twilio`]: carrier media sockets in the shape of Twilio Media Streams, request signatures, `TwiML`.
//! - [`voice_ws`]: the browser socket `/voice-ws`.
//! - [`ProtocolError`] and [`UserError`]: what a peer did wrong, and how a user is told.
//! - [`Reframer`]: audio of any length into 20 ms frames.
//! - [`g711`], [`opus`], [`resample`], [`wav`], [`level`]: audio itself.
#![forbid(unsafe_code)]

pub mod g711;
pub mod level;
pub mod opus;
pub mod resample;
pub mod twilio;
pub mod voice_ws;
pub mod wav;

#[doc(hidden)]
pub mod fuzz;

mod json;
mod protocol_error;
mod reframe;
mod user_error;

pub use protocol_error::{CloseCode, ErrorCode, MAX_MESSAGE, ProtocolError};
pub use reframe::Reframer;
pub use user_error::UserError;
