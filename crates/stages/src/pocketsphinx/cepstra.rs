/// The features of an utterance: each 10 ms of sound as a row of mel-frequency cepstral coefficients.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cepstra {
    width: usize,
    values: Vec<f32>,
}

impl Cepstra {
    pub(super) fn new(width: usize) -> Self {
        Self { width, values: Vec::new() }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Appends up to `count` rows that `fill` writes and counts.
    pub(super) fn extend(&mut self, count: usize, fill: impl FnOnce(&mut [f32]) -> usize) {
        let old = self.values.len();
        self.values.resize(old + count * self.width, 0.0);
        let filled = fill(&mut self.values[old..]);
        self.values.truncate(old + filled.min(count) * self.width);
    }

    /// Repeats the last row, for the differences over time that are made of it.
    pub(super) fn lead_out(&mut self, count: usize) {
        let Some(last) = self.values.len().checked_sub(self.width) else { return };
        for _ in 0..count {
            self.values.extend_from_within(last..last + self.width);
        }
    }

    pub(super) fn rows_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut(self.width)
    }

    /// Takes out the mean, which is the sound of the line and of the voice rather than of the words: cepstral mean
    /// normalisation over the whole utterance, where [`PRIOR`] rows of what is known of the call stand in for what a
    /// short one does not tell. The call is told what was heard.
    ///
    /// The library can do it over a whole utterance only when it is given at once, and then cannot be interrupted;
    /// and it would keep the mean with the engine, which serves many calls.
    pub(super) fn normalise(&mut self, known: &CallMean) -> CallMean {
        let mut sum = vec![0.0; self.width];
        for row in self.values.chunks_exact(self.width) {
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        let rows = self.len() as f32;
        let mean = |(sum, known): (&f32, &f32)| (sum + PRIOR * known) / (rows + PRIOR);
        let mean: Vec<f32> = sum.iter().zip(&known.mean).map(mean).collect();
        for row in self.rows_mut() {
            row.iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
        }
        known.with(&sum, rows)
    }
}

/// The mean of what a call has been heard of so far.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CallMean {
    mean: Vec<f32>,
    rows: f32,
}

impl CallMean {
    /// What the model expects of any call.
    pub(super) fn expected(mean: Vec<f32>) -> Self {
        Self { mean, rows: 0.0 }
    }

    fn with(&self, sum: &[f32], rows: f32) -> Self {
        let all = self.rows + rows;
        if all == 0.0 {
            return self.clone();
        }
        let mean = |(mean, sum): (&f32, &f32)| (mean * self.rows + sum) / all;
        Self { mean: self.mean.iter().zip(sum).map(mean).collect(), rows: all.min(MEMORY) }
    }
}

/// Half a second.
const PRIOR: f32 = 50.0;

/// Ten seconds of speech; what is older fades.
const MEMORY: f32 = 1_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn cepstra(rows: &[[f32; 2]]) -> Cepstra {
        Cepstra { width: 2, values: rows.concat() }
    }

    #[test]
    fn a_long_utterance_is_centred_by_itself() {
        let mut long = cepstra(&[[3.0, -1.0], [5.0, 1.0]].repeat(5_000));
        let call = long.normalise(&CallMean::expected(vec![0.0, 0.0]));
        assert!((long.values[0] + 1.0).abs() < 0.05 && (long.values[1] + 1.0).abs() < 0.05);
        assert_eq!(call, CallMean { mean: vec![4.0, 0.0], rows: MEMORY });
    }

    #[test]
    fn a_short_utterance_leans_on_the_call() {
        let call = CallMean { mean: vec![4.0, 0.0], rows: MEMORY };
        let mut short = cepstra(&[[8.0, 0.0]; 50]);
        let after = short.normalise(&call);
        assert_eq!(short.values[0], 2.0);
        assert!(after.mean[0] > 4.0 && after.mean[0] < 4.5);
    }

    #[test]
    fn an_empty_utterance_tells_nothing() {
        let call = CallMean::expected(vec![1.0, 2.0]);
        let mut nothing = Cepstra::new(2);
        nothing.lead_out(3);
        assert_eq!(nothing.normalise(&call), call);
        assert_eq!(nothing.len(), 0);
    }

    #[test]
    fn rows_that_were_not_filled_are_not_kept() {
        let mut cepstra = Cepstra::new(2);
        cepstra.extend(3, |rows| {
            rows[..2].copy_from_slice(&[1.0, 2.0]);
            1
        });
        cepstra.lead_out(2);
        assert_eq!(cepstra.values, [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
    }
}
