use super::{LAYER, LAYERS, RECURRENT, Shape};
use crate::vad::{VadError, VadJob};
use ort::AsPointer;
use ort::memory::Allocator;
use ort::session::{IoBinding, Session};
use ort::value::Tensor;
use std::ptr;

/// Inputs and outputs of one size, bound once and filled anew for each run.
pub(super) struct Batch {
    shape: Shape,
    size: usize,
    input: Tensor<f32>,
    state: Tensor<f32>,
    probability: Tensor<f32>,
    next_state: Tensor<f32>,
    binding: IoBinding,
}

impl Batch {
    /// Zeroed tensors for `size` windows.
    pub(super) fn new(session: &Session, shape: Shape, size: usize) -> ort::Result<Self> {
        let input = zeroed([size, shape.row()])?;
        let state = zeroed([LAYERS, size, LAYER])?;
        let mut probability = zeroed([size, 1])?;
        let mut next_state = zeroed([LAYERS, size, LAYER])?;
        let mut binding = session.create_binding()?;
        // ONNX Runtime binds tensors of the CPU without a copy: what is written into them later, the next run reads.
        binding.bind_input("input", &input)?;
        binding.bind_input("state", &state)?;
        binding.bind_input("sr", &rate(shape)?)?;
        binding.bind_output("output", &mut probability)?;
        binding.bind_output("stateN", &mut next_state)?;
        Ok(Self { shape, size, input, state, probability, next_state, binding })
    }

    /// Stacks the windows and states of `jobs`, as many as the batch has rows.
    pub(super) fn fill(&mut self, jobs: &[VadJob<'_>]) -> Result<(), VadError> {
        let (shape, size) = (self.shape, self.size);
        let (_, input) = self.input.extract_tensor_mut();
        let (_, states) = self.state.extract_tensor_mut();
        for (row, job) in jobs.iter().enumerate() {
            fits(shape, job)?;
            let (recurrent, context) = job.state.as_slice().split_at(RECURRENT);
            let input = &mut input[row * shape.row()..][..shape.row()];
            input[..shape.context].copy_from_slice(context);
            input[shape.context..].copy_from_slice(job.samples);
            for (layer, numbers) in recurrent.chunks_exact(LAYER).enumerate() {
                states[(layer * size + row) * LAYER..][..LAYER].copy_from_slice(numbers);
            }
        }
        Ok(())
    }

    /// Runs the network on what the batch holds.
    pub(super) fn run(&mut self, session: &mut Session) -> Result<(), VadError> {
        // `Session::run_binding` would allocate a list of outputs that are at hand already.
        // SAFETY: both pointers are valid for the borrows of this call, no run options means the default ones, and the
        // exclusive borrow of the session keeps other runs away.
        let status =
            unsafe { (ort::api().RunWithBinding)(session.ptr_mut(), ptr::null(), self.binding.ptr()) };
        // SAFETY: the status comes from ONNX Runtime, and nothing else releases it.
        unsafe { ort::Error::result_from_status(status) }
            .map_err(|error| VadError::Inference(error.to_string()))
    }

    /// Hands the results of the run to `jobs`, those that the batch was filled with.
    pub(super) fn settle(&self, jobs: &mut [VadJob<'_>]) {
        let (_, probabilities) = self.probability.extract_tensor();
        let (_, states) = self.next_state.extract_tensor();
        for (row, job) in jobs.iter_mut().enumerate() {
            job.probability = probabilities[row];
            let (recurrent, context) = job.state.as_mut_slice().split_at_mut(RECURRENT);
            for (layer, numbers) in recurrent.chunks_exact_mut(LAYER).enumerate() {
                numbers.copy_from_slice(&states[(layer * self.size + row) * LAYER..][..LAYER]);
            }
            context.copy_from_slice(&job.samples[self.shape.window - self.shape.context..]);
        }
    }
}

fn zeroed<const D: usize>(shape: [usize; D]) -> ort::Result<Tensor<f32>> {
    let mut tensor = Tensor::new(&Allocator::default(), shape)?;
    tensor.extract_tensor_mut().1.fill(0.0);
    Ok(tensor)
}

fn rate(shape: Shape) -> ort::Result<Tensor<i64>> {
    let scalar: [usize; 0] = [];
    let mut tensor = Tensor::new(&Allocator::default(), scalar)?;
    tensor.extract_tensor_mut().1.fill(i64::from(shape.rate.hz()));
    Ok(tensor)
}

fn fits(shape: Shape, job: &VadJob<'_>) -> Result<(), VadError> {
    let (samples, state) = (job.samples.len(), job.state.as_slice().len());
    if samples == shape.window && state == RECURRENT + shape.context {
        return Ok(());
    }
    Err(VadError::Inference(format!(
        "a window of {samples} samples with a state of {state} is not of this model"
    )))
}
