//! A trace for people at a terminal.

use super::moment::Moment;
use super::turn_line::{Given, Lane, LanguageChange, Note, Outcome, Restart, Span, Switch, ToolUse, What};
use super::{Trace, TurnTrace};
use crate::live::LatencyLine;
use crate::live::stage_name;
use ringway_frame::OneLine;
use ringway_turn::ToolOutcome;
use std::fmt::{self, Display, Formatter};

/// Something that happened, in words.
struct Row {
    at: Moment,
    kind: Kind,
    who: &'static str,
    what: String,
}

/// What of the same moment is told first: the end of one stage's work is the beginning of the next one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Death,
    Result,
    News,
    Beginning,
}

impl Display for Trace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { call, edge, state, started_at, end_reason, dropped_turns, turns } = self;
        writeln!(f, "call      {}", OneLine(call))?;
        if let Some(edge) = edge {
            writeln!(f, "edge      {edge}")?;
        }
        writeln!(f, "started   {}", OneLine(started_at))?;
        let reason = end_reason.as_ref().map(|reason| format!(": {}", OneLine(reason))).unwrap_or_default();
        writeln!(f, "state     {state}{reason}")?;
        if *dropped_turns > 0 {
            writeln!(f, "left out  {dropped_turns} turns before these")?;
        }
        turns.iter().try_for_each(|turn| write!(f, "\n{turn}"))
    }
}

impl Display for TurnTrace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "turn {}", self.line.turn)?;
        if let Some(latency) = &self.latency {
            write_latency(f, latency)?;
        }
        writeln!(f)?;
        let end = self.ended();
        for Row { at, who, what, .. } in self.rows() {
            let from_end = end.map(|end| from(end, at)).unwrap_or_default();
            writeln!(f, "{at:>10} {from_end:>8}  {who:<8} {}", OneLine(what))?;
        }
        if self.line.more > 0 {
            writeln!(f, "{:>10} {:>8}  {} more, not kept", "", "", self.line.more)?;
        }
        for (who, words) in [("said", &self.said), ("heard", &self.heard)] {
            if let Some(words) = words {
                writeln!(f, "{:>10} {:>8}  {who:<8} \"{}\"", "", "", OneLine(words))?;
            }
        }
        Ok(())
    }
}

impl TurnTrace {
    /// What happened, in order.
    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        self.line.spans.iter().for_each(|span| span_rows(span, &mut rows));
        rows.extend(self.line.notes.iter().map(note_row));
        rows.extend(self.line.tools.iter().map(tool_row));
        rows.extend(self.line.given.iter().map(given_row));
        rows.extend(self.line.language.iter().map(language_row));
        self.line.restarts.iter().for_each(|restart| restart_rows(restart, &mut rows));
        rows.extend(self.line.switches.iter().map(switch_row));
        rows.sort_by_key(|row| (row.at, row.kind));
        rows
    }
}

fn write_latency(f: &mut Formatter<'_>, latency: &LatencyLine) -> fmt::Result {
    let LatencyLine { answer_ms, end_of_turn_ms, stt_ms, llm_ms, tools_ms, tts_ms, .. } = latency;
    let LatencyLine { rebuild_ms, playout_ms, .. } = latency;
    write!(
        f,
        "  answer {answer_ms:.0} ms = end of turn {end_of_turn_ms:.0} + stt {stt_ms:.0} + llm {llm_ms:.0}"
    )?;
    write_rare(f, "tools", *tools_ms)?;
    write!(f, " + tts {tts_ms:.0}")?;
    write_rare(f, "rebuild", *rebuild_ms)?;
    write!(f, " + playout {playout_ms:.0}")
}

/// A part that most answers do not have.
fn write_rare(f: &mut Formatter<'_>, part: &str, ms: f64) -> fmt::Result {
    if ms > 0.0 { write!(f, " + {part} {ms:.0}") } else { Ok(()) }
}

/// `at` as seen from the end of the caller's speech.
fn from(end: Moment, at: Moment) -> String {
    match end.since(at).as_millis() {
        0 => format!("+{} ms", at.since(end).as_millis()),
        before => format!("-{before} ms"),
    }
}

fn span_rows(span: &Span, rows: &mut Vec<Row>) {
    let who = span.lane.name();
    let mut row = |at: Option<Moment>, kind: Kind, what: &str| {
        rows.extend(at.map(|at| Row { at, kind, who, what: what.to_owned() }));
    };
    row(Some(span.start), Kind::Beginning, begins(span.lane));
    row(span.asked, Kind::Result, "is asked what was said");
    row(span.first.filter(|_| span.first != span.end), Kind::Result, first(span.lane));
    row(span.end, Kind::Result, ends(span.lane, span.outcome));
}

fn begins(lane: Lane) -> &'static str {
    match lane {
        Lane::Caller => "begins to speak",
        Lane::Stt => "listens",
        Lane::Llm => "is asked",
        Lane::Tts => "is given a clause",
        Lane::SpeechToSpeech => "is to answer",
        Lane::Playout => "begins to sound",
    }
}

fn first(lane: Lane) -> &'static str {
    match lane {
        Lane::Stt => "first words",
        Lane::Llm => "first text",
        Lane::Caller | Lane::Tts | Lane::SpeechToSpeech | Lane::Playout => "first audio",
    }
}

