use super::diagnostic::{Place, Problems};
use super::reader::{Lines, Table, Text};
use super::script::{Action, Choice, Fallback, Finally, Pattern, Phrase, Script, State};
use super::template::{Template, is_slot_name};
use crate::spoken;
use crate::transfer::Destination;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use toml::de::DeTable;

/// Reads a dialogue, reporting all that is wrong with its form. `None` when it is no TOML: parts may be missing then, so
/// that nothing can be told of where its states lead.
pub(super) fn parse(name: &str, text: &str, problems: &mut Problems) -> Option<Script> {
    let lines = Lines::of(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    syntax(&errors, &lines, problems);
    let place = Place { line: 1, key: String::new() };
    let script = Reader { problems }.script(name, Table::new(document.get_ref(), &lines, place));
    errors.is_empty().then_some(script)
}

/// The first error of each line: those behind it follow from it.
fn syntax(errors: &[toml::de::Error], lines: &Lines, problems: &mut Problems) {
    let mut told = BTreeSet::new();
    for error in errors {
        let line = lines.line(error.span().map_or(0, |span| span.start));
        if told.insert(line) {
            problems.report(&Place { line, key: String::new() }, error.message());
        }
    }
}

struct Reader<'p> {
    problems: &'p mut Problems,
}

impl Reader<'_> {
    fn script(&mut self, name: &str, mut table: Table<'_>) -> Script {
        let script = Script {
            name: name.to_owned(),
            file: self.problems.file().to_owned(),
            start: self.start(&mut table),
            machine: table.string("machine", self.problems).map(|machine| (machine.place, machine.value)),
            states: table.table("state", self.problems).map(|states| self.states(states)).unwrap_or_default(),
            everywhere: self.choices("everywhere", &mut table),
            no_match: self.fallback("no_match", &mut table),
            no_input: self.fallback("no_input", &mut table),
        };
        table.finish(self.problems);
        script
    }

    fn start(&mut self, table: &mut Table<'_>) -> String {
        if !table.has("start") {
            let place = Place { line: table.place.line, key: "start".to_owned() };
            self.problems.report(&place, "missing: it names the first state");
        }
        table.string("start", self.problems).map(|start| start.value).unwrap_or_default()
    }

    fn states(&mut self, states: Table<'_>) -> BTreeMap<String, State> {
        let tables = states.into_tables(self.problems);
        tables.into_iter().map(|(name, table)| (name, self.state(table))).collect()
    }

    fn state(&mut self, mut table: Table<'_>) -> State {
        let state = State {
            place: table.place.clone(),
            prompt: self.template("prompt", &mut table).unwrap_or_default(),
            again: self.template("again", &mut table),
            choices: self.choices("choice", &mut table),
            action: self.action(&mut table, false),
            no_match: self.fallback("no_match", &mut table),
            no_input: self.fallback("no_input", &mut table),
        };
        table.finish(self.problems);
        state
    }

    fn choices(&mut self, key: &'static str, table: &mut Table<'_>) -> Vec<Choice> {
        table.tables(key, self.problems).into_iter().map(|table| self.choice(table)).collect()
    }

    fn choice(&mut self, mut table: Table<'_>) -> Choice {
        let choice = Choice {
            place: table.place.clone(),
            patterns: self.patterns(&mut table),
            keys: self.keys(&mut table),
            slot: self.slot(&mut table),
            set: table.table("set", self.problems).map(|set| self.set(set)).unwrap_or_default(),
            say: self.template("say", &mut table),
            action: self.action(&mut table, true),
        };
        if choice.patterns.is_empty() && choice.keys.is_empty() {
            let message = "answers to nothing: give it phrases, keys, answer, digits or number";
            self.problems.report(&choice.place, message);
        }
        table.finish(self.problems);
        choice
    }

    fn patterns(&mut self, table: &mut Table<'_>) -> Vec<Pattern> {
        let mut patterns = Vec::new();
        for text in table.strings("phrases", self.problems) {
            patterns.extend(self.phrase(text).map(Pattern::Phrase));
        }
        for text in table.strings("answer", self.problems) {
            patterns.extend(self.answer(&text));
        }
        let digits = table.string("digits", self.problems);
        patterns.extend(digits.and_then(|text| self.range(&text, 1..=MOST_DIGITS)).map(Pattern::Digits));
        let number = table.string("number", self.problems);
        patterns.extend(number.and_then(|text| self.range(&text, 0..=99)).map(Pattern::Number));
        patterns
    }

    fn phrase(&mut self, text: Text) -> Option<Phrase> {
        let plain = plain(&text.value);
        if spoken::words(&plain).is_empty() {
            self.problems.report(&text.place, "has no words");
            return None;
        }
        if plain != text.value {
            let message = format!("must be in small letters, without punctuation: write {plain:?}");
            self.problems.report(&text.place, message);
        }
        Some(Phrase { place: text.place, text: plain })
    }

    fn answer(&mut self, text: &Text) -> Option<Pattern> {
        let pattern = match text.value.as_str() {
            "yes" => Pattern::Yes,
            "no" => Pattern::No,
            "day" => Pattern::Day,
            "time" => Pattern::Time,
            "anything" => Pattern::Anything,
            _ => {
                let message = format!("must be yes, no, day, time or anything, not {:?}", text.value);
                self.problems.report(&text.place, message);
                return None;
            }
        };
        Some(pattern)
    }

    /// `"4"` or `"1..3"`, both ends included.
    fn range(&mut self, text: &Text, within: RangeInclusive<u8>) -> Option<RangeInclusive<u8>> {
        let (low, high) = text.value.split_once("..").unwrap_or((&text.value, &text.value));
        let range = match (low.trim().parse::<u8>(), high.trim().parse::<u8>()) {
            (Ok(low), Ok(high)) if low <= high => Some(low..=high),
            _ => None,
        };
        let range = range.filter(|range| within.contains(range.start()) && within.contains(range.end()));
        if range.is_none() {
            let (low, high) = within.into_inner();
            let message = format!("must be like \"{low}\" or \"{low}..{high}\", within {low} and {high}");
            self.problems.report(&text.place, message);
        }
        range
    }

    fn keys(&mut self, table: &mut Table<'_>) -> Vec<String> {
        let mut keys = table.strings("keys", self.problems);
        keys.retain(|text| {
            let good = (1..=usize::from(MOST_DIGITS)).contains(&text.value.len())
                && text.value.bytes().all(|key| key.is_ascii_digit() || matches!(key, b'*' | b'#'));
            if !good {
                self.problems.report(&text.place, "must be keys of a telephone: 0 to 9, * and #");
            } else if text.value.len() > 1 && text.value.contains('#') {
                self.problems.report(
                    &text.place,
                    "# ends an answer: it can be an answer of its own, but no part of one",
                );
            }
            good
        });
        keys.into_iter().map(|text| text.value).collect()
    }

    fn slot(&mut self, table: &mut Table<'_>) -> Option<String> {
        let text = table.string("slot", self.problems)?;
        self.slot_name(text)
    }

    fn set(&mut self, set: Table<'_>) -> Vec<(String, String)> {
        let mut values = Vec::new();
        for (name, Text { value, place }) in set.into_strings(self.problems) {
            values.extend(self.slot_name(Text { value: name, place }).map(|name| (name, value)));
        }
        values
    }

    fn slot_name(&mut self, text: Text) -> Option<String> {
        if is_slot_name(&text.value) {
            return Some(text.value);
        }
        self.problems.report(&text.place, "a slot's name is made of small letters, digits and _");
        None
    }

    fn fallback(&mut self, key: &'static str, table: &mut Table<'_>) -> Option<Fallback> {
        let mut table = table.table(key, self.problems)?;
        let say = table.strings("say", self.problems);
        let fallback = Fallback {
            place: table.place.clone(),
            say: say.into_iter().filter_map(|text| self.text(text)).collect(),
            limit: table.count("limit", self.problems),
            finally: table
                .table("finally", self.problems)
                .map(|finally| self.finally(finally))
                .unwrap_or_default(),
        };
        table.finish(self.problems);
        Some(fallback)
    }

    fn finally(&mut self, mut table: Table<'_>) -> Finally {
        let finally =
            Finally { say: self.template("say", &mut table), action: self.action(&mut table, false) };
        table.finish(self.problems);
        finally
    }

    fn action(&mut self, table: &mut Table<'_>, may_repeat: bool) -> Option<Action> {
        let place = table.place.clone();
        let goto = table.string("goto", self.problems);
        let goto = goto.map(|text| Action::Goto { place: text.place, state: text.value });
        let transfer = self.template("transfer", table).map(|to| self.checked_target(to));
        let hang_up = table.flag("hang_up", self.problems).then_some(Action::HangUp);
        let repeat = (may_repeat && table.flag("repeat", self.problems)).then_some(Action::Repeat);
        let mut actions = [goto, transfer, hang_up, repeat].into_iter().flatten();
        let action = actions.next();
        if actions.next().is_some() {
            self.problems.report(&place, "may do only one of goto, transfer, hang_up and repeat");
        }
        action
    }

    fn checked_target(&mut self, to: Template) -> Action {
        let target = to.render(&Default::default());
        let problem = if to.slots().next().is_none() {
            Destination::written(&target).err().map(|error| error.to_string())
        } else {
            let dialable = |c: char| c.is_ascii_digit() || c == '+';
            (!target.chars().all(dialable))
                .then(|| "must be a telephone number where a slot is in it".to_owned())
        };
        problem.into_iter().for_each(|problem| self.problems.report(&to.place, problem));
        Action::Transfer(to)
    }

    fn template(&mut self, key: &'static str, table: &mut Table<'_>) -> Option<Template> {
        let text = table.string(key, self.problems)?;
        self.text(text)
    }

    fn text(&mut self, text: Text) -> Option<Template> {
        match Template::parse(&text.value, text.place.clone()) {
            Ok(template) => Some(template),
            Err(error) => {
                self.problems.report(&text.place, error.to_string());
                None
            }
        }
    }
}

/// Small letters, digits and apostrophes, separated by single blanks.
fn plain(text: &str) -> String {
    let kept = |c: char| if c.is_alphanumeric() || c == '\'' { c } else { ' ' };
    let text: String = text.to_lowercase().chars().map(kept).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// More than a payment card's 19 digits is no answer to a telephone menu.
const MOST_DIGITS: u8 = 20;
