use std::fmt;
use std::sync::LazyLock;

/// What is heard besides the voice, all the time: white noise.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Noise {
    /// Nothing: between the prompts there are zeros.
    None,
    /// Of a good line, in dB below full scale.
    Line(f64),
    /// In dB below the voice's RMS.
    Below(f64),
}

impl Noise {
    /// Those of the tables.
    pub const ALL: [Self; 5] =
        [Self::None, Self::Line(60.0), Self::Below(20.0), Self::Below(10.0), Self::Below(5.0)];

    /// Adds it to samples at 8 kHz whose voice has this RMS, 1 being full scale.
    pub fn add(self, samples: &mut [i16], voice: f64) {
        let rms = match self {
            Self::None => return,
            Self::Line(decibels) => 10_f64.powf(-decibels / 20.0),
            Self::Below(decibels) => voice * 10_f64.powf(-decibels / 20.0),
        };
        // Numbers spread evenly up to a largest one have an RMS lower by the square root of three.
        let largest = rms * 3_f64.sqrt() * 32_768.0;
        for (sample, noise) in samples.iter_mut().zip(WHITE.iter().cycle()) {
            *sample = (f64::from(*sample) + largest * noise).round() as i16;
        }
    }
}

impl fmt::Display for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.pad("clean"),
            Self::Line(decibels) => f.pad(&format!("line, -{decibels} dBFS")),
            Self::Below(decibels) => f.pad(&format!("{decibels} dB")),
        }
    }
}

/// The same 12 s of numbers between -1 and 1 each time.
static WHITE: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let mut state = 1_u64;
    let mut uniform = || {
        // Knuth's MMIX generator; its high bits are good.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..100_003).map(|_| uniform()).collect()
});
