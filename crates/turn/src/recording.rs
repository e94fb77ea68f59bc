//! A call as its inputs and outputs, one JSON object a line, and its exact replay.
//!
//! ```text
//! {"version":4,"call":"0123…","started":"2026-11-20T12:00:00Z","config":{…}}
//! {"input":{"at":0,"input":"started"}}
//! {"output":{"command":{"reply":{…}}}}
//! {"output":{"timeout":7000000000}}
//! ```
//!
//! Recorded `timeout` lines are compared like commands; they may be left out.

use crate::{Command, Config, ConfigError, Event, Input, Output, Snapshot, SnapshotError, Turn};
use ringway_frame::{CallId, MediaTime};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Read};

/// The form of recordings that this version writes and reads.
pub const VERSION: u32 = 4;

/// The oldest form that is read: calls whose turns had no latency budget. Those of version 2 had no budget of tokens; those of
/// version 3 parted the time of an answer otherwise.
pub const OLDEST_VERSION: u32 = 1;

/// The longest line that is read. A context of 200 messages of 1,000 bytes fits four times.
pub const MAX_LINE: usize = 1 << 20;

/// The first line of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    version: u32,
    /// The call's id.
    pub call: String,
    /// Wall-clock time of the call's beginning, for people.
    pub started: String,
    /// The policy that decided.
    pub config: Config,
}

impl Header {
    /// The header of a call that began at `started` on the wall clock.
    pub fn new(call: CallId, started: impl Into<String>, config: Config) -> Self {
        Self { version: VERSION, call: call.to_string(), started: started.into(), config }
    }

    /// As a line.
    pub fn to_line(&self) -> String {
        line(self)
    }
}

/// An input as a line; to be written before it is handled.
pub fn input_line(input: &Input, now: MediaTime) -> String {
    line(&LineRef::Input { at: now, input })
}

/// An output as a line.
pub fn output_line(output: &Output) -> String {
    line(&LineRef::Output(output))
}

fn line(value: &impl Serialize) -> String {
    let mut line =
        serde_json::to_string(value).expect("no map with keys that are no strings, and nothing that fails");
    line.push('\n');
    line
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum LineRef<'a> {
    Input { at: MediaTime, input: &'a Input },
    Output(&'a Output),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Input { at: MediaTime, input: Input },
    Output(Output),
}

/// What a replay came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The call that was replayed.
    pub header: Header,
    /// Inputs fed.
    pub inputs: u64,
    /// Outputs compared.
    pub outputs: u64,
    /// Time of the last input.
    pub until: MediaTime,
    /// Where the conversation was put down and taken up again, if it was to be and that place was reached.
    pub cut: Option<Cut>,
    /// The first difference; the replay stops there.
    pub difference: Option<Difference>,
}

/// Where a replay puts the conversation down and takes it up again from its snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutAt {
    /// Behind the n-th input, from 1, before anything is done about it.
    Input(u64),
    /// In front of the first input of this time or later.
    Time(MediaTime),
}

/// Where that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Behind so many inputs.
    pub inputs: u64,
    /// At the time of the last of them.
    pub at: MediaTime,
    /// Length of the snapshot as JSON.
    pub bytes: usize,
}

/// Where recording and replay part.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Line of the recording, from 1.
    pub line: u64,
    /// What the recording has there; `None`: no output.
    pub recorded: Option<Output>,
    /// What the replay has; `None`: no output.
    pub replayed: Option<Output>,
}

