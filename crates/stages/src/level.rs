//! Loudness of a line: which 10 ms stand out from its noise.

use crate::pcm::{self, MAX_SAMPLES};
use ringway_frame::{Frame, MediaTime, SampleRate};
use std::time::Duration;

/// Follows the noise floor of a line and the loudness of who speaks on it, and dates the last 10 ms that stand out.
///
/// A block is loud when it is above the noise by 10 dB and not below the speaker by more than 28 dB: the first keeps
/// noise out, the second the echo of a room that a quiet line lets through. It says nothing of speech, which is the
/// model's to tell; it only knows when energy fell, which the model tells late. Pure, and without allocation.
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

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_frame::{FRAME, Format};

    /// A line at 8 kHz: steady noise under whatever is said.
    struct Line {
        tracker: LoudTracker,
        noise: f32,
        now: MediaTime,
        random: u32,
    }

    impl Line {
        fn with_noise(dbfs: f32) -> Self {
            let tracker = LoudTracker::new(SampleRate::HZ_8000);
            Self { tracker, noise: amplitude(dbfs) * 3_f32.sqrt(), now: MediaTime::ZERO, random: 1 }
        }

        /// A buzz of `dbfs` for `millis`, which is a multiple of 10 and is filled up with noise to a frame.
        fn hear(&mut self, dbfs: f32, millis: u64) -> &mut Self {
            let samples = millis as usize * 8;
            for start in (0..samples).step_by(160) {
                let mut frame = Frame::silence(Format::Pcm8k).at(0, self.now);
                for (n, bytes) in frame.payload_mut().as_chunks_mut().0.iter_mut().enumerate() {
                    let said = if start + n < samples { square(start + n) * amplitude(dbfs) } else { 0.0 };
                    *bytes = ((said + self.random() * self.noise) as i16).to_le_bytes();
                }
                self.tracker.hear(&frame);
                self.now += FRAME;
            }
            self
        }

        fn rest(&mut self, millis: u64) -> &mut Self {
            self.hear(SILENCE, millis)
        }

        /// Uniform in -1..1 (Marsaglia's xorshift32).
        fn random(&mut self) -> f32 {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 17;
            self.random ^= self.random << 5;
            self.random as f32 / 2_f32.powi(31) - 1.0
        }

        fn loud_until(&self) -> u64 {
            self.tracker.loud_until().as_millis()
        }
    }

    fn amplitude(dbfs: f32) -> f32 {
        32_767.0 * 10_f32.powf(dbfs / 20.0)
    }

    /// 200 Hz; its RMS is its amplitude.
    fn square(sample: usize) -> f32 {
        if sample % 40 < 20 { 1.0 } else { -1.0 }
    }

    #[test]
    fn nothing_is_loud_on_a_line_where_nobody_speaks() {
        for dbfs in [SILENCE, -70.0, -60.0, -50.0, -40.0, -30.0] {
            let mut line = Line::with_noise(dbfs);
            line.rest(10_000);
            // A call cannot know at once that what it hears is noise; two seconds are enough.
            let known = if dbfs > ASSUMED_NOISE + 9.0 { 2_020 } else { 0 };
            assert!(line.loud_until() <= known, "{dbfs} dBFS: {}", line.loud_until());
            assert!(
                (line.tracker.noise_floor() - dbfs).abs() < 4.0,
                "{dbfs}: {}",
                line.tracker.noise_floor()
            );
        }
    }

    #[test]
    fn the_end_of_speech_is_dated_to_ten_milliseconds() {
        for noise in [SILENCE, -65.0, -50.0, -40.0] {
            let mut line = Line::with_noise(noise);
            line.rest(3_000).hear(-20.0, 550).rest(1_000);
            assert_eq!(line.loud_until(), 3_550, "{noise} dBFS");
        }
    }

    #[test]
    fn a_call_that_begins_with_speech_is_dated_as_well() {
        let mut line = Line::with_noise(-60.0);
        line.hear(-20.0, 430).rest(500);
        assert_eq!(line.loud_until(), 430);
    }

    #[test]
    fn what_a_room_echoes_after_loud_speech_is_not_loud() {
        let mut line = Line::with_noise(-80.0);
        line.rest(3_000).hear(-15.0, 500).hear(-46.0, 100).rest(500);
        assert_eq!(line.loud_until(), 3_500);
    }

    #[test]
    fn a_quiet_speaker_after_a_loud_one_is_heard_when_that_is_forgotten() {
        let mut line = Line::with_noise(-80.0);
        line.hear(-10.0, 500).rest(5_500).hear(-45.0, 500).rest(500);
        assert_eq!(line.loud_until(), 6_500);
    }

    #[test]
    fn noise_that_grows_is_learnt_within_two_seconds() {
        let mut line = Line::with_noise(-65.0);
        line.rest(3_000);
        line.noise = amplitude(-35.0) * 3_f32.sqrt();
        line.rest(5_000);
        assert!((4_700..=5_250).contains(&line.loud_until()), "{}", line.loud_until());
        line.hear(-15.0, 300).rest(500);
        assert_eq!(line.loud_until(), 8_300);
    }

    #[test]
    fn a_constant_voltage_is_silence() {
        assert_eq!(level(&[1_000; 80]), SILENCE);
        assert!((level(&[16_384, -16_384].repeat(40)) + 6.02).abs() < 0.01);
    }
}
