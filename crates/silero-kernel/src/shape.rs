/// The rates that the model hears, each with weights of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// 8 kHz.
    Hz8000,
    /// 16 kHz.
    Hz16000,
}

/// The numbers of one branch of the model.
///
/// A row is the context, the window, and the end of both once more, mirrored. A Fourier transform of [`Self::fourier`]
/// samples is taken of it at [`FRAMES`] places, each half its length after the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Samples of one window.
    pub window: usize,
    /// Samples of the window before that stand in front of a window; as many are mirrored at its end.
    pub context: usize,
    /// Samples of one Fourier transform.
    pub fourier: usize,
}

/// Calls that go through the layers together, the most: what they need in between stays in the cache.
pub(crate) const BLOCK: usize = 24;

/// Places in a row where its spectrum is taken.
pub(crate) const FRAMES: usize = 4;

/// Numbers that the recurrent layer remembers, as output and as cell each.
pub(crate) const HIDDEN: usize = 128;

/// Numbers of a call's state before its context: output and cell of the recurrent layer.
pub(crate) const RECURRENT: usize = 2 * HIDDEN;

impl Rate {
    /// Samples of one window: 32 ms.
    pub const fn window(self) -> usize {
        self.shape().window
    }

    /// Numbers of a call's state: all zero when it begins.
    pub const fn state(self) -> usize {
        RECURRENT + self.shape().context
    }

    pub(crate) const fn shape(self) -> Shape {
        match self {
            Self::Hz8000 => Shape { window: 256, context: 32, fourier: 128 },
            Self::Hz16000 => Shape { window: 512, context: 64, fourier: 256 },
        }
    }
}

impl Shape {
    /// Samples of a row.
    pub const fn row(self) -> usize {
        self.context + self.window + self.context
    }

    /// Samples between two transforms.
    pub const fn hop(self) -> usize {
        self.fourier / 2
    }

    /// Frequencies of a transform.
    pub const fn bins(self) -> usize {
        self.fourier / 2 + 1
    }

    /// Writes a row: the context, the window, and its end mirrored without its last sample.
    #[inline(always)]
    pub fn write_row(self, context: &[f32], window: &[f32], row: &mut [f32]) {
        let (heard, mirrored) = row.split_at_mut(self.context + self.window);
        let (before, now) = heard.split_at_mut(self.context);
        before.copy_from_slice(context);
        now.copy_from_slice(window);
        let end = &window[..window.len() - 1];
        for (to, from) in mirrored.iter_mut().zip(end.iter().rev()) {
            *to = *from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_holds_exactly_the_transforms_of_a_window() {
        for shape in [Rate::Hz8000.shape(), Rate::Hz16000.shape()] {
            assert_eq!((FRAMES - 1) * shape.hop() + shape.fourier, shape.row());
        }
    }

    #[test]
    fn the_end_of_a_row_is_mirrored_without_its_last_sample() {
        let shape = Rate::Hz8000.shape();
        let samples: Vec<f32> = (0..288).map(|n| n as f32).collect();
        let mut row = vec![0.0; shape.row()];
        shape.write_row(&samples[..32], &samples[32..], &mut row);
        assert_eq!(row[..288], samples);
        assert_eq!(row[288..291], [286.0, 285.0, 284.0]);
        assert_eq!(row[319], 255.0);
    }
}
