//! WAV audio: written whole for a recogniser, read as it comes from a voice.

use super::ServiceError;
use super::foreign;
use bytes::{Buf, Bytes, BytesMut};
use ringway_frame::SampleRate;
use spec::{PCM, Spec};

mod spec;

/// Bytes in front of the samples of a file that is written.
pub(super) const HEADER: usize = 44;

/// The header of a file of 16-bit mono audio with so many bytes of samples.
pub(super) fn header(rate: SampleRate, bytes: u32) -> [u8; HEADER] {
    header_of(rate.hz(), (1, 2), bytes)
}

/// The same of PCM at `hz`, of so many channels of so many bytes a sample.
pub(super) fn header_of(hz: u32, (channels, width): (u16, u16), bytes: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        header[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    let block = channels.saturating_mul(width);
    put(b"RIFF");
    put(&bytes.saturating_add(36).to_le_bytes());
    put(b"WAVEfmt ");
    put(&16_u32.to_le_bytes());
    put(&PCM.to_le_bytes());
    put(&channels.to_le_bytes());
    put(&hz.to_le_bytes());
    put(&hz.saturating_mul(block.into()).to_le_bytes());
    put(&block.to_le_bytes());
    put(&width.saturating_mul(8).to_le_bytes());
    put(b"data");
    put(&bytes.to_le_bytes());
    header
}

/// Reads files that come in pieces of any length, one behind the other in one stream: samples of one or two channels,
/// mixed to one, of 16 bits whatever they were.
#[derive(Debug)]
pub(super) struct WavStream {
    state: State,
    /// Bytes of something that has not come whole.
    partial: BytesMut,
    spec: Option<Spec>,
    files: u32,
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
    /// What is behind as many samples as were promised.
    Behind,
    /// A chunk behind them.
    SkipBehind {
        left: u64,
    },
}

impl WavStream {
    pub(super) fn new() -> Self {
        Self { state: State::Riff, partial: BytesMut::new(), spec: None, files: 0 }
    }

    /// Reads on in `piece`; appends at most `most` samples and then leaves the rest for the next time. Samples of one
    /// call have one rate.
    pub(super) fn read(
        &mut self,
        piece: &mut Bytes,
        most: usize,
        samples: &mut Vec<i16>,
    ) -> Result<(), ServiceError> {
        if !self.partial.is_empty() {
            let mut whole = std::mem::take(&mut self.partial);
            whole.extend_from_slice(piece);
            *piece = whole.freeze();
        }
        let (begin, end) = (samples.len(), samples.len() + most);
        while !piece.is_empty() && samples.len() < end {
            if !self.step(piece, end, samples)? {
                self.partial.extend_from_slice(piece);
                piece.clear();
            }
            if self.state == State::Riff && samples.len() > begin {
                break;
            }
        }
        Ok(())
    }

    /// Takes what is next out of `piece`; `false`: it has not come whole.
    fn step(&mut self, piece: &mut Bytes, end: usize, samples: &mut Vec<i16>) -> Result<bool, ServiceError> {
        match self.state {
            State::Riff => self.riff(piece),
            State::ChunkHead => self.chunk_head(piece),
            State::Format { size } => self.format(piece, size),
            State::Skip { left } => {
                let left = skip(piece, left);
                self.state = if left == 0 { State::ChunkHead } else { State::Skip { left } };
                Ok(true)
            }
            State::Samples { left } => Ok(self.samples(piece, left, end, samples)),
            State::Behind => Ok(self.behind(piece)),
            State::SkipBehind { left } => {
                let left = skip(piece, left);
                self.state = if left == 0 { State::Behind } else { State::SkipBehind { left } };
                Ok(true)
            }
        }
    }

    /// The rate of its samples, once that is known.
    pub(super) fn rate(&self) -> Option<SampleRate> {
        self.spec.map(|spec| spec.rate)
    }

    /// How many files have begun.
    pub(super) const fn files(&self) -> u32 {
        self.files
    }

    /// How many samples of each channel are still to come, as far as the header tells.
    pub(super) fn left(&self) -> Option<u64> {
        let spec = self.spec?;
        match self.state {
            State::Samples { left } => left.map(|bytes| bytes / spec.width() as u64),
            State::Behind | State::SkipBehind { .. } => Some(0),
            _ => None,
        }
    }

    /// The stream has ended.
    pub(super) fn finish(&self) -> Result<(), ServiceError> {
        match self.state {
            State::Samples { left: None } | State::Behind | State::SkipBehind { .. } => Ok(()),
            State::Samples { left: Some(left) } => {
                let left = left.saturating_sub(self.partial.len() as u64);
                Err(malformed(format!("it ends {left} bytes before the end of its samples")))
            }
            State::Riff => match foreign::whole(&self.partial) {
                Some(kind) => Err(foreign::refusal(kind)),
                None => Err(malformed("it ends before its samples")),
            },
            _ => Err(malformed("it ends before its samples")),
        }
    }

    fn riff(&mut self, piece: &mut Bytes) -> Result<bool, ServiceError> {
        let Some(head) = take(piece, 12) else { return Ok(false) };
        if !is_riff(&head) {
            return Err(match foreign::whole(&head) {
                Some(kind) => foreign::refusal(kind),
                None => malformed("it does not begin with RIFF and WAVE"),
            });
        }
        self.files += 1;
        self.state = State::ChunkHead;
        Ok(true)
    }

    fn chunk_head(&mut self, piece: &mut Bytes) -> Result<bool, ServiceError> {
        let Some(head) = take(piece, 8) else { return Ok(false) };
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        self.state = match &head[..4] {
            b"fmt " if (16..=LARGEST_FORMAT).contains(&size) => State::Format { size: size as usize },
            b"fmt " => return Err(malformed(format!("a format of {size} bytes"))),
            b"data" if self.spec.is_none() => return Err(malformed("samples come before their format")),
            b"data" => State::Samples { left: (1..ENDLESS).contains(&size).then_some(size.into()) },
            _ => State::Skip { left: padded(size) },
        };
        Ok(true)
    }

    fn format(&mut self, piece: &mut Bytes, size: usize) -> Result<bool, ServiceError> {
        let Some(format) = take(piece, size + size % 2) else { return Ok(false) };
        self.spec = Some(Spec::read(&format[..size])?);
        self.state = State::ChunkHead;
        Ok(true)
    }

    fn samples(
        &mut self,
        piece: &mut Bytes,
        mut left: Option<u64>,
        end: usize,
        samples: &mut Vec<i16>,
    ) -> bool {
        let Some(spec) = self.spec else { return false };
        let width = spec.width();
        let mut whole = true;
        while samples.len() < end && left.is_none_or(|left| left >= width as u64) {
            let wanted =
                left.map_or(usize::MAX, |left| (left / width as u64) as usize).min(end - samples.len());
            let plain = plain(piece, width, wanted) * width;
            if plain > 0 {
                spec.decode(&piece[..plain], samples);
                piece.advance(plain);
                left = left.map(|left| left - plain as u64);
                continue;
            }
            // A file within the samples of another one, whose length nobody knew.
            if piece.starts_with(&b"RIFF"[..piece.len().min(4)]) && !piece.is_empty() {
                let more = left.is_none_or(|left| left > piece.len() as u64);
                if piece.len() < SIGNATURE && more {
                    whole = false;
                    break;
                }
                if is_riff(piece) && piece.get(12..SIGNATURE) == Some(b"fmt ") {
                    self.state = State::Riff;
                    return true;
                }
            }
            if piece.len() < width {
                whole = piece.is_empty();
                break;
            }
            spec.decode(&piece[..width], samples);
            piece.advance(width);
            left = left.map(|left| left - width as u64);
        }
        let over = left.is_some_and(|left| left < width as u64);
        self.state = if over { State::Behind } else { State::Samples { left } };
        whole || over
    }

    /// Another file, a chunk, or more samples than were promised; a few bytes are nothing.
    fn behind(&mut self, piece: &mut Bytes) -> bool {
        if piece[0] == 0 && piece.len() > 4 && piece[1..].starts_with(b"RIFF") {
            // The sample before was padded to an even length.
            piece.advance(1);
        }
        if piece.len() < 12 {
            return false;
        }
        let size = u32::from_le_bytes([piece[4], piece[5], piece[6], piece[7]]);
        let named = piece[..4].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b' ');
        if is_riff(piece) {
            self.state = State::Riff;
        } else if named && size <= LARGEST_CHUNK {
            piece.advance(8);
            self.state = State::SkipBehind { left: padded(size) };
        } else if piece.len() >= STRAY {
            self.state = State::Samples { left: None };
        } else {
            return false;
        }
        true
    }
}

