use crate::aligned::Aligned;

/// A matrix and a bias, laid out for the product: panels of some columns each, a panel's rows one after the other, so
/// that the product reads it from end to end.
#[derive(Debug)]
pub(crate) struct Matrix {
    pub inputs: usize,
    pub outputs: usize,
    /// Columns of a panel; divides the outputs.
    pub panel: usize,
    weights: Aligned,
    bias: Aligned,
}

impl Matrix {
    /// In panels of the widest of `panels` that divides the outputs, which are those of `bias`.
    pub fn new(
        inputs: usize,
        bias: impl ExactSizeIterator<Item = f32>,
        panels: &[usize],
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let outputs = bias.len();
        let divides = panels.iter().copied().filter(|panel| outputs.is_multiple_of(*panel));
        let panel = divides.max().expect("outputs are multiples of the narrowest panel");
        let mut matrix = Self {
            inputs,
            outputs,
            panel,
            weights: Aligned::zeroed(inputs * outputs),
            bias: Aligned::zeroed(outputs),
        };
        matrix.bias.iter_mut().zip(bias).for_each(|(to, from)| *to = from);
        for (row, weights) in matrix.weights.chunks_exact_mut(panel).enumerate() {
            let (first, input) = (row / inputs * panel, row % inputs);
            weights.iter_mut().zip(first..).for_each(|(to, output)| *to = weight(input, output));
        }
        matrix
    }

    /// The weights and the bias of a panel.
    #[inline(always)]
    pub fn panel(&self, panel: usize) -> (&[f32], &[f32]) {
        let weights = &self.weights[panel * self.inputs * self.panel..][..self.inputs * self.panel];
        (weights, &self.bias[panel * self.panel..][..self.panel])
    }
}
