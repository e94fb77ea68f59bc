use ringway_frame::{Format, MAX_PAYLOAD};

/// Cuts audio that comes in pieces of any length into 20 ms frames, and keeps the rest for later.
///
/// Holds less than one frame; never allocates.
///
/// ```
/// use ringway_frame::Format;
/// use ringway_wire::Reframer;
///
/// let mut reframer = Reframer::new(Format::Mulaw8k);
/// let mut frames = 0;
/// reframer.push(&[0; 400], |payload| {
///     assert_eq!(payload.len(), 160);
///     frames += 1;
/// });
/// assert_eq!((frames, reframer.held()), (2, 80));
/// ```
#[derive(Clone, Debug)]
pub struct Reframer {
    format: Format,
    held: usize,
    rest: [u8; MAX_PAYLOAD],
}

impl Reframer {
    /// Makes frames of `format`.
    pub const fn new(format: Format) -> Self {
        Self { format, held: 0, rest: [0; MAX_PAYLOAD] }
    }

    /// Takes `bytes` and hands over the payload of each frame that is whole by them, oldest first.
    pub fn push(&mut self, mut bytes: &[u8], mut frame: impl FnMut(&[u8])) {
        if self.held > 0 {
            bytes = self.fill(bytes);
            if self.held < self.format.bytes() {
                return;
            }
            frame(&self.rest[..self.format.bytes()]);
        }
        let whole = bytes.chunks_exact(self.format.bytes());
        let rest = whole.remainder();
        whole.for_each(frame);
        self.rest[..rest.len()].copy_from_slice(rest);
        self.held = rest.len();
    }

    /// Bytes kept that do not make a frame yet.
    pub const fn held(&self) -> usize {
        self.held
    }

    /// Forgets what is kept.
    pub const fn clear(&mut self) {
        self.held = 0;
    }

    /// Completes the kept bytes as far as `bytes` go; gives back what is left of them.
    fn fill<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let wanted = (self.format.bytes() - self.held).min(bytes.len());
        let (taken, left) = bytes.split_at(wanted);
        self.rest[self.held..self.held + wanted].copy_from_slice(taken);
        self.held += wanted;
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn frames_are_the_same_bytes_in_order(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..700), 0..20)) {
            let mut reframer = Reframer::new(Format::Pcm8k);
            let mut out = Vec::new();
            for piece in &pieces {
                reframer.push(piece, |payload| {
                    assert_eq!(payload.len(), Format::Pcm8k.bytes());
                    out.extend_from_slice(payload);
                });
            }
            let all = pieces.concat();
            prop_assert_eq!(out.len() + reframer.held(), all.len());
            prop_assert!(reframer.held() < Format::Pcm8k.bytes());
            prop_assert_eq!(&out, &all[..out.len()]);
        }
    }

    #[test]
    fn clearing_forgets_the_rest() {
        let mut reframer = Reframer::new(Format::Mulaw8k);
        reframer.push(&[1; 100], |_| panic!("no frame yet"));
        reframer.clear();
        let mut frames = Vec::new();
        reframer.push(&[2; 160], |payload| frames.push(payload.to_vec()));
        assert_eq!(frames, [[2; 160]]);
    }
}
