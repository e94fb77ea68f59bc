use crate::aligned::Aligned;
use crate::matrix::Matrix;
use crate::memory;
use crate::product::{Place, Product, Taps, places};
use crate::shape::{BLOCK, FRAMES};
use crate::simd::Simd;
use crate::weights::{Convolution, STRIDES, TAPS, Weights};

/// Four convolutions over frames, each with a rectifier: four frames of magnitudes become one of features.
#[derive(Debug)]
pub(crate) struct Encoder {
    layers: [Layer; 4],
    /// What the first three give, `[calls][frames][outputs]`.
    between: [Aligned; 3],
}

/// One convolution.
#[derive(Debug)]
struct Layer {
    matrix: Matrix,
    /// Numbers that it gives for a call.
    outputs: usize,
    /// The taps of neighbouring outputs, and where their rows are.
    spans: Vec<(Taps, Box<[Place]>)>,
}

/// Neighbouring outputs that the same taps are for: the other taps meet only the zeros before the first frame or after
/// the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    taps: (usize, usize),
    /// The frame that the first of the taps meets for the first output.
    frame: usize,
    output: usize,
    outputs: usize,
}

impl Encoder {
    pub fn new(weights: &Weights, panels: &[usize]) -> Self {
        let mut frames = FRAMES;
        let layers: [Layer; 4] = std::array::from_fn(|nth| {
            // The last one writes where the recurrent layer reads.
            let call = (nth == 3).then_some(memory::INPUTS);
            let layer = Layer::new(&weights.encoder[nth], frames, STRIDES[nth], call, panels);
            frames = frames.div_ceil(STRIDES[nth]);
            layer
        });
        let room = |nth: usize| Aligned::zeroed(BLOCK * layers[nth].outputs);
        Self { between: std::array::from_fn(room), layers }
    }

    /// Magnitudes of the first calls to the inputs of the recurrent layer.
    pub fn run<S: Simd>(&mut self, simd: S, calls: usize, magnitudes: &[f32], features: &mut [f32]) {
        let [first, second, third, fourth] = &self.layers;
        let [a, b, c] = &mut self.between;
        first.run(simd, calls, magnitudes, a);
        second.run(simd, calls, a, b);
        third.run(simd, calls, b, c);
        fourth.run(simd, calls, c, features);
    }
}

impl Layer {
    /// Of so many frames, every `stride`th; writes calls `call` numbers after one another, else without a gap.
    fn new(
        Convolution { inputs, outputs, weights, bias }: &Convolution,
        frames: usize,
        stride: usize,
        call: Option<usize>,
        panels: &[usize],
    ) -> Self {
        let matrix = Matrix::new(TAPS * inputs, bias.iter().copied(), panels, |input, output| {
            weights[output * inputs * TAPS + input]
        });
        let room = frames.div_ceil(stride) * outputs;
        let call = Place { from: frames * inputs, to: call.unwrap_or(room) };
        let placed = |span: Span| {
            let (from, to) = (span.frame * inputs, span.output * outputs);
            let place = |row: usize| Place { from: from + row * stride * inputs, to: to + row * outputs };
            let taps = Taps { used: span.taps.0..span.taps.1, of: TAPS, step: *inputs };
            (taps, places(span.outputs, place, call))
        };
        Self { matrix, outputs: room, spans: spans(frames, stride).into_iter().map(placed).collect() }
    }

    fn run<S: Simd>(&self, simd: S, calls: usize, from: &[f32], to: &mut [f32]) {
        for (taps, places) in &self.spans {
            let rows = &places[..places.len() / BLOCK * calls];
            simd.enable(Product { matrix: &self.matrix, taps: taps.clone(), rows, from, to, floor: 0.0 });
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
            _ => spans.push(Span { taps, frame: middle + first - 1, output, outputs: 1 }),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_that_meet_only_zeros_are_left_out() {
        let span = |taps, frame, output, outputs| Span { taps, frame, output, outputs };
        assert_eq!(spans(4, 1), [span((1, 3), 0, 0, 1), span((0, 3), 0, 1, 2), span((0, 2), 2, 3, 1)]);
        assert_eq!(spans(4, 2), [span((1, 3), 0, 0, 1), span((0, 3), 1, 1, 1)]);
        assert_eq!(spans(2, 2), [span((1, 3), 0, 0, 1)]);
        assert_eq!(spans(1, 1), [span((1, 2), 0, 0, 1)]);
    }
}
