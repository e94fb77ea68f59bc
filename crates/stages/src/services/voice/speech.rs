use crate::pcm;
use crate::resample::Resampler;
use crate::services::ServiceError;
use crate::services::foreign::{self, First};
use crate::services::wav::WavStream;
use crate::trim::Trim;
use bytes::{Buf, Bytes, BytesMut};
use ringway_frame::{FRAME, Format, Frame, SampleRate};
use std::collections::VecDeque;
use std::time::Duration;

/// How a service's audio comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::services) enum Coding {
    /// A WAV file, which tells the rest itself.
    Wav,
    /// Samples of 16 bits, the lower byte first, of one channel; a WAV file all the same if it begins as one.
    Pcm(SampleRate),
    /// As the call has it: it passes through untouched.
    Call,
}

/// What was found out about audio by its first bytes.
#[derive(Debug)]
enum Look {
    /// Nothing yet: they wait until there are enough of them.
    First(BytesMut),
    /// It can be played.
    Fine,
    /// It is something else, which is told when it is to be played.
    Foreign(&'static str),
}

/// Makes frames in the call's format of audio that comes in pieces: trims, resamples, encodes.
///
/// Each frame is made when it is asked for, so that much audio that comes at once does not hold up the core.
#[derive(Debug)]
pub(in crate::services) struct Speech {
    pieces: VecDeque<Bytes>,
    look: Look,
    source: Source,
    shaper: Option<Shaper>,
    format: Format,
    raw: Vec<i16>,
    /// At the call's rate, not given yet.
    samples: Vec<i16>,
    /// All samples that the file promises, of one channel at its own rate.
    promised: Option<u64>,
    /// Bytes that came.
    received: u64,
    /// No sample was among them yet.
    empty: bool,
    end: End,
}

/// What the pieces are made of.
#[derive(Debug)]
enum Source {
    Wav(WavStream),
    Pcm {
        rate: SampleRate,
        /// The first half of a sample whose other half has not come.
        half: Option<u8>,
    },
    Call,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// There is more to come.
    Open,
    /// All pieces are here.
    Told,
    /// And all of them are used up.
    Reached,
}

impl Speech {
    pub(in crate::services) fn new(coding: Coding, format: Format) -> Self {
        let source = match coding {
            Coding::Wav => Source::Wav(WavStream::new()),
            Coding::Pcm(rate) => Source::Pcm { rate, half: None },
            Coding::Call => Source::Call,
        };
        Self {
            pieces: VecDeque::new(),
            // A file is known by its reader.
            look: if coding == Coding::Wav { Look::Fine } else { Look::First(BytesMut::new()) },
            source,
            shaper: None,
            format,
            raw: Vec::new(),
            samples: Vec::new(),
            promised: None,
            received: 0,
            empty: true,
            end: End::Open,
        }
    }

    /// All that came is used up.
    pub(in crate::services) fn wants_more(&self) -> bool {
        self.pieces.is_empty() && self.end == End::Open
    }

    /// The next piece of the audio.
    pub(in crate::services) fn take(&mut self, piece: Bytes) {
        self.received += piece.len() as u64;
        match &mut self.look {
            Look::Fine if piece.is_empty() => {}
            Look::Fine => self.pieces.push_back(piece),
            Look::First(head) => {
                head.extend_from_slice(&piece);
                self.look_at_head(false);
            }
            Look::Foreign(_) => {}
        }
    }

    /// Finds out what the first bytes are, if there are enough of them.
    fn look_at_head(&mut self, ended: bool) {
        let Look::First(head) = &mut self.look else { return };
        let found = match &self.source {
            // Loud speech of 8 bits looks like anything but a file's name.
            Source::Call => foreign::magic(head).map_or(First::Plain, First::Foreign),
            _ => foreign::first(head, ended),
        };
        let look = match found {
            First::More => return,
            First::Foreign(kind) => Look::Foreign(kind),
            First::Wav | First::Plain => Look::Fine,
        };
        if found == First::Wav {
            self.source = Source::Wav(WavStream::new());
        }
        if let Look::First(head) = std::mem::replace(&mut self.look, look)
            && !head.is_empty()
        {
            self.pieces.push_back(head.freeze());
        }
    }

    /// The audio has ended; what is still inside comes out.
    pub(in crate::services) fn finish(&mut self) {
        if self.end == End::Open {
            self.end = End::Told;
            self.look_at_head(true);
        }
    }

    /// There is no audio at all.
    pub(in crate::services) fn give_up(&mut self) {
        self.end = End::Reached;
    }

    /// Something came.
    pub(in crate::services) const fn has_begun(&self) -> bool {
        self.received > 0
    }

    /// Not one sample came.
    pub(in crate::services) const fn is_empty(&self) -> bool {
        self.empty
    }

    /// All has come.
    pub(in crate::services) fn is_told(&self) -> bool {
        self.end != End::Open
    }

