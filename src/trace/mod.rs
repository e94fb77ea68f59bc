//! One call's story: what happened when in each of its turns, as JSON, as text and as a picture.
//!
//! [`Timeline`] gathers it from the events of a call in progress, or from a recording; [`Trace`] adds the words and is
//! what is shown.

mod axis;
mod moment;
mod recording;
mod scale;
mod shown;
mod svg;
mod text;
mod timeline;
mod turn_line;

pub use recording::{Retraced, retrace};
pub use svg::Picture;
pub use timeline::Timeline;

use crate::live::{LatencyLine, Line};
use moment::Moment;
use ringway_turn::Speaker;
use serde::Serialize;
use turn_line::TurnLine;

/// A call's story as others see it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// The call's id.
    pub call: String,
    /// By which edge it came; a recording does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge: Option<&'static str>,
    /// What the line is doing.
    pub state: &'static str,
    /// When the call began.
    pub started_at: String,
    /// Why it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<String>,
    /// Turns that are no longer kept.
    pub dropped_turns: u32,
    /// The others, oldest first.
    pub turns: Vec<TurnTrace>,
}

/// One turn, with its words.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TurnTrace {
    #[serde(flatten)]
    line: TurnLine,
    /// What the caller said.
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<String>,
    /// What of the bot's words the caller heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    heard: Option<String>,
    /// The answer time and its parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<LatencyLine>,
}

impl Trace {
    /// Leaves the last `count` turns.
    pub fn keep_last(&mut self, count: usize) {
        let more = self.turns.len().saturating_sub(count);
        self.turns.drain(..more);
        self.dropped_turns += more as u32;
    }
}

impl TurnTrace {
    /// The turns of a time line with what was said in them.
    pub fn all(timeline: &Timeline, transcript: &[Line], latency: &[LatencyLine]) -> Vec<Self> {
        let turn = |line: &TurnLine| {
            let number = line.turn.number();
            Self {
                line: line.clone(),
                said: words(transcript, number, Speaker::Caller),
                heard: words(transcript, number, Speaker::Bot),
                latency: latency.iter().find(|latency| latency.turn == number).cloned(),
            }
        };
        timeline.turns().map(turn).collect()
    }

    /// From when the answer is counted: the end of the caller's speech, as it arrived.
    fn ended(&self) -> Option<Moment> {
        let answered = self.line.sounded().zip(self.latency.as_ref());
        let counted = answered.map(|(sounded, latency)| sounded.before(latency.answer()));
        counted.or_else(|| self.line.speech_ended())
    }
}

fn words(transcript: &[Line], turn: u32, who: Speaker) -> Option<String> {
    let its = transcript.iter().filter(|line| line.turn == turn && line.who == who);
    let words: Vec<_> = its.map(|line| line.text.as_str()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}
