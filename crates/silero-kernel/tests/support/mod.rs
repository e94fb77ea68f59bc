//! The model, calls and sounds for them.
#![allow(dead_code, reason = "each test uses a part")]

use ringway_silero_kernel::{Job, Rate};
use std::path::{Path, PathBuf};

/// silero_vad.onnx, where `make setup` puts it or `RINGWAY_VAD_MODEL` says.
pub fn model() -> Vec<u8> {
    let kept = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ringway/models/silero_vad.onnx");
    let path = std::env::var_os("RINGWAY_VAD_MODEL").map_or_else(kept, PathBuf::from);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}: run `make setup`", path.display()))
}

#[derive(Clone, Debug)]
pub struct Call {
    pub window: Vec<f32>,
    pub state: Vec<f32>,
    pub probability: f32,
}

impl Call {
    pub fn new(rate: Rate) -> Self {
        Self { window: vec![0.0; rate.window()], state: vec![0.0; rate.state()], probability: -1.0 }
    }
}

impl Job for Call {
    fn parts(&mut self) -> (&[f32], &mut [f32]) {
        (&self.window, &mut self.state)
    }

    fn judged(&mut self, probability: f32) {
        self.probability = probability;
    }
}

/// A window of a voiced sound of its own for each seed, louder with each step, over some noise.
pub fn sound(seed: usize, step: usize, rate: Rate) -> Vec<f32> {
    let period = rate.window() / (3 + seed % 7);
    let mut noise = (seed * 31 + step + 1) as u64;
    let mut uniform = || {
        // Knuth's MMIX generator; its high bits are good.
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (noise >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    let buzz = |n: usize| 0.4 * (n % period) as f32 / period as f32 - 0.2;
    (0..rate.window()).map(|n| 0.2 * (step + 1) as f32 * buzz(n) + 0.02 * uniform()).collect()
}

/// A small generator; its high bits are good (Knuth's MMIX).
pub fn random(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}
