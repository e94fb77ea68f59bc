//! The words every other crate speaks: a [`Frame`] of audio, its [`Format`], the [`MediaTime`] of a call,
//! the [`Epoch`] of the bot's utterance, the [`CallId`], and an [`Excerpt`] of what others say.
//!
//! No dependencies (`serde` by feature, for recordings), no I/O, no clock.
#![forbid(unsafe_code)]

mod call_id;
mod epoch;
mod excerpt;
mod format;
mod frame;
mod skew;
mod time;

pub use call_id::{CallId, ParseCallIdError};
pub use epoch::Epoch;
pub use excerpt::{Excerpt, OneLine, Printed, PrintedJson, excerpt};
pub use format::{FRAME, Format, MAX_PAYLOAD, SampleRate};
pub use frame::{Frame, FrameError};
pub use skew::Skew;
pub use time::MediaTime;
