use super::Shape;
use super::half_band::{Doubler, Halver};
use crate::pcm::{self, MAX_SAMPLES};
use crate::vad::VadError;
use ringway_frame::{FRAME, Format, Frame, MediaTime, SampleRate};
use std::time::Duration;

/// Cuts a call's frames into windows at the model's rate. It lies inline, less than 4 KiB a call, and never allocates.
#[derive(Clone, Debug)]
pub struct WindowCutter {
    window: usize,
    rate: SampleRate,
    resampling: Resampling,
    pending: [f32; CAPACITY],
    len: usize,
    /// When the last pending sample ended.
    until: MediaTime,
    /// Samples at the front that the last window took.
    taken: usize,
}

/// One window and its place in the call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CutWindow<'a> {
    /// When its last sample ended.
    pub until: MediaTime,
    /// [`Vad::window`](crate::vad::Vad::window) samples in -1..1.
    pub samples: &'a [f32],
}

/// All but one sample of the longest window, and a frame.
const CAPACITY: usize = 511 + MAX_SAMPLES;

#[derive(Clone, Debug)]
enum Resampling {
    None,
    Double(Doubler),
    Halve(Halver),
}

impl WindowCutter {
    /// A cutter of frames in `format` for a model that hears at `rate`.
    ///
    /// # Errors
    /// The model does not hear at `rate`.
    pub fn new(format: Format, rate: SampleRate) -> Result<Self, VadError> {
        let shape = Shape::of(rate)?;
        Ok(Self {
            window: shape.window,
            rate,
            resampling: Resampling::between(format.rate(), rate),
            pending: [0.0; CAPACITY],
            len: 0,
            until: MediaTime::ZERO,
            taken: 0,
        })
    }

    /// Takes 20 ms in the cutter's format. At most one window is complete after it: take it with [`Self::next_window`]
    /// before the next frame comes, or it is lost.
    pub fn hear(&mut self, frame: &Frame) {
        self.skip(self.taken);
        self.taken = 0;
        if self.len >= self.window {
            self.skip(self.window);
        }
        let mut samples = [0; MAX_SAMPLES];
        let count = pcm::decode(frame, &mut samples);
        self.append(&samples[..count]);
        self.until = (frame.time + FRAME).saturating_sub(self.resampling.delay(self.rate));
    }

    /// The window that the last frame completed, once.
    pub fn next_window(&mut self) -> Option<CutWindow<'_>> {
        if self.taken > 0 || self.len < self.window {
            return None;
        }
        self.taken = self.window;
        let rest = self.rate.duration((self.len - self.window) as u64);
        Some(CutWindow { until: self.until.saturating_sub(rest), samples: &self.pending[..self.window] })
    }

    /// Its samples, until the next frame is heard; none before the first window.
    pub fn window(&self) -> &[f32] {
        &self.pending[..self.taken]
    }

    /// How many more frames complete the next window, 1 or more.
    pub fn frames_to_window(&self) -> usize {
        let kept = self.len - self.taken;
        self.window.saturating_sub(kept).div_ceil(self.rate.frame_samples()).max(1)
    }

    fn skip(&mut self, samples: usize) {
        self.pending.copy_within(samples..self.len, 0);
        self.len -= samples;
    }

    fn append(&mut self, pcm: &[i16]) {
        let free = &mut self.pending[self.len..];
        let samples = self.rate.frame_samples();
        self.resampling.append(pcm, &mut free[..samples]);
        self.len += samples;
    }
}

impl Resampling {
    fn between(from: SampleRate, to: SampleRate) -> Self {
        match from.hz().cmp(&to.hz()) {
            std::cmp::Ordering::Less => Self::Double(Doubler::new()),
            std::cmp::Ordering::Equal => Self::None,
            std::cmp::Ordering::Greater => Self::Halve(Halver::new()),
        }
    }

    fn append(&mut self, pcm: &[i16], to: &mut [f32]) {
        match self {
            Self::None => to.copy_from_slice(&widen::<MAX_SAMPLES>(pcm)[..to.len()]),
            Self::Double(doubler) => to.copy_from_slice(&doubler.double(&widen(pcm))),
            Self::Halve(halver) => to.copy_from_slice(&halver.halve(&widen(pcm))),
        }
    }

