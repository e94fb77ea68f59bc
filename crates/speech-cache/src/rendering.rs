use super::speech::{Recording, Speech};
use ringway_frame::{Format, Frame};
use ringway_stages::tts::{Clause, TextToSpeech, TtsCall, TtsError, TtsEvent};
use std::future::poll_fn;

/// All of a text's speech, made clause by clause; `most` bytes of audio at most, `None` if it is longer.
///
/// # Errors
/// The voice's.
pub async fn render(
    voice: &dyn TextToSpeech,
    format: Format,
    clauses: &[&str],
    most: usize,
) -> Result<Option<Speech>, TtsError> {
    let mut session = voice.open(TtsCall { format })?;
    let mut frame = Frame::silence(format);
    let whole = Clause { id: 0, text: clauses.concat() };
    let mut recording = Recording::new(&whole, format, most);
    let mut said = 0;
    for (id, text) in (0..).zip(clauses) {
        session.speak(Clause { id, text: (*text).to_owned() })?;
        loop {
            match poll_fn(|cx| session.poll_next(cx, &mut frame)).await? {
                TtsEvent::Audio => recording.hear(&frame),
                TtsEvent::Word { upto, .. } => recording.mark(said + upto),
                TtsEvent::Done { .. } => break,
            }
        }
        said += text.len() as u32;
    }
    Ok(recording.finish(format))
}
