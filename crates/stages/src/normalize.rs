//! Numbers, prices, times, dates and telephone numbers in words, for voices that cannot read figures.

mod english;
mod figures;
mod french;
mod german;
mod italian;
mod spanish;
mod verbalizer;

pub use figures::Normal;

use crate::tts::{Clause, TextToSpeech, TtsCall, TtsError, TtsEvent, TtsSession};
use ringway_frame::Frame;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use verbalizer::Verbalizer;

/// The figures in `text`, written in the words of the language of this code (`de`, `pt-BR`); in one that is not known they
/// stay as they are.
///
/// ```
/// use ringway_stages::normalize::in_words;
///
/// assert_eq!(in_words("It is $49.95 at 8:30.", "en"), "It is forty-nine dollars and ninety-five cents at eight thirty.");
/// assert_eq!(in_words("Es kostet 27,50 €.", "de"), "Es kostet siebenundzwanzig Euro fünfzig.");
/// ```
pub fn in_words(text: &str, language: &str) -> String {
    match verbalizer_of(language) {
        Some(verbalizer) => Normal::of(text, verbalizer).text,
        None => text.to_owned(),
    }
}

/// A voice that is given figures in words.
pub struct Normalized {
    voice: Arc<dyn TextToSpeech>,
    verbalizer: &'static dyn Verbalizer,
}

impl Normalized {
    /// `voice` in the language of this code; itself, where the language is none whose figures are known.
    pub fn around(voice: Arc<dyn TextToSpeech>, language: &str) -> Arc<dyn TextToSpeech> {
        match verbalizer_of(language) {
            Some(verbalizer) => Arc::new(Self { voice, verbalizer }),
            None => voice,
        }
    }
}

impl TextToSpeech for Normalized {
    fn name(&self) -> &str {
        self.voice.name()
    }

    fn slots(&self) -> Option<usize> {
        self.voice.slots()
    }

    fn open(&self, call: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        let voice = self.voice.open(call)?;
        Ok(Box::new(Session { voice, verbalizer: self.verbalizer, clauses: VecDeque::new() }))
    }
}

impl fmt::Debug for Normalized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Normalized").field("voice", &self.voice.name()).finish_non_exhaustive()
    }
}

struct Session {
    voice: Box<dyn TtsSession>,
    verbalizer: &'static dyn Verbalizer,
    /// Clauses that the voice speaks, and where their words are written; as many as it takes.
    clauses: VecDeque<(u32, Normal)>,
}

impl Session {
    fn written(&self, clause: u32, upto: u32) -> u32 {
        let found = self.clauses.iter().find(|(id, _)| *id == clause);
        found.map_or(upto, |(_, normal)| normal.written(upto as usize) as u32)
    }
}

impl TtsSession for Session {
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        let normal = Normal::of(&clause.text, self.verbalizer);
        let text = normal.text.clone();
        self.voice.speak(Clause { id: clause.id, text })?;
        self.clauses.push_back((clause.id, normal));
        Ok(())
    }

    fn cancel(&mut self) {
        self.clauses.clear();
        self.voice.cancel();
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        let event = self.voice.poll_next(cx, frame);
        match &event {
            Poll::Ready(Ok(TtsEvent::Word { clause, upto })) => {
                let upto = self.written(*clause, *upto);
                return Poll::Ready(Ok(TtsEvent::Word { clause: *clause, upto }));
            }
            Poll::Ready(Ok(TtsEvent::Done { clause }) | Err(TtsError::Refused { clause, .. })) => {
                self.clauses.retain(|(id, _)| id != clause);
            }
            _ => {}
        }
        event
    }
}

/// Of the language of this code.
fn verbalizer_of(language: &str) -> Option<&'static dyn Verbalizer> {
    let primary = language.split('-').next().unwrap_or_default();
    Some(match primary.to_ascii_lowercase().as_str() {
        "en" => &english::English,
        "de" => &german::German,
        "fr" => &french::French,
        "es" => &spanish::Spanish,
        "it" => &italian::Italian,
        _ => return None,
    })
}
