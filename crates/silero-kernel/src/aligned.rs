use std::ops::{Deref, DerefMut};

/// Numbers that begin on a cache line, so that no vector load of theirs touches two.
#[derive(Debug)]
pub(crate) struct Aligned {
    /// Some numbers longer than needed, and never moved.
    buffer: Box<[f32]>,
    start: usize,
    len: usize,
}

const LINE: usize = 64;

impl Aligned {
    pub fn zeroed(len: usize) -> Self {
        let buffer = vec![0.0; len + LINE / size_of::<f32>()].into_boxed_slice();
        let start = buffer.as_ptr().align_offset(LINE);
        assert!(start + len <= buffer.len(), "numbers lie on multiples of their size");
        Self { buffer, start, len }
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.buffer[self.start..][..self.len]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.buffer[self.start..][..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_on_a_cache_line_whatever_their_count() {
        for len in [0, 1, 16, 1_000] {
            let numbers = Aligned::zeroed(len);
            assert_eq!((numbers.len(), numbers.as_ptr().addr() % LINE), (len, 0));
        }
    }
}
