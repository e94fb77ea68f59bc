use crate::pcm;
use ringway_frame::{FRAME, Format, Frame};
use std::f64::consts::TAU;

/// 440 Hz for as long as wanted: 44 periods are exactly five frames, which repeat.
#[derive(Clone, Debug)]
pub(super) struct Tone([Frame; PERIOD]);

impl Tone {
    pub(super) fn new(format: Format) -> Self {
        Self(std::array::from_fn(|index| frame(format, index)))
    }

    /// The `index`-th frame of the tone.
    pub(super) fn payload(&self, index: usize) -> &[u8] {
        self.0[index % PERIOD].payload()
    }
}

fn frame(format: Format, index: usize) -> Frame {
    let step = TAU * HERTZ / f64::from(format.rate().hz());
    let count = format.rate().frame_samples();
    let mut samples = [0; pcm::MAX_SAMPLES];
    for (at, sample) in samples[..count].iter_mut().enumerate() {
        // A cosine, for it is loud from its first sample.
        *sample = (AMPLITUDE * (step * (index * count + at) as f64).cos()) as i16;
    }
    let mut frame = Frame::silence(format);
    pcm::encode(&samples[..count], &mut frame);
    frame
}

const HERTZ: f64 = 440.0;
const PERIOD: usize = 5;
/// A quarter of full scale: -15 dBFS.
const AMPLITUDE: f64 = 8_192.0;
const _: () = assert!((PERIOD as u128 * FRAME.as_millis() * HERTZ as u128).is_multiple_of(1_000));