    /// How much audio came so far, if it can be told by its bytes.
    pub(in crate::services) fn length(&self) -> Duration {
        match self.source {
            Source::Wav(_) => Duration::ZERO,
            Source::Pcm { rate, .. } => rate.duration(self.received / 2),
            Source::Call => FRAME.mul_f64(self.received as f64 / self.format.bytes() as f64),
        }
    }

    /// How many frames all of it makes, as far as is known.
    pub(in crate::services) fn frames(&self) -> Option<u64> {
        match &self.source {
            Source::Wav(wav) => {
                let per_frame = wav.rate()?.frame_samples() as u64;
                self.promised.map(|samples| samples.div_ceil(per_frame))
            }
            _ if self.end == End::Open => None,
            Source::Pcm { rate, .. } => Some(self.received.div_ceil(2 * rate.frame_samples() as u64)),
            Source::Call => Some(self.received.div_ceil(self.format.bytes() as u64)),
        }
    }

    /// Writes the next 20 ms; `false`: they have not come, or there are no more.
    pub(in crate::services) fn next(&mut self, frame: &mut Frame) -> Result<bool, ServiceError> {
        if let Look::Foreign(kind) = self.look {
            return Err(foreign::refusal(kind));
        }
        if matches!(self.source, Source::Call) {
            return Ok(self.pass(frame));
        }
        let count = self.format.rate().frame_samples();
        while self.samples.len() < count && !self.pieces.is_empty() {
            self.step()?;
        }
        if self.samples.len() < count && self.end == End::Told {
            self.close()?;
        }
        let given = if self.end == End::Reached { self.samples.len().min(count) } else { count };
        if given == 0 || self.samples.len() < given {
            return Ok(false);
        }
        pcm::encode(&self.samples[..given], frame);
        self.samples.drain(..given);
        Ok(true)
    }

    /// The bytes of a frame as they are; the last ones are filled up with silence.
    fn pass(&mut self, frame: &mut Frame) -> bool {
        let there: usize = self.pieces.iter().map(Bytes::len).sum();
        if there == 0 || (there < self.format.bytes() && self.end == End::Open) {
            return false;
        }
        self.empty = false;
        let mut room = frame.payload_mut();
        while !room.is_empty()
            && let Some(piece) = self.pieces.front_mut()
        {
            let (now, later) = room.split_at_mut(piece.len().min(room.len()));
            piece.copy_to_slice(now);
            room = later;
            self.pieces.pop_front_if(|piece| piece.is_empty());
        }
        room.fill(self.format.silence());
        true
    }

    /// Takes some 20 ms of the pieces at hand.
    fn step(&mut self) -> Result<(), ServiceError> {
        let Some(piece) = self.pieces.front_mut() else { return Ok(()) };
        match &mut self.source {
            Source::Wav(wav) => {
                let most = wav.rate().map_or(FIRST_STEP, SampleRate::frame_samples);
                wav.read(piece, most, &mut self.raw)?;
                if wav.files() > 1 {
                    self.promised = None;
                } else if self.promised.is_none() {
                    self.promised = wav.left().map(|left| left + self.raw.len() as u64);
                }
            }
            Source::Pcm { rate, half } => read_samples(piece, rate.frame_samples(), half, &mut self.raw),
            Source::Call => {}
        }
        self.pieces.pop_front_if(|piece| piece.is_empty());
        self.empty &= self.raw.is_empty();
        let Some(rate) = self.rate() else { return Ok(()) };
        if let Some(mut other) = self.shaper.take_if(|shaper| shaper.resampler.rates().0 != rate) {
            other.finish(&mut self.samples);
        }
        let shaper = self.shaper.get_or_insert_with(|| Shaper::new(rate, self.format.rate()));
        shaper.push(&self.raw, &mut self.samples);
        self.raw.clear();
        Ok(())
    }

    fn rate(&self) -> Option<SampleRate> {
        match &self.source {
            Source::Wav(wav) => wav.rate(),
            Source::Pcm { rate, .. } => Some(*rate),
            Source::Call => None,
        }
    }

    fn close(&mut self) -> Result<(), ServiceError> {
        self.end = End::Reached;
        if let Some(mut shaper) = self.shaper.take() {
            shaper.finish(&mut self.samples);
        }
        if let Source::Wav(wav) = &self.source { wav.finish() } else { Ok(()) }
    }
}

/// Appends at most so many samples of `piece`.
fn read_samples(piece: &mut Bytes, most: usize, half: &mut Option<u8>, samples: &mut Vec<i16>) {
    if let Some(first) = half.take() {
        if piece.is_empty() {
            *half = Some(first);
            return;
        }
        samples.push(i16::from_le_bytes([first, piece.get_u8()]));
    }
    let bytes = piece.split_to((most * 2).min(piece.len() & !1));
    samples.extend(bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])));
    if piece.len() == 1 {
        *half = Some(piece.get_u8());
    }
}

/// Silence off both ends, and another rate.
struct Shaper {
    trim: Trim,
    resampler: Resampler,
    spoken: Vec<i16>,
}

