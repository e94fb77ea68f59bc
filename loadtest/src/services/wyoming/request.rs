use super::event::written;
use crate::services::fate::Fate;
use crate::services::mocks::Mocks;
use crate::services::paced::Piece;
use crate::services::stats::Ticket;
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;

/// What is listened to.
#[derive(Debug)]
pub struct Utterance {
    /// The request.
    pub ticket: Ticket,
    /// What becomes of it.
    pub fate: Fate,
    /// There was something to hear.
    pub heard: bool,
}

impl Utterance {
    /// Of a request that has begun.
    pub fn new((ticket, fate): (Ticket, Fate)) -> Self {
        Self { ticket, fate, heard: false }
    }

    /// Audio comes.
    pub fn hear(&mut self, audio: &[u8]) {
        self.heard |= !audio.is_empty();
    }
}

/// What is spoken while its text still comes.
#[derive(Debug)]
pub struct Speech {
    /// The request.
    pub ticket: Ticket,
    /// What becomes of it.
    pub fate: Fate,
    /// What is no whole sentence yet.
    text: String,
}

impl Speech {
    /// Of a request that has begun.
    pub fn new((ticket, fate): (Ticket, Fate)) -> Self {
        Self { ticket, fate, text: String::new() }
    }

    /// More text; the sentences that are whole with it.
    pub fn sentences(&mut self, text: &str) -> Vec<String> {
        self.text.push_str(text);
        let mut sentences = Vec::new();
        while let Some(end) = ENDS.iter().filter_map(|end| self.text.find(end)).min() {
            let rest = self.text.split_off(end + 1);
            sentences.push(std::mem::replace(&mut self.text, rest.trim_start().to_owned()));
        }
        sentences
    }

    /// What is left when no more text comes.
    pub fn rest(&self) -> String {
        self.text.trim().to_owned()
    }
}

/// What ends a sentence, with the blank that shows it.
const ENDS: [&str; 3] = [". ", "? ", "! "];

/// What came of saying something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Nothing: it hangs.
    Nothing,
    /// All of it.
    All,
    /// Something wrong, behind which the connection ends.
    Wrong,
}

/// What is said of a request when nothing fails.
#[derive(Debug)]
pub struct Answer {
    /// Events, each at its time; at least one.
    pub pieces: Vec<Piece>,
    /// The first of them as of another type.
    pub other: Bytes,
}

impl Answer {
    /// Words.
    pub fn transcript(text: &str) -> Self {
        let data = json!({"text": text});
        let bytes = written("transcript", &data, &[]);
        Self { pieces: vec![Piece { after: Duration::ZERO, bytes }], other: written("intent", &data, &[]) }
    }

    /// A text as audio; of none only the end of it.
    pub fn speech(text: &str, mocks: &Mocks) -> Self {
        let mut answer = Self { pieces: Vec::new(), other: written("audio-start", &format(mocks, 8), &[]) };
        if !text.trim().is_empty() {
            answer.add(written("audio-start", &format(mocks, 2), &[]));
            answer.add_audio(text, mocks);
        }
        answer.add(written("audio-stop", &Value::Null, &[]));
        answer
    }

    /// An event together with the one before it.
    pub fn add(&mut self, bytes: Bytes) {
        self.pieces.push(Piece { after: Duration::ZERO, bytes });
    }

    fn add_audio(&mut self, text: &str, mocks: &Mocks) {
        let tts = &mocks.config.tts;
        let samples = mocks.tone.samples(text.chars().count() as u64 * u64::from(tts.character_ms));
        let lasts = Duration::from_secs(1) * CHUNK as u32 / tts.rate_hz;
        let pause = tts.speed.map_or(Duration::ZERO, |speed| lasts.div_f64(speed));
        for from in (0..samples).step_by(CHUNK) {
            let audio: Vec<u8> = mocks.tone.slice(from, samples.min(from + CHUNK as u64)).flatten().collect();
            let after = if from == 0 { Duration::ZERO } else { pause };
            self.pieces.push(Piece { after, bytes: written("audio-chunk", &format(mocks, 2), &audio) });
        }
    }
}

/// Samples of an event, as `wyoming-piper` cuts them.
const CHUNK: usize = 1_024;

fn format(mocks: &Mocks, width: u32) -> Value {
    json!({"rate": mocks.config.tts.rate_hz, "width": width, "channels": 1})
}
