//! WAV audio: written whole for a recogniser, read as it comes from a voice.

use super::ServiceError;
use bytes::{Buf, Bytes};
use ringway_frame::SampleRate;

/// Bytes in front of the samples of a file that is written.
pub(super) const HEADER: usize = 44;

/// The header of a file of 16-bit mono audio with so many bytes of samples.
pub(super) fn header(rate: SampleRate, bytes: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        header[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    put(b"RIFF");
    put(&bytes.saturating_add(36).to_le_bytes());
    put(b"WAVEfmt ");
    put(&16_u32.to_le_bytes());
    put(&PCM.to_le_bytes());
    put(&1_u16.to_le_bytes());
    put(&rate.hz().to_le_bytes());
    put(&(rate.hz() * 2).to_le_bytes());
    put(&2_u16.to_le_bytes());
    put(&16_u16.to_le_bytes());
    put(b"data");
    put(&bytes.to_le_bytes());
    header
}

/// Reads a file that comes in pieces of any length: 16-bit samples of one or two channels, mixed to one.
#[derive(Debug)]
pub(super) struct WavStream {
    state: State,
    /// Bytes of something that has not come whole: a header, or a sample.
    partial: Vec<u8>,
    spec: Option<Spec>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Riff,
    ChunkHead,
    Format {
        size: usize,
    },
    /// A chunk that says nothing about audio.
    Skip {
        left: u64,
    },
    /// Samples; without a count, to the end of the stream.
    Samples {
        left: Option<u64>,
    },
    /// Whatever is behind them.
    Behind,
}

/// How the samples are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spec {
    rate: SampleRate,
    channels: u16,
}

impl WavStream {
    pub(super) const fn new() -> Self {
        Self { state: State::Riff, partial: Vec::new(), spec: None }
    }

    /// Reads on in `piece`; appends at most `most` samples and then leaves the rest for the next time.
    pub(super) fn read(
        &mut self,
        piece: &mut Bytes,
        most: usize,
        samples: &mut Vec<i16>,
    ) -> Result<(), ServiceError> {
        let end = samples.len() + most;
        while !piece.is_empty() && samples.len() < end {
            match self.state {
                State::Riff => self.riff(piece)?,
                State::ChunkHead => self.chunk_head(piece)?,
                State::Format { size } => self.format(piece, size)?,
                State::Skip { left } => self.skip(piece, left),
                State::Samples { left } => self.samples(piece, left, end, samples),
                State::Behind => piece.clear(),
            }
        }
        Ok(())
    }

    /// The rate of its samples, once that is known.
    pub(super) fn rate(&self) -> Option<SampleRate> {
        self.spec.map(|spec| spec.rate)
    }

    /// How many samples of each channel are still to come, as far as the header tells.
    pub(super) fn left(&self) -> Option<u64> {
        let spec = self.spec?;
        match self.state {
            State::Samples { left } => left.map(|bytes| bytes / (2 * u64::from(spec.channels))),
            State::Behind => Some(0),
            _ => None,
        }
    }

    /// The stream has ended.
    pub(super) fn finish(&self) -> Result<(), ServiceError> {
        match self.state {
            State::Samples { left: None } | State::Behind => Ok(()),
            State::Samples { left: Some(left) } => {
                Err(malformed(format!("it ends {left} bytes before the end of its samples")))
            }
            _ => Err(malformed("it ends before its samples")),
        }
    }

    fn riff(&mut self, piece: &mut Bytes) -> Result<(), ServiceError> {
        let Some(head) = self.whole(piece, 12) else { return Ok(()) };
        if !head.starts_with(b"RIFF") || &head[8..] != b"WAVE" {
            return Err(malformed("it does not begin with RIFF and WAVE"));
        }
        self.state = State::ChunkHead;
        Ok(())
    }

    fn chunk_head(&mut self, piece: &mut Bytes) -> Result<(), ServiceError> {
        let Some(head) = self.whole(piece, 8) else { return Ok(()) };
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        self.state = match &head[..4] {
            b"fmt " if (16..=LARGEST_FORMAT).contains(&size) => State::Format { size: size as usize },
            b"fmt " => return Err(malformed(format!("a format of {size} bytes"))),
            b"data" if self.spec.is_none() => return Err(malformed("samples come before their format")),
            b"data" => State::Samples { left: (1..ENDLESS).contains(&size).then_some(size.into()) },
            // Chunks are padded to even lengths.
            _ => State::Skip { left: u64::from(size) + u64::from(size % 2) },
        };
        Ok(())
    }

    fn format(&mut self, piece: &mut Bytes, size: usize) -> Result<(), ServiceError> {
        let Some(format) = self.whole(piece, size + size % 2) else { return Ok(()) };
        let word = |at: usize| u16::from_le_bytes([format[at], format[at + 1]]);
        let coding = if word(0) == EXTENSIBLE && size >= 40 { word(24) } else { word(0) };
        let (channels, bits) = (word(2), word(14));
        let hz = u32::from_le_bytes([format[4], format[5], format[6], format[7]]);
        if coding != PCM || bits != 16 || !(1..=2).contains(&channels) {
            let found = format!("coding {coding}, {bits} bits, {channels} channels");
            return Err(malformed(format!("{found}; 16-bit PCM of one or two channels is read")));
        }
        let rate = SampleRate::new(hz).filter(|_| RATES_HZ.contains(&hz) && hz.is_multiple_of(RATE_STEP_HZ));
        let rate = rate.ok_or_else(|| malformed(format!("a sample rate of {hz} Hz")))?;
        self.spec = Some(Spec { rate, channels });
        self.state = State::ChunkHead;
        Ok(())
    }

