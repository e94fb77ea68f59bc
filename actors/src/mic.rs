use crate::clock::CallClock;
use ringway_frame::{FRAME, Format, Frame, FrameError, MediaTime};
use ringway_ring::Writer;
use std::time::Duration;

/// The caller's audio on its way into a call: numbers and dates the frames.
///
/// Frames follow one another by 20 ms; a hole longer than [`HOLE`] moves the time on to the clock, and a peer that
/// sends faster than real time loses what is more than [`AHEAD`] early.
#[derive(Debug)]
pub struct Mic {
    writer: Writer,
    clock: CallClock,
    scratch: Frame,
    sequence: u32,
    next: Option<MediaTime>,
    early: u64,
}

/// Longer holes are missing audio, shorter ones are jitter.
const HOLE: Duration = Duration::from_millis(100);

/// How far a burst may run ahead of the clock.
const AHEAD: Duration = Duration::from_millis(500);

impl Mic {
    pub(crate) fn new(writer: Writer, clock: CallClock, format: Format) -> Self {
        Self { writer, clock, scratch: Frame::silence(format), sequence: 0, next: None, early: 0 }
    }

    /// The format it takes.
    pub fn format(&self) -> Format {
        self.scratch.format()
    }

    /// Takes 20 ms of coded audio.
    ///
    /// # Errors
    /// The payload is not 20 ms long; the frame is refused and nothing else happens.
    pub fn hear(&mut self, payload: &[u8]) -> Result<(), FrameError> {
        let format = self.format();
        if payload.len() != format.bytes() {
            return Err(FrameError { format, len: payload.len() });
        }
        self.scratch.payload_mut().copy_from_slice(payload);
        self.put();
        Ok(())
    }

    /// Frames that came too early to be real and were dropped.
    pub fn early(&self) -> u64 {
        self.early
    }

    fn put(&mut self) {
        let now = self.clock.now();
        let by_clock = now.saturating_sub(FRAME);
        let time = match self.next {
            Some(next) if by_clock.since(next) <= HOLE => next,
            _ => by_clock,
        };
        if time.since(now) > AHEAD {
            self.early += 1;
            return;
        }
        self.scratch = self.scratch.at(self.sequence, time);
        self.sequence = self.sequence.wrapping_add(1);
        self.next = Some(time + FRAME);
        // A full ring drops the newest frame, counts it and marks the gap.
        let _ = self.writer.push_or_drop(&self.scratch);
    }
}
