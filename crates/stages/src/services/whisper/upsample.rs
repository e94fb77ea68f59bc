use crate::pcm::{self, MAX_SAMPLES};
use crate::resample::Resampler;
use ringway_frame::{Format, Frame, SampleRate};

/// A call's frames at 16 kHz.
pub(super) struct Upsampler {
    resampler: Resampler,
    samples: Vec<i16>,
    frame: Frame,
}

impl Upsampler {
    pub(super) fn new(format: Format) -> Self {
        Self {
            resampler: Resampler::new(format.rate(), SampleRate::HZ_16000),
            samples: Vec::new(),
            frame: Frame::silence(Format::Pcm16k),
        }
    }

    /// Takes in a frame and hands on those that are whole.
    pub(super) fn push(&mut self, frame: &Frame, mut hand_on: impl FnMut(&Frame)) {
        if frame.format() == Format::Pcm16k {
            return hand_on(frame);
        }
        let mut heard = [0; MAX_SAMPLES];
        let count = pcm::decode(frame, &mut heard);
        self.resampler.push(&heard[..count], &mut self.samples);
        let mut whole = 0;
        for chunk in self.samples.chunks_exact(MAX_SAMPLES) {
            pcm::encode(chunk, &mut self.frame);
            hand_on(&self.frame);
            whole += MAX_SAMPLES;
        }
        self.samples.drain(..whole);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephone_audio_keeps_its_length_and_loudness() {
        for (format, tolerance) in [(Format::Mulaw8k, 400), (Format::Pcm8k, 20), (Format::Pcm16k, 0)] {
            let mut frame = Frame::silence(format);
            pcm::encode(&vec![8_000; format.rate().frame_samples()], &mut frame);
            let (mut upsampler, mut frames, mut last) = (Upsampler::new(format), 0, [0; MAX_SAMPLES]);
            for _ in 0..50 {
                upsampler.push(&frame, |frame| {
                    frames += 1;
                    assert_eq!(pcm::decode(frame, &mut last), MAX_SAMPLES);
                });
            }
            assert!((48..=50).contains(&frames), "{format}: {frames}");
            assert!(last.iter().all(|sample| (sample - 8_000).abs() <= tolerance), "{format}: {last:?}");
        }
    }
}
