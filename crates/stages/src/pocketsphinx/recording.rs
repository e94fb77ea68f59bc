use ringway_frame::{FRAME, Format, Frame};
use std::time::Duration;

/// The frames of a segment as they came, the latest [`LONGEST`] of them.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    format: Format,
    bytes: Vec<u8>,
    /// Where the oldest frame is, once newer ones took the place of older ones.
    oldest: usize,
}

/// Longer segments lose their beginning: a caller is cut into segments long before.
const LONGEST: Duration = Duration::from_secs(30);

const MAX_FRAMES: usize = (LONGEST.as_millis() / FRAME.as_millis()) as usize;

/// Two seconds are enough for most answers.
const USUAL_FRAMES: usize = 100;

impl Recording {
    pub(super) fn new(format: Format) -> Self {
        Self { format, bytes: Vec::with_capacity(USUAL_FRAMES * format.bytes()), oldest: 0 }
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// Keeps a frame; whether it cost an older one. The frame is in the recording's format.
    pub(super) fn hear(&mut self, frame: &Frame) -> bool {
        let payload = frame.payload();
        let full = self.bytes.len() == MAX_FRAMES * payload.len();
        if full {
            self.bytes[self.oldest..][..payload.len()].copy_from_slice(payload);
            self.oldest = (self.oldest + payload.len()) % self.bytes.len();
        } else {
            self.bytes.extend_from_slice(payload);
        }
        full
    }

    pub(super) fn frames(&self) -> impl Iterator<Item = Frame> {
        let (newer, older) = self.bytes.split_at(self.oldest);
        older.chunks_exact(self.format.bytes()).chain(newer.chunks_exact(self.format.bytes())).map(
            |payload| {
                let mut frame = Frame::silence(self.format);
                frame.payload_mut().copy_from_slice(payload);
                frame
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(number: usize) -> Frame {
        let mut frame = Frame::silence(Format::Mulaw8k);
        frame.payload_mut().fill((number % 251) as u8);
        frame
    }

    #[test]
    fn the_latest_half_minute_is_kept_in_order() {
        let mut recording = Recording::new(Format::Mulaw8k);
        let lost = (0..MAX_FRAMES + 7).filter(|number| recording.hear(&frame(*number))).count();
        assert_eq!(lost, 7);
        assert!(recording.frames().eq((7..MAX_FRAMES + 7).map(frame)));
    }
}
