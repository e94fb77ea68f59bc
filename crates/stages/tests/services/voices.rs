//! What tests of all voices need.

use ringway_frame::{Format, Frame};
use ringway_stages::tts::{Clause, TtsError, TtsEvent, TtsSession};
use std::f64::consts::TAU;
use std::future::poll_fn;

pub(crate) fn clause(id: u32, text: &str) -> Clause {
    Clause { id, text: text.into() }
}

/// A tone, loud from its first sample.
pub(crate) fn wav(rate: u32, millis: u32) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
    for at in 0..rate * millis / 1_000 {
        let phase = TAU * 440.0 * f64::from(at) / f64::from(rate);
        writer.write_sample((phase.cos() * 8_192.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
    file.into_inner()
}

pub(crate) async fn next(session: &mut dyn TtsSession, frame: &mut Frame) -> Result<TtsEvent, TtsError> {
    poll_fn(|cx| session.poll_next(cx, frame)).await
}

/// Frames and words of the next clause, to its end.
pub(crate) async fn spoken(
    session: &mut dyn TtsSession,
    format: Format,
) -> Result<(Vec<Frame>, Vec<u32>), TtsError> {
    let (mut frames, mut words) = (Vec::new(), Vec::new());
    let mut frame = Frame::silence(format);
    loop {
        match next(session, &mut frame).await? {
            TtsEvent::Audio => frames.push(frame),
            TtsEvent::Word { upto, .. } => words.push(upto),
            TtsEvent::Done { .. } => return Ok((frames, words)),
        }
    }
}

/// Frames of a clause whose words are told where they end: each word with the frames before it.
pub(crate) async fn timed(session: &mut dyn TtsSession, format: Format) -> (Vec<Frame>, Vec<(usize, u32)>) {
    let (mut frames, mut words) = (Vec::new(), Vec::new());
    let mut frame = Frame::silence(format);
    loop {
        match next(session, &mut frame).await.unwrap() {
            TtsEvent::Audio => frames.push(frame),
            TtsEvent::Word { upto, .. } => words.push((frames.len(), upto)),
            TtsEvent::Done { .. } => return (frames, words),
        }
    }
}
