//! One call's or clause's audio from one rate to another.

use audioadapter_buffers::direct::InterleavedSlice;
use ringway_frame::SampleRate;
use rubato::audioadapter_buffers;
use rubato::{Fft, FixedSync, Indexing, Resampler as _};

/// Changes the rate of a stream, in pieces of any length; the delay of its filter is taken out.
pub(crate) struct Resampler {
    /// `None`: nothing to do.
    fft: Option<Fft<f32>>,
    /// Samples that wait for a whole chunk.
    waiting: Vec<f32>,
    output: Vec<f32>,
    /// Output that is the filter's delay, not yet dropped.
    delay: usize,
    from: SampleRate,
    to: SampleRate,
    received: usize,
    given: usize,
}

impl Resampler {
    pub(crate) fn new(from: SampleRate, to: SampleRate) -> Self {
        let (rate_in, rate_out) = (from.hz() as usize, to.hz() as usize);
        let fft = (from != to).then(|| {
            Fft::new(rate_in, rate_out, from.frame_samples(), 1, FixedSync::Input)
                .expect("rates and chunks above zero")
        });
        let delay = fft.as_ref().map_or(0, |fft| fft.output_delay());
        let output = vec![0.0; fft.as_ref().map_or(0, |fft| fft.output_frames_max())];
        Self { fft, waiting: Vec::new(), output, delay, from, to, received: 0, given: 0 }
    }

    /// The rates it was made for.
    pub(crate) const fn rates(&self) -> (SampleRate, SampleRate) {
        (self.from, self.to)
    }

    /// Another stream begins; what is left of the last one is forgotten.
    pub(crate) fn reset(&mut self) {
        if let Some(fft) = &mut self.fft {
            fft.reset();
            self.delay = fft.output_delay();
        }
        self.waiting.clear();
        self.received = 0;
        self.given = 0;
    }

    /// Takes in `samples` and appends what comes out to `out`.
    pub(crate) fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.received += samples.len();
        if self.fft.is_none() {
            out.extend_from_slice(samples);
            return;
        }
        self.waiting.extend_from_slice(samples);
        let mut at = 0;
        while let Some(used) = self.chunk(at, out) {
            at += used;
        }
        self.waiting.drain(..at);
    }

    /// The stream has ended: appends what is still inside, so that as much came out as went in.
    pub(crate) fn finish(&mut self, out: &mut Vec<f32>) {
        let expected = self.received * self.to.hz() as usize / self.from.hz() as usize;
        let received = self.received;
        let silence = vec![0.0; self.from.frame_samples()];
        while self.fft.is_some() && self.given < expected {
            self.push(&silence, out);
        }
        self.received = received;
        out.truncate(out.len() - self.given.saturating_sub(expected));
    }

    /// Resamples one chunk of what waits behind `at`, if there is one; how much it used.
    fn chunk(&mut self, at: usize, out: &mut Vec<f32>) -> Option<usize> {
        let fft = self.fft.as_mut()?;
        let needed = fft.input_frames_next();
        let input = self.waiting.get(at..at + needed)?;
        let input = InterleavedSlice::new(input, 1, needed).expect("one channel of that length");
        let room = self.output.len();
        let mut output =
            InterleavedSlice::new_mut(&mut self.output, 1, room).expect("one channel of that length");
        let (used, made) = fft
            .process_into_buffer(&input, &mut output, Some(&Indexing::new()))
            .expect("a whole chunk, and room for the largest output");
        let dropped = self.delay.min(made);
        self.delay -= dropped;
        out.extend_from_slice(&self.output[dropped..made]);
        self.given += made - dropped;
        Some(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    #[test]
    fn a_tone_keeps_its_length_place_and_loudness() {
        for (from, to) in [(8_000, 16_000), (16_000, 8_000), (16_000, 16_000)] {
            let tone = |rate: u32, at: usize| (TAU * 300.0 * at as f32 / rate as f32).sin() * 0.5;
            let input: Vec<f32> = (0..4_001).map(|at| tone(from, at)).collect();
            let mut resampler = Resampler::new(SampleRate::new(from).unwrap(), SampleRate::new(to).unwrap());
            let mut out = Vec::new();
            for piece in input.chunks(171) {
                resampler.push(piece, &mut out);
            }
            resampler.finish(&mut out);
            assert_eq!(out.len(), input.len() * to as usize / from as usize);
            for (at, sample) in out.iter().enumerate().skip(400).take(out.len() - 800) {
                assert!((sample - tone(to, at)).abs() < 0.01, "{from} to {to}: sample {at} is {sample}");
            }
        }
    }

    #[test]
    fn one_that_is_used_again_remembers_nothing() {
        let mut resampler = Resampler::new(SampleRate::HZ_24000, SampleRate::HZ_8000);
        let mut run = |samples: &[f32]| {
            let mut out = Vec::new();
            resampler.reset();
            resampler.push(samples, &mut out);
            resampler.finish(&mut out);
            out
        };
        let first = run(&[0.25; 1_000]);
        run(&[-0.9; 777]);
        assert_eq!(run(&[0.25; 1_000]), first);
    }
}
