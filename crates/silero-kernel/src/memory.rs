use crate::aligned::Aligned;
use crate::matrix::Matrix;
use crate::product::{Place, Product, Taps, places};
use crate::shape::{BLOCK, HIDDEN, RECURRENT};
use crate::simd::{Simd, Work};
use crate::weights::Weights;

/// The recurrent layer, one step of it, and the probability that is read off its output.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Of features and last output together.
    gates: Matrix,
    rows: Box<[Place]>,
    decoder: Aligned,
    decoder_bias: f32,
    /// `[calls][INPUTS]`: features, then the last output.
    pub inputs: Aligned,
    /// `[calls][GATES]`.
    opened: Aligned,
    /// `[calls][RECURRENT]`.
    state: Aligned,
}

/// Numbers that the gates are computed of.
pub(crate) const INPUTS: usize = 2 * HIDDEN;

const GATES: usize = 4 * HIDDEN;

/// Lets the gates work on the state of a block.
struct Remember<'a> {
    opened: &'a [f32],
    state: &'a mut [f32],
    decoder: &'a [f32],
    decoder_bias: f32,
    probabilities: &'a mut [f32],
}

impl Memory {
    pub fn new(Weights { lstm, decoder, decoder_bias, .. }: &Weights, panels: &[usize]) -> Self {
        let bias = lstm.input_bias.iter().zip(&lstm.hidden_bias).map(|(input, hidden)| input + hidden);
        let gates = Matrix::new(INPUTS, bias, panels, |input, output| match input.checked_sub(HIDDEN) {
            None => lstm.input[output * HIDDEN + input],
            Some(hidden) => lstm.hidden[output * HIDDEN + hidden],
        });
        let mut aligned = Aligned::zeroed(HIDDEN);
        aligned.copy_from_slice(decoder);
        Self {
            gates,
            rows: places(1, |_| Place { from: 0, to: 0 }, Place { from: INPUTS, to: GATES }),
            decoder: aligned,
            decoder_bias: *decoder_bias,
            inputs: Aligned::zeroed(BLOCK * INPUTS),
            opened: Aligned::zeroed(BLOCK * GATES),
            state: Aligned::zeroed(BLOCK * RECURRENT),
        }
    }

    /// Sets what a call remembers: output, then cell.
    pub fn set(&mut self, call: usize, recurrent: &[f32]) {
        self.state[call * RECURRENT..][..RECURRENT].copy_from_slice(recurrent);
        self.inputs[call * INPUTS + HIDDEN..][..HIDDEN].copy_from_slice(&recurrent[..HIDDEN]);
    }

    /// Takes what a call remembers now.
    pub fn take(&self, call: usize, recurrent: &mut [f32]) {
        recurrent.copy_from_slice(&self.state[call * RECURRENT..][..RECURRENT]);
    }

    /// One step of the first calls.
    pub fn run<S: Simd>(&mut self, simd: S, calls: usize, probabilities: &mut [f32]) {
        simd.enable(Product {
            matrix: &self.gates,
            taps: Taps::ONE,
            rows: &self.rows[..calls],
            from: &self.inputs,
            to: &mut self.opened,
            floor: f32::NEG_INFINITY,
        });
        simd.enable(Remember {
            opened: &self.opened,
            state: &mut self.state,
            decoder: &self.decoder,
            decoder_bias: self.decoder_bias,
            probabilities: &mut probabilities[..calls],
        });
    }
}

impl Work for Remember<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let calls = self.opened.chunks_exact(GATES).zip(self.state.chunks_exact_mut(RECURRENT));
        for ((gates, state), probability) in calls.zip(self.probabilities) {
            let sum = step(simd, gates, state, self.decoder) + self.decoder_bias;
            *probability = 1.0 / (1.0 + (-sum).exp());
        }
    }
}

/// Output and cell of one call, and the scalar product of decoder and rectified output.
#[inline(always)]
fn step<S: Simd>(simd: S, gates: &[f32], state: &mut [f32], decoder: &[f32]) -> f32 {
    let (output, cell) = state.split_at_mut(HIDDEN);
    let zero = simd.splat(0.0);
    let mut sum = zero;
    for unit in (0..HIDDEN).step_by(S::WIDTH) {
        let admit = simd.load(&gates[unit..]);
        let keep = simd.load(&gates[HIDDEN + unit..]);
        let new = simd.load(&gates[2 * HIDDEN + unit..]);
        let show = simd.load(&gates[3 * HIDDEN + unit..]);
        let now = cell_of(simd, [admit, keep, new], simd.load(&cell[unit..]));
        let shown = output_of(simd, show, now);
        simd.store(now, &mut cell[unit..]);
        simd.store(shown, &mut output[unit..]);
        sum = simd.mul_add(simd.max(shown, zero), simd.load(&decoder[unit..]), sum);
    }
    simd.sum(sum)
}

/// sigmoid(keep) * cell + sigmoid(admit) * tanh(new), over one denominator: a division costs as much as an exponential.
#[inline(always)]
fn cell_of<S: Simd>(simd: S, [admit, keep, new]: [S::Vector; 3], cell: S::Vector) -> S::Vector {
    let one = simd.splat(1.0);
    let (admit, keep, new) = (decay(simd, admit), decay(simd, keep), decay(simd, simd.add(new, new)));
    let admitted = simd.mul(simd.add(one, admit), simd.add(one, new));
    let kept = simd.add(one, keep);
    let sum = simd.mul_add(cell, admitted, simd.mul(simd.sub(one, new), kept));
    simd.div(sum, simd.mul(admitted, kept))
}

/// sigmoid(show) * tanh(cell).
#[inline(always)]
fn output_of<S: Simd>(simd: S, show: S::Vector, cell: S::Vector) -> S::Vector {
    let one = simd.splat(1.0);
    let (show, cell) = (decay(simd, show), decay(simd, simd.add(cell, cell)));
    simd.div(simd.sub(one, cell), simd.mul(simd.add(one, show), simd.add(one, cell)))
}

/// e to the power of -x: 1 / (1 + decay(x)) is the sigmoid, (1 - decay(2x)) / (1 + decay(2x)) the hyperbolic tangent.
/// Beyond 25 both are flat within 2e-11, and the product of three stays finite.
#[inline(always)]
fn decay<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let bounded = simd.max(simd.min(x, simd.splat(25.0)), simd.splat(-25.0));
    simd.exp(simd.sub(simd.splat(0.0), bounded))
}
