//! One call's or clause's audio from one rate to another.

mod bank;

use bank::{Bank, CHUNK, filtered};
use ringway_frame::SampleRate;
use std::sync::Arc;

/// Changes the rate of a stream of samples, in pieces of any length; the delay of its filter is taken out, unless it is to
/// be [in step](Self::in_step).
#[derive(Debug)]
pub struct Resampler {
    /// `None`: nothing to do.
    bank: Option<Arc<Bank>>,
    /// What the next samples of the output are made of.
    window: Vec<i16>,
    /// Where the next sample of the output lies.
    place: usize,
    from: SampleRate,
    to: SampleRate,
    received: usize,
    given: usize,
    /// What comes out of a piece lasts as long as the piece.
    in_step: bool,
}

impl Resampler {
    pub(crate) fn new(from: SampleRate, to: SampleRate) -> Self {
        Self::beginning(from, to, false)
    }

    /// Of a stream that is heard as it comes: out of each piece comes at once as much as it lasts, behind by half of the
    /// filter (3 or 4 ms between 8 and 16 kHz). It is for pieces that are whole numbers of samples at both rates.
    pub fn in_step(from: SampleRate, to: SampleRate) -> Self {
        Self::beginning(from, to, true)
    }

    fn beginning(from: SampleRate, to: SampleRate, in_step: bool) -> Self {
        let bank = (from != to).then(|| Bank::shared(from, to));
        let (window, place, received, given) = Default::default();
        let mut resampler = Self { bank, window, place, from, to, received, given, in_step };
        resampler.reset();
        resampler
    }

    /// The rates it was made for.
    pub(crate) const fn rates(&self) -> (SampleRate, SampleRate) {
        (self.from, self.to)
    }

    /// Another stream begins; what is left of the last one is forgotten.
    pub fn reset(&mut self) {
        self.window.clear();
        // Half of the filter lies in front of the first sample, or all of it.
        let taps = self.bank.as_ref().map_or(1, |bank| bank.taps);
        let before = if self.in_step { taps - 1 } else { (taps / 2).saturating_sub(1) };
        self.window.resize(before, 0);
        self.place = 0;
        self.received = 0;
        self.given = 0;
    }

    /// Takes in `samples` and appends what comes out to `out`.
    pub fn push(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        self.received += samples.len();
        let Some(bank) = &self.bank else { return out.extend_from_slice(samples) };
        self.window.extend_from_slice(samples);
        let (mut at, before) = (0, out.len());
        while let Some(samples) = self.window.get(at..at + bank.taps) {
            out.push(filtered(samples, bank.filter(self.place)));
            at += bank.step.0;
            self.place += bank.step.1;
            if self.place >= bank.places {
                self.place -= bank.places;
                at += 1;
            }
        }
        self.window.drain(..at);
        self.given += out.len() - before;
    }

