use crate::pcm::{self, MAX_SAMPLES};
use crate::resample::Resampler;
use crate::services::ServiceError;
use crate::services::wav::WavStream;
use bytes::Bytes;
use ringway_frame::{Format, Frame, SampleRate};
use std::collections::VecDeque;

/// An answer's chunks on their way to the caller.
pub(super) struct Voice {
    format: Format,
    resampler: Option<Resampler>,
    samples: VecDeque<i16>,
    out: Vec<i16>,
}

impl Voice {
    pub(super) fn new(format: Format) -> Self {
        Self { format, resampler: None, samples: VecDeque::new(), out: Vec::new() }
    }

    /// What is left is not wanted.
    pub(super) fn clear(&mut self) {
        self.samples.clear();
        self.resampler = None;
    }

    /// Takes in a chunk: a WAV file by itself.
    pub(super) fn take(&mut self, mut chunk: Bytes) -> Result<(), ServiceError> {
        let (mut wav, mut samples) = (WavStream::new(), Vec::new());
        while !chunk.is_empty() {
            wav.read(&mut chunk, usize::MAX / 2, &mut samples)?;
        }
        wav.finish()?;
        let Some(rate) = wav.rate() else { return Ok(()) };
        let rates = (rate, self.format.rate());
        if self.resampler.as_ref().is_none_or(|resampler| resampler.rates() != rates) {
            self.finish();
            self.resampler = Some(Resampler::new(rates.0, rates.1));
        }
        if let Some(resampler) = &mut self.resampler {
            resampler.push(&samples, &mut self.out);
        }
        self.take_resampled()
    }

    /// All of it has come.
    pub(super) fn finish(&mut self) {
        if let Some(mut resampler) = self.resampler.take() {
            resampler.finish(&mut self.out);
            // What was within bounds before the last few milliseconds is so behind them.
            let _ = self.take_resampled();
        }
        let frame = self.format.rate().frame_samples();
        let whole = self.samples.len().div_ceil(frame) * frame;
        self.samples.resize(whole, 0);
    }

    /// The next frame of it.
    pub(super) fn next(&mut self, frame: &mut Frame) -> bool {
        let count = self.format.rate().frame_samples();
        if self.is_empty() {
            return false;
        }
        let mut samples = [0; MAX_SAMPLES];
        for (to, from) in samples.iter_mut().zip(self.samples.drain(..count)) {
            *to = from;
        }
        pcm::encode(&samples[..count], frame);
        true
    }

    /// Everything that came was taken, but for less than a frame.
    pub(super) fn is_empty(&self) -> bool {
        self.samples.len() < self.format.rate().frame_samples()
    }

    fn take_resampled(&mut self) -> Result<(), ServiceError> {
        self.samples.extend(self.out.drain(..));
        let limit = MOST_FRAMES * self.format.rate().frame_samples();
        let over = self.samples.len() > limit;
        if over { Err(ServiceError::TooLarge { place: "answer", limit: 2 * limit }) } else { Ok(()) }
    }
}

/// The caller's audio on its way to the server.
pub(super) struct Ear {
    resampler: Resampler,
    out: Vec<i16>,
    bytes: Vec<u8>,
    frames: usize,
}

impl Ear {
    pub(super) fn new(format: Format) -> Self {
        let resampler = Resampler::new(format.rate(), SampleRate::HZ_16000);
        Self { resampler, out: Vec::new(), bytes: Vec::new(), frames: 0 }
    }

    /// Takes in a frame; some make a message.
    pub(super) fn hear(&mut self, frame: &Frame) -> Option<Bytes> {
        let mut samples = [0; MAX_SAMPLES];
        let count = pcm::decode(frame, &mut samples);
        self.resampler.push(&samples[..count], &mut self.out);
        self.bytes.extend(self.out.drain(..).flat_map(i16::to_le_bytes));
        self.frames += 1;
        if self.frames < FRAMES_A_MESSAGE {
            return None;
        }
        self.frames = 0;
        Some(std::mem::take(&mut self.bytes).into())
    }
}

/// The longest answer that is taken in ahead of its being heard: five minutes.
const MOST_FRAMES: usize = 15_000;

/// 40 ms a message.
const FRAMES_A_MESSAGE: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::wav::header;

    fn chunk(rate: SampleRate, samples: usize) -> Bytes {
        let mut file = header(rate, 2 * samples as u32).to_vec();
        file.extend((0..samples).flat_map(|at| ((at % 100) as i16 * 30).to_le_bytes()));
        file.into()
    }

    #[test]
    fn chunks_of_an_answer_keep_their_length_whatever_their_rate() {
        for format in [Format::Mulaw8k, Format::Pcm16k] {
            let mut voice = Voice::new(format);
            for _ in 0..5 {
                voice.take(chunk(SampleRate::HZ_24000, 4_801)).unwrap();
            }
            voice.finish();
            let mut frame = Frame::silence(format);
            let frames = std::iter::from_fn(|| voice.next(&mut frame).then_some(())).count();
            assert_eq!(frames, 51, "{format}: a second and a little more");
        }
    }

    #[test]
    fn what_is_no_wav_is_refused() {
        let error = Voice::new(Format::Pcm16k).take(Bytes::from_static(b"RIFX____WAVE")).unwrap_err();
        assert!(error.to_string().starts_with("malformed audio: it is big-endian WAV"), "{error}");
    }

    #[test]
    fn a_telephones_audio_is_widened() {
        let mut ear = Ear::new(Format::Mulaw8k);
        let frame = Frame::silence(Format::Mulaw8k);
        let bytes: usize = (0..50).filter_map(|_| ear.hear(&frame)).map(|message| message.len()).sum();
        assert!((31_000..=32_000).contains(&bytes), "{bytes} bytes of a second");
    }
}