    fn delay(&self, rate: SampleRate) -> Duration {
        let samples = match self {
            Self::None => 0,
            Self::Double(_) => Doubler::DELAY,
            Self::Halve(_) => Halver::DELAY,
        };
        rate.duration(samples as u64)
    }
}

fn widen<const N: usize>(pcm: &[i16]) -> [f32; N] {
    let mut samples = [0.0; N];
    for (sample, &value) in samples.iter_mut().zip(pcm) {
        *sample = f32::from(value) / 32_768.0;
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every window that `frames` frames of `level` complete: how many samples, when it ended.
    fn cut(format: Format, rate: SampleRate, frames: u32, level: u8) -> Vec<(usize, MediaTime)> {
        let mut cutter = WindowCutter::new(format, rate).unwrap();
        let mut windows = Vec::new();
        for sequence in 0..frames {
            let mut frame = Frame::new(format, &vec![level; format.bytes()]).unwrap();
            frame.time = MediaTime::from_millis(20 * u64::from(sequence));
            cutter.hear(&frame);
            while let Some(window) = cutter.next_window() {
                windows.push((window.samples.len(), window.until));
            }
        }
        windows
    }

    #[test]
    fn windows_follow_one_another_by_32_ms_in_every_format() {
        for format in [Format::Mulaw8k, Format::Pcm8k, Format::Pcm16k] {
            for (rate, len) in [(SampleRate::HZ_8000, 256), (SampleRate::HZ_16000, 512)] {
                let windows = cut(format, rate, 160, 0);
                assert_eq!(windows.len(), 100, "{format} at {rate}");
                for (n, pair) in windows.windows(2).enumerate() {
                    assert_eq!(pair[1].1 - pair[0].1, Duration::from_millis(32), "{format} at {rate}, {n}");
                    assert_eq!(pair[0].0, len);
                }
            }
        }
    }

    #[test]
    fn a_window_is_dated_by_its_last_sample_and_the_filter() {
        let until = |format, rate| cut(format, rate, 2, 0)[0].1;
        assert_eq!(until(Format::Pcm16k, SampleRate::HZ_16000), MediaTime::from_millis(32));
        assert_eq!(until(Format::Mulaw8k, SampleRate::HZ_8000), MediaTime::from_millis(32));
        assert_eq!(until(Format::Mulaw8k, SampleRate::HZ_16000), MediaTime::from_millis(30));
        assert_eq!(until(Format::Pcm16k, SampleRate::HZ_8000), MediaTime::from_nanos(30_125_000));
    }

    #[test]
    fn samples_are_passed_on_in_order_and_scaled() {
        let mut cutter = WindowCutter::new(Format::Pcm16k, SampleRate::HZ_16000).unwrap();
        let mut heard = Vec::new();
        let mut next = -32_768_i16;
        for _ in 0..16 {
            let mut frame = Frame::silence(Format::Pcm16k);
            for bytes in frame.payload_mut().as_chunks_mut().0 {
                *bytes = next.to_le_bytes();
                next += 7;
            }
            cutter.hear(&frame);
            heard.extend(cutter.next_window().into_iter().flat_map(|window| window.samples.to_vec()));
        }
        assert_eq!(heard.len(), 5_120);
        for (n, &sample) in heard.iter().enumerate() {
            assert_eq!(sample * 32_768.0, n as f32 * 7.0 - 32_768.0);
        }
    }

    #[test]
    fn a_window_that_is_not_taken_is_lost_alone() {
        let mut cutter = WindowCutter::new(Format::Pcm16k, SampleRate::HZ_16000).unwrap();
        for n in 0..1_000 {
            cutter.hear(&Frame::silence(Format::Pcm16k).at(n, MediaTime::from_millis(20 * u64::from(n))));
        }
        // 1,000 frames are 625 windows exactly.
        assert_eq!(cutter.next_window().map(|window| window.until), Some(MediaTime::from_millis(20_000)));
        assert_eq!(cutter.next_window(), None);
    }

    #[test]
    fn a_rate_that_the_model_does_not_hear_is_refused() {
        let error = WindowCutter::new(Format::Pcm16k, SampleRate::HZ_48000).unwrap_err();
        assert_eq!(error.to_string(), "the VAD model hears 8000 Hz or 16000 Hz, not 48000 Hz");
    }
}
