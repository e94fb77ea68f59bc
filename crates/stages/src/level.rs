//! Loudness of a line: which 10 ms stand out from its noise.

use crate::pcm::{self, MAX_SAMPLES};
use ringway_frame::{Frame, MediaTime, SampleRate};
use std::time::Duration;

/// Follows the noise floor of a line and the loudness of who speaks on it, and dates the last 10 ms that stand out.
///
/// A block is loud when it is above the noise by [`ABOVE_NOISE`] and not below the speaker by more than
/// [`BELOW_SPEECH`]: the first keeps noise out, the second the echo of a room that a quiet line lets through. It says
/// nothing of speech, which is the model's to tell; it only knows when energy fell, which the model tells late.
/// Pure, and without allocation.
#[derive(Clone, Debug)]
pub struct LoudTracker {
    block: usize,
    noise: NoiseFloor,
    speech: Decibels,
    loud_until: MediaTime,
}

/// Level of a block: 0 is the RMS of a square wave of full scale (dBFS).
type Decibels = f32;

const BLOCK: Duration = Duration::from_millis(10);

/// By how much louder than the noise floor a block stands out. Short blocks of steady noise spread over 6 dB above
/// their minimum.
const ABOVE_NOISE: Decibels = 10.0;

/// By how much quieter than its loudest syllables speech ends.
const BELOW_SPEECH: Decibels = 28.0;

/// Whatever is quieter is never loud: the steps of mu-law around zero lie at -78 dBFS, comfort noise at -70 to -60.
const QUIETEST: Decibels = -55.0;

/// The level of a block without any energy.
const SILENCE: Decibels = -100.0;

/// How fast the loudness of the speaker is forgotten, in dB a block: 3 dB a second.
const FORGETTING: Decibels = 0.03;

impl LoudTracker {
    /// A tracker of a line whose frames have `rate`.
    pub fn new(rate: SampleRate) -> Self {
        Self {
            block: rate.samples(BLOCK) as usize,
            noise: NoiseFloor::new(),
            speech: SILENCE,
            loud_until: MediaTime::ZERO,
        }
    }

    /// Takes the next 20 ms.
    pub fn hear(&mut self, frame: &Frame) {
        let mut samples = [0; MAX_SAMPLES];
        let count = pcm::decode(frame, &mut samples);
        let mut until = frame.time;
        for block in samples[..count].chunks_exact(self.block) {
            until += BLOCK;
            if self.is_loud(level(block)) {
                self.loud_until = until;
            }
        }
    }

    /// End of the last 10 ms that stood out; the beginning of the call when none did.
    pub fn loud_until(&self) -> MediaTime {
        self.loud_until
    }

    /// The level of the line when nobody speaks, in dBFS.
    pub fn noise_floor(&self) -> f32 {
        self.noise.level()
    }

    fn is_loud(&mut self, level: Decibels) -> bool {
        self.noise.hear(level);
        let above_noise = self.noise.level() + ABOVE_NOISE;
        self.speech -= FORGETTING;
        if level > above_noise {
            self.speech = self.speech.max(level);
        }
        level > above_noise.max(self.speech - BELOW_SPEECH).max(QUIETEST)
    }
}

/// RMS without the constant part, which some lines add.
fn level(block: &[i16]) -> Decibels {
    let count = block.len() as f64;
    let (mut sum, mut squares) = (0_i64, 0_i64);
    for &sample in block {
        sum += i64::from(sample);
        squares += i64::from(sample) * i64::from(sample);
    }
    let power = (squares as f64 - sum as f64 * sum as f64 / count) / count / (32_768.0 * 32_768.0);
    (10.0 * power.log10()).max(f64::from(SILENCE)) as Decibels
}

/// The quietest block of the last two seconds (minimum statistics: R. Martin, "Noise power spectral density estimation
/// based on optimal smoothing and minimum statistics", IEEE Trans. Speech Audio Process. 9(5), 2001): people pause
/// for a breath more often than that, so that speech does not lift it.
#[derive(Clone, Debug)]
struct NoiseFloor {
    /// The minimum of each part of the time that is looked back on; the last one is being filled.
    minima: [Decibels; PARTS],
    blocks: usize,
}

const PARTS: usize = 8;

/// 250 ms.
const BLOCKS_A_PART: usize = 25;

/// Until a quieter block has been heard, a call may begin with speech.
const ASSUMED_NOISE: Decibels = -50.0;

impl NoiseFloor {
    fn new() -> Self {
        Self { minima: [ASSUMED_NOISE; PARTS], blocks: 0 }
    }

    fn hear(&mut self, level: Decibels) {
        if self.blocks == BLOCKS_A_PART {
            self.minima.rotate_left(1);
            self.minima[PARTS - 1] = level;
            self.blocks = 0;
        }
        self.blocks += 1;
        let newest = &mut self.minima[PARTS - 1];
        *newest = newest.min(level);
    }

    fn level(&self) -> Decibels {
        self.minima.iter().copied().fold(f32::INFINITY, f32::min)
    }
}
