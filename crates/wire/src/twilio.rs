//! Carrier media sockets in the shape of Twilio Media Streams, in both roles.
//!
//! The server reads [`FromCarrier`] through a [`Session`], which checks the order of messages, and writes with a
//! [`ServerWriter`]; a load tester or a test does the opposite with [`ToCarrier`] and a [`CarrierWriter`]. Names of
//! fields come from a [`Dialect`], since other carriers speak the same shape with other names.
//!
//! References: <https://www.twilio.com/docs/voice/media-streams/websocket-messages>,
//! <https://www.twilio.com/docs/voice/twiml/stream>, <https://www.twilio.com/docs/usage/security>.
//!
//! ```
//! use ringway_wire::twilio::{Dialect, Event, FromCarrier, ServerWriter, Session};
//!
//! let mut session = Session::new(&Dialect::TWILIO);
//! let mut audio = Vec::new();
//! let start = r#"{"event":"start","sequenceNumber":"1","streamSid":"MZ1","start":{"accountSid":"AC1",
//!     "streamSid":"MZ1","callSid":"CA1","tracks":["inbound"],
//!     "mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}"#;
//! let Event::Message(FromCarrier::Start(start)) = session.text(start, &mut audio)? else { panic!() };
//!
//! let mut out = Vec::new();
//! ServerWriter::new(&Dialect::TWILIO, &start.stream).clear(&mut out);
//! assert_eq!(out, br#"{"event":"clear","streamSid":"MZ1"}"#);
//! # Ok::<(), ringway_wire::ProtocolError>(())
//! ```

mod carrier_writer;
mod dialect;
mod from_carrier;
mod media;
mod payload;
mod scan;
mod server_writer;
mod session;
pub mod signature;
mod to_carrier;
pub mod twiml;

pub use carrier_writer::CarrierWriter;
pub use dialect::Dialect;
pub use from_carrier::{FromCarrier, Start};
pub use media::{Media, Track};
pub use server_writer::ServerWriter;
pub use session::{Event, Notice, Session};
pub use to_carrier::ToCarrier;
