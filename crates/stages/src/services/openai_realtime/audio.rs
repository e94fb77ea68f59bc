//! Frames of a call to the service's coding and back.

use super::message;
use crate::pcm::{self, MAX_SAMPLES};
use crate::resample::Resampler;
use crate::services::ServiceError;
use audio_codec::pcmu::{PcmuDecoder, PcmuEncoder};
use audio_codec::{Decoder as _, Encoder as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringway_frame::{Format, Frame, SampleRate};
use std::collections::VecDeque;

/// The caller's audio on its way to the service: mu-law as it is, wideband at 24 kHz.
pub(super) struct Upload {
    resampler: Option<Resampler>,
    bytes: Vec<u8>,
    out: Vec<i16>,
    frames: usize,
}

impl Upload {
    pub(super) fn new(format: Format) -> Self {
        let resampler =
            (format == Format::Pcm16k).then(|| Resampler::new(SampleRate::HZ_16000, SampleRate::HZ_24000));
        Self { resampler, bytes: Vec::new(), out: Vec::new(), frames: 0 }
    }

    /// Takes in a frame; some make a message.
    pub(super) fn hear(&mut self, frame: &Frame) -> Option<String> {
        match (&mut self.resampler, frame.format()) {
            (None, Format::Mulaw8k) => self.bytes.extend_from_slice(frame.payload()),
            (None, _) => {
                let mut samples = [0; MAX_SAMPLES];
                let count = pcm::decode(frame, &mut samples);
                let at = self.bytes.len();
                self.bytes.resize(at + count, 0);
                let coded = PcmuEncoder::new().encode_into(&samples[..count], &mut self.bytes[at..]);
                coded.expect("a byte for each sample");
            }
            (Some(resampler), _) => {
                let mut samples = [0; MAX_SAMPLES];
                let count = pcm::decode(frame, &mut samples);
                resampler.push(&samples[..count], &mut self.out);
                self.take_resampled();
            }
        }
        self.frames += 1;
        (self.frames >= FRAMES_A_MESSAGE).then(|| self.rest()).flatten()
    }

    /// The caller's turn is over: what does not fill a message yet.
    pub(super) fn finish(&mut self) -> Option<String> {
        if let Some(resampler) = &mut self.resampler {
            resampler.finish(&mut self.out);
            resampler.reset();
            self.take_resampled();
        }
        self.rest()
    }

    /// What was taken in is not wanted.
    pub(super) fn forget(&mut self) {
        if let Some(resampler) = &mut self.resampler {
            resampler.reset();
        }
        self.bytes.clear();
        self.frames = 0;
    }

    fn take_resampled(&mut self) {
        self.bytes.extend(self.out.drain(..).flat_map(i16::to_le_bytes));
    }

    fn rest(&mut self) -> Option<String> {
        self.frames = 0;
        let message = (!self.bytes.is_empty()).then(|| message::append(&STANDARD.encode(&self.bytes)));
        self.bytes.clear();
        message
    }
}

/// An answer's audio on its way to the caller.
pub(super) struct Download {
    format: Format,
    resampler: Option<Resampler>,
    /// Coded as the call has it.
    bytes: VecDeque<u8>,
    decoded: Vec<u8>,
    samples: Vec<i16>,
    out: Vec<i16>,
    /// Half a sample.
    odd: Option<u8>,
    finished: bool,
}

impl Download {
    pub(super) fn new(format: Format) -> Self {
        let resampler =
            (format == Format::Pcm16k).then(|| Resampler::new(SampleRate::HZ_24000, SampleRate::HZ_16000));
        Self {
            format,
            resampler,
            bytes: VecDeque::new(),
            decoded: Vec::new(),
            samples: Vec::new(),
            out: Vec::new(),
            odd: None,
            finished: false,
        }
    }

    /// Another answer begins; what is left of the last one is not wanted.
    pub(super) fn begin(&mut self) {
        self.bytes.clear();
        self.odd = None;
        self.finished = false;
        if let Some(resampler) = &mut self.resampler {
            resampler.reset();
        }
    }

    /// More of its audio; how many bytes that was.
    pub(super) fn take(&mut self, base64: &str) -> Result<u64, ServiceError> {
        self.decoded.clear();
        STANDARD
            .decode_vec(base64, &mut self.decoded)
            .map_err(|error| ServiceError::malformed("audio", error))?;
        let bytes = self.decoded.len() as u64;
        match (&mut self.resampler, self.format) {
            (None, Format::Mulaw8k) => self.bytes.extend(&self.decoded),
            (None, _) => {
                let mut samples = vec![0; self.decoded.len()];
                let decoded = PcmuDecoder::new().decode_into(&self.decoded, &mut samples);
                decoded.expect("a sample for each byte");
                self.bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
            }
            (Some(_), _) => self.resample(),
        }
        if self.bytes.len() > self.format.bytes() * MOST_FRAMES {
            return Err(ServiceError::TooLarge { place: "answer", limit: self.format.bytes() * MOST_FRAMES });
        }
        Ok(bytes)
    }

    /// How long so many bytes of the service's audio are.
    pub(super) fn millis(&self, bytes: u64) -> u64 {
        bytes / if self.resampler.is_some() { BYTES_A_MS_WIDE } else { BYTES_A_MS }
    }

    /// All of it has come.
    pub(super) fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        if let Some(resampler) = &mut self.resampler {
            resampler.finish(&mut self.out);
            self.take_resampled();
        }
        let frame = self.format.bytes();
        let whole = self.bytes.len().div_ceil(frame) * frame;
        self.bytes.resize(whole, self.format.silence());
    }

    /// The next frame of it.
    pub(super) fn next(&mut self, frame: &mut Frame) -> bool {
        let payload = frame.payload_mut();
        if self.bytes.len() < payload.len() {
            return false;
        }
        for (to, from) in payload.iter_mut().zip(self.bytes.drain(..self.format.bytes())) {
            *to = from;
        }
        true
    }

    /// Everything that came was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.len() < self.format.bytes()
    }

    fn resample(&mut self) {
        let pieces = self.odd.take().into_iter().chain(self.decoded.iter().copied());
        let (mut low, samples) = (None, &mut self.samples);
        samples.clear();
        for byte in pieces {
            match low.take() {
                None => low = Some(byte),
                Some(low) => samples.push(i16::from_le_bytes([low, byte])),
            }
        }
        self.odd = low;
        if let Some(resampler) = &mut self.resampler {
            resampler.push(&self.samples, &mut self.out);
        }
        self.take_resampled();
    }

    fn take_resampled(&mut self) {
        self.bytes.extend(self.out.drain(..).flat_map(i16::to_le_bytes));
    }
}