    /// The stream has ended: appends what is still inside, so that as much came out as went in.
    pub(crate) fn finish(&mut self, out: &mut Vec<i16>) {
        let expected = self.received * self.to.hz() as usize / self.from.hz() as usize;
        let (received, silence) = (self.received, [0; CHUNK]);
        while self.bank.is_some() && self.given < expected {
            self.push(&silence, out);
        }
        self.received = received;
        out.truncate(out.len() - self.given.saturating_sub(expected));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    const RATES: [u32; 12] =
        [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 16_025, 191_975];

    fn resampler(from: u32, to: u32) -> Resampler {
        Resampler::new(SampleRate::new(from).unwrap(), SampleRate::new(to).unwrap())
    }

    /// A tone of half of full scale.
    fn tone(hertz: f32, rate: u32, at: usize) -> f32 {
        (TAU * hertz * (at as f32 / rate as f32)).sin() * 16_384.0
    }

    /// A tenth of a second of it, at another rate.
    fn resampled(hertz: f32, from: u32, to: u32, piece: usize) -> Vec<i16> {
        let input: Vec<i16> =
            (0..from as usize / 10).map(|at| tone(hertz, from, at).round() as i16).collect();
        let (mut resampler, mut out) = (resampler(from, to), Vec::new());
        input.chunks(piece).for_each(|piece| resampler.push(piece, &mut out));
        resampler.finish(&mut out);
        assert_eq!(out.len(), input.len() * to as usize / from as usize, "{from} to {to}");
        out
    }

    /// The loudest difference to a tone, in dB below it; ends are not looked at.
    fn error(out: &[i16], hertz: f32, rate: u32) -> f32 {
        let inner = out.iter().enumerate().skip(out.len() / 5).take(out.len() * 3 / 5);
        let worst = inner.map(|(at, sample)| (f32::from(*sample) - tone(hertz, rate, at)).abs());
        20.0 * (worst.fold(0.0, f32::max) / 16_384.0).log10()
    }

    #[test]
    fn a_tone_keeps_its_length_place_and_loudness_from_any_rate() {
        for from in RATES {
            for to in [8_000, 16_000, 24_000] {
                for hertz in [300.0, 1_000.0, 3_300.0] {
                    let error = error(&resampled(hertz, from, to, 171), hertz, to);
                    assert!(error < -48.0, "{hertz} Hz from {from} to {to}: {error} dB");
                }
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_carry_is_gone() {
        for from in RATES.into_iter().filter(|from| *from > 12_000) {
            for hertz in [4_200.0, 5_000.0, 6_500.0, 7_900.0] {
                let out = resampled(hertz, from, 8_000, 441);
                let inner = &out[out.len() / 5..out.len() * 4 / 5];
                let loudest = inner.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
                assert!(loudest < 40, "{hertz} Hz from {from}: {loudest}");
            }
        }
    }

    #[test]
    fn it_is_the_same_however_the_stream_is_cut() {
        let whole = resampled(700.0, 22_050, 8_000, usize::MAX);
        for piece in [1, 7, 160, 441] {
            assert_eq!(resampled(700.0, 22_050, 8_000, piece), whole, "pieces of {piece}");
        }
    }

    #[test]
    fn one_that_is_in_step_gives_each_piece_at_once_and_the_same_audio_later() {
        for (from, to, behind) in [(8_000, 16_000, 64), (16_000, 8_000, 24)] {
            let rates = (SampleRate::new(from).unwrap(), SampleRate::new(to).unwrap());
            let mut resampler = Resampler::in_step(rates.0, rates.1);
            let input: Vec<i16> =
                (0..from as usize / 10).map(|at| tone(700.0, from, at).round() as i16).collect();
            let (mut out, mut length) = (Vec::new(), 0);
            for piece in input.chunks(from as usize / 50) {
                resampler.push(piece, &mut out);
                length += to as usize / 50;
                assert_eq!(out.len(), length, "{from} to {to}");
            }
            let error = error(&out[behind..], 700.0, to);
            assert!(error < -48.0, "{from} to {to}: {error} dB");
            resampler.reset();
            let mut again = Vec::new();
            resampler.push(&input, &mut again);
            assert_eq!(again, out);
        }
    }

    #[test]
    fn the_loudest_input_is_clipped_and_never_wraps() {
        for from in RATES {
            let (mut resampler, mut out) = (resampler(from, 8_000), Vec::new());
            let square: Vec<i16> =
                (0..from / 10).map(|at| if at / 7 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
            resampler.push(&square, &mut out);
            resampler.push(&vec![i16::MIN; from as usize / 10], &mut out);
            assert!(out[out.len() - 100..].iter().all(|sample| *sample < -32_000), "{from}");
        }
    }

    #[test]
    fn one_that_is_used_again_remembers_nothing() {
        let mut resampler = resampler(24_000, 8_000);
        let mut run = |samples: &[i16]| {
            let mut out = Vec::new();
            resampler.reset();
            resampler.push(samples, &mut out);
            resampler.finish(&mut out);
            out
        };
        let first = run(&[8_000; 1_000]);
        run(&[-30_000; 777]);
        assert_eq!(run(&[8_000; 1_000]), first);
    }
}
