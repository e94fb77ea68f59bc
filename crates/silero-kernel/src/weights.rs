use crate::onnx::{Branch, Tensor, branches};
use crate::shape::{HIDDEN, Shape};
use crate::{ModelError, Rate};

/// The numbers of one branch, in the order in which the model's file holds them.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    pub shape: Shape,
    /// Cosines, then negative sines, of each frequency under the window: `[2 * bins][fourier]`.
    pub basis: Vec<f32>,
    pub encoder: [Convolution; 4],
    pub lstm: Lstm,
    /// `[HIDDEN]`.
    pub decoder: Vec<f32>,
    pub decoder_bias: f32,
}

/// A convolution of three taps over frames.
#[derive(Clone, Debug)]
pub(crate) struct Convolution {
    pub inputs: usize,
    pub outputs: usize,
    /// `[outputs][inputs][3]`.
    pub weights: Vec<f32>,
    /// `[outputs]`.
    pub bias: Vec<f32>,
}

/// The recurrent layer: input gate, forget gate, cell and output gate, [`HIDDEN`] rows each.
#[derive(Clone, Debug)]
pub(crate) struct Lstm {
    /// `[4 * HIDDEN][HIDDEN]`, of the encoder's output.
    pub input: Vec<f32>,
    /// `[4 * HIDDEN][HIDDEN]`, of the layer's last output.
    pub hidden: Vec<f32>,
    pub input_bias: Vec<f32>,
    pub hidden_bias: Vec<f32>,
}

/// The taps of every convolution.
pub(crate) const TAPS: usize = 3;

/// Frames that a convolution steps on for each output.
pub(crate) const STRIDES: [usize; 4] = [1, 2, 2, 1];

/// The basis of the Fourier transform; its length tells the branches apart.
pub(crate) const BASIS: &str = "stft.forward_basis_buffer";

const CONVOLUTIONS: [[&str; 2]; 4] = [
    ["encoder.0.reparam_conv.weight", "encoder.0.reparam_conv.bias"],
    ["encoder.1.reparam_conv.weight", "encoder.1.reparam_conv.bias"],
    ["encoder.2.reparam_conv.weight", "encoder.2.reparam_conv.bias"],
    ["encoder.3.reparam_conv.weight", "encoder.3.reparam_conv.bias"],
];

impl Weights {
    /// The branch for `rate` of an ONNX file.
    pub fn read(model: &[u8], rate: Rate) -> Result<Self, ModelError> {
        let shape = rate.shape();
        let branch = choose(&branches(model)?, shape)?;
        let gates = 4 * HIDDEN;
        let decoder_bias = numbers(&branch, "decoder.decoder.2.bias", &[1])?;
        Ok(Self {
            shape,
            basis: numbers(&branch, BASIS, &[2 * shape.bins(), 1, shape.fourier])?,
            encoder: encoder(&branch, shape)?,
            lstm: Lstm {
                input: numbers(&branch, "decoder.rnn.weight_ih", &[gates, HIDDEN])?,
                hidden: numbers(&branch, "decoder.rnn.weight_hh", &[gates, HIDDEN])?,
                input_bias: numbers(&branch, "decoder.rnn.bias_ih", &[gates])?,
                hidden_bias: numbers(&branch, "decoder.rnn.bias_hh", &[gates])?,
            },
            decoder: numbers(&branch, "decoder.decoder.2.weight", &[1, HIDDEN, 1])?,
            decoder_bias: decoder_bias[0],
        })
    }
}

/// The branch whose Fourier transform is as long as the rate's; else the first that has one, to tell what it has.
fn choose<'a>(branches: &[Branch<'a>], shape: Shape) -> Result<Branch<'a>, ModelError> {
    let mut other = None;
    for branch in branches {
        if let Some(basis) = branch.find(BASIS)? {
            if basis.dims.last() == Some(&(shape.fourier as i64)) {
                return Ok(branch.clone());
            }
            other = other.or(Some(branch));
        }
    }
    other.cloned().ok_or(ModelError::Missing { tensor: BASIS })
}

fn encoder(branch: &Branch<'_>, shape: Shape) -> Result<[Convolution; 4], ModelError> {
    let read = |layer: usize, inputs: usize, outputs: usize| -> Result<Convolution, ModelError> {
        let [weights, bias] = CONVOLUTIONS[layer];
        let weights = numbers(branch, weights, &[outputs, inputs, TAPS])?;
        Ok(Convolution { inputs, outputs, weights, bias: numbers(branch, bias, &[outputs])? })
    };
    Ok([read(0, shape.bins(), 128)?, read(1, 128, 64)?, read(2, 64, 64)?, read(3, 64, HIDDEN)?])
}

fn numbers(branch: &Branch<'_>, name: &'static str, dims: &[usize]) -> Result<Vec<f32>, ModelError> {
    let tensor = branch.find(name)?.ok_or(ModelError::Missing { tensor: name })?;
    check_dims(&tensor, name, dims)?;
    let expected = dims.iter().product();
    let raw = tensor.raw.filter(|raw| raw.len() == size_of::<f32>() * expected);
    let (raw, _) = raw.ok_or(ModelError::Numbers { tensor: name, expected })?.as_chunks();
    let numbers: Vec<f32> = raw.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    match numbers.iter().position(|number| !number.is_finite()) {
        None => Ok(numbers),
        Some(index) => Err(ModelError::Infinite { tensor: name, index, value: numbers[index].to_string() }),
    }
}

fn check_dims(tensor: &Tensor<'_>, name: &'static str, dims: &[usize]) -> Result<(), ModelError> {
    if tensor.dims.iter().copied().eq(dims.iter().map(|&dim| dim as i64)) {
        return Ok(());
    }
    Err(ModelError::Shape { tensor: name, expected: dims.to_vec(), found: tensor.dims.clone() })
}
