//! What the fuzzers call, and the test that replays their corpora: each takes any bytes and panics on a defect.

use super::ServiceError;
use super::chat::{Filter, Reader, Reading, Saying};
use super::sse::Events;
use super::wav::WavStream;
use super::{
    anthropic, cartesia, cartesia_stt, deepgram, deepgram_flux, deepgram_tts, elevenlabs, openai_llm,
    openai_realtime, openai_realtime_stt, phone_tts, speech_server, whisperlive as live,
    whisperlivekit as livekit, wyoming,
};
use crate::llm::{ToolCall, ToolSpec};
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;

/// A fuzz target.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("sse", sse),
    ("deepgram", deepgram),
    ("wav_stream", wav_stream),
    ("wyoming", wyoming),
    ("elevenlabs", elevenlabs),
    ("cartesia", cartesia),
    ("deepgram_tts", deepgram_tts),
    ("phone_tts", phone_tts),
    ("deepgram_flux", deepgram_flux),
    ("openai_realtime", openai_realtime),
    ("openai_realtime_stt", openai_realtime_stt),
    ("speech_server", speech_server),
    ("cartesia_stt", cartesia_stt),
    ("whisperlivekit", whisperlivekit),
    ("whisperlive", whisperlive),
    ("ollama", ollama),
    ("anthropic", anthropic),
    ("openai_llm", openai_llm),
    ("reply_text", reply_text),
];

