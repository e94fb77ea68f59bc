//! The kernel against ONNX Runtime, over every recorded prompt of three voices, clean and in noise.

use super::corpus::{Call, NOISES, Prompt, prompts};
use super::{RATES, config, silero};
use ringway_frame::SampleRate;
use ringway_silero_kernel::{Instructions, Kernel, Rate, Reference};
use ringway_stages::silero::SileroKernel;
use ringway_stages::vad::{Vad, VadError, VadJob};
use std::ops::Range;
use std::path::Path;

/// Calls judged together: two runs of ONNX Runtime.
const TOGETHER: usize = 48;

/// A probability that far from ONNX Runtime's is another one.
const LEEWAY: f32 = 1e-5;

fn kernel(rate: SampleRate, instructions: Instructions) -> Kernel {
    let model = std::fs::read(config(rate).model).unwrap();
    Kernel::read(&model, kernel_rate(rate), instructions).unwrap()
}

fn kernel_rate(rate: SampleRate) -> Rate {
    if rate == SampleRate::HZ_8000 { Rate::Hz8000 } else { Rate::Hz16000 }
}

/// Speech begins at a probability of a half, and ends with the first of four windows below 0.35, as in Silero's own
/// `VADIterator` with its defaults.
fn segments(probabilities: &[f32]) -> Vec<Range<usize>> {
    let (mut segments, mut begin, mut quiet): (Vec<Range<usize>>, Option<usize>, usize) = Default::default();
    for (n, &probability) in probabilities.iter().enumerate() {
        quiet = if probability < 0.35 { quiet + 1 } else { 0 };
        match begin {
            None if probability >= 0.5 => begin = Some(n),
            Some(from) if quiet == 4 => {
                segments.push(from..n - 3);
                begin = None;
            }
            _ => {}
        }
    }
    segments.extend(begin.map(|from| from..probabilities.len()));
    segments
}

/// The engines of one rate, and how far they were apart.
struct Comparison {
    rate: SampleRate,
    reference: Box<dyn Vad>,
    kernels: Vec<Kernel>,
    windows: usize,
    segments: usize,
    worst: f32,
}

impl Comparison {
    fn new(rate: SampleRate) -> Self {
        let kernels = Instructions::all().map(|instructions| kernel(rate, instructions)).collect();
        let reference = Box::new(silero(rate));
        Self { rate, reference, kernels, windows: 0, segments: 0, worst: 0.0 }
    }

    /// Judges prompts as calls at once, by every engine.
    fn compare(&mut self, prompts: &[Prompt], noise: Option<f64>) {
        let calls = || -> Vec<Call> { prompts.iter().map(|prompt| Call::new(prompt, noise)).collect() };
        let (state, reference) = (self.reference.state(), &mut self.reference);
        let expected = judge(calls(), &state, |jobs| reference.infer(jobs).unwrap());
        // Instruction sets differ in how many numbers a vector has, hardly in what is done with each: the slower ones
        // are shown on the clean prompts alone.
        let kernels = if noise.is_none() { self.kernels.len() } else { 1 };
        for kernel in self.kernels.iter_mut().take(kernels) {
            let found = judge(calls(), &state, |jobs| kernel.infer(jobs).unwrap());
            for (prompt, (expected, found)) in prompts.iter().zip(expected.iter().zip(&found)) {
                let what =
                    format!("{} at {}, {noise:?} dB, {}", prompt.name, self.rate, kernel.instructions());
                let worst = furthest(expected, found);
                assert!(worst < LEEWAY, "{what}: {worst}");
                assert_eq!(segments(expected), segments(found), "{what}");
                self.worst = self.worst.max(worst);
            }
        }
        self.windows += expected.iter().map(Vec::len).sum::<usize>();
        self.segments += expected.iter().map(|probabilities| segments(probabilities).len()).sum::<usize>();
    }
}