fn ends(lane: Lane, outcome: Outcome) -> &'static str {
    match (outcome, lane) {
        (Outcome::Open, _) => "goes on",
        (Outcome::Done, Lane::Caller) => "has finished",
        (Outcome::Done, Lane::Stt) => "has the words",
        (Outcome::Done, Lane::Llm) => "has all text",
        (Outcome::Done, Lane::Tts | Lane::SpeechToSpeech) => "has all audio",
        (Outcome::Done, Lane::Playout) => "has been heard out",
        (Outcome::Cancelled, Lane::Playout) => "falls silent",
        (Outcome::Cancelled, _) => "is told to stop",
        (Outcome::Wasted, Lane::Caller) => "was no speech",
        (Outcome::Wasted, _) => "ends; it was in vain",
        (Outcome::Lost, _) => "loses its work",
        (Outcome::Paused, _) => "pauses",
        (Outcome::Unfinished, _) => "ends with the call",
    }
}

fn note_row(note: &Note) -> Row {
    let (who, what) = match note.what {
        What::TurnOver => ("turn", "is over, the answer may sound"),
        What::WentOn => ("turn", "is not over, the caller goes on"),
        What::Merged => ("turn", "continues: the caller goes on before the answer sounds"),
        What::Keys => ("caller", "presses keys"),
        What::BargeIn => ("turn", "the caller speaks over the answer: it is broken off"),
        What::FalseInterruption => ("turn", "it was nothing, the answer goes on"),
        What::Late => ("turn", "a stage keeps the caller waiting for too long"),
        What::Hedged => ("llm", "is later than usual, a second one is asked the same"),
        What::Unspoken => ("tts", "refuses a clause, which is left out"),
        What::Filler => ("turn", "takes long, the wait is bridged"),
        What::Summarised => ("llm", "the oldest turns have become a summary"),
        What::NotSummarised => ("llm", "no summary of the oldest turns came"),
        What::Forgotten => ("llm", "the oldest turns are forgotten"),
        What::Apology => ("turn", "ends with an apology"),
    };
    Row { at: note.at, kind: Kind::News, who, what: what.to_owned() }
}

fn tool_row(used: &ToolUse) -> Row {
    let ToolUse { tool, bytes, outcome, end, took_ms, arguments } = used;
    let how = match outcome {
        ToolOutcome::Done => "answers",
        ToolOutcome::Failed => "fails",
        ToolOutcome::Refused => "is refused",
        ToolOutcome::Late => "is given up",
        ToolOutcome::Cancelled => "is dropped",
    };
    let given = match arguments {
        Some(arguments) => arguments.clone(),
        None => format!("{bytes} bytes of arguments"),
    };
    let what = format!("{tool} {how} after {took_ms} ms ({given})");
    Row { at: *end, kind: Kind::Result, who: "tool", what }
}

fn language_row(change: &LanguageChange) -> Row {
    Row {
        at: change.at,
        kind: Kind::News,
        who: "turn",
        what: format!("is in the language {}", change.language),
    }
}

fn given_row(given: &Given) -> Row {
    let what = format!("is given {}", given.passages.join("; "));
    Row { at: given.at, kind: Kind::News, who: Lane::Llm.name(), what }
}

fn restart_rows(restart: &Restart, rows: &mut Vec<Row>) {
    let who = stage_name(restart.stage);
    let cause = restart.cause.map(|cause| format!(" of {}", an(cause.name()))).unwrap_or_default();
    let fate = if restart.gone { " and does not come back" } else { "" };
    let kind = Kind::Death;
    rows.push(Row { at: restart.at, kind, who, what: format!("dies{cause}{fate}") });
    if let Some(back) = restart.back {
        let away = back.since(restart.at).as_millis();
        rows.push(Row { at: back, kind: Kind::News, who, what: format!("is there again, {away} ms later") });
    }
}

fn switch_row(switch: &Switch) -> Row {
    let Switch { stage, from, to, cause, at } = switch;
    let what = format!("goes from {from} to {to} ({})", cause.name());
    Row { at: *at, kind: Kind::News, who: stage_name(*stage), what }
}

/// The word with its article.
fn an(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {word}")
}

#[cfg(test)]
mod tests {
    use super::super::Timeline;
    use super::*;
    use ringway_frame::MediaTime;
    use ringway_turn::{Event, Mark, Step, TurnNumber};
    use std::time::Duration;

    #[test]
    fn what_others_wrote_stays_in_its_row_and_has_nothing_that_a_terminal_obeys() {
        let odd = "x\r\n     9.999  tool     forged \u{1b}[31m\u{9b}0m".to_owned();
        let (turn, at) = (TurnNumber::new(1), MediaTime::from_millis(5));
        let mut timeline = Timeline::default();
        timeline.mark(&Mark { turn, at, step: Step::SpeechBegan });
        let (outcome, after) = (ToolOutcome::Done, Duration::from_millis(3));
        let tool =
            Event::Tool { turn, tool: odd.clone(), bytes: 9, outcome, after, arguments: Some(odd.clone()) };
        timeline.event(&tool, at);
        timeline.event(&Event::Cited { turn, passages: vec![odd.clone()] }, at);
        timeline.event(&Event::Language { turn, language: odd.clone() }, at);
        let mut turns = TurnTrace::all(&timeline, &[], &[]);
        (turns[0].said, turns[0].heard) = (Some(odd.clone()), Some(odd.clone()));
        let (edge, state, dropped_turns) = (None, "listening", 0);
        let (call, started_at, end_reason) = (odd.clone(), odd.clone(), Some(odd));
        let told = Trace { call, edge, state, started_at, end_reason, dropped_turns, turns }.to_string();
        assert!(!told.contains(|letter: char| letter.is_control() && letter != '\n'), "{told:?}");
        assert_eq!(told.lines().filter(|line| line.trim_start().starts_with("9.999")).count(), 0, "{told}");
        assert_eq!(told.matches("forged").count(), 9, "{told}");
    }
}