/// Why a recording cannot be replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// Reading failed.
    #[error("line {line}: {source}")]
    Io {
        /// From 1.
        line: u64,
        /// Why.
        source: std::io::Error,
    },
    /// There is not even a header.
    #[error("the recording is empty")]
    Empty,
    /// Written by another version.
    #[error("the recording has version {found}, not {OLDEST_VERSION} to {VERSION}")]
    Version {
        /// Its version.
        found: u64,
    },
    /// A line is not what belongs there.
    #[error("line {line}: {source}")]
    Malformed {
        /// From 1.
        line: u64,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A line is longer than any that is written.
    #[error("line {line} is longer than {MAX_LINE} bytes")]
    TooLong {
        /// From 1.
        line: u64,
    },
    /// The last line breaks off.
    #[error("line {line} breaks off: the recording was not completed")]
    Truncated {
        /// From 1.
        line: u64,
    },
    /// The conversation could not be taken up again.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The recorded policy makes no sense.
    #[error("the recorded configuration: {0}")]
    Config(ConfigError),
}

/// Sees a recorded call happen again.
pub trait Witness {
    /// An input, before it is handled.
    fn input(&mut self, input: &Input, now: MediaTime);

    /// A command of `turn`, as it is polled.
    fn command(&mut self, command: &Command, turn: &Turn);
}

/// Nobody.
impl Witness for () {
    fn input(&mut self, _: &Input, _: MediaTime) {}

    fn command(&mut self, _: &Command, _: &Turn) {}
}

/// Feeds the recorded inputs to a fresh [`Turn`] and compares what it does, up to the first difference.
///
/// # Errors
/// The recording cannot be read or is malformed.
pub fn replay(reader: impl BufRead) -> Result<Report, ReplayError> {
    replay_before(reader, &mut ())
}

/// The same, with the conversation put down on the way and taken up again from its snapshot.
///
/// # Errors
/// The recording cannot be read or is malformed.
pub fn replay_cut(reader: impl BufRead, at: CutAt) -> Result<Report, ReplayError> {
    run(reader, Some(at), &mut ())
}

/// The same in one piece before a witness.
///
/// # Errors
/// The recording cannot be read or is malformed.
pub fn replay_before(reader: impl BufRead, witness: &mut impl Witness) -> Result<Report, ReplayError> {
    run(reader, None, witness)
}

fn run(
    reader: impl BufRead,
    mut cut: Option<CutAt>,
    witness: &mut impl Witness,
) -> Result<Report, ReplayError> {
    let mut lines = Lines { reader, number: 0, buffer: Vec::new() };
    let header = lines.header()?;
    if let Some(problem) = header.config.problems().into_iter().next() {
        return Err(ReplayError::Config(problem));
    }
    let mut turn = Turn::new(header.config.clone());
    let mut report =
        Report { header, inputs: 0, outputs: 0, until: MediaTime::ZERO, cut: None, difference: None };
    while let Some(line) = lines.next()? {
        if cut.take_if(|cut| cut.is_before(&line)).is_some() {
            turn = cut_here(&turn, &mut report)?;
        }
        report.difference =
            step(&mut turn, line, &mut report, witness).map(|difference| difference.at(lines.number));
        if report.difference.is_some() {
            return Ok(report);
        }
        if cut.take_if(|cut| cut.is_behind(report.inputs)).is_some() {
            turn = cut_here(&turn, &mut report)?;
        }
    }
    report.difference = left_over(&mut turn).map(|difference| difference.at(lines.number + 1));
    Ok(report)
}

/// Takes the conversation up again from the JSON of its snapshot.
fn cut_here(turn: &Turn, report: &mut Report) -> Result<Turn, SnapshotError> {
    let kept = serde_json::to_vec(&turn.snapshot())?;
    report.cut = Some(Cut { inputs: report.inputs, at: report.until, bytes: kept.len() });
    let snapshot: Snapshot = serde_json::from_slice(&kept)?;
    Turn::restore(report.header.config.clone(), snapshot)
}

impl CutAt {
    fn is_before(self, line: &Line) -> bool {
        matches!((self, line), (Self::Time(time), Line::Input { at, .. }) if *at >= time)
    }

    fn is_behind(self, inputs: u64) -> bool {
        self == Self::Input(inputs)
    }
}

