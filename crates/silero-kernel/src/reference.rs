use crate::shape::{FRAMES, HIDDEN, RECURRENT};
use crate::weights::{Convolution, Lstm, STRIDES, TAPS, Weights};
use crate::{JobError, ModelError, Rate};

/// The network as it is defined, one window at a time, in plain scalar code: what the kernel is measured by.
///
/// Row, Fourier transform by its basis, magnitudes, four convolutions with a rectifier each, one LSTM cell, rectifier,
/// scalar product, sigmoid. Slow, and on every CPU.
#[derive(Clone, Debug)]
pub struct Reference {
    rate: Rate,
    weights: Weights,
}

impl Reference {
    /// Takes the weights for `rate` out of the bytes of `silero_vad.onnx`.
    ///
    /// # Errors
    /// The bytes are not that model.
    pub fn read(model: &[u8], rate: Rate) -> Result<Self, ModelError> {
        Ok(Self { rate, weights: Weights::read(model, rate)? })
    }

    /// The probability of speech in one window of [`Rate::window`] samples in -1..1; `state` holds
    /// [`Rate::state`] numbers, and is updated.
    ///
    /// # Errors
    /// Window or state are of another length.
    pub fn infer(&self, state: &mut [f32], window: &[f32]) -> Result<f32, JobError> {
        let Weights { shape, encoder, lstm, decoder, decoder_bias, .. } = &self.weights;
        if window.len() != shape.window || state.len() != self.rate.state() {
            return Err(JobError { samples: window.len(), state: state.len(), rate: self.rate });
        }
        let (recurrent, context) = state.split_at_mut(RECURRENT);
        let mut row = vec![0.0; shape.row()];
        shape.write_row(context, window, &mut row);
        let mut frames = self.spectrum(&row);
        for (layer, stride) in encoder.iter().zip(STRIDES) {
            frames = convolve(layer, &frames, stride);
        }
        remember(lstm, &frames, recurrent);
        context.copy_from_slice(&window[shape.window - shape.context..]);
        let rectified = recurrent[..HIDDEN].iter().map(|output| output.max(0.0));
        let sum: f32 = rectified.zip(decoder).map(|(output, weight)| output * weight).sum();
        Ok(sigmoid(sum + decoder_bias))
    }

    /// Magnitudes, `[FRAMES][bins]`.
    fn spectrum(&self, row: &[f32]) -> Vec<f32> {
        let shape = self.weights.shape;
        let (real, imaginary) = self.weights.basis.split_at(shape.bins() * shape.fourier);
        let mut magnitudes = Vec::with_capacity(FRAMES * shape.bins());
        for frame in 0..FRAMES {
            let samples = &row[frame * shape.hop()..][..shape.fourier];
            let parts = real.chunks_exact(shape.fourier).zip(imaginary.chunks_exact(shape.fourier));
            magnitudes
                .extend(parts.map(|(real, imaginary)| dot(real, samples).hypot(dot(imaginary, samples))));
        }
        magnitudes
    }
}

/// With one frame of zeros at either end, and a rectifier.
fn convolve(layer: &Convolution, frames: &[f32], stride: usize) -> Vec<f32> {
    let count = frames.len() / layer.inputs;
    let mut outputs = Vec::new();
    for middle in (0..count).step_by(stride) {
        for (output, bias) in layer.bias.iter().enumerate() {
            let weights = &layer.weights[output * layer.inputs * TAPS..][..layer.inputs * TAPS];
            let mut sum = *bias;
            for tap in 0..TAPS {
                let Some(frame) = (middle + tap).checked_sub(1).filter(|&frame| frame < count) else {
                    continue;
                };
                let inputs = &frames[frame * layer.inputs..][..layer.inputs];
                sum += inputs
                    .iter()
                    .zip(weights.iter().skip(tap).step_by(TAPS))
                    .map(|(x, w)| x * w)
                    .sum::<f32>();
            }
            outputs.push(sum.max(0.0));
        }
    }
    outputs
}

/// One step of the recurrent layer: output and cell in `state`.
fn remember(layer: &Lstm, inputs: &[f32], state: &mut [f32]) {
    let before = state[..HIDDEN].to_vec();
    let (output, cell) = state.split_at_mut(HIDDEN);
    let gate = |row: usize| {
        let weights = row * HIDDEN..(row + 1) * HIDDEN;
        let bias = layer.input_bias[row] + layer.hidden_bias[row];
        bias + dot(&layer.input[weights.clone()], inputs) + dot(&layer.hidden[weights], &before)
    };
    for unit in 0..HIDDEN {
        let [admit, keep, new, show] = std::array::from_fn(|part| gate(part * HIDDEN + unit));
        cell[unit] = sigmoid(keep) * cell[unit] + sigmoid(admit) * new.tanh();
        output[unit] = sigmoid(show) * cell[unit].tanh();
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
