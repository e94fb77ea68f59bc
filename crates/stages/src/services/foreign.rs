//! What is sent in the place of audio that can be played, known by its first bytes whatever it was said to be.

use super::ServiceError;

/// What the first bytes of a stream tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    /// A WAV file.
    Wav,
    /// This, which is not played.
    Foreign(&'static str),
    /// Nothing that has a name.
    Plain,
    /// More of them are needed.
    More,
}

/// Whether what begins with these bytes may be samples; `ended`: there are no more.
pub(super) fn first(bytes: &[u8], ended: bool) -> First {
    if bytes.len() < ENOUGH && !ended {
        return First::More;
    }
    if WAVS.iter().any(|name| bytes.starts_with(name)) && bytes.get(8..12) == Some(b"WAVE") {
        return First::Wav;
    }
    if let Some(kind) = magic(bytes).or_else(|| text(bytes)) {
        return First::Foreign(kind);
    }
    match mpeg(bytes) {
        Some(kind) => First::Foreign(kind),
        None if may_be_mpeg(bytes) && bytes.len() < MPEG_ENOUGH && !ended => First::More,
        None => First::Plain,
    }
}

/// The name of what begins so, where a file is due.
pub(super) fn whole(bytes: &[u8]) -> Option<&'static str> {
    let text = || bytes.first().and_then(|first| written(*first));
    magic(bytes).or_else(text).or_else(|| may_be_mpeg(bytes).then_some("MP3"))
}

/// Why it is not played.
pub(super) fn refusal(kind: &str) -> ServiceError {
    ServiceError::malformed("audio", format_args!("it is {kind}, where WAV or bare samples are due"))
}

/// Files that begin with a name.
pub(super) fn magic(bytes: &[u8]) -> Option<&'static str> {
    if bytes.get(4..8) == Some(b"ftyp") {
        return Some("MP4");
    }
    MAGIC.iter().find(|(name, _)| bytes.starts_with(name)).map(|(_, kind)| *kind)
}

/// JSON, HTML or words: bytes that loud speech would have to be made for on purpose.
fn text(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(ENOUGH)];
    let printed = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t') || *byte >= 0x80;
    let signs = head.iter().filter(|byte| **byte < 0x80).count();
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if head.len() < 2 || !head.iter().all(printed) || signs * 4 < head.len() * 3 {
        return None;
    }
    let mut found = [false; 128];
    head.iter().filter(|byte| **byte < 0x80).for_each(|byte| found[usize::from(*byte)] = true);
    let varied = found.iter().filter(|found| **found).count() >= 5 || head.len() < ENOUGH;
    written(*first)
        .or((first.is_ascii_alphabetic() && head.len() == ENOUGH).then_some("text"))
        .filter(|_| varied)
}

fn written(first: u8) -> Option<&'static str> {
    match first {
        b'{' | b'[' => Some("JSON"),
        b'<' => Some("HTML or XML"),
        _ => None,
    }
}

/// Two frames of MPEG audio, one where the other ends: one alone could be samples.
fn mpeg(bytes: &[u8]) -> Option<&'static str> {
    if bytes.len() >= 7 && bytes[0] == 0xff && bytes[1] & 0xf6 == 0xf0 {
        let length =
            usize::from(bytes[3] & 3) << 11 | usize::from(bytes[4]) << 3 | usize::from(bytes[5]) >> 5;
        let next = bytes.get(length..length + 2)?;
        return (length > 7 && next[0] == 0xff && next[1] & 0xf6 == 0xf0).then_some("AAC");
    }
    let length = mpeg_frame(bytes)?;
    mpeg_frame(bytes.get(length..)?).map(|_| "MP3")
}

fn may_be_mpeg(bytes: &[u8]) -> bool {
    let aac = bytes.len() >= 2 && bytes[0] == 0xff && bytes[1] & 0xf6 == 0xf0;
    aac || mpeg_frame(bytes).is_some()
}

/// Bytes of the frame of layer III that begins here.
fn mpeg_frame(bytes: &[u8]) -> Option<usize> {
    let [0xff, kind, rates, ..] = *bytes.get(..4)? else { return None };
    let (version, layer) = (kind >> 3 & 3, kind >> 1 & 3);
    let (kbits, hz) = (usize::from(rates >> 4), usize::from(rates >> 2 & 3));
    if kind < 0xe0 || layer != 1 || version == 1 || kbits == 0 || kbits == 15 || hz == 3 {
        return None;
    }
    let first = version == 3;
    let kbits = if first { KBITS_1[kbits] } else { KBITS_2[kbits] };
    let hz = HZ[hz]
        >> match version {
            3 => 0,
            2 => 1,
            _ => 2,
        };
    Some((if first { 144_000 } else { 72_000 }) * kbits / hz + usize::from(rates >> 1 & 1))
}

const WAVS: [&[u8]; 3] = [b"RIFF", b"RF64", b"BW64"];

const MAGIC: [(&[u8], &str); 14] = [
    (b"ID3", "MP3"),
    (b"OggS", "Ogg"),
    (b"fLaC", "FLAC"),
    (b"\x1a\x45\xdf\xa3", "WebM"),
    (b"FORM", "AIFF"),
    (b".snd", "AU"),
    (b"#!AMR", "AMR"),
    (b"caff", "CAF"),
    (b"ADIF", "AAC"),
    (b"RIFX", "big-endian WAV"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"%PDF", "PDF"),
    (b"OpusHead", "Opus"),
    (b"wOFF", "a font"),
];

/// Kilobits a second of layer III, of MPEG-1 and of the later ones.
const KBITS_1: [usize; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const KBITS_2: [usize; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const HZ: [usize; 3] = [44_100, 48_000, 32_000];

/// Bytes that tell nearly everything.
const ENOUGH: usize = 16;

/// Bytes that tell whether what looks like a frame of MPEG audio is one.
const MPEG_ENOUGH: usize = 1_500;

#[cfg(test)]
mod tests {
    use super::*;

    fn mp3_frame() -> Vec<u8> {
        let mut frame = vec![0xff, 0xfb, 0x90, 0x00];
        frame.resize(417, 0);
        frame
    }

    #[test]
    fn samples_are_plain_even_if_they_begin_like_a_frame_of_mpeg() {
        let silence = [0; 32];
        assert_eq!(first(&silence, false), First::Plain);
        assert_eq!(first(&[0x40; 32], false), First::Plain);
        assert_eq!(first(&[0xff; 1_600], false), First::Plain);
        let mut like = mp3_frame();
        assert_eq!(first(&like[..100], false), First::More);
        like.resize(2_000, 1);
        assert_eq!(first(&like, false), First::Plain);
        assert_eq!(first(&like[..100], true), First::Plain);
    }

    #[test]
    fn compressed_audio_and_text_are_known_by_their_first_bytes() {
        let mp3 = [mp3_frame(), mp3_frame()].concat();
        for (bytes, kind) in [
            (&mp3[..], "MP3"),
            (b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0", "Ogg"),
            (b"\0\0\0\x20ftypisom\0\0\0\0", "MP4"),
            (b"{\"detail\": \"no such voice\"}", "JSON"),
            (b"\n<!DOCTYPE html><html>", "HTML or XML"),
            (b"Internal Server Error", "text"),
        ] {
            assert_eq!(first(bytes, false), First::Foreign(kind));
        }
        assert_eq!(first(b"{}", true), First::Foreign("JSON"));
        assert_eq!(first(b"RIFF\0\0\0\0WAVEfmt ", false), First::Wav);
    }
}