fn step(turn: &mut Turn, line: Line, report: &mut Report, witness: &mut impl Witness) -> Option<Parting> {
    match line {
        Line::Input { at, input } => {
            let parting = left_over(turn);
            witness.input(&input, at);
            turn.handle(input, at);
            report.inputs += 1;
            report.until = at;
            parting
        }
        Line::Output(recorded) => {
            let replayed = turn.poll();
            if let Output::Command(command) = &replayed {
                witness.command(command, turn);
            }
            report.outputs += 1;
            let same =
                recorded == replayed || is_parted_otherwise(report.header.version, &recorded, &replayed);
            (!same).then_some(Parting { recorded: Some(recorded), replayed: Some(replayed) })
        }
    }
}

/// The same answer time, whose parts were told otherwise up to version 3: they are a measurement, no decision.
fn is_parted_otherwise(version: u32, recorded: &Output, replayed: &Output) -> bool {
    let answer = |output: &Output| match output {
        Output::Command(Command::Event(Event::Latency { turn, latency })) => Some((*turn, latency.answer)),
        _ => None,
    };
    version < 4 && answer(recorded).is_some_and(|recorded| Some(recorded) == answer(replayed))
}

/// A command that the recording does not have.
fn left_over(turn: &mut Turn) -> Option<Parting> {
    match turn.poll() {
        Output::Timeout(_) => None,
        replayed => Some(Parting { recorded: None, replayed: Some(replayed) }),
    }
}

struct Parting {
    recorded: Option<Output>,
    replayed: Option<Output>,
}

impl Parting {
    fn at(self, line: u64) -> Difference {
        Difference { line, recorded: self.recorded, replayed: self.replayed }
    }
}

/// A header of an older version: what calls did not do before there was a key for it, they did not.
fn completed(mut header: serde_json::Value, version: u64) -> serde_json::Value {
    if let Some(config) = header.get_mut("config").and_then(serde_json::Value::as_object_mut) {
        let since_2 = ["answer_budget", "give_up_after", "speculate_on_guess"];
        for key in since_2.into_iter().filter(|_| version < 2) {
            config.entry(key).or_insert_with(|| "off".into());
        }
        config.entry("context_tokens").or_insert_with(|| 0.into());
    }
    header
}

struct Lines<R> {
    reader: R,
    number: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn header(&mut self) -> Result<Header, ReplayError> {
        if !self.read()? {
            return Err(ReplayError::Empty);
        }
        let value: serde_json::Value = self.parse()?;
        match value.get("version").and_then(serde_json::Value::as_u64) {
            Some(found) if !(u64::from(OLDEST_VERSION)..=u64::from(VERSION)).contains(&found) => {
                Err(ReplayError::Version { found })
            }
            Some(old @ (1 | 2)) => self.malformed_unless(serde_json::from_value(completed(value, old))),
            _ => self.parse(),
        }
    }

    fn next(&mut self) -> Result<Option<Line>, ReplayError> {
        if self.read()? { self.parse().map(Some) } else { Ok(None) }
    }

    /// Reads one line; `false` at the end.
    fn read(&mut self) -> Result<bool, ReplayError> {
        self.buffer.clear();
        self.number += 1;
        let line = self.number;
        let mut bounded = (&mut self.reader).take(MAX_LINE as u64 + 1);
        let read =
            bounded.read_until(b'\n', &mut self.buffer).map_err(|source| ReplayError::Io { line, source })?;
        if read > MAX_LINE {
            return Err(ReplayError::TooLong { line });
        }
        if read == 0 {
            self.number -= 1;
        }
        Ok(read > 0)
    }

    fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, ReplayError> {
        self.malformed_unless(serde_json::from_slice(&self.buffer))
    }

    fn malformed_unless<T>(&self, parsed: serde_json::Result<T>) -> Result<T, ReplayError> {
        let line = self.number;
        parsed.map_err(|source| {
            let broken_off = source.is_eof() && self.buffer.last() != Some(&b'\n');
            if broken_off { ReplayError::Truncated { line } } else { ReplayError::Malformed { line, source } }
        })
    }
}
