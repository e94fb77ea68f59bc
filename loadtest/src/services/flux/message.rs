use serde_json::{Value, json};
use std::time::Duration;

/// What a client says in text.
#[derive(Clone, Debug, PartialEq)]
pub enum Control {
    /// It will send no more.
    CloseStream,
    /// The turn is over.
    ForceEndTurn,
    /// Other thresholds are wanted.
    Configure(Value),
}

/// What is told of a turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn<'a> {
    /// Why.
    pub event: &'static str,
    /// How many there were before it.
    pub index: u64,
    /// Its words so far.
    pub words: &'a [String],
    /// What has been heard.
    pub until: Duration,
    /// How likely it is over.
    pub confidence: f64,
    /// Why it is over.
    pub trigger: Option<&'static str>,
}

/// The certainty of all words: the mock cannot be wrong.
const CONFIDENCE: f64 = 0.99;

impl Control {
    /// Reads a text message; otherwise what is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let message: Value = serde_json::from_str(text).unwrap_or_default();
        match message["type"].as_str() {
            Some("CloseStream") => Ok(Self::CloseStream),
            Some("ForceEndTurn") => Ok(Self::ForceEndTurn),
            Some("Configure") => Ok(Self::Configure(message["thresholds"].clone())),
            _ => Err("expected one of `CloseStream`, `Configure`, `ForceEndTurn`".into()),
        }
    }
}

impl Turn<'_> {
    /// As it goes out, but for its number.
    pub fn json(&self, request_id: &str) -> Value {
        let word = |word: &String| json!({"word": word, "confidence": CONFIDENCE});
        let mut json = json!({
            "type": "TurnInfo",
            "request_id": request_id,
            "event": self.event,
            "turn_index": self.index,
            "audio_window_start": 0.0,
            "audio_window_end": self.until.as_millis() as f64 / 1_000.0,
            "transcript": self.words.join(" "),
            "words": self.words.iter().map(word).collect::<Vec<_>>(),
            "end_of_turn_confidence": self.confidence,
        });
        if let Some(trigger) = self.trigger {
            json["trigger"] = json!(trigger);
        }
        json
    }
}
