use crate::flite::trim::Trim;
use crate::pcm;
use crate::resample::Resampler;
use crate::services::ServiceError;
use crate::services::wav::WavStream;
use bytes::Bytes;
use ringway_frame::{Format, Frame, SampleRate};
use std::sync::{Arc, Mutex, PoisonError};

/// Makes frames in the call's format of a WAV file that comes in pieces: trims, resamples, encodes.
///
/// Each frame is made when it is asked for, so that a whole file that comes at once does not hold up the core.
#[derive(Debug)]
pub(super) struct Speech {
    wav: WavStream,
    piece: Bytes,
    shaper: Option<Shaper>,
    spares: Spares,
    format: Format,
    raw: Vec<i16>,
    /// At the call's rate, not given yet.
    samples: Vec<i16>,
    /// All samples that the file promises, of one channel at its own rate.
    promised: Option<u64>,
    over: bool,
}

impl Speech {
    pub(super) fn new(spares: Spares, format: Format) -> Self {
        Self {
            wav: WavStream::new(),
            piece: Bytes::new(),
            shaper: None,
            spares,
            format,
            raw: Vec::new(),
            samples: Vec::new(),
            promised: None,
            over: false,
        }
    }

    /// All that came is used up.
    pub(super) fn wants_more(&self) -> bool {
        self.piece.is_empty() && !self.over
    }

    /// The next piece of the file.
    pub(super) fn take(&mut self, piece: Bytes) {
        self.piece = piece;
    }

    /// The file has ended; the audio that is still inside comes out.
    pub(super) fn finish(&mut self) -> Result<(), ServiceError> {
        self.over = true;
        if let Some(mut shaper) = self.shaper.take() {
            shaper.finish(&mut self.samples);
            self.spares.put(shaper.resampler);
        }
        self.wav.finish()
    }

    /// How many frames the whole file makes, as far as is known.
    pub(super) fn frames(&self) -> Option<u64> {
        let per_frame = self.wav.rate()?.frame_samples() as u64;
        self.promised.map(|samples| samples.div_ceil(per_frame))
    }

    /// Writes the next 20 ms; `false`: they have not come, or there are no more.
    pub(super) fn next(&mut self, frame: &mut Frame) -> Result<bool, ServiceError> {
        let count = self.format.rate().frame_samples();
        while self.samples.len() < count && !self.piece.is_empty() {
            self.step()?;
        }
        let given = if self.over { self.samples.len().min(count) } else { count };
        if given == 0 || self.samples.len() < given {
            return Ok(false);
        }
        pcm::encode(&self.samples[..given], frame);
        self.samples.drain(..given);
        Ok(true)
    }

    /// Takes some 20 ms of the piece at hand.
    fn step(&mut self) -> Result<(), ServiceError> {
        let most = self.wav.rate().map_or(FIRST_STEP, SampleRate::frame_samples);
        self.wav.read(&mut self.piece, most, &mut self.raw)?;
        let Some(rate) = self.wav.rate() else { return Ok(()) };
        if self.promised.is_none() {
            self.promised = self.wav.left().map(|left| left + self.raw.len() as u64);
        }
        let spares = &self.spares;
        let to = self.format.rate();
        let shaper = self.shaper.get_or_insert_with(|| Shaper::new(rate, spares.get(rate, to)));
        shaper.push(&self.raw, &mut self.samples);
        self.raw.clear();
        Ok(())
    }
}

/// Cancelled, its resampler is kept too.
impl Drop for Speech {
    fn drop(&mut self) {
        if let Some(shaper) = self.shaper.take() {
            self.spares.put(shaper.resampler);
        }
    }
}

/// Silence off both ends, and another rate.
struct Shaper {
    trim: Trim,
    resampler: Resampler,
    spoken: Vec<i16>,
    wide: Vec<f32>,
    resampled: Vec<f32>,
}

impl Shaper {
    fn new(rate: SampleRate, resampler: Resampler) -> Self {
        let (spoken, wide, resampled) = Default::default();
        Self { trim: Trim::new(rate), resampler, spoken, wide, resampled }
    }

    fn push(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        self.trim.push(samples, &mut self.spoken);
        self.resample(false, out);
    }

    fn finish(&mut self, out: &mut Vec<i16>) {
        self.trim.finish(&mut self.spoken);
        self.resample(true, out);
    }

    fn resample(&mut self, last: bool, out: &mut Vec<i16>) {
        self.wide.extend(self.spoken.drain(..).map(|sample| f32::from(sample) / 32_768.0));
        self.resampler.push(&self.wide, &mut self.resampled);
        self.wide.clear();
        if last {
            self.resampler.finish(&mut self.resampled);
        }
        // Saturates, as a cast from float does.
        out.extend(self.resampled.drain(..).map(|sample| (sample * 32_768.0).round() as i16));
    }
}

impl std::fmt::Debug for Shaper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shaper").field("trim", &self.trim).finish_non_exhaustive()
    }
}

/// Resamplers that nobody uses at the moment: their tables take longer to make than a clause to resample.
#[derive(Clone, Default)]
pub(super) struct Spares(Arc<Mutex<Vec<Resampler>>>);

impl Spares {
    fn get(&self, from: SampleRate, to: SampleRate) -> Resampler {
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = spares.iter().rposition(|spare| spare.rates() == (from, to));
        at.map_or_else(|| Resampler::new(from, to), |at| spares.swap_remove(at))
    }

    fn put(&self, mut resampler: Resampler) {
        resampler.reset();
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spares.len() < MOST_SPARES {
            spares.push(resampler);
        }
    }
}

impl std::fmt::Debug for Spares {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spares")
    }
}

/// Resamplers that are kept: some 40 KiB each.
const MOST_SPARES: usize = 64;

/// Samples that are read with the header.
const FIRST_STEP: usize = 160;
