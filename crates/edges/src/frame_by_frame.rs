//! Reads a WebSocket no further than to the end of the present frame, so that the transport can be handed on between two.

/// Where in a client's frame the reading is (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FrameByFrame {
    head: [u8; LONGEST_HEAD],
    /// Bytes of the head that were read.
    read: usize,
    /// Bytes of the payload that were not.
    left: u64,
}

/// Two bytes, eight of a length, four of a mask.
const LONGEST_HEAD: usize = 14;

impl FrameByFrame {
    /// How many bytes may be read now, at least one: they are all of the present frame.
    pub(crate) fn wanted(&self) -> usize {
        let missing = self.head_length() - self.read;
        if missing > 0 { missing } else { usize::try_from(self.left).unwrap_or(usize::MAX) }
    }

    /// These were read, no more than were wanted.
    pub(crate) fn saw(&mut self, bytes: &[u8]) {
        if self.read == self.head_length() {
            self.left -= bytes.len() as u64;
        } else {
            self.head[self.read..self.read + bytes.len()].copy_from_slice(bytes);
            self.read += bytes.len();
            if self.read == self.head_length() {
                self.left = self.payload();
            }
        }
        if self.read == self.head_length() && self.left == 0 {
            *self = Self::default();
        }
    }

    /// As far as it is known.
    fn head_length(&self) -> usize {
        if self.read < 2 {
            return 2;
        }
        let length = match self.head[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        2 + length + mask
    }

    fn payload(&self) -> u64 {
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        match self.head[1] & 0x7f {
            126 => number(&self.head[2..4]),
            127 => number(&self.head[2..10]),
            short => u64::from(short),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(payload: usize) -> Vec<u8> {
        let mut bytes = vec![0x82];
        match payload {
            0..126 => bytes.push(0x80 | payload as u8),
            126..0x1_0000 => {
                bytes.push(0x80 | 126);
                bytes.extend((payload as u16).to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend((payload as u64).to_be_bytes());
            }
        }
        bytes.extend([1, 2, 3, 4]);
        bytes.resize(bytes.len() + payload, 0xaa);
        bytes
    }

    proptest! {
        #[test]
        fn reading_stops_at_the_end_of_each_frame_however_few_bytes_come_at_once(
            payloads in prop::collection::vec(prop_oneof![0..300_usize, Just(125), Just(126), 65_530..65_540_usize], 1..6),
            most in 1..3_000_usize,
        ) {
            let frames: Vec<_> = payloads.into_iter().map(frame).collect();
            let ends: Vec<_> = frames.iter().scan(0, |end, frame| { *end += frame.len(); Some(*end) }).collect();
            let all = frames.concat();
            let (mut reading, mut at) = (FrameByFrame::default(), 0);
            while at < all.len() {
                let wanted = reading.wanted();
                prop_assert!(wanted > 0);
                let next = at + wanted.min(most);
                let end = *ends.iter().find(|end| **end > at).unwrap();
                prop_assert!(next <= end, "{next} is beyond {end}");
                reading.saw(&all[at..next]);
                at = next;
            }
            prop_assert_eq!(at, all.len());
        }
    }
}
