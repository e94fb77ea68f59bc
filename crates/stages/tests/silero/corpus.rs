//! Every recorded prompt of Debian's asterisk-core-sounds packages, in noise where it is asked for.

use super::recordings::{recording, windows};
use ringway_frame::SampleRate;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// How much louder than the noise the prompt is, in dB; none: clean.
pub const NOISES: [Option<f64>; 4] = [None, Some(20.0), Some(10.0), Some(5.0)];

const SOUNDS: &str = "/usr/share/asterisk/sounds";

/// The same numbers between -1 and 1 each time.
static NOISE: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let mut state = 1_u64;
    let mut uniform = || {
        // Knuth's MMIX generator; its high bits are good.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..100_003).map(|_| uniform()).collect()
});

/// A prompt cut into windows.
pub struct Prompt {
    pub name: String,
    windows: Vec<Vec<f32>>,
    /// Root mean square of its samples.
    loudness: f64,
}

/// A prompt as a call brings it.
pub struct Call<'a> {
    prompt: &'a Prompt,
    /// The largest number of the noise.
    noise: f32,
    next: usize,
    window: Vec<f32>,
}

/// The prompts of a voice.
pub fn prompts(voice: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(&Path::new(SOUNDS).join(voice), &mut files);
    files.sort();
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}: run `make setup-test`", folder.display()));
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "wav") {
            files.push(path);
        }
    }
}

impl Prompt {
    pub fn read(file: &Path, rate: SampleRate) -> Self {
        let samples = recording(file);
        let power: f64 = samples.iter().map(|&sample| (f64::from(sample) / 32_768.0).powi(2)).sum();
        let loudness = (power / samples.len().max(1) as f64).sqrt();
        Self { name: file.display().to_string(), windows: windows(&samples, rate), loudness }
    }
}

impl<'a> Call<'a> {
    pub fn new(prompt: &'a Prompt, noise: Option<f64>) -> Self {
        // Numbers spread evenly up to a largest one are the square root of three below it on average.
        let largest = |decibels: f64| prompt.loudness * 10_f64.powf(-decibels / 20.0) * 3_f64.sqrt();
        let noise = noise.map_or(0.0, |decibels| largest(decibels) as f32);
        Self { prompt, noise, next: 0, window: Vec::new() }
    }

    /// Goes on to the next window; false: there is none.
    pub fn advance(&mut self) -> bool {
        let Some(window) = self.prompt.windows.get(self.next) else { return false };
        self.window.clone_from(window);
        if self.noise > 0.0 {
            let from = self.next * 7_919 % (NOISE.len() - window.len());
            for (sample, noise) in self.window.iter_mut().zip(&NOISE[from..]) {
                *sample += self.noise * noise;
            }
        }
        self.next += 1;
        true
    }

    pub fn window(&self) -> &[f32] {
        &self.window
    }
}
