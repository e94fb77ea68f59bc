//! Recorded telephone prompts and synthetic sounds, cut into windows as a call's are.

use ringway_frame::{Format, Frame, MediaTime, SampleRate};
use ringway_stages::silero::WindowCutter;
use std::path::Path;

/// Where Debian's asterisk-core-sounds-en-wav puts them.
const SOUNDS: &str = "/usr/share/asterisk/sounds/en_US_f_Allison";

/// Single words and sentences, read by a woman at 8 kHz.
pub const PROMPTS: [&str; 24] = [
    "digits/day-0",
    "digits/day-1",
    "digits/day-2",
    "digits/day-3",
    "digits/day-4",
    "digits/day-5",
    "digits/day-6",
    "digits/mon-0",
    "digits/0",
    "digits/1",
    "digits/2",
    "digits/3",
    "digits/4",
    "digits/5",
    "digits/6",
    "digits/7",
    "digits/8",
    "digits/9",
    "hello-world",
    "conf-getpin",
    "vm-goodbye",
    "auth-thankyou",
    "one-moment-please",
    "queue-youarenext",
];

/// Half a second of silence, the prompt, and a second of silence, at 8 kHz.
pub fn prompt(name: &str) -> Vec<i16> {
    let mut samples = vec![0; 4_000];
    samples.extend(recording(&Path::new(SOUNDS).join(name).with_added_extension("wav")));
    samples.extend([0; 8_000]);
    samples
}

/// What is recorded in a file, at 8 kHz.
pub fn recording(path: &Path) -> Vec<i16> {
    let mut reader = hound::WavReader::open(path)
        .unwrap_or_else(|error| panic!("{}: {error}: install asterisk-core-sounds-en-wav", path.display()));
    assert_eq!((reader.spec().sample_rate, reader.spec().channels), (8_000, 1), "{}", path.display());
    reader.samples::<i16>().map(|sample| sample.expect("the file is whole")).collect()
}

/// White noise of `dbfs`, the same each time.
pub fn noise(samples: usize, dbfs: f64) -> Vec<i16> {
    let amplitude = 32_768.0 * 10_f64.powf(dbfs / 20.0) * 3_f64.sqrt();
    let mut state = 1_u64;
    let mut uniform = || {
        // Knuth's MMIX generator; its high bits are good.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..samples).map(|_| (uniform() * amplitude) as i16).collect()
}

/// The frames of a call in s16 at 8 kHz that bring `samples`.
pub fn frames(samples: &[i16]) -> impl Iterator<Item = Frame> {
    samples.chunks_exact(160).zip(0..).map(|(samples, sequence)| {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let time = MediaTime::from_millis(20 * u64::from(sequence));
        Frame::new(Format::Pcm8k, &bytes).expect("20 ms").at(sequence, time)
    })
}

/// The windows that such a call gives.
pub fn windows(samples: &[i16], rate: SampleRate) -> Vec<Vec<f32>> {
    let mut cutter = WindowCutter::new(Format::Pcm8k, rate).expect("a rate of the model");
    let mut windows = Vec::new();
    for frame in frames(samples) {
        cutter.hear(&frame);
        windows.extend(cutter.next_window().map(|window| window.samples.to_vec()));
    }
    windows
}
