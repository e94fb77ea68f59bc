//! What the fuzzers call, and the test that replays their corpora: each takes any bytes and panics on a defect.

use super::sse::Events;
use super::wav::WavStream;
use super::{deepgram, openai_chat, openai_realtime, speech_server};
use bytes::Bytes;

/// A fuzz target.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub const TARGETS: [(&str, Target); 5] = [
    ("sse", sse),
    ("deepgram", deepgram),
    ("openai_realtime", openai_realtime),
    ("speech_server", speech_server),
    ("wav_stream", wav_stream),
];

/// A stream of events, cut where its first byte says: the cut changes nothing, and each event is a chunk or refused.
pub fn sse(data: &[u8]) {
    let Some((cut, stream)) = data.split_first() else { return };
    let whole = events(&[stream]);
    let (front, back) = stream.split_at(usize::from(*cut).min(stream.len()));
    assert_eq!(events(&[front, back]), whole);
    for event in whole.into_iter().flatten() {
        if let Err(error) = openai_chat::read_chunk(&event) {
            assert_eq!(error.to_string().lines().count(), 1, "{error}");
        }
    }
}

fn events(pieces: &[&[u8]]) -> Option<Vec<String>> {
    let (mut events, mut found) = (Events::default(), Vec::new());
    for piece in pieces {
        let mut piece = Bytes::copy_from_slice(piece);
        while let Some(event) = events.next(&mut piece).ok()? {
            found.push(event);
        }
    }
    found.extend(events.finish().ok()?);
    Some(found)
}

/// A message of the streaming recogniser: refused on one line, or understood.
pub fn deepgram(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(error) = deepgram::read_message(text) {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}

/// A message of the model that hears and speaks: refused on one line, or understood.
pub fn openai_realtime(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(error) = openai_realtime::read_message(text) {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}

/// A message of a speech server: refused on one line, or understood.
pub fn speech_server(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(error) = speech_server::read_message(text) {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}

/// A WAV file, cut where its first byte says and read in small steps: neither changes its samples.
pub fn wav_stream(data: &[u8]) {
    let Some((cut, file)) = data.split_first() else { return };
    let (front, back) = file.split_at(usize::from(*cut).min(file.len()));
    assert_eq!(samples(&[front, back], 7), samples(&[file], usize::MAX / 2));
}

fn samples(pieces: &[&[u8]], most: usize) -> Option<Vec<i16>> {
    let (mut stream, mut samples) = (WavStream::new(), Vec::new());
    for piece in pieces {
        let mut piece = Bytes::copy_from_slice(piece);
        while !piece.is_empty() {
            stream.read(&mut piece, most, &mut samples).ok()?;
        }
    }
    stream.finish().ok().map(|()| samples)
}
