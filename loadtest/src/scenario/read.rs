//! Scenarios in TOML; docs/operate/load-testing.md lists the steps.

use super::table::{self, Table, Value};
use super::{Conditions, Kind, Problems, Step, Words};
use crate::repertoire::Repertoire;
use crate::voice::{Pause, Source};
use std::ops::Range;
use std::path::Path;
use std::time::Duration;
use toml::de::{DeTable, DeValue};

/// Everything that a step can be.
const STEPS: [&str; 16] = [
    "await_greeting",
    "say",
    "await_answer",
    "hear_out",
    "think",
    "silence",
    "barge_in",
    "double_talk",
    "cough",
    "mhm",
    "noise",
    "dtmf",
    "hang_up",
    "network",
    "stall",
    "repeat",
];

/// For the beginning of a greeting, where the scenario says nothing.
const GREETING_WITHIN: Duration = Duration::from_secs(3);

/// Into the bot's answer, where the scenario says nothing.
const AFTER: Range<Duration> = Duration::from_millis(300)..Duration::from_millis(900);

/// Of a caller's own word, before it hangs up.
const MID_WORD: Range<Duration> = Duration::from_millis(200)..Duration::from_millis(500);

/// Reads all kinds of calls of a scenario; what they say is added to `repertoire`.
pub(super) fn kinds(text: &str, path: &Path, repertoire: &mut Repertoire) -> Result<Vec<Kind>, Problems> {
    let mut problems = Problems::new(path, text);
    let (document, mistakes) = DeTable::parse_recoverable(text);
    for mistake in mistakes {
        problems.report(mistake.span().map_or(0, |span| span.start), mistake.message());
    }
    let directory = path.parent().unwrap_or(Path::new(""));
    let mut reader = Reader { directory, repertoire, problems };
    let kinds = reader.scenario(Table::new(document.get_ref(), 0));
    if reader.problems.is_empty() { Ok(kinds) } else { Err(reader.problems.sorted()) }
}

struct Reader<'r> {
    /// What paths are relative to.
    directory: &'r Path,
    repertoire: &'r mut Repertoire,
    problems: Problems,
}