fn furthest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// A window of each call at a time; a call leaves when its windows are over.
fn judge(
    mut calls: Vec<Call>,
    state: &ringway_stages::vad::VadState,
    mut infer: impl FnMut(&mut [VadJob<'_>]),
) -> Vec<Vec<f32>> {
    let mut states = vec![state.clone(); calls.len()];
    let mut results = vec![Vec::new(); calls.len()];
    loop {
        let going: Vec<bool> = calls.iter_mut().map(Call::advance).collect();
        let mut jobs: Vec<VadJob<'_>> = Vec::new();
        for ((state, call), _) in states.iter_mut().zip(&calls).zip(&going).filter(|(_, going)| **going) {
            jobs.push(VadJob { state, samples: call.window(), probability: -1.0 });
        }
        if jobs.is_empty() {
            return results;
        }
        infer(&mut jobs);
        let going = results.iter_mut().zip(&going).filter(|(_, going)| **going);
        going.zip(&jobs).for_each(|((result, _), job)| result.push(job.probability));
    }
}

/// Every window of all prompts of a voice, at both rates, clean and in noise.
fn judged_alike(voice: &str) {
    let files = prompts(voice);
    for rate in RATES {
        let mut comparison = Comparison::new(rate);
        for files in files.chunks(TOGETHER) {
            let prompts: Vec<Prompt> = files.iter().map(|file| Prompt::read(file, rate)).collect();
            NOISES.iter().for_each(|&noise| comparison.compare(&prompts, noise));
        }
        let Comparison { windows, segments, worst, .. } = comparison;
        println!("{voice} at {rate}: {windows} windows, {segments} segments, furthest apart {worst:e}");
        assert!(windows > 100_000 && segments > 2_000, "the corpus is there");
    }
}

#[test]
fn the_kernel_judges_a_womans_english_as_onnx_runtime_does() {
    judged_alike("en_US_f_Allison");
}

#[test]
fn the_kernel_judges_a_womans_french_as_onnx_runtime_does() {
    judged_alike("fr_CA_f_June");
}

#[test]
fn the_kernel_judges_a_mans_italian_as_onnx_runtime_does() {
    judged_alike("it_IT_m_Carlo");
}

#[test]
fn the_scalar_reference_judges_as_onnx_runtime_does() {
    for rate in RATES {
        let reference =
            Reference::read(&std::fs::read(config(rate).model).unwrap(), kernel_rate(rate)).unwrap();
        let prompts: Vec<Prompt> =
            prompts("en_US_f_Allison").iter().step_by(60).map(|file| Prompt::read(file, rate)).collect();
        let calls = || -> Vec<Call> { prompts.iter().map(|prompt| Call::new(prompt, Some(10.0))).collect() };
        let mut silero = silero(rate);
        let state = silero.state();
        let expected = judge(calls(), &state, |jobs| silero.infer(jobs).unwrap());
        let found = judge(calls(), &state, |jobs| {
            for job in jobs {
                job.probability = reference.infer(job.state.as_mut_slice(), job.samples).unwrap();
            }
        });
        for (expected, found) in expected.iter().zip(&found) {
            assert!(furthest(expected, found) < LEEWAY, "{rate}");
        }
    }
}

#[test]
fn a_call_may_change_engines_between_two_windows() {
    let rate = SampleRate::HZ_16000;
    let (mut silero, mut kernel) = (silero(rate), SileroKernel::load(&config(rate).model, rate).unwrap());
    let (mut one, mut both) = (silero.state(), kernel.state());
    for (n, window) in super::windows(&super::prompt("vm-goodbye"), rate).iter().enumerate() {
        let mut expected = [VadJob { state: &mut one, samples: window, probability: -1.0 }];
        silero.infer(&mut expected).unwrap();
        let mut found = [VadJob { state: &mut both, samples: window, probability: -1.0 }];
        let engine: &mut dyn Vad = if n % 2 == 0 { &mut kernel } else { &mut silero };
        engine.infer(&mut found).unwrap();
        assert!((expected[0].probability - found[0].probability).abs() < LEEWAY, "window {n}");
    }
}

#[test]
fn what_is_no_model_is_refused_with_its_path() {
    for (model, reason) in [("no/such.onnx", "No such file"), (file!(), "protobuf")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(model);
        match SileroKernel::load(&path, SampleRate::HZ_8000).unwrap_err() {
            VadError::Model { path: refused, reason: told } => {
                assert!(refused == path && told.contains(reason), "{told}");
            }
            other => panic!("{other:?}"),
        }
    }
}
