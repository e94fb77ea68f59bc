use ringway_frame::{FRAME, Format, Frame};
use ringway_stages::tts::{Clause, TtsEvent};
use std::sync::Arc;
use std::time::Duration;

/// A clause as it was spoken: the payloads of its frames, one behind the other, and where its words end.
#[derive(Debug, PartialEq, Eq)]
pub struct Speech {
    format: Format,
    audio: Arc<[u8]>,
    words: Box<[Mark]>,
}

/// The text up to this byte is within so many frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) upto: u32,
    pub(super) frames: u32,
}

impl Speech {
    pub(super) fn new(format: Format, audio: Arc<[u8]>, words: Box<[Mark]>) -> Self {
        Self { format, audio, words }
    }

    /// What its frames hold.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Its frames, one behind the other.
    pub fn audio(&self) -> &[u8] {
        &self.audio
    }

    /// How long it sounds.
    pub fn lasts(&self) -> Duration {
        FRAME * (self.audio.len() / self.format.bytes()) as u32
    }

    pub(super) fn words(&self) -> &[Mark] {
        &self.words
    }

    /// What it takes of memory.
    pub(super) fn bytes(&self) -> u64 {
        (self.audio.len() + size_of_val(&*self.words) + ENTRY) as u64
    }
}

/// A clause that is played from memory.
#[derive(Debug)]
pub(super) struct Playback {
    clause: u32,
    speech: Arc<Speech>,
    frames: u32,
    words: usize,
}

impl Playback {
    pub(super) fn new(clause: u32, speech: Arc<Speech>) -> Self {
        Self { clause, speech, frames: 0, words: 0 }
    }

    /// The same events as when it was recorded.
    pub(super) fn next(&mut self, frame: &mut Frame) -> TtsEvent {
        if let Some(mark) = self.speech.words.get(self.words).filter(|mark| mark.frames <= self.frames) {
            self.words += 1;
            return TtsEvent::Word { clause: self.clause, upto: mark.upto };
        }
        let payload = frame.payload_mut();
        let at = self.frames as usize * payload.len();
        let Some(audio) = self.speech.audio.get(at..at + payload.len()) else {
            return TtsEvent::Done { clause: self.clause };
        };
        payload.copy_from_slice(audio);
        self.frames += 1;
        TtsEvent::Audio
    }
}

/// A copy of a clause while an engine speaks it.
#[derive(Debug)]
pub(super) struct Recording {
    audio: Vec<u8>,
    words: Vec<Mark>,
    frames: u32,
    /// Bytes of audio that are worth keeping.
    most: usize,
}

impl Recording {
    /// Room for all of the clause at once, so that usually no frame allocates; nothing is kept beyond `most` bytes.
    pub(super) fn new(clause: &Clause, format: Format, most: usize) -> Self {
        let lasts = PAUSE + CHARACTER * clause.text.chars().count() as u32;
        let frames = lasts.as_nanos().div_ceil(FRAME.as_nanos()) as usize;
        let words = clause.text.split_whitespace().count() + 1;
        Self {
            audio: Vec::with_capacity((frames * format.bytes()).min(most)),
            words: Vec::with_capacity(words),
            frames: 0,
            most,
        }
    }

    /// The engine's next frame.
    pub(super) fn hear(&mut self, frame: &Frame) {
        self.frames += 1;
        if self.is_too_long(frame.payload().len()) {
            self.audio = Vec::new();
        } else {
            self.audio.extend_from_slice(frame.payload());
        }
    }

    /// The end of a word.
    pub(super) fn mark(&mut self, upto: u32) {
        self.words.push(Mark { upto, frames: self.frames });
    }

    /// All of it, unless it is too long to be kept.
    pub(super) fn finish(self, format: Format) -> Option<Speech> {
        let whole = self.audio.len() == self.frames as usize * format.bytes();
        // Silence is made anew: it may have been a failure.
        (whole && self.frames > 0).then(|| Speech::new(format, self.audio.into(), self.words.into()))
    }

    fn is_too_long(&self, frame: usize) -> bool {
        self.frames as usize * frame > self.most
    }
}

/// A slow voice takes so long for a character, and so long for the pauses of a clause.
const CHARACTER: Duration = Duration::from_millis(90);
const PAUSE: Duration = Duration::from_millis(400);

/// Of the maps that hold the entry, about.
const ENTRY: usize = 256;