/// A stream of events, cut where its first byte says: the cut changes nothing, and each event is a chunk or refused.
pub fn sse(data: &[u8]) {
    let Some((cut, stream)) = data.split_first() else { return };
    let whole = events(&[stream]);
    let (front, back) = stream.split_at(usize::from(*cut).min(stream.len()));
    assert_eq!(events(&[front, back]), whole);
    for event in whole.into_iter().flatten() {
        if let Err(error) = openai_llm::read_chunk(&event) {
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
    message(data, |text| deepgram::read_message(text).map(drop));
}

/// A message of the recogniser that judges turns: refused on one line, or understood.
pub fn deepgram_flux(data: &[u8]) {
    message(data, |text| deepgram_flux::read_message(text).map(drop));
}

/// A message of the transcription session: refused on one line, or understood.
pub fn openai_realtime_stt(data: &[u8]) {
    message(data, |text| openai_realtime_stt::read_message(text).map(drop));
}

/// A message of the recogniser that is told to finalize: refused on one line, or understood.
pub fn cartesia_stt(data: &[u8]) {
    message(data, |text| cartesia_stt::read_message(text).map(drop));
}

fn message(data: &[u8], read: impl Fn(&str) -> Result<(), ServiceError>) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(error) = read(text) {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}

/// A reply in OpenAI's form, cut where its first byte says: the cut changes nothing.
pub fn openai_llm(data: &[u8]) {
    replies::<super::openai_llm::Stream>(data);
}

/// A model's text, cut where its first byte says: the cut changes neither what is said nor what is called.
pub fn reply_text(data: &[u8]) {
    let Some((cut, text)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let cut = text.floor_char_boundary(usize::from(*cut));
    let (front, back) = text.split_at(cut);
    let whole = filtered(&[&text]);
    assert_eq!(filtered(&[front, back]), whole);
    let letters: Vec<String> = text.chars().map(String::from).collect();
    assert_eq!(filtered(&letters.iter().map(String::as_str).collect::<Vec<_>>()), whole);
}

/// What is said in all, and what is called.
fn filtered(pieces: &[&str]) -> (String, Vec<ToolCall>) {
    let tool = ToolSpec { name: "find".into(), description: String::new(), parameters: Value::Null };
    let mut filter = Filter::new([tool].into(), Arc::default());
    pieces.iter().for_each(|piece| filter.push(piece));
    filter.finish(false);
    let (mut said, mut called) = (String::new(), Vec::new());
    while let Some(saying) = filter.next() {
        match saying {
            Saying::Text(text) => said += &text,
            Saying::Call(call) => called.push(call),
            Saying::End => {}
        }
    }
    (said, called)
}

/// A reply of Ollama's, cut where its first byte says: the cut changes nothing.
pub fn ollama(data: &[u8]) {
    replies::<super::ollama::Stream>(data);
}

/// A reply of Anthropic's, cut where its first byte says: the cut changes nothing.
pub fn anthropic(data: &[u8]) {
    replies::<anthropic::Stream>(data);
}

fn replies<R: Reader>(data: &[u8]) {
    let Some((cut, stream)) = data.split_first() else { return };
    let (front, back) = stream.split_at(usize::from(*cut).min(stream.len()));
    assert_eq!(sayings::<R>(&[front, back]), sayings::<R>(&[stream]));
}

/// What is said until the end or an error, which is one line.
fn sayings<R: Reader>(pieces: &[&[u8]]) -> (Vec<Saying>, bool) {
    let (mut reading, mut found) = (Reading::<R>::default(), Vec::new());
    let mut read = || -> Result<(), super::ServiceError> {
        for (at, piece) in pieces.iter().chain([&b"".as_slice()]).enumerate() {
            if at == pieces.len() {
                reading.finish()?;
            }
            let mut piece = Bytes::copy_from_slice(piece);
            while let Some(saying) = reading.next(&mut piece)? {
                let is_end = saying == Saying::End;
                found.push(saying);
                if is_end {
                    return Ok(());
                }
            }
        }
        Ok(())
    };
    let read = read();
    if let Err(error) = &read {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
    (found, read.is_ok())
}

/// A message of the model that hears and speaks: refused on one line, or understood.
pub fn openai_realtime(data: &[u8]) {
    message(data, |text| openai_realtime::read_message(text).map(drop));
}

/// A message of a speech server: refused on one line, or understood.
pub fn speech_server(data: &[u8]) {
    message(data, |text| speech_server::read_message(text).map(drop));
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

/// A stream of Wyoming's events, cut where its first byte says: the cut changes nothing.
pub fn wyoming(data: &[u8]) {
    let Some((cut, stream)) = data.split_first() else { return };
    let (front, back) = stream.split_at(usize::from(*cut).min(stream.len()));
    assert_eq!(wyoming_events(&[front, back]), wyoming_events(&[stream]));
}

/// Up to the first mistake, which is told on one line.
fn wyoming_events(pieces: &[&[u8]]) -> (Vec<wyoming::Event>, Option<String>) {
    let (mut events, mut found) = (wyoming::Events::default(), Vec::new());
    for piece in pieces {
        events.push(piece);
        loop {
            match events.next() {
                Ok(Some(event)) => found.push(event),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(error.to_string().lines().count(), 1, "{error}");
                    return (found, Some(error.to_string()));
                }
            }
        }
    }
    (found, None)
}

/// A message of a voice: refused on one line, or understood.
pub fn elevenlabs(data: &[u8]) {
    text(data, |text| elevenlabs::read_message(text).map(|_| ()));
}

/// A message of a voice: refused on one line, or understood.
pub fn cartesia(data: &[u8]) {
    text(data, |text| cartesia::read_message(text).map(|_| ()));
}

/// A message of a voice: refused on one line, or understood.
pub fn deepgram_tts(data: &[u8]) {
    text(data, |text| deepgram_tts::read_message(text).map(|_| ()));
}

/// The answer of a voice: refused on one line, or it names a file.
pub fn phone_tts(data: &[u8]) {
    text(data, |text| phone_tts::read_answer(text.as_bytes()).map(|path| assert!(!path.is_empty())));
}

fn text(data: &[u8], read: impl Fn(&str) -> Result<(), super::ServiceError>) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(error) = read(text) {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}

/// Messages of WhisperLiveKit, a line each: refused on one line, or they change the words in their order.
pub fn whisperlivekit(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        livekit::check_message(text);
    }
}

/// Messages of WhisperLive, a line each: refused on one line, or they add to the words.
pub fn whisperlive(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        live::check_message(text);
    }
}