impl Reader<'_> {
    fn scenario(&mut self, mut table: Table<'_>) -> Vec<Kind> {
        if let Some(about) = table.take("about") {
            table::string(about, "about", &mut self.problems);
        }
        let kinds = table.take("kind").map(|kinds| table::list(kinds, "kind", &mut self.problems));
        let Some(kinds) = kinds else {
            let kind = self.kind_steps(&mut table);
            table.finish(&mut self.problems);
            return vec![kind];
        };
        table.finish(&mut self.problems);
        kinds.iter().filter_map(|kind| self.kind(kind)).collect()
    }

    fn kind(&mut self, value: &Value<'_>) -> Option<Kind> {
        let mut table = Table::of(value, "kind", &mut self.problems)?;
        if let Some(name) = table.take("name") {
            table::string(name, "name", &mut self.problems);
        }
        let share = table.take("share");
        let share = share.and_then(|share| table::whole(share, "share", 1..1_001, &mut self.problems));
        let kind = self.kind_steps(&mut table);
        table.finish(&mut self.problems);
        Some(Kind { share: share.unwrap_or(1), ..kind })
    }

    fn kind_steps(&mut self, table: &mut Table<'_>) -> Kind {
        let opening = table.take("opening").map(|steps| self.steps(steps)).unwrap_or_default();
        let round_at = table.take("round");
        let round = round_at.map(|steps| self.steps(steps)).unwrap_or_default();
        if !self.problems.is_empty() {
            // Steps with mistakes are left out: what is left says nothing of the whole.
        } else if opening.is_empty() && round.is_empty() {
            self.problems.report(table.at(), "nothing is done: steps are listed in opening and round");
        } else if let Some(value) = round_at.filter(|_| !round.iter().any(Step::takes_time)) {
            let what = "a round takes no time: something must be said, pressed or thought in it";
            self.problems.report(value.span().start, what);
        }
        Kind { share: 1, opening, round }
    }

    fn steps(&mut self, value: &Value<'_>) -> Vec<Step> {
        let steps = table::list(value, "a list of steps", &mut self.problems);
        steps.iter().flat_map(|step| self.step(step)).collect()
    }

    /// A step is its name, or a table of one key: its name.
    fn step(&mut self, value: &Value<'_>) -> Vec<Step> {
        let at = value.span().start;
        match value.get_ref() {
            DeValue::String(name) => self.named(name, at, None),
            DeValue::Table(step) => match Table::new(step, at).only() {
                Some((name, at, options)) => self.named(name, at, Some(options)),
                None => self.no_step(at, "a step is its name, or a table with its name as the only key"),
            },
            other => self.no_step(at, &format!("a step is no {}", other.type_str())),
        }
    }

    fn no_step(&mut self, at: usize, why: &str) -> Vec<Step> {
        self.problems.report(at, why);
        Vec::new()
    }

    fn named(&mut self, name: &str, at: usize, options: Option<&Value<'_>>) -> Vec<Step> {
        match (name, options) {
            ("await_greeting", None) => vec![Step::AwaitGreeting(GREETING_WITHIN)],
            ("await_greeting", Some(within)) => {
                let within = table::time(within, name, &mut self.problems);
                within.map(Step::AwaitGreeting).into_iter().collect()
            }
            ("await_answer", None) => vec![Step::AwaitAnswer],
            ("hear_out", None) => vec![Step::HearOut],
            ("say", options) => self.say(options, at),
            ("think" | "silence", Some(range)) => {
                self.range(range, name).map(Step::Think).into_iter().collect()
            }
            ("stall", Some(range)) => self.range(range, name).map(Step::Stall).into_iter().collect(),
            ("barge_in", options) => self.over(options, at, AFTER, &Source::Any, Step::Interrupt),
            ("double_talk", options) => {
                self.over(options, at, Duration::ZERO..Duration::ZERO, &Source::Any, Step::Interrupt)
            }
            ("cough", options) => self.over(options, at, AFTER, &Source::Cough, Step::Burst),
            ("mhm", options) => self.over(options, at, AFTER, &Source::Mhm, Step::Burst),
            ("noise", Some(options)) => self.over(Some(options), at, AFTER, &Source::Cough, Step::Burst),
            ("dtmf", Some(keys)) => self.dtmf(keys),
            ("hang_up", options) => self.hang_up(options, at),
            ("network", Some(options)) => self.network(options),
            ("repeat", Some(options)) => self.repeat(options),
            ("think" | "silence" | "stall" | "noise" | "dtmf" | "network" | "repeat", None) => {
                self.no_step(at, &format!("{name} needs a value: {{ {name} = ... }}"))
            }
            ("await_answer" | "hear_out", Some(_)) => self.no_step(at, &format!("{name:?} takes no value")),
            _ => self.no_step(at, &format!("unknown step {name:?}; there are: {}", STEPS.join(", "))),
        }
    }

    fn range(&mut self, value: &Value<'_>, what: &str) -> Option<Range<Duration>> {
        table::range(value, what, &mut self.problems)
    }

    fn say(&mut self, options: Option<&Value<'_>>, at: usize) -> Vec<Step> {
        let Some(options) = options else {
            return self.words(vec![(at, Source::Any)], None).map(Step::Say).into_iter().collect();
        };
        let Some(mut table) = Table::of(options, "say", &mut self.problems) else { return Vec::new() };
        let words = self.said(&mut table, &Source::Any);
        table.finish(&mut self.problems);
        words.map(Step::Say).into_iter().collect()
    }

    /// Something said over the bot.
    fn over(
        &mut self,
        options: Option<&Value<'_>>,
        at: usize,
        mut after: Range<Duration>,
        source: &Source,
        step: fn(Words) -> Step,
    ) -> Vec<Step> {
        let words = match options {
            None => self.words(vec![(at, source.clone())], None),
            Some(options) => {
                let Some(mut table) = Table::of(options, "this step", &mut self.problems) else {
                    return Vec::new();
                };
                let given = table.take("after").and_then(|value| self.range(value, "after"));
                after = given.unwrap_or(after);
                let words = self.said(&mut table, source);
                table.finish(&mut self.problems);
                words
            }
        };
        words.map_or_else(Vec::new, |words| vec![Step::Listen(after), step(words)])
    }

    /// `file`, `prompt` or `text`, each one or several, and a `pause`.
    fn said(&mut self, table: &mut Table<'_>, otherwise: &Source) -> Option<Words> {
        let mut sources = Vec::new();
        for (key, source) in SOURCES {
            let given = table.take(key).map(|value| table::strings(value, key, &mut self.problems));
            let given = given.into_iter().flatten();
            sources.extend(given.map(|(at, text)| (at, source(text, self.directory))));
        }
        if sources.is_empty() {
            sources.push((table.at(), otherwise.clone()));
        }
        let pause = table.take("pause").and_then(|pause| self.pause(pause));
        self.words(sources, pause)
    }

    fn pause(&mut self, value: &Value<'_>) -> Option<Pause> {
        let mut table = Table::of(value, "pause", &mut self.problems)?;
        let mut time = |key| {
            let value = table.take(key);
            if value.is_none() {
                self.problems.report(value_at(value, table.at()), format!("a pause needs its {key}"));
            }
            value.and_then(|value| table::time(value, key, &mut self.problems))
        };
        let (after, length) = (time("after"), time("length"));
        table.finish(&mut self.problems);
        Some(Pause { after: after?, length: length? })
    }

    /// Loads what is said; all that cannot be is reported.
    fn words(&mut self, sources: Vec<(usize, Source)>, pause: Option<Pause>) -> Option<Words> {
        let mut words = Vec::new();
        for (at, source) in sources {
            match self.repertoire.learn(source, pause) {
                Ok(numbers) => words.extend(numbers),
                Err(error) => self.problems.report(at, error.to_string()),
            }
        }
        (!words.is_empty()).then(|| words.into())
    }

    fn dtmf(&mut self, value: &Value<'_>) -> Vec<Step> {
        let Some(keys) = table::string(value, "dtmf", &mut self.problems) else { return Vec::new() };
        let is_key = |key: char| matches!(key, '0'..='9' | '*' | '#' | 'A'..='D');
        if keys.is_empty() || !keys.chars().all(is_key) {
            return self.no_step(value.span().start, "dtmf is one or more of 0-9, *, # and A-D");
        }
        vec![Step::Press(keys.chars().collect())]
    }

    /// At once, or after a piece of what is said where there is something to say or a time is given.
    fn hang_up(&mut self, options: Option<&Value<'_>>, at: usize) -> Vec<Step> {
        let Some(options) = options else { return vec![Step::HANG_UP] };
        let Some(mut table) = Table::of(options, "hang_up", &mut self.problems) else { return Vec::new() };
        let abrupt = table.take("abrupt");
        let abrupt = abrupt.is_some_and(|abrupt| table::flag(abrupt, "abrupt", &mut self.problems));
        let after = table.take("after").map(|after| self.range(after, "after").unwrap_or(MID_WORD));
        let words = after.is_some().then(|| self.said(&mut table, &Source::Any)).flatten();
        if after.is_none() {
            let unused = SOURCES.into_iter().filter(|(key, _)| table.take(key).is_some()).count();
            if unused > 0 {
                self.problems.report(at, "hang_up says something only with `after`");
            }
        }
        table.finish(&mut self.problems);
        let begin = words.zip(after).map(|(words, after)| Step::BeginToSay(words, after));
        begin.into_iter().chain([Step::HangUp { abrupt }]).collect()
    }

    fn network(&mut self, options: &Value<'_>) -> Vec<Step> {
        let Some(mut table) = Table::of(options, "network", &mut self.problems) else { return Vec::new() };
        let problems = &mut self.problems;
        let loss = table.take("loss").and_then(|value| table::share(value, "loss", problems));
        let jitter = table.take("jitter").and_then(|value| table::time(value, "jitter", problems));
        let lasts = table.take("for").and_then(|value| table::time(value, "for", problems));
        table.finish(problems);
        let (loss, jitter) = (loss.unwrap_or_default(), jitter.unwrap_or_default());
        vec![Step::Network(Conditions { loss, jitter, lasts })]
    }

    fn repeat(&mut self, options: &Value<'_>) -> Vec<Step> {
        let Some(mut table) = Table::of(options, "repeat", &mut self.problems) else { return Vec::new() };
        let times = table.take("times");
        let times = times.and_then(|times| table::whole(times, "times", 1..1_001, &mut self.problems));
        let steps = table.take("steps").map(|steps| self.steps(steps)).unwrap_or_default();
        let at = table.at();
        table.finish(&mut self.problems);
        let Some(times) = times.filter(|_| !steps.is_empty()) else {
            return self.no_step(at, "repeat needs times and steps");
        };
        if steps.len() * times as usize > MOST_STEPS {
            return self.no_step(at, &format!("that is more than {MOST_STEPS} steps"));
        }
        vec![steps; times as usize].concat()
    }
}

/// Steps that repetitions may unfold into.
const MOST_STEPS: usize = 10_000;

/// Makes a source of a name, and of the directory of the scenario.
type ToSource = fn(&str, &Path) -> Source;

/// The keys by which a step names what is said.
const SOURCES: [(&str, ToSource); 3] = [
    ("file", |path, directory| Source::File(directory.join(path))),
    ("prompt", |name, _| Source::Prompt(name.to_owned())),
    ("text", |text, _| Source::Text(text.to_owned())),
];

fn value_at(value: Option<&Value<'_>>, otherwise: usize) -> usize {
    value.map_or(otherwise, |value| value.span().start)
}

#[cfg(test)]
mod tests;
