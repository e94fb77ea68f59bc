//! A trace as a picture: a waterfall a turn, without styles or scripts of its own, in colours that a page may replace.

use super::axis::Axis;
use super::moment::Moment;
use super::scale::{self, Label};
use super::turn_line::{Lane, Outcome, Restart, Span};
use super::{Trace, TurnTrace};
use crate::live::stage_name;
use std::fmt::{self, Display, Formatter};
use std::ops::Range;
use std::time::Duration;

/// Room for the lanes' names, in pixels.
const LABELS: f64 = 58.0;

/// Room for what each lane took.
const FIGURES: f64 = 64.0;

const LANE: f64 = 20.0;
const BAR: f64 = 12.0;
const LINE: f64 = 18.0;
const SCALE: f64 = 20.0;
const GAP: f64 = 14.0;

/// Room for what has not ended.
const AHEAD: Duration = Duration::from_millis(200);

/// The width of a letter, about.
const LETTER: f64 = 6.6;

/// The narrowest and the widest picture, in pixels.
const WIDTHS: (u16, u16) = (240, 2_000);

/// A trace drawn so many pixels wide.
#[derive(Debug)]
pub struct Picture<'a> {
    trace: &'a Trace,
    width: f64,
}

impl<'a> Picture<'a> {
    /// A width that cannot be read is made one that can.
    pub fn new(trace: &'a Trace, width: u16) -> Self {
        Self { trace, width: f64::from(width.clamp(WIDTHS.0, WIDTHS.1)) }
    }
}

impl Display for Picture<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let width = self.width;
        let height = self.trace.turns.iter().map(height_of).sum::<f64>().max(LINE);
        write!(
            f,
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="waterfall" role="img" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" fill="currentColor">"#
        )?;
        write!(f, "<title>Call {}, turn by turn</title>", Escaped(&self.trace.call))?;
        let mut top = 0.0;
        for turn in &self.trace.turns {
            write_turn(f, turn, top, width)?;
            top += height_of(turn);
        }
        f.write_str("</svg>\n")
    }
}

fn height_of(turn: &TurnTrace) -> f64 {
    LINE * (1 + words(turn).count()) as f64 + LANE * lanes_of(turn).count() as f64 + SCALE + GAP
}

/// What hears and speaks by itself is shown where it did, in place of what it stands for.
fn lanes_of(turn: &TurnTrace) -> impl Iterator<Item = Lane> {
    let whole = turn.line.lane(Lane::SpeechToSpeech).next().is_some();
    let served = move |lane: &Lane| match lane {
        Lane::Caller | Lane::Playout => true,
        Lane::Stt | Lane::Llm | Lane::Tts => !whole || turn.line.lane(*lane).next().is_some(),
        Lane::SpeechToSpeech => whole,
    };
    Lane::ALL.into_iter().filter(served)
}

/// What was said in a turn, with who said it.
fn words(turn: &TurnTrace) -> impl Iterator<Item = (&'static str, &str)> {
    let said = turn.said.as_deref().map(|words| ("said", words));
    let heard = turn.heard.as_deref().map(|words| ("heard", words));
    said.into_iter().chain(heard)
}