/// How many samples of so many bytes, of those that are wanted, stand in front of anything that may begin a file. The
/// last bytes are not looked at: what follows them has not come.
fn plain(piece: &[u8], width: usize, wanted: usize) -> usize {
    let whole = wanted.min(piece.len().saturating_sub(SIGNATURE) / width);
    let pairs = piece[..whole * width].iter().zip(piece.get(1..).unwrap_or_default());
    // Mostly there is nothing of the kind, which is seen at many bytes at a time.
    if !pairs.fold(false, |seen, (a, b)| seen | ((*a == b'R') & (*b == b'I'))) {
        return whole;
    }
    (0..whole).find(|at| piece[at * width..].starts_with(b"RIFF")).unwrap_or(whole)
}

/// The first `size` bytes, if they are there.
fn take(piece: &mut Bytes, size: usize) -> Option<Bytes> {
    (piece.len() >= size).then(|| piece.split_to(size))
}

/// Skips bytes; how many are still to be skipped.
fn skip(piece: &mut Bytes, left: u64) -> u64 {
    let skipped = (piece.len() as u64).min(left);
    piece.advance(skipped as usize);
    left - skipped
}

/// Chunks are padded to even lengths.
fn padded(size: u32) -> u64 {
    u64::from(size) + u64::from(size % 2)
}

