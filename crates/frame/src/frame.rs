use crate::{Epoch, Format, MAX_PAYLOAD, MediaTime, Skew};
use std::fmt;

/// 20 ms of mono audio in the call's own format, as a value: no allocation, no sharing.
///
/// The payload of [`Format::bytes`] bytes lies inline; rings store only those bytes and the header.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Number of the frame in its stream, from 0; a jump is a loss.
    pub sequence: u32,
    /// When the first sample was heard or, for the bot's audio, its place in the utterance.
    pub time: MediaTime,
    /// The bot's utterance that it belongs to; [`Epoch::ZERO`] on the caller's side.
    pub epoch: Epoch,
    /// How long after its end, by `time`, it arrived.
    pub skew: Skew,
    /// Audio right before this frame is missing (a full ring dropped it).
    pub gap: bool,
    format: Format,
    payload: [u8; MAX_PAYLOAD],
}

/// Why bytes do not make a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameError {
    /// The format asked for.
    pub format: Format,
    /// How many bytes were given.
    pub len: usize,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} frame of 20 ms has {} bytes, not {}", self.format, self.format.bytes(), self.len)
    }
}

impl std::error::Error for FrameError {}

impl Frame {
    /// 20 ms of silence.
    pub const fn silence(format: Format) -> Self {
        Self {
            sequence: 0,
            time: MediaTime::ZERO,
            epoch: Epoch::ZERO,
            skew: Skew::ZERO,
            gap: false,
            format,
            payload: [format.silence(); MAX_PAYLOAD],
        }
    }

    /// A frame of exactly [`Format::bytes`] bytes of coded audio.
    ///
    /// # Errors
    /// Any other length.
    pub fn new(format: Format, payload: &[u8]) -> Result<Self, FrameError> {
        let mut frame = Self::silence(format);
        if payload.len() != format.bytes() {
            return Err(FrameError { format, len: payload.len() });
        }
        frame.payload[..payload.len()].copy_from_slice(payload);
        Ok(frame)
    }

    /// The same audio, dated and numbered.
    #[must_use]
    pub const fn at(mut self, sequence: u32, time: MediaTime) -> Self {
        self.sequence = sequence;
        self.time = time;
        self
    }

    /// The same audio, belonging to the bot's utterance `epoch`.
    #[must_use]
    pub const fn in_epoch(mut self, epoch: Epoch) -> Self {
        self.epoch = epoch;
        self
    }

    /// The same audio, which came at this moment.
    #[must_use]
    pub const fn arrived(mut self, at: MediaTime) -> Self {
        self.skew = Skew::between(at, self.time);
        self
    }

    /// How the payload is coded.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The coded samples: [`Format::bytes`] bytes.
    pub fn payload(&self) -> &[u8] {
        &self.payload[..self.format.bytes()]
    }

    /// The coded samples, to be written in place.
    pub fn payload_mut(&mut self) -> &mut [u8] {
        &mut self.payload[..self.format.bytes()]
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("sequence", &self.sequence)
            .field("time", &format_args!("{}", self.time))
            .field("epoch", &self.epoch.number())
            .field("gap", &self.gap)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_nineteen_milliseconds_is_refused() {
        let error = Frame::new(Format::Pcm16k, &[0; 608]).unwrap_err();
        assert_eq!(error.to_string(), "a pcm-16k frame of 20 ms has 640 bytes, not 608");
    }

    #[test]
    fn payload_has_the_length_of_its_format() {
        let frame = Frame::new(Format::Mulaw8k, &[7; 160]).unwrap();
        assert_eq!(frame.payload(), [7; 160]);
    }
}
