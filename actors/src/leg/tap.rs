//! What a leg's caller said and what they heard, both dated in media time, for whoever records or listens in.
//!
//! The one place where both directions of a leg can be read. It costs a leg without a tap nothing; one with a tap copies each
//! frame into a ring, never waits for its reader, and drops the newest where that does not keep up.

use ringway_frame::{Format, Frame, MediaTime};
use ringway_ring::{Lent, OnLoan, Owner, Reader, Snapshot, Writer, ring};

/// Frames of each direction that wait for the reader: 2 s.
const CAPACITY: usize = 100;

/// The reading end of a tap; it may be read on any thread.
#[derive(Debug)]
pub struct Tap {
    caller: Reader,
    bot: Reader,
}

/// The writing end: it belongs to the call, and is lent to the leg's pump.
#[derive(Debug)]
pub struct TapSource {
    caller: Owner<Writer>,
    bot: Owner<Writer>,
}

/// One direction of a tap, in a leg's pump.
#[derive(Debug)]
pub(crate) struct TapEnd(Lent<Writer>);

/// Who is heard in a frame of a tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The leg's peer: the left channel of a recording.
    Caller,
    /// What the leg's peer heard: the right channel.
    Bot,
}

impl Tap {
    /// A tap for a call in this format.
    pub fn new(format: Format) -> (TapSource, Self) {
        let (caller_in, caller) = ring(format, CAPACITY);
        let (bot_in, bot) = ring(format, CAPACITY);
        let source = TapSource { caller: Owner::new(caller_in), bot: Owner::new(bot_in) };
        (source, Self { caller, bot })
    }

    /// The frame that was heard first of those that wait, of whichever side; its [`time`](Frame::time) is when it was spoken,
    /// or when the ear heard it. Frames of one side come in their order.
    pub fn next(&mut self, frame: &mut Frame) -> Option<Side> {
        let side = match (self.caller.next_time(), self.bot.next_time()) {
            (None, None) => return None,
            (Some(_), None) => Side::Caller,
            (None, Some(_)) => Side::Bot,
            (Some(caller), Some(bot)) => {
                if bot < caller {
                    Side::Bot
                } else {
                    Side::Caller
                }
            }
        };
        let reader = match side {
            Side::Caller => &mut self.caller,
            Side::Bot => &mut self.bot,
        };
        reader.pop(frame).ok().map(|()| side)
    }

    /// The leg is over, and all was read.
    pub fn is_over(&self) -> bool {
        [&self.caller, &self.bot].iter().all(|reader| reader.is_closed() && reader.is_empty())
    }

    /// Frames of each side, those that were dropped since nobody read them among them.
    pub fn stats(&self) -> [(Side, Snapshot); 2] {
        [(Side::Caller, self.caller.stats().snapshot()), (Side::Bot, self.bot.stats().snapshot())]
    }
}

impl TapSource {
    /// Both directions, for a pump.
    ///
    /// # Errors
    /// The last pump holds one.
    pub(crate) fn lend(&mut self) -> Result<[TapEnd; 2], OnLoan> {
        Ok([TapEnd(self.caller.lend()?), TapEnd(self.bot.lend()?)])
    }

    /// Fences off a pump that failed.
    pub(crate) fn revoke(&mut self) {
        self.caller.revoke();
        self.bot.revoke();
    }
}

impl TapEnd {
    /// Passes a frame on that was spoken, or heard, at this time.
    pub(crate) fn pass(&mut self, frame: &Frame, at: MediaTime) {
        if let Ok(writer) = self.0.get_mut() {
            // What the reader does not take is dropped and counted.
            let _ = writer.push_or_drop(&frame.at(frame.sequence, at));
        }
    }
}