fn write_turn(f: &mut Formatter<'_>, turn: &TurnTrace, top: f64, width: f64) -> fmt::Result {
    let number = turn.line.turn;
    write!(f, r#"<g class="waterfall-turn" data-turn="{number}" transform="translate(0 {top})">"#)?;
    let mut y = LINE - 5.0;
    write_text(f, 0.0, y, "waterfall-head", &head(turn), width)?;
    for (who, words) in words(turn) {
        y += LINE;
        write_text(f, 0.0, y, "waterfall-words", &format!("{who} “{words}”"), width)?;
    }
    let axis = Axis::new(&moments(turn), LABELS, width - LABELS - FIGURES);
    let lanes = y + 5.0;
    write_ruler(f, turn, &axis, lanes, width)?;
    for (row, lane) in lanes_of(turn).enumerate() {
        write_lane(f, turn, lane, lanes + LANE * row as f64, &axis)?;
    }
    turn.line.restarts.iter().try_for_each(|restart| write_restart(f, turn, restart, lanes, &axis))?;
    f.write_str("</g>")
}

/// What goes on is drawn beyond the last moment that is known.
fn moments(turn: &TurnTrace) -> Vec<Moment> {
    let mut moments = turn.line.moments();
    let open = turn.line.spans.iter().any(|span| span.outcome == Outcome::Open);
    moments.extend(moments.last().filter(|_| open).map(|last| last.after(AHEAD)));
    moments
}

fn head(turn: &TurnTrace) -> String {
    let answer = turn.latency.as_ref().map(|latency| format!(" · answer {:.0} ms", latency.answer_ms));
    let restarts = match turn.line.restarts.len() {
        0 => String::new(),
        1 => " · 1 restart".to_owned(),
        count => format!(" · {count} restarts"),
    };
    format!("Turn {}{}{restarts}", turn.line.turn, answer.unwrap_or_default())
}

/// Where the caller's speech ended, where the answer began, where time is drawn shorter, and the labels of all that.
fn write_ruler(f: &mut Formatter<'_>, turn: &TurnTrace, axis: &Axis, top: f64, width: f64) -> fmt::Result {
    let bottom = top + LANE * lanes_of(turn).count() as f64;
    for label in labels(turn, axis, width) {
        let upper = if label.end { top } else { bottom };
        write_line(f, label.tick, upper..bottom + 4.0, "none", if label.end { "edge" } else { "tick" })?;
        let (class, base) =
            (if label.end { "waterfall-end" } else { "waterfall-step" }, bottom + SCALE - 4.0);
        write!(f, r#"<text class="{class}" x="{:.1}" y="{base}" text-anchor="middle">"#, label.x)?;
        write!(f, "{}</text>", label.words)?;
    }
    axis.breaks().try_for_each(|x| write_line(f, x, top..bottom, "1 3", "break"))
}

/// What cannot be counted from the end of the caller's speech is counted from the beginning.
fn labels(turn: &TurnTrace, axis: &Axis, width: f64) -> Vec<Label> {
    let Some(zero) = turn.ended().or_else(|| turn.line.moments().first().copied()) else { return Vec::new() };
    let sounded = turn.line.sounded().map(|at| (at, at.since(zero).as_secs_f64() * 1_000.0));
    scale::labels(axis, zero, sounded, width)
}

fn write_line(f: &mut Formatter<'_>, x: f64, y: Range<f64>, dashes: &str, class: &str) -> fmt::Result {
    let Range { start, end } = y;
    write!(
        f,
        r#"<path class="waterfall-{class}" d="M{x:.1} {start}V{end}" stroke="currentColor" stroke-opacity="0.35" stroke-dasharray="{dashes}"/>"#
    )
}

fn write_lane(f: &mut Formatter<'_>, turn: &TurnTrace, lane: Lane, y: f64, axis: &Axis) -> fmt::Result {
    let base = y + LANE - 6.0;
    write!(f, r#"<text x="0" y="{base}">{}</text>"#, lane.name())?;
    for span in turn.line.lane(lane) {
        write_span(f, span, y + (LANE - BAR) / 2.0, axis)?;
    }
    if let Some(figure) = turn.line.lane(lane).last().and_then(figure) {
        let x = axis.end() + FIGURES;
        write!(f, r#"<text x="{x}" y="{base}" text-anchor="end">{figure}</text>"#)?;
    }
    Ok(())
}

/// How long the caller was waiting for a stage; how long somebody spoke.
fn figure(span: &Span) -> Option<String> {
    let stage = matches!(span.lane, Lane::Stt | Lane::Llm | Lane::Tts | Lane::SpeechToSpeech);
    let time = if stage { span.wait() } else { span.length() }?;
    Some(if stage { format!("{} ms", time.as_millis()) } else { format!("{:.1} s", time.as_secs_f64()) })
}

/// Up to its first result, or up to the question, a bar is pale.
fn write_span(f: &mut Formatter<'_>, span: &Span, y: f64, axis: &Axis) -> fmt::Result {
    let end = span.end.map_or(axis.end(), |end| axis.x(end));
    let begin = axis.x(span.start);
    let pale_until = match span.lane {
        Lane::Stt => span.asked.map_or(end, |asked| axis.x(asked)),
        Lane::Llm | Lane::Tts | Lane::SpeechToSpeech => span.first.map_or(end, |first| axis.x(first)),
        Lane::Caller | Lane::Playout => begin,
    };
    let (lane, outcome) = (span.lane.name(), class(span.outcome));
    write!(f, r#"<g class="lane-{lane} {outcome}" fill="{}">"#, colour(span.lane))?;
    write!(f, "<title>{}</title>", tip(span))?;
    write_bar(f, begin, pale_until, y, 0.4)?;
    write_bar(f, pale_until, end, y, solid(span.outcome))?;
    f.write_str("</g>")
}

fn write_bar(f: &mut Formatter<'_>, from: f64, to: f64, y: f64, opacity: f64) -> fmt::Result {
    if to <= from {
        return Ok(());
    }
    // What took no time is to be seen as well.
    let width = (to - from).max(1.5);
    write!(
        f,
        r#"<rect x="{from:.1}" y="{y}" width="{width:.1}" height="{BAR}" rx="2" fill-opacity="{opacity}"/>"#
    )
}

fn write_restart(
    f: &mut Formatter<'_>,
    turn: &TurnTrace,
    restart: &Restart,
    top: f64,
    axis: &Axis,
) -> fmt::Result {
    let lane = Lane::of(restart.stage).unwrap_or(Lane::Caller);
    let row = lanes_of(turn).position(|other| other == lane).unwrap_or(0);
    let (x, y) = (axis.x(restart.at), top + LANE * row as f64 + LANE / 2.0);
    let stage = stage_name(restart.stage);
    let cause = restart.cause.map(|cause| format!(": {}", cause.name())).unwrap_or_default();
    write!(
        f,
        r##"<g class="waterfall-restart" data-stage="{stage}"><title>{stage} dies{cause}</title><path d="M{:.1} {:.1}l8 8m0 -8l-8 8" stroke="#c0392b" stroke-width="2.5" fill="none"/></g>"##,
        x - 4.0,
        y - 4.0
    )
}

fn write_text(f: &mut Formatter<'_>, x: f64, y: f64, class: &str, words: &str, width: f64) -> fmt::Result {
    let room = ((width - x) / LETTER) as usize;
    write!(f, r#"<text class="{class}" x="{x}" y="{y}">{}</text>"#, Escaped(&shortened(words, room)))
}

fn shortened(words: &str, room: usize) -> String {
    if words.chars().count() <= room {
        return words.to_owned();
    }
    let kept: String = words.chars().take(room.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

fn tip(span: &Span) -> String {
    let moment = |name: &str, at: Option<Moment>| at.map(|at| format!(", {name} {at} s")).unwrap_or_default();
    let (lane, outcome) = (span.lane.name(), class(span.outcome));
    let (asked, first, end) =
        (moment("asked", span.asked), moment("first result", span.first), moment("end", span.end));
    format!("{lane}: begins {} s{asked}{first}{end}, {outcome}", span.start)
}

fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Open => "open",
        Outcome::Done => "done",
        Outcome::Cancelled => "cancelled",
        Outcome::Wasted => "wasted",
        Outcome::Lost => "lost",
        Outcome::Paused => "paused",
        Outcome::Unfinished => "unfinished",
    }
}

fn solid(outcome: Outcome) -> f64 {
    if matches!(outcome, Outcome::Wasted | Outcome::Lost) { 0.4 } else { 1.0 }
}

/// Seen on white and on black.
fn colour(lane: Lane) -> &'static str {
    match lane {
        Lane::Caller => "#5b86b8",
        Lane::Stt => "#3c7fc0",
        Lane::Llm => "#8460bd",
        Lane::Tts => "#cf7f2c",
        Lane::SpeechToSpeech => "#8460bd",
        Lane::Playout => "#3d9472",
    }
}

/// Text between tags.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| match letter {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            // XML has no place for most of them, escaped or not.
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => f.write_str(" "),
            letter => write!(f, "{letter}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Timeline;
    use super::*;
    use ringway_frame::MediaTime;
    use ringway_turn::{Mark, StageKind, Step, TurnNumber};

    fn picture(width: u16, heard: &str) -> String {
        let mut timeline = Timeline::default();
        let steps =
            [Step::SpeechBegan, Step::Began(StageKind::Llm), Step::Lost(StageKind::Llm), Step::Sounding];
        for (index, step) in steps.into_iter().enumerate() {
            let at = MediaTime::from_millis(100 * (1 + index as u64));
            timeline.mark(&Mark { turn: TurnNumber::new(1), at, step });
        }
        let mut turns = TurnTrace::all(&timeline, &[], &[]);
        turns[0].heard = Some(heard.to_owned());
        let (call, started_at) = ("0".repeat(32), "2026-11-20T12:00:00Z".to_owned());
        let (edge, state, end_reason, dropped_turns) = (None, "listening", None, 0);
        let trace = Trace { call, edge, state, started_at, end_reason, dropped_turns, turns };
        Picture::new(&trace, width).to_string()
    }

    #[test]
    fn what_was_said_is_text_and_no_markup() {
        let drawn = picture(900, "<script>\u{0}&amp; \"so\"</script>");
        assert!(drawn.contains("&lt;script&gt; &amp;amp; \"so\"&lt;/script&gt;"), "{drawn}");
        assert!(!drawn.contains("<script") && !drawn.contains("style="));
    }

    #[test]
    fn a_picture_has_the_width_that_was_asked_for_within_bounds() {
        for (asked, drawn) in [(0, 240), (360, 360), (u16::MAX, 2_000)] {
            assert!(picture(asked, "yes").contains(&format!("viewBox=\"0 0 {drawn} ")));
        }
    }

    #[test]
    fn the_time_axis_has_its_labels_at_every_width() {
        for width in [240, 280, 360, 390, 900, 2_000] {
            let drawn = picture(width, "yes");
            for label in [">0 ms</text>", ">+300 ms</text>"] {
                assert!(drawn.contains(label), "{label} at {width} in {drawn}");
            }
        }
    }

    #[test]
    fn long_words_are_cut_to_the_width() {
        let drawn = picture(240, &"word ".repeat(100));
        assert!(drawn.contains('…') && !drawn.contains(&"word ".repeat(20)));
    }

    #[test]
    fn what_goes_on_has_a_bar_and_what_died_a_cross() {
        let drawn = picture(360, "yes");
        for lane in ["lane-caller open", "lane-llm lost", "lane-playout open"] {
            let bar = drawn.split_once(lane).map(|(_, rest)| rest.split("</g>").next().unwrap_or_default());
            assert!(bar.is_some_and(|bar| bar.contains("<rect")), "{lane} in {drawn}");
        }
        assert!(drawn.contains("waterfall-restart"));
    }
}
