use crate::ReadError;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// A file's text, and, where that had to be guessed, what it was taken for.
pub(super) struct Decoded<'b> {
    pub(super) text: Cow<'b, str>,
    pub(super) guessed: Option<&'static str>,
}

/// Reads bytes as text: by their byte order mark, as UTF-8, or as a page says that it is encoded. What says nothing and
/// looks like a text of Western Europe is taken for Windows-1252.
pub(super) fn decode(bytes: &[u8], is_page: bool) -> Result<Decoded<'_>, ReadError> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return sure(encoding, &bytes[mark..]).ok_or(ReadError::NotUtf8 { at: mark });
    }
    let declared = is_page.then(|| declared(bytes)).flatten();
    // Such text is 7-bit, which UTF-8 is as well.
    let is_shifted = declared.is_some_and(|encoding| !encoding.is_ascii_compatible());
    let at = match std::str::from_utf8(bytes) {
        Ok(text) if !is_shifted && !text.contains('\0') => {
            return Ok(Decoded { text: text.into(), guessed: None });
        }
        Ok(_) => 0,
        Err(error) => error.valid_up_to(),
    };
    if let Some(decoded) = unmarked(bytes).and_then(|encoding| sure(encoding, bytes)) {
        return Ok(decoded);
    }
    if let Some(decoded) =
        declared.filter(|encoding| *encoding != UTF_8).and_then(|encoding| sure(encoding, bytes))
    {
        return Ok(decoded);
    }
    if !is_western(bytes) {
        return Err(ReadError::NotUtf8 { at });
    }
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    Ok(Decoded { text, guessed: Some("Windows-1252") })
}

fn sure<'b>(encoding: &'static Encoding, bytes: &'b [u8]) -> Option<Decoded<'b>> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    Some(Decoded { text, guessed: None })
}

/// What a page declares at its beginning: <https://html.spec.whatwg.org/multipage/parsing.html#prescan-a-byte-stream-to-determine-its-encoding>.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes[..bytes.len().min(PRESCANNED)].to_ascii_lowercase();
    let head = String::from_utf8_lossy(&head);
    let named = |mark: &str| {
        let (_, behind) = head.split_once(mark)?;
        let behind = behind.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
        let label =
            behind.split(|char: char| !(char.is_ascii_alphanumeric() || "-_:.".contains(char))).next()?;
        Encoding::for_label(label.as_bytes())
    };
    named("charset").or_else(|| named("encoding"))
}

/// UTF-16 without a byte order mark: of Latin text every other byte is nought.
fn unmarked(bytes: &[u8]) -> Option<&'static Encoding> {
    let noughts = |from: usize| bytes.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, half) = (noughts(0), noughts(1), bytes.len() / 2);
    match () {
        () if bytes.len() < 4 || !bytes.len().is_multiple_of(2) => None,
        () if odd * 10 > half * 7 && even == 0 => Some(UTF_16LE),
        () if even * 10 > half * 7 && odd == 0 => Some(UTF_16BE),
        () => None,
    }
}

/// Letters with accents stand between others, and signs are rare; of other scripts nearly all bytes are above 127.
fn is_western(bytes: &[u8]) -> bool {
    let (mut letters, mut accented, mut signs, mut run) = (0_usize, 0_usize, 0_usize, 0_usize);
    for byte in bytes {
        match byte {
            // What no text holds, and what Windows-1252 leaves undefined.
            0..=8 | 14..=26 | 28..=31 | 0x7f | 0x81 | 0x8d | 0x8f | 0x90 | 0x9d => return false,
            0xc0.. => (accented, run) = (accented + 1, run + 1),
            0x80.. => (signs, run) = (signs + 1, run + 1),
            _ => (letters, run) = (letters + usize::from(byte.is_ascii_alphabetic()), 0),
        }
        if run > LONGEST_RUN {
            return false;
        }
    }
    accented <= letters && signs <= letters
}

/// Bytes of a page that are looked through for its encoding.
const PRESCANNED: usize = 1_024;

/// Letters with accents in a row.
const LONGEST_RUN: usize = 3;
