//! The story of a recorded call: its turns are decided again, and watched.

use super::{Timeline, Trace, TurnTrace};
use crate::live::{LatencyLine, Line, reason_name};
use ringway_frame::MediaTime;
use ringway_turn::recording::{Difference, ReplayError, Witness, replay_before};
use ringway_turn::{Command, EndReason, Event, Input, Observer, Turn};
use std::io::BufRead;

/// What a recording tells.
#[derive(Debug)]
pub struct Retraced {
    /// The story, up to the difference if there is one.
    pub trace: Trace,
    /// Where this version decides otherwise than the one that recorded.
    pub difference: Option<Difference>,
}

/// Tells the story of a recording.
///
/// # Errors
/// It cannot be read or is none.
pub fn retrace(reader: impl BufRead) -> Result<Retraced, ReplayError> {
    let mut story = Story::default();
    let report = replay_before(reader, &mut story)?;
    story.timeline.ended(report.until);
    let trace = Trace {
        call: report.header.call,
        edge: None,
        state: "ended",
        started_at: report.header.started,
        end_reason: story.end.as_ref().map(|reason| reason_name(reason).to_owned()),
        dropped_turns: story.timeline.dropped(),
        turns: TurnTrace::all(&story.timeline, &story.transcript, &story.latency),
    };
    Ok(Retraced { trace, difference: report.difference })
}

/// What is gathered on the way.
#[derive(Default)]
struct Story {
    observer: Observer,
    now: MediaTime,
    timeline: Timeline,
    transcript: Vec<Line>,
    latency: Vec<LatencyLine>,
    end: Option<EndReason>,
}

impl Witness for Story {
    fn input(&mut self, input: &Input, now: MediaTime) {
        self.now = now;
        if let Some(mark) = self.observer.input(input, now) {
            self.timeline.mark(&mark);
        }
        if let Input::Ended { reason } = input {
            self.end.get_or_insert_with(|| reason.clone());
        }
    }

    fn command(&mut self, command: &Command, turn: &Turn) {
        self.observer.command(command, turn, |mark| self.timeline.mark(&mark));
        match command {
            Command::Event(event) => self.event(event),
            Command::HangUp { reason } => self.end = Some(reason.clone()),
            Command::Transfer { to } => self.end = Some(EndReason::Transferred(to.clone())),
            _ => {}
        }
    }
}

impl Story {
    fn event(&mut self, event: &Event) {
        self.timeline.event(event, self.now);
        self.transcript.extend(Line::of(event, self.now));
        self.latency.extend(LatencyLine::of(event));
    }
}
