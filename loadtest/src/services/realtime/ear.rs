use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringway_wire::level::Dbfs;
use serde_json::Value;
use std::time::Duration;

/// How audio is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// s16le at 24 kHz.
    Pcm24k,
    /// s16le at 16 kHz, on the socket of speech servers.
    Pcm16k,
    /// G.711 mu-law.
    Mulaw,
}

impl Coding {
    /// Reads the format of a session.
    pub fn read(format: &Value) -> Option<Self> {
        match format["type"].as_str()? {
            "audio/pcm" if format["rate"].as_u64().is_none_or(|rate| rate == 24_000) => Some(Self::Pcm24k),
            "audio/pcmu" => Some(Self::Mulaw),
            _ => None,
        }
    }

    /// Bytes of a millisecond.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Pcm24k => 48,
            Self::Pcm16k => 32,
            Self::Mulaw => 8,
        }
    }

    fn is_loud(self, audio: &[u8]) -> bool {
        match self {
            Self::Pcm24k | Self::Pcm16k => Dbfs::of_pcm16(audio).is_loud(),
            Self::Mulaw => Dbfs::of_mulaw(audio).is_loud(),
        }
    }
}

/// What was appended and is no item yet, and where in it somebody speaks.
#[derive(Debug, Default)]
pub struct Ear {
    audio: Vec<u8>,
    /// Milliseconds of audio in all, and of those how many are judged.
    heard_ms: u64,
    rest: Vec<u8>,
    /// Silence that ends speech, when the service looks for it.
    pub silence: Option<Duration>,
    loud_windows: u32,
    speech: Option<u64>,
}

/// What the service's own detection found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Speech began here.
    Started {
        /// Since the session's first audio.
        at_ms: u64,
    },
    /// It is over.
    Stopped {
        /// Since the session's first audio.
        at_ms: u64,
    },
}

/// Audio judged at once.
const WINDOW_MS: u64 = 10;

/// So many loud windows in a row are speech, fewer a click.
const ONSET_WINDOWS: u32 = 3;

impl Ear {
    /// One that finds turns over after so much silence.
    pub fn listening(silence: Duration) -> Self {
        Self { silence: Some(silence), ..Self::default() }
    }

    /// Audio comes; `None` when it is no base64.
    pub fn append(&mut self, base64: &str, coding: Coding) -> Option<Vec<Found>> {
        let audio = STANDARD.decode(base64).ok()?;
        Some(self.hear(&audio, coding))
    }

    /// The same as it is.
    pub fn hear(&mut self, audio: &[u8], coding: Coding) -> Vec<Found> {
        self.audio.extend_from_slice(audio);
        let mut found = Vec::new();
        self.rest.extend_from_slice(audio);
        let rest = std::mem::take(&mut self.rest);
        let mut windows = rest.chunks_exact(coding.bytes() * WINDOW_MS as usize);
        for window in windows.by_ref() {
            self.heard_ms += WINDOW_MS;
            found.extend(self.judge(coding.is_loud(window)));
        }
        self.rest = windows.remainder().to_vec();
        found
    }

    /// What was appended, in milliseconds; it is not kept.
    pub fn take(&mut self, coding: Coding) -> u64 {
        let bytes = std::mem::take(&mut self.audio).len();
        self.speech = None;
        (bytes / coding.bytes()) as u64
    }

    fn judge(&mut self, loud: bool) -> Option<Found> {
        let silence = self.silence?;
        self.loud_windows = if loud { self.loud_windows + 1 } else { 0 };
        match &mut self.speech {
            None if self.loud_windows >= ONSET_WINDOWS => {
                self.speech = Some(self.heard_ms);
                let at_ms = self.heard_ms - WINDOW_MS * u64::from(ONSET_WINDOWS);
                Some(Found::Started { at_ms })
            }
            Some(loud_until) if loud => {
                *loud_until = self.heard_ms;
                None
            }
            Some(loud_until) if self.heard_ms - *loud_until >= silence.as_millis() as u64 => {
                self.speech = None;
                Some(Found::Stopped { at_ms: self.heard_ms })
            }
            _ => None,
        }
    }
}
