//! What the streaming servers of Whisper have in common: they hear a whole call as one stream of 16 kHz, repeat and
//! rewrite what they understood, and never say that a turn is over.
//!
//! A turn is ended from here: silence is sent ahead, faster than it would be heard, so that the server looks at the last
//! words at once; they count when it has looked at them and they do not change any more.

mod session;
mod transcript;
mod upsample;

pub(super) use session::{Reader, Session, Stream, Timing};
pub(super) use transcript::Transcript;