    fn skip(&mut self, piece: &mut Bytes, left: u64) {
        let skipped = (piece.len() as u64).min(left);
        piece.advance(skipped as usize);
        self.state = if skipped == left { State::ChunkHead } else { State::Skip { left: left - skipped } };
    }

    fn samples(&mut self, piece: &mut Bytes, mut left: Option<u64>, end: usize, samples: &mut Vec<i16>) {
        let width = if self.spec.is_some_and(|spec| spec.channels == 2) { 4 } else { 2 };
        while samples.len() < end && left.is_none_or(|left| left >= width as u64) {
            let Some(sample) = self.sample(piece, width) else { break };
            samples.push(sample);
            left = left.map(|left| left - width as u64);
        }
        let over = left.is_some_and(|left| left < width as u64);
        self.state = if over { State::Behind } else { State::Samples { left } };
    }

    /// The mean of one sample of each channel.
    fn sample(&mut self, piece: &mut Bytes, width: usize) -> Option<i16> {
        if self.partial.is_empty() && piece.len() >= width {
            let sample = mean(&piece[..width]);
            piece.advance(width);
            return Some(sample);
        }
        self.whole(piece, width).map(|bytes| mean(&bytes))
    }

    /// `size` bytes, once they have all come.
    fn whole(&mut self, piece: &mut Bytes, size: usize) -> Option<Vec<u8>> {
        let taken = piece.len().min(size - self.partial.len());
        self.partial.extend_from_slice(&piece[..taken]);
        piece.advance(taken);
        (self.partial.len() == size).then(|| std::mem::take(&mut self.partial))
    }
}

fn mean(bytes: &[u8]) -> i16 {
    let sample = |at: usize| i32::from(i16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let mean = if bytes.len() == 4 { (sample(0) + sample(2)) / 2 } else { sample(0) };
    mean as i16
}

fn malformed(reason: impl std::fmt::Display) -> ServiceError {
    ServiceError::malformed("WAV audio", reason)
}

const PCM: u16 = 1;
const EXTENSIBLE: u16 = 0xfffe;
const LARGEST_FORMAT: u32 = 256;

/// Servers that do not know the length when they begin write something from here on, or nothing.
const ENDLESS: u32 = 0x7fff_0000;

/// Rates that are read; others are a damaged header rather than audio.
const RATES_HZ: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// What rates are multiples of, so that the resampler's tables stay small.
const RATE_STEP_HZ: u32 = 25;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &[u8], cut: usize) -> Result<(Vec<i16>, WavStream), ServiceError> {
        let (mut stream, mut samples) = (WavStream::new(), Vec::new());
        for part in [&file[..cut], &file[cut..]] {
            let mut piece = Bytes::copy_from_slice(part);
            while !piece.is_empty() {
                stream.read(&mut piece, 3, &mut samples)?;
            }
        }
        stream.finish().map(|()| (samples, stream))
    }

    fn file(samples: &[i16], promised: u32) -> Vec<u8> {
        let mut file = header(SampleRate::HZ_16000, promised).to_vec();
        file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        file
    }

    #[test]
    fn what_is_written_is_read_however_it_is_cut() {
        let file = file(&[1, -2, 3, 4, 5], 10);
        for cut in 0..=file.len() {
            let (samples, stream) = read(&file, cut).unwrap();
            assert_eq!(samples, [1, -2, 3, 4, 5], "cut at {cut}");
            assert_eq!(stream.rate(), Some(SampleRate::HZ_16000));
        }
    }

    #[test]
    fn a_file_is_what_other_programs_take_for_wav() {
        let file = file(&[1, -2, 3], 6);
        let mut reader = hound::WavReader::new(&file[..]).unwrap();
        assert_eq!(reader.spec().sample_rate, 16_000);
        assert_eq!(reader.samples::<i16>().map(Result::unwrap).collect::<Vec<_>>(), [1, -2, 3]);
    }

    #[test]
    fn a_length_that_nobody_knew_reaches_to_the_end() {
        for promised in [0, 0xffff_ffff, 0x7fff_ffff] {
            assert_eq!(read(&file(&[1, 2], promised), 44).unwrap().0, [1, 2], "{promised:#x}");
        }
    }

    #[test]
    fn a_file_that_ends_early_is_told() {
        let whole = file(&[1, 2], 4);
        for len in 0..whole.len() {
            let error = read(&whole[..len], 0).unwrap_err().to_string();
            assert!(error.starts_with("malformed WAV audio: it ends "), "{len}: {error}");
        }
    }

    #[test]
    fn two_channels_are_mixed_and_other_chunks_skipped() {
        let mut file = file(&[10, 20, -4, -8], 8);
        file[22] = 2;
        let list = [b"LIST".as_slice(), &3_u32.to_le_bytes(), b"abc\0"].concat();
        file.splice(36..36, list);
        file.extend_from_slice(b"LIST____");
        assert_eq!(read(&file, 50).unwrap().0, [15, -6]);
    }

    #[test]
    fn what_cannot_be_played_is_refused() {
        assert!(read(b"<html>an error page", 0).unwrap_err().to_string().contains("RIFF"));
        let change = |at: usize, byte: u8| {
            let mut file = file(&[1], 2);
            file[at] = byte;
            read(&file, 0).unwrap_err().to_string()
        };
        assert!(change(20, 7).contains("coding 7"), "mu-law");
        assert!(change(22, 6).contains("6 channels"));
        assert!(change(24, 0x81).contains("16001 Hz"));
        assert!(change(16, 2).contains("2 bytes"));
        assert!(change(12, b'x').contains("before their format"));
    }
}
