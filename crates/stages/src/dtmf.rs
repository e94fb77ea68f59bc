//! Keys of a telephone as sound, which every line carries.

use crate::pcm::{self, MAX_SAMPLES};
use ringway_frame::{FRAME, Frame};
use std::f32::consts::TAU;

/// The tones of keys, in frames: each key is a pair of frequencies ([ITU-T Q.23](https://www.itu.int/rec/T-REC-Q.23)) for
/// 100 ms, and silence for as long behind it, more than twice what receivers need ([ITU-T
/// Q.24](https://www.itu.int/rec/T-REC-Q.24)).
#[derive(Clone, Debug)]
pub struct Tones {
    pairs: Vec<(f32, f32)>,
    /// Frames so far.
    made: usize,
}

/// Frames of a tone, and of the silence behind it.
const TONE: usize = 5;

/// Of full scale: -11 dBFS for the lower frequency, and 2 dB more for the upper one, which lines weaken more.
const LEVELS: (f32, f32) = (0.28, 0.35);

impl Tones {
    /// Those of `keys`; what is no key is left out.
    pub fn of(keys: &str) -> Self {
        Self { pairs: keys.chars().filter_map(pair).collect(), made: 0 }
    }

    /// Writes the next 20 ms into the payload of `frame`; `false`: all keys have been pressed.
    pub fn next_frame(&mut self, frame: &mut Frame) -> bool {
        let (key, part) = (self.made / (2 * TONE), self.made % (2 * TONE));
        let Some((low, high)) = self.pairs.get(key).copied() else { return false };
        let rate = frame.format().rate();
        let mut samples = [0; MAX_SAMPLES];
        let samples = &mut samples[..rate.frame_samples()];
        if part < TONE {
            let begun = FRAME.as_secs_f32() * part as f32;
            for (index, sample) in samples.iter_mut().enumerate() {
                let time = begun + index as f32 / rate.hz() as f32;
                let tone = |frequency: f32| (TAU * frequency * time).sin();
                *sample = (f32::from(i16::MAX) * (LEVELS.0 * tone(low) + LEVELS.1 * tone(high))) as i16;
            }
        }
        pcm::encode(samples, frame);
        self.made += 1;
        true
    }
}

/// The frequencies of a key, in hertz: that of its row, and that of its column.
fn pair(key: char) -> Option<(f32, f32)> {
    const ROWS: [(&str, f32); 4] = [("123A", 697.0), ("456B", 770.0), ("789C", 852.0), ("*0#D", 941.0)];
    const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
    ROWS.iter().find_map(|(keys, low)| Some((*low, COLUMNS[keys.find(key)?])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_frame::Format;

    /// How much of a frequency is in the samples, by Goertzel's recurrence.
    fn power(samples: &[i16], frequency: f32, rate: f32) -> f32 {
        let turn = 2.0 * (TAU * frequency / rate).cos();
        let (mut one, mut two) = (0.0, 0.0);
        for sample in samples {
            (one, two) = (f32::from(*sample) + turn * one - two, one);
        }
        one * one + two * two - turn * one * two
    }

    fn heard(keys: &str, format: Format) -> Vec<String> {
        let (mut tones, mut frame) = (Tones::of(keys), Frame::silence(format));
        let rate = format.rate().hz() as f32;
        let mut heard = Vec::new();
        while tones.next_frame(&mut frame) {
            let mut samples = [0; MAX_SAMPLES];
            let count = pcm::decode(&frame, &mut samples);
            let loudest = samples[..count].iter().map(|sample| sample.unsigned_abs()).max();
            let strongest = |key: &char| {
                let (low, high) = pair(*key).unwrap();
                power(&samples[..count], low, rate).min(power(&samples[..count], high, rate)) as u64
            };
            let key = "123A456B789C*0#D".chars().max_by_key(strongest).unwrap();
            heard.push(if loudest < Some(100) { "-".to_owned() } else { key.to_string() });
        }
        heard
    }

    #[test]
    fn each_key_is_heard_for_100_ms_with_as_much_silence_behind_it() {
        for format in [Format::Mulaw8k, Format::Pcm8k, Format::Pcm16k] {
            for key in "0123456789*#ABCD".chars() {
                let heard = heard(&key.to_string(), format).join("");
                assert_eq!(heard, format!("{}-----", key.to_string().repeat(5)), "{format:?}");
            }
        }
        assert_eq!(heard("1x2", Format::Mulaw8k).join(""), "11111-----22222-----", "x is no key");
    }
}
