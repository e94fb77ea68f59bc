use crate::aligned::Aligned;
use crate::matrix::Matrix;
use crate::memory;
use crate::network::BLOCK;
use crate::product::{Product, Taps, Walk};
use crate::shape::FRAMES;
use crate::simd::Simd;
use crate::weights::{Convolution, STRIDES, TAPS, Weights};

/// Four convolutions over frames, each with a rectifier: four frames of magnitudes become one of features.
#[derive(Clone, Debug)]
pub(crate) struct Encoder {
    layers: [Layer; 4],
    /// What the first three give, `[calls][frames][outputs]`.
    between: [Aligned; 3],
}

/// One convolution.
#[derive(Clone, Debug)]
struct Layer {
    matrix: Matrix,
    inputs: usize,
    frames: usize,
    spans: Vec<Span>,
}

/// Neighbouring outputs that the same taps are for: the other taps meet only the zeros before the first frame or after
/// the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    taps: (usize, usize),
    /// The frame that the first of the taps meets for the first output.
    frame: usize,
    stride: usize,
    output: usize,
    outputs: usize,
}

impl Encoder {
    pub fn new(weights: &Weights, panels: &[usize]) -> Self {
        let mut frames = FRAMES;
        let layers = std::array::from_fn(|nth| {
            let layer = Layer::new(&weights.encoder[nth], frames, STRIDES[nth], panels);
            frames = frames.div_ceil(STRIDES[nth]);
            layer
        });
        let room = |nth: usize| Aligned::zeroed(BLOCK * layers[nth].outputs());
        Self { between: std::array::from_fn(room), layers }
    }

    /// Magnitudes of the first calls to the inputs of the recurrent layer.
    pub fn run<S: Simd>(&mut self, simd: S, calls: usize, magnitudes: &[f32], features: &mut [f32]) {
        let [first, second, third, fourth] = &self.layers;
        let [a, b, c] = &mut self.between;
        first.run(simd, calls, magnitudes, a, first.outputs());
        second.run(simd, calls, a, b, second.outputs());
        third.run(simd, calls, b, c, third.outputs());
        fourth.run(simd, calls, c, features, memory::INPUTS);
    }
}

impl Layer {
    fn new(
        Convolution { inputs, weights, bias, .. }: &Convolution,
        frames: usize,
        stride: usize,
        panels: &[usize],
    ) -> Self {
        let inputs = *inputs;
        let matrix = Matrix::new(TAPS * inputs, bias.iter().copied(), panels, |input, output| {
            weights[output * inputs * TAPS + input]
        });
        Self { matrix, inputs, frames, spans: spans(frames, stride) }
    }

    /// Numbers that it gives for a call.
    fn outputs(&self) -> usize {
        let frames: usize = self.spans.iter().map(|span| span.outputs).sum();
        frames * self.matrix.outputs
    }

    /// `[calls][frames][inputs]` to frames of outputs, those of a call `call` numbers after those of the call before.
    fn run<S: Simd>(&self, simd: S, calls: usize, from: &[f32], to: &mut [f32], call: usize) {
        for &Span { taps, frame, stride, output, outputs } in &self.spans {
            let (inputs, rows) = (self.inputs, outputs);
            simd.enable(Product {
                matrix: &self.matrix,
                taps: Taps { used: taps.0..taps.1, of: TAPS, step: inputs },
                rows: calls * rows,
                from,
                read: Walk { first: frame * inputs, step: stride * inputs, rows, call: self.frames * inputs },
                to,
                write: Walk { first: output * self.matrix.outputs, step: self.matrix.outputs, rows, call },
                floor: 0.0,
            });
        }
    }
}

fn spans(frames: usize, stride: usize) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (output, middle) in (0..frames).step_by(stride).enumerate() {
        let first = usize::from(middle == 0);
        let taps = (first, TAPS.min(frames + 1 - middle));
        match spans.last_mut() {
            Some(span) if span.taps == taps => span.outputs += 1,
            _ => spans.push(Span { taps, frame: middle + first - 1, stride, output, outputs: 1 }),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_that_meet_only_zeros_are_left_out() {
        let span = |taps, frame, stride, output, outputs| Span { taps, frame, stride, output, outputs };
        assert_eq!(
            spans(4, 1),
            [span((1, 3), 0, 1, 0, 1), span((0, 3), 0, 1, 1, 2), span((0, 2), 2, 1, 3, 1)]
        );
        assert_eq!(spans(4, 2), [span((1, 3), 0, 2, 0, 1), span((0, 3), 1, 2, 1, 1)]);
        assert_eq!(spans(2, 2), [span((1, 3), 0, 2, 0, 1)]);
        assert_eq!(spans(1, 1), [span((1, 2), 0, 1, 0, 1)]);
    }
}
