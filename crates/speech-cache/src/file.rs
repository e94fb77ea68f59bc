//! Speech as a file: WAV, so that whatever plays files plays it, with its words and a checksum in chunks of our own.
//!
//! ```text
//! "RIFF" size "WAVE"
//! "fmt " 16   coding, 1, rate, bytes a second, bytes a sample, bits     mu-law is coding 7, samples are coding 1
//! "data" n    the frames
//! "rwwd" 8k   k times: byte of the text (u32), frames so far (u32)
//! "rwck" 32   SHA-256 of the frames and the words
//! ```
//! The form is that of <http://soundfile.sapp.org/doc/WaveFormat/>; programs skip chunks that they do not know.

use super::speech::{Mark, Speech};
use ringway_frame::Format;
use sha2::{Digest, Sha256};

/// Why a file is no speech of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    #[error("it is not as long as it says")]
    Length,
    #[error("it has another form")]
    Form,
    #[error("its checksum is another")]
    Checksum,
}

impl Speech {
    /// The same as a WAV file.
    pub fn to_wav(&self) -> Vec<u8> {
        write(self)
    }
}

/// The file of this speech.
pub(super) fn write(speech: &Speech) -> Vec<u8> {
    let words = words_of(speech);
    let body = 4 + 3 * 8 + FORMAT + 8 + speech.audio().len() + words.len() + CHECKSUM;
    let mut file = Vec::with_capacity(8 + body);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(body as u32).to_le_bytes());
    file.extend_from_slice(b"WAVE");
    chunk(&mut file, b"fmt ", &form(speech.format()));
    chunk(&mut file, b"data", speech.audio());
    chunk(&mut file, WORDS, &words);
    chunk(&mut file, SUM, &checksum(speech.audio(), &words));
    file
}

/// The speech in a file, when it is whole.
pub(super) fn read(file: &[u8]) -> Result<Speech, Damage> {
    let rest = file.strip_prefix(b"RIFF").ok_or(Damage::Form)?;
    let (size, body) = rest.split_first_chunk::<4>().ok_or(Damage::Length)?;
    if u32::from_le_bytes(*size) as usize != body.len() {
        return Err(Damage::Length);
    }
    let mut rest = body.strip_prefix(b"WAVE").ok_or(Damage::Form)?;
    let format = format_of(take(&mut rest, b"fmt ")?)?;
    let audio = take(&mut rest, b"data")?;
    let words = take(&mut rest, WORDS)?;
    if take(&mut rest, SUM)? != checksum(audio, words) {
        return Err(Damage::Checksum);
    }
    if !rest.is_empty() || !audio.len().is_multiple_of(format.bytes()) || !words.len().is_multiple_of(8) {
        return Err(Damage::Form);
    }
    Ok(Speech::new(format, audio.into(), words.chunks_exact(8).map(mark).collect()))
}

/// Bytes of the file of this speech.
pub(super) fn bytes(speech: &Speech) -> u64 {
    (12 + 4 * 8 + FORMAT + speech.audio().len() + 8 * speech.words().len() + CHECKSUM) as u64
}

fn chunk(file: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    file.extend_from_slice(name);
    file.extend_from_slice(&(content.len() as u32).to_le_bytes());
    file.extend_from_slice(content);
}

/// The chunk that comes next, which has this name.
fn take<'f>(rest: &mut &'f [u8], name: &[u8; 4]) -> Result<&'f [u8], Damage> {
    let behind = rest.strip_prefix(name).ok_or(Damage::Form)?;
    let (size, behind) = behind.split_first_chunk::<4>().ok_or(Damage::Length)?;
    let (content, behind) =
        behind.split_at_checked(u32::from_le_bytes(*size) as usize).ok_or(Damage::Length)?;
    *rest = behind;
    Ok(content)
}

fn form(format: Format) -> [u8; FORMAT] {
    let (coding, width): (u16, u16) = if format == Format::Mulaw8k { (MULAW, 1) } else { (PCM, 2) };
    let rate = format.rate().hz();
    let mut form = [0; FORMAT];
    form[..2].copy_from_slice(&coding.to_le_bytes());
    form[2..4].copy_from_slice(&1_u16.to_le_bytes());
    form[4..8].copy_from_slice(&rate.to_le_bytes());
    form[8..12].copy_from_slice(&(rate * u32::from(width)).to_le_bytes());
    form[12..14].copy_from_slice(&width.to_le_bytes());
    form[14..].copy_from_slice(&(8 * width).to_le_bytes());
    form
}

fn format_of(chunk: &[u8]) -> Result<Format, Damage> {
    let known = [Format::Mulaw8k, Format::Pcm8k, Format::Pcm16k];
    known.into_iter().find(|format| form(*format) == chunk).ok_or(Damage::Form)
}

fn words_of(speech: &Speech) -> Vec<u8> {
    let bytes = |mark: &Mark| [mark.upto.to_le_bytes(), mark.frames.to_le_bytes()].concat();
    speech.words().iter().flat_map(bytes).collect()
}

fn mark(bytes: &[u8]) -> Mark {
    let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    Mark { upto: number(0), frames: number(4) }
}

fn checksum(audio: &[u8], words: &[u8]) -> [u8; CHECKSUM] {
    Sha256::new().chain_update(audio).chain_update(words).finalize().into()
}

const WORDS: &[u8; 4] = b"rwwd";
const SUM: &[u8; 4] = b"rwck";
const FORMAT: usize = 16;
const CHECKSUM: usize = 32;
const PCM: u16 = 1;
const MULAW: u16 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    fn speech(format: Format) -> Speech {
        let audio: Vec<u8> = (0..3 * format.bytes()).map(|at| (at * 7) as u8).collect();
        Speech::new(format, audio.into(), [Mark { upto: 3, frames: 1 }, Mark { upto: 8, frames: 3 }].into())
    }

    #[test]
    fn what_is_written_is_read_and_as_long_as_it_says() {
        for format in [Format::Mulaw8k, Format::Pcm8k, Format::Pcm16k] {
            let speech = speech(format);
            let file = write(&speech);
            assert_eq!(file.len() as u64, bytes(&speech));
            assert_eq!(read(&file), Ok(speech));
        }
    }

    #[test]
    fn other_programs_take_it_for_wav() {
        let speech = speech(Format::Pcm16k);
        let file = write(&speech);
        let mut reader = hound::WavReader::new(&file[..]).expect("WAV");
        let spec = reader.spec();
        assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (1, 16_000, 16));
        let samples: Vec<u8> =
            reader.samples::<i16>().flat_map(|sample| sample.expect("a sample").to_le_bytes()).collect();
        assert_eq!(samples, speech.audio());
    }

    #[test]
    fn no_byte_can_be_changed_cut_or_added_without_being_noticed() {
        let file = write(&speech(Format::Mulaw8k));
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 0x10;
            assert!(read(&changed).is_err(), "byte {at}");
            assert!(read(&file[..at]).is_err(), "cut at {at}");
        }
        assert_eq!(read(&[&file[..], b"x"].concat()), Err(Damage::Length));
    }
}
