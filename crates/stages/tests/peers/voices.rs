//! What tests of all voices need.

use ringway_frame::{Format, Frame};
use ringway_stages::tts::{Clause, TextToSpeech, TtsCall, TtsError, TtsEvent, TtsSession};
use std::future::poll_fn;

/// A session of a call.
pub(crate) fn open(voice: &dyn TextToSpeech, format: Format) -> Box<dyn TtsSession> {
    voice.open(TtsCall { format }).unwrap()
}

/// Says a text; its frames, and the ends of its words.
pub(crate) async fn say(
    session: &mut dyn TtsSession,
    format: Format,
    text: &str,
) -> Result<(Vec<Frame>, Vec<u32>), TtsError> {
    session.speak(Clause { id: 1, text: text.into() })?;
    let (mut frames, mut words) = (Vec::new(), Vec::new());
    let mut frame = Frame::silence(format);
    loop {
        match poll_fn(|cx| session.poll_next(cx, &mut frame)).await? {
            TtsEvent::Audio => frames.push(frame),
            TtsEvent::Word { upto, .. } => words.push(upto),
            TtsEvent::Done { .. } => return Ok((frames, words)),
        }
    }
}

/// Frames with something to hear in them.
pub(crate) fn loud(frames: &[Frame]) -> usize {
    let silence = |frame: &Frame| Frame::silence(frame.format());
    frames.iter().filter(|frame| frame.payload() != silence(frame).payload()).count()
}

/// Says texts in every format, one after the other and again after a cancel.
pub(crate) async fn converse(voice: &dyn TextToSpeech) {
    for format in [Format::Mulaw8k, Format::Pcm8k, Format::Pcm16k] {
        let mut session = open(voice, format);
        let (short, words) = say(&mut *session, format, "Good day.").await.unwrap();
        assert_eq!(words.last(), Some(&9));
        let text = "Good day to you. How can I help you this morning?";
        let (long, words) = say(&mut *session, format, text).await.unwrap();
        assert_eq!(words.last(), Some(&(text.len() as u32)));
        assert!(short.len() > 5 && long.len() > 2 * short.len(), "{} and {} frames", short.len(), long.len());
        assert!(loud(&long) * 2 > long.len(), "{} of {} frames are loud", loud(&long), long.len());
        session.speak(Clause { id: 2, text: text.into() }).unwrap();
        session.cancel();
        let (again, _) = say(&mut *session, format, "Good day.").await.unwrap();
        assert_eq!(again.len(), short.len());
    }
}
