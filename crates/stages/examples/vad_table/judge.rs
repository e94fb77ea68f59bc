//! The network over whole calls.

use super::calls::Call;
use super::gate::Gate;
use super::noise::Noise;
use super::segments::Judged;
use ringway_frame::{Format, SampleRate};
use ringway_stages::level::LoudTracker;
use ringway_stages::silero::{Instructions, SileroKernel, WindowCutter};
use ringway_stages::vad::{Vad, VadError, VadJob};
use std::path::{Path, PathBuf};

/// The detector at both rates.
#[derive(Debug)]
pub struct Judge {
    kernels: [SileroKernel; 2],
}

/// The windows of a call at one rate.
#[derive(Debug)]
pub struct Windows {
    windows: Vec<Window>,
}

/// One of them.
#[derive(Debug)]
pub struct Window {
    samples: Vec<f32>,
    /// When it ended, in milliseconds.
    until: u64,
    /// RMS in dBFS.
    pub level: f32,
    /// The level of the line when nobody speaks, as far as it is known by then.
    pub floor: f32,
}

impl Judge {
    /// Reads the model that `make setup` has put into .ringway, or that `RINGWAY_VAD_MODEL` names.
    pub fn load() -> Result<Self, VadError> {
        let kept = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ringway/models/silero_vad.onnx");
        let model = std::env::var_os("RINGWAY_VAD_MODEL").map_or_else(kept, PathBuf::from);
        let load = |rate| SileroKernel::load(&model, rate);
        Ok(Self { kernels: [load(SampleRate::HZ_16000)?, load(SampleRate::HZ_8000)?] })
    }

    pub fn instructions(&self) -> Instructions {
        self.kernels[0].instructions()
    }

    /// Judges calls together, each behind the gate.
    pub fn judge(&mut self, rate: SampleRate, calls: &[Windows], gate: Gate) -> Vec<Judged> {
        let kernel = self.kernels.iter_mut().find(|kernel| kernel.rate() == rate).expect("both are there");
        let plans: Vec<_> = calls.iter().map(|call| gate.plan(&call.windows)).collect();
        let mut judged: Vec<Judged> = calls.iter().map(Windows::unjudged).collect();
        let mut states = vec![kernel.state(); calls.len()];
        for step in 0..plans.iter().map(Vec::len).max().unwrap_or(0) {
            let (mut jobs, mut to) = (Vec::new(), Vec::new());
            for (call, state) in states.iter_mut().enumerate() {
                let Some(&window) = plans[call].get(step) else { continue };
                jobs.push(VadJob { state, samples: &calls[call].windows[window].samples, probability: 0.0 });
                to.push((call, window));
            }
            kernel.infer(&mut jobs).expect("windows of this rate");
            for (job, (call, window)) in jobs.iter().zip(to) {
                judged[call].ran += 1;
                judged[call].windows[window].1 = job.probability;
            }
        }
        // A window that is run again when the gate opens was silence by then.
        for ((judged, call), plan) in judged.iter_mut().zip(calls).zip(&plans) {
            gate.shut(&call.windows, plan, judged);
        }
        judged
    }
}

impl Windows {
    /// Of a call in noise.
    pub fn of(call: &Call, noise: Noise, rate: SampleRate) -> Self {
        let mut cutter = WindowCutter::new(Format::Mulaw8k, rate).expect("a rate of the network");
        let (mut line, mut windows) = (LoudTracker::new(SampleRate::HZ_8000), Vec::new());
        for frame in call.frames(noise) {
            line.hear(&frame);
            cutter.hear(&frame);
            windows.extend(cutter.next_window().map(|window| Window {
                until: window.until.as_millis(),
                level: level(window.samples),
                floor: line.noise_floor(),
                samples: window.samples.to_vec(),
            }));
        }
        Self { windows }
    }

    fn unjudged(&self) -> Judged {
        Judged { windows: self.windows.iter().map(|window| (window.until, 0.0)).collect(), ran: 0 }
    }
}

fn level(samples: &[f32]) -> f32 {
    let power = samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32;
    10.0 * power.max(1e-10).log10()
}
