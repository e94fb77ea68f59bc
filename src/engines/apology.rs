use ringway_actors::Phrase;
use ringway_frame::{Format, Frame};
use ringway_stages::tts::{Clause, TextToSpeech, TtsCall, TtsError, TtsEvent};
use std::future::poll_fn;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Speaks a phrase once for each format, so that it needs no engine when it is needed: by the first voice that can,
/// for a service may not be there yet. Without any it is silent.
pub fn speak(text: &str, voices: &[Arc<dyn TextToSpeech>]) -> Result<Phrase, TtsError> {
    let text = &ringway_turn::speech_form(text);
    for voice in voices {
        match speak_by(voice, text) {
            Err(error @ (TtsError::Service { .. } | TtsError::Refused { .. })) => {
                tracing::warn!(%error, text, "a phrase is not spoken by this voice");
            }
            outcome => return outcome,
        }
    }
    Ok(Phrase { text: text.to_owned(), ..Phrase::default() })
}

fn speak_by(voice: &Arc<dyn TextToSpeech>, text: &str) -> Result<Phrase, TtsError> {
    let spoken = |format| render(voice.as_ref(), format, text).map(Arc::from);
    Ok(Phrase {
        text: text.to_owned(),
        mulaw_8k: spoken(Format::Mulaw8k)?,
        pcm_8k: spoken(Format::Pcm8k)?,
        pcm_16k: spoken(Format::Pcm16k)?,
    })
}

/// All audio of a text: whole frames, one behind the other. Blocks, on a thread that is no runtime's own.
fn render(voice: &dyn TextToSpeech, format: Format, text: &str) -> Result<Vec<u8>, TtsError> {
    let mut session = voice.open(TtsCall { format })?;
    session.speak(Clause { id: 0, text: text.to_owned() })?;
    let mut frame = Frame::silence(format);
    let mut audio = Vec::new();
    loop {
        match Handle::current().block_on(poll_fn(|cx| session.poll_next(cx, &mut frame)))? {
            TtsEvent::Audio => audio.extend_from_slice(frame.payload()),
            TtsEvent::Word { .. } => {}
            TtsEvent::Done { .. } => return Ok(audio),
        }
    }
}