/// `RIFF`, or one of its forms for long files.
fn is_riff(head: &[u8]) -> bool {
    let known = [b"RIFF", b"RF64", b"BW64"].iter().any(|name| head.starts_with(*name));
    known && head.get(8..12) == Some(b"WAVE")
}

fn malformed(reason: impl std::fmt::Display) -> ServiceError {
    ServiceError::malformed("WAV audio", reason)
}

const LARGEST_FORMAT: u32 = 256;

/// Chunks behind the samples are smaller: a larger one is none, but more samples.
const LARGEST_CHUNK: u32 = 1 << 20;

/// Bytes by which a file within another one is known.
const SIGNATURE: usize = 16;

/// So many bytes behind the samples that were promised are more of them.
const STRAY: usize = 2_048;

/// Servers that do not know the length when they begin write something from here on, or nothing.
const ENDLESS: u32 = 0x7fff_0000;

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
    fn files_behind_one_another_are_one_stream_however_they_are_cut() {
        for promised in [4, 0, 0xffff_ffff] {
            let mut files = file(&[1, 2], promised);
            files.extend(file(&[3, 4], promised));
            for cut in 0..=files.len() {
                assert_eq!(read(&files, cut).unwrap().0, [1, 2, 3, 4], "{promised:#x}, cut at {cut}");
            }
        }
    }

    #[test]
    fn a_second_file_has_a_rate_of_its_own() {
        let mut files = file(&[1, 2], 4);
        files.extend(header(SampleRate::HZ_8000, 2));
        files.extend([3, 0]);
        let (mut stream, mut samples, mut rates) = (WavStream::new(), Vec::new(), Vec::new());
        let mut piece = Bytes::from(files);
        while !piece.is_empty() {
            stream.read(&mut piece, 100, &mut samples).unwrap();
            rates.push((samples.len(), stream.rate().unwrap().hz()));
        }
        assert_eq!((rates, stream.files()), (vec![(2, 16_000), (3, 8_000)], 2));
    }

    #[test]
    fn a_length_of_the_first_piece_only_is_not_the_end_and_a_few_bytes_behind_are_nothing() {
        let samples: Vec<i16> = (0..1_500).collect();
        assert_eq!(read(&file(&samples, 100), 60).unwrap().0, samples);
        let mut stray = file(&[1, 2], 4);
        stray.extend([0x7f; 44]);
        assert_eq!(read(&stray, 50).unwrap().0, [1, 2]);
    }

    #[test]
    fn samples_that_spell_the_name_of_a_file_are_samples() {
        for at in 0..40 {
            let mut bytes = [7; 200];
            bytes[at..at + 4].copy_from_slice(b"RIFF");
            let expected: Vec<i16> =
                bytes.as_chunks().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
            let file = file(&expected, 200);
            for cut in [0, 44, 45, 52, 60, 81, 100, file.len()] {
                assert_eq!(read(&file, cut).unwrap().0, expected, "RIFF at {at}, cut at {cut}");
            }
        }
    }

    #[test]
    fn every_width_and_coding_is_read() {
        let of = |coding: u16, bits: u16, extensible: bool, sample: &[u8]| {
            let mut file = header_of(8_000, (1, bits / 8), sample.len() as u32).to_vec();
            file[20..22].copy_from_slice(&coding.to_le_bytes());
            if extensible {
                file[16] = 40;
                file[20..22].copy_from_slice(&0xfffe_u16.to_le_bytes());
                let more =
                    [&[22, 0, bits as u8, 0, 4, 0, 0, 0][..], &coding.to_le_bytes(), &[0; 14]].concat();
                file.splice(36..36, more);
            }
            file.extend_from_slice(sample);
            read(&file, 20).unwrap().0
        };
        for extensible in [false, true] {
            assert_eq!(of(1, 8, extensible, &[0x80, 0xc0]), [0, 0x4000]);
            assert_eq!(of(1, 16, extensible, &[0x34, 0x12]), [0x1234]);
            assert_eq!(of(1, 24, extensible, &[0x99, 0x34, 0x12]), [0x1234]);
            assert_eq!(of(1, 32, extensible, &[0x99, 0x99, 0x34, 0xf2]), [-0x0dcc]);
            assert_eq!(of(3, 32, extensible, &0.5_f32.to_le_bytes()), [0x4000]);
            assert_eq!(of(3, 64, extensible, &(-0.5_f64).to_le_bytes()), [-0x4000]);
            assert_eq!(of(7, 8, extensible, &[0xff, 0x80]), [0, 32_124]);
            assert_eq!(of(6, 8, extensible, &[0xd5, 0xaa]), [8, 32_256]);
        }
        assert_eq!(of(3, 32, false, &f32::NAN.to_le_bytes()), [0]);
    }

    #[test]
    fn what_is_no_wav_is_refused_by_its_name() {
        for (file, name) in [
            (&b"ID3\x04\0\0\0\0\0\0\0\0"[..], "MP3"),
            (b"OggS\0\x02\0\0\0\0\0\0", "Ogg"),
            (b"fLaC\0\0\0\x22\x10\0\x10\0", "FLAC"),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81", "WebM"),
            (b"{\"error\":{\"message\":\"no\"}}", "JSON"),
            (b"{}", "JSON"),
            (b"<!DOCTYPE html><html>", "HTML or XML"),
        ] {
            for cut in [0, 1, file.len()] {
                let error = read(file, cut).unwrap_err().to_string();
                assert!(error.contains(name), "{name}: {error}");
            }
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
        assert!(read(b"neither audio nor a page", 0).unwrap_err().to_string().contains("RIFF"));
        let change = |at: usize, byte: u8| {
            let mut file = file(&[1], 2);
            file[at] = byte;
            read(&file, 0).unwrap_err().to_string()
        };
        assert!(change(20, 2).contains("coding 2"), "ADPCM");
        assert!(change(22, 6).contains("6 channels"));
        assert!(change(24, 0x81).contains("16001 Hz"));
        assert!(change(16, 2).contains("2 bytes"));
        assert!(change(12, b'x').contains("before their format"));
    }
}
