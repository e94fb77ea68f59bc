//! The browser socket `/voice-ws`, in both roles: JSON control messages as text, audio as binary messages.
//!
//! The server reads [`Up`] through a [`Session`], which checks the order of messages, and writes [`Down`]; a client
//! does the opposite. `docs/internals/protocols/voice-ws.md` shows every message.
//!
//! ```
//! use ringway_wire::voice_ws::{Event, Session};
//!
//! let mut session = Session::new();
//! let started = session.text(r#"{"type":"start","codec":"pcm16","sampleRate":16000}"#)?;
//! assert!(matches!(started, Some(Event::Started(_))));
//! assert_eq!(session.binary(&[0; 640])?, Some(Event::Audio(&[0; 640])));
//! assert_eq!(session.binary(&[0; 608]).unwrap_err().code.name(), "bad_frame_size");
//! # Ok::<(), ringway_wire::ProtocolError>(())
//! ```

mod audio_format;
mod down;
mod session;
mod up;

pub use audio_format::{AudioFormat, Codec};
pub use down::{ConversationState, Down, Stage, StageState, TurnLatency};
pub use session::{Event, Session};
pub use up::{LONGEST_ANSWER_MS, LONGEST_TEXT, Start, Up};