/// 60 ms a message: a third of the messages, while the end of a turn is sent at once.
const FRAMES_A_MESSAGE: usize = 3;

/// The longest answer that is taken in ahead of its being heard: five minutes.
const MOST_FRAMES: usize = 15_000;

/// Bytes of a millisecond of mu-law at 8 kHz, and of s16 at 24 kHz.
const BYTES_A_MS: u64 = 8;
const BYTES_A_MS_WIDE: u64 = 48;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephone_audio_is_passed_through_untouched() {
        let mut upload = Upload::new(Format::Mulaw8k);
        let payload: Vec<u8> = (0..160).collect();
        let frame = Frame::new(Format::Mulaw8k, &payload).unwrap();
        assert_eq!((upload.hear(&frame), upload.hear(&frame)), (None, None));
        let message = upload.hear(&frame).unwrap();
        let sent: serde_json::Value = serde_json::from_str(&message).unwrap();
        let sent = sent["audio"].as_str().unwrap();
        assert_eq!(STANDARD.decode(sent).unwrap(), payload.repeat(3));
        let mut download = Download::new(Format::Mulaw8k);
        let bytes = download.take(sent).unwrap();
        assert_eq!(download.millis(bytes), 60);
        let mut heard = Frame::silence(Format::Mulaw8k);
        for _ in 0..3 {
            assert!(download.next(&mut heard));
            assert_eq!(heard.payload(), payload);
        }
        assert!(!download.next(&mut heard) && download.is_empty());
    }

    #[test]
    fn an_answers_last_frame_is_filled_up_with_silence() {
        let mut download = Download::new(Format::Mulaw8k);
        download.take(&STANDARD.encode([7; 200])).unwrap();
        download.finish();
        let mut frame = Frame::silence(Format::Mulaw8k);
        assert!(download.next(&mut frame) && download.next(&mut frame) && !download.next(&mut frame));
        assert_eq!((frame.payload()[39], frame.payload()[40]), (7, Format::Mulaw8k.silence()));
    }

    #[test]
    fn wideband_audio_keeps_its_length_however_it_is_cut() {
        let sound: Vec<u8> = (0..24_000_u32).flat_map(|at| ((at % 400) as i16 * 20).to_le_bytes()).collect();
        let mut download = Download::new(Format::Pcm16k);
        let bytes = sound.chunks(4_799).map(|piece| download.take(&STANDARD.encode(piece)).unwrap()).sum();
        assert_eq!(download.millis(bytes), 1_000);
        download.finish();
        let mut frame = Frame::silence(Format::Pcm16k);
        assert_eq!(std::iter::from_fn(|| download.next(&mut frame).then_some(())).count(), 50);
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        let error = Download::new(Format::Mulaw8k).take("?").unwrap_err().to_string();
        assert!(error.starts_with("malformed audio: "), "{error}");
    }
}
