use ringway_actors::Apology;
use ringway_frame::{Format, Frame};
use ringway_stages::tts::{Clause, TextToSpeech, TtsCall, TtsError, TtsEvent};
use std::future::poll_fn;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Speaks the apology once for each format, so that it needs no engine when it is needed: by the first voice that can,
/// for a service may not be there yet. Without any it is silent.
pub fn speak(text: &str, voices: &[Arc<dyn TextToSpeech>]) -> Result<Apology, TtsError> {
    for voice in voices {
        match speak_by(voice, text) {
            Err(error @ TtsError::Service { .. }) => {
                tracing::warn!(%error, "the apology is not spoken by this voice");
            }
            outcome => return outcome,
        }
    }
    Ok(Apology { text: text.to_owned(), ..Apology::default() })
}

fn speak_by(voice: &Arc<dyn TextToSpeech>, text: &str) -> Result<Apology, TtsError> {
    let spoken = |format| render(voice.as_ref(), format, text).map(Arc::from);
    Ok(Apology {
        text: text.to_owned(),
        mulaw_8k: spoken(Format::Mulaw8k)?,
        pcm_8k: spoken(Format::Pcm8k)?,
        pcm_16k: spoken(Format::Pcm16k)?,
    })
}

/// Has a voice with a memory speak what every call may need at once, so that it comes from there.
pub fn remember(text: &str, voice: &dyn TextToSpeech) {
    for format in [Format::Mulaw8k, Format::Pcm16k] {
        if let Err(error) = render(voice, format, text) {
            tracing::warn!(text, %error, "a phrase is not spoken ahead");
        }
    }
}

/// All audio of a text: whole frames, one behind the other. Blocks, on a thread that is no runtime's own.
pub fn render(voice: &dyn TextToSpeech, format: Format, text: &str) -> Result<Vec<u8>, TtsError> {
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
