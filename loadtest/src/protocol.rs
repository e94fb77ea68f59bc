//! How a call's messages are written and read, one file a protocol.

mod browser;
mod twilio;

pub use browser::Browser;
pub use twilio::Twilio;

use crate::line::{Line, Lost};
use bytes::Bytes;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

/// The caller's end of one call. One implementation a protocol.
pub trait Protocol {
    /// Says that a call begins.
    fn begin(&mut self, line: &mut Line) -> Result<(), Lost>;

    /// Sends 20 ms of the caller.
    fn say(&mut self, frame: &Bytes, line: &mut Line) -> Result<(), Lost>;

    /// Sends a key that was pressed.
    fn press(&mut self, key: char, line: &mut Line) -> Result<(), Lost>;

    /// Sends a mark back.
    fn return_mark(&mut self, name: &str, line: &mut Line) -> Result<(), Lost>;

    /// Says that the call is over.
    fn hang_up(&mut self, line: &mut Line) -> Result<(), Lost>;

    /// Reads a message; audio of any length is told in frames of 20 ms at most.
    fn hear(&mut self, message: &Message, tell: &mut dyn FnMut(Heard)) -> Result<(), Refusal>;
}

/// What a message of the server means to a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Audio of the bot.
    Audio {
        /// Behind the beginning of its message.
        offset: Duration,
        /// 20 ms, or less at the end of a message.
        length: Duration,
        /// Above the level that counts as loud.
        is_loud: bool,
    },
    /// To be returned when all audio so far was played.
    Mark(String),
    /// What is buffered is void.
    Clear,
}

/// Why the server does not serve the call any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has no place for it, and said so in this way.
    Full(String),
    /// Something is wrong.
    Error(String),
}

/// Close code of a server that is full, "try again later" in the IANA registry of RFC 6455.
const TRY_AGAIN_LATER: u16 = 1013;

/// What a close frame means: `Ok` for a call that is over in good order.
pub fn closed(code: u16, reason: &str) -> Result<(), Refusal> {
    match code {
        1000 | 1001 => Ok(()),
        TRY_AGAIN_LATER => Err(Refusal::Full(format!("closed with {code} {reason}").trim_end().to_owned())),
        code => Err(Refusal::Error(format!("closed with {code} {reason}").trim_end().to_owned())),
    }
}

/// Tells audio in frames of 20 ms.
fn tell_frames(
    bytes: &[u8],
    frame_bytes: usize,
    is_loud: impl Fn(&[u8]) -> bool,
    tell: &mut dyn FnMut(Heard),
) {
    let time = |bytes: usize| ringway_frame::FRAME.mul_f64(bytes as f64 / frame_bytes as f64);
    for (number, frame) in bytes.chunks(frame_bytes).enumerate() {
        tell(Heard::Audio {
            offset: time(number * frame_bytes),
            length: time(frame.len()),
            is_loud: is_loud(frame),
        });
    }
}