impl Shaper {
    fn new(from: SampleRate, to: SampleRate) -> Self {
        Self { trim: Trim::new(from), resampler: Resampler::new(from, to), spoken: Vec::new() }
    }

    fn push(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        self.trim.push(samples, &mut self.spoken);
        self.resampler.push(&self.spoken, out);
        self.spoken.clear();
    }

    fn finish(&mut self, out: &mut Vec<i16>) {
        self.trim.finish(&mut self.spoken);
        self.resampler.push(&self.spoken, out);
        self.resampler.finish(out);
    }
}

impl std::fmt::Debug for Shaper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shaper").field("trim", &self.trim).finish_non_exhaustive()
    }
}

/// Samples that are read with the header.
const FIRST_STEP: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(speech: &mut Speech, format: Format) -> Vec<Frame> {
        let (mut frames, mut frame) = (Vec::new(), Frame::silence(format));
        while speech.next(&mut frame).unwrap() {
            frames.push(frame);
        }
        frames
    }

    #[test]
    fn audio_in_the_calls_format_passes_untouched_however_it_is_cut() {
        let bytes: Vec<u8> = (0..400_u16).map(|at| (at % 251) as u8).collect();
        for cut in [0, 1, 159, 160, 161, 399, 400] {
            let mut speech = Speech::new(Coding::Call, Format::Mulaw8k);
            let mut heard = Vec::new();
            for piece in [&bytes[..cut], &bytes[cut..]] {
                speech.take(Bytes::copy_from_slice(piece));
                heard.extend(frames(&mut speech, Format::Mulaw8k));
            }
            assert_eq!((heard.len(), speech.frames()), (2, None), "the third is not whole");
            speech.finish();
            heard.extend(frames(&mut speech, Format::Mulaw8k));
            let payloads: Vec<u8> = heard.iter().flat_map(|frame| frame.payload().to_vec()).collect();
            assert_eq!(payloads[..400], bytes, "cut at {cut}");
            assert_eq!(payloads[400..], [Format::Mulaw8k.silence(); 80]);
            assert_eq!(speech.frames(), Some(3));
        }
    }

    #[test]
    fn samples_are_whole_however_they_are_cut() {
        let samples: Vec<u8> = (0..2_400).flat_map(|at: i16| (at * 9).to_le_bytes()).collect();
        let heard = |cut: usize| {
            let coding = Coding::Pcm(SampleRate::HZ_24000);
            let mut speech = Speech::new(coding, Format::Pcm16k);
            for piece in [&samples[..cut], &samples[cut..cut + 1], &samples[cut + 1..]] {
                speech.take(Bytes::copy_from_slice(piece));
            }
            speech.finish();
            frames(&mut speech, Format::Pcm16k)
        };
        let whole = heard(0);
        assert_eq!(whole.len(), 5);
        for cut in [1, 2, 959, 960, 961, 4_798] {
            assert_eq!(heard(cut), whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_wav_file_is_one_whatever_was_announced_and_however_it_is_cut() {
        let mut file = crate::services::wav::header(SampleRate::HZ_8000, 320).to_vec();
        file.extend([0x40; 320]);
        for cut in 0..=60 {
            let coding = Coding::Pcm(SampleRate::HZ_24000);
            let mut speech = Speech::new(coding, Format::Pcm8k);
            for piece in [&file[..cut], &file[cut..]] {
                speech.take(Bytes::copy_from_slice(piece));
            }
            speech.finish();
            let heard = frames(&mut speech, Format::Pcm8k);
            assert_eq!(heard.iter().map(Frame::payload).collect::<Vec<_>>(), [[0x40; 320]], "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_audio_is_refused_by_its_name_and_never_played() {
        for (coding, body, kind) in [
            (Coding::Pcm(SampleRate::HZ_24000), &b"{\"error\": \"no voice\"}"[..], "JSON"),
            (Coding::Pcm(SampleRate::HZ_24000), b"ID3\x04\0\0\0\0\0\0\0\0\0\0\0\0", "MP3"),
            (Coding::Call, b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0", "Ogg"),
            (Coding::Wav, b"<html>an error</html>", "HTML"),
        ] {
            let mut speech = Speech::new(coding, Format::Pcm8k);
            speech.take(Bytes::copy_from_slice(body));
            speech.finish();
            let error = speech.next(&mut Frame::silence(Format::Pcm8k)).unwrap_err().to_string();
            assert!(error.contains(kind), "{error}");
        }
    }

    #[test]
    fn files_of_different_rates_are_one_speech() {
        let mut body = crate::services::wav::header(SampleRate::HZ_8000, 1_600).to_vec();
        body.extend([0x40; 1_600]);
        body.extend(crate::services::wav::header(SampleRate::HZ_16000, 3_200));
        body.extend([0x40; 3_200]);
        let mut speech = Speech::new(Coding::Wav, Format::Pcm8k);
        speech.take(body.into());
        speech.finish();
        assert_eq!(frames(&mut speech, Format::Pcm8k).len(), 10);
    }
}
