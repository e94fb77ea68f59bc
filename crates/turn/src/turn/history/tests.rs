use super::*;
use crate::tokens::AROUND_MESSAGE;
use crate::{Config, Input, Output};
use proptest::prelude::*;
use ringway_frame::MediaTime;

const BUDGET: u32 = 200;

fn turn() -> Turn {
    let mut turn = Turn::new(Config { context_tokens: BUDGET, ..Config::default() });
    turn.handle(Input::Started, MediaTime::ZERO);
    drain(&mut turn);
    turn
}

fn drain(turn: &mut Turn) -> Vec<Command> {
    let command = || match turn.poll() {
        Output::Command(command) => Some(command),
        Output::Timeout(_) => None,
    };
    std::iter::from_fn(command).collect()
}

/// Words of so many tokens, the message's own few included.
fn words(tokens: usize) -> String {
    "a".repeat((tokens - AROUND_MESSAGE as usize) * 4)
}

fn exchange(turn: &mut Turn, tokens: usize) -> Vec<Command> {
    turn.keep_caller(words(tokens), None);
    turn.keep_bot(words(tokens));
    drain(turn)
}

fn wanted(commands: &[Command]) -> Option<(SummaryId, Context)> {
    commands.iter().find_map(|command| match command {
        Command::Summarise { summary, context, .. } => Some((*summary, context.clone())),
        _ => None,
    })
}

fn answer(turn: &mut Turn, summary: SummaryId, text: Option<&str>) -> Vec<Command> {
    let text = text.map(str::to_owned);
    turn.handle(Input::Summarised { summary, text }, MediaTime::ZERO);
    drain(turn)
}

#[test]
fn the_oldest_turns_become_a_summary_before_the_budget_is_reached() {
    let mut turn = turn();
    assert_eq!([wanted(&exchange(&mut turn, 20)), wanted(&exchange(&mut turn, 20))], [None, None]);
    assert_eq!(wanted(&exchange(&mut turn, 20)), None, "120 of 200");
    let (summary, context) = wanted(&exchange(&mut turn, 20)).expect("160 of 200");
    assert_eq!(context.messages.len(), 4, "down to half");
    assert_eq!(wanted(&exchange(&mut turn, 5)), None, "one at a time");
    let told = answer(&mut turn, summary, Some("They greeted each other."));
    let tokens = 90 + 6 + AROUND_MESSAGE;
    assert_eq!(told, [Command::Event(Event::Summarised { turn: turn.turn, messages: 4, tokens })]);
    assert_eq!((turn.context.summary.as_str(), turn.context.messages.len()), ("They greeted each other.", 6));
}

#[test]
fn an_earlier_summary_is_part_of_the_next() {
    let mut turn = turn();
    (0..3).for_each(|_| drop(exchange(&mut turn, 20)));
    let (summary, _) = wanted(&exchange(&mut turn, 20)).unwrap();
    answer(&mut turn, summary, Some("First."));
    let again = (0..4).find_map(|_| wanted(&exchange(&mut turn, 20))).unwrap();
    assert_eq!(again.1.summary, "First.");
}

#[test]
fn when_no_summary_comes_whole_turns_are_forgotten_and_told() {
    let mut turn = turn();
    (0..3).for_each(|_| drop(exchange(&mut turn, 20)));
    let (summary, _) = wanted(&exchange(&mut turn, 20)).unwrap();
    let told = answer(&mut turn, summary, None);
    assert_eq!(told, [Command::Event(Event::NotSummarised { turn: turn.turn })]);
    assert_eq!(wanted(&exchange(&mut turn, 20)), None, "it rests for a while");
    let told = exchange(&mut turn, 20);
    let forgotten = Event::Forgotten { turn: turn.turn, messages: 2, tokens: 180 };
    assert_eq!(told, [Command::Event(forgotten)], "the caller's words alone were too many already");
    assert!((0..4).any(|_| wanted(&exchange(&mut turn, 20)).is_some()), "and is tried again");
}

#[test]
fn a_summary_that_comes_late_stands_for_what_was_forgotten() {
    let mut turn = turn();
    (0..3).for_each(|_| drop(exchange(&mut turn, 20)));
    let (summary, _) = wanted(&exchange(&mut turn, 20)).unwrap();
    (0..3).for_each(|_| drop(exchange(&mut turn, 40)));
    let kept = turn.context.messages.len();
    answer(&mut turn, summary, Some("Long ago."));
    assert_eq!((turn.context.summary.as_str(), turn.context.messages.len()), ("Long ago.", kept));
    let told = answer(&mut turn, summary, Some("Twice."));
    assert_eq!((told.len(), turn.context.summary.as_str()), (0, "Long ago."), "it is answered once");
}

#[test]
fn what_tools_said_counts_with_the_words_that_they_were_called_for() {
    let mut turn = turn();
    turn.tool_said(120);
    let first = exchange(&mut turn, 10);
    assert_eq!((wanted(&first), turn.context_tokens()), (None, 140));
    let told = exchange(&mut turn, 35);
    assert!(told.contains(&Command::Event(Event::Forgotten { turn: turn.turn, messages: 2, tokens: 70 })));
    assert_eq!(turn.context_tokens(), 70, "they went together");
}

#[test]
fn estimates_follow_what_services_count() {
    let mut turn = turn();
    exchange(&mut turn, 50);
    for (tokens, estimated, expected) in [(30, 20, 100), (3_000, 100, 100), (150, 100, 150), (100, 100, 138)]
    {
        let usage = Input::Usage { tokens, estimated, cache_read: 0, cache_written: 0 };
        turn.handle(usage, MediaTime::ZERO);
        assert_eq!(turn.context_tokens(), expected, "{tokens} for {estimated}");
    }
}

#[test]
fn without_a_budget_only_messages_are_counted() {
    let config = Config { context_tokens: 0, context_messages: 3, ..Config::default() };
    let mut turn = Turn::new(config);
    for _ in 0..4 {
        assert_eq!(exchange(&mut turn, 1_000), []);
    }
    assert_eq!(turn.context.messages.len(), 3);
}

#[derive(Clone, Debug)]
enum Step {
    Keep(Speaker, usize),
    Tool(u32),
    Usage(u32),
    Summary(Option<usize>),
}

fn step() -> impl Strategy<Value = Step> {
    let who = prop_oneof![Just(Speaker::Caller), Just(Speaker::Bot)];
    prop_oneof![
        6 => (who, 0..600_usize).prop_map(|(who, bytes)| Step::Keep(who, bytes)),
        1 => (0..80_u32).prop_map(Step::Tool),
        1 => (20..350_u32).prop_map(Step::Usage),
        2 => prop::option::of(0..900_usize).prop_map(Step::Summary),
    ]
}

/// What was kept in all, and the account of it.
#[derive(Default)]
struct Account {
    kept: Vec<Message>,
    gone: usize,
    running: Option<SummaryId>,
}

impl Account {
    fn do_step(&mut self, turn: &mut Turn, step: Step) {
        match step {
            Step::Keep(who, bytes) => {
                let text = format!("{} {}", self.kept.len(), "x".repeat(bytes));
                self.kept.push(Message { who, party: None, text: text.clone() });
                match who {
                    Speaker::Caller => turn.keep_caller(text, None),
                    Speaker::Bot => turn.keep_bot(text),
                }
            }
            Step::Tool(tokens) => turn.tool_said(tokens),
            Step::Usage(tokens) => turn.calibrate(tokens, 100),
            Step::Summary(bytes) => {
                let Some(summary) = self.running.take() else { return };
                turn.summarised(summary, bytes.map(|bytes| "s ".repeat(bytes / 2)));
            }
        }
    }

    fn read(&mut self, turn: &Turn, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Summarise { summary, context, .. } => {
                    assert_eq!(self.running.replace(summary), None, "one at a time");
                    assert!(turn.context.messages.starts_with(&context.messages));
                    assert!(context.messages.len() < turn.context.messages.len());
                }
                Command::Event(Event::Forgotten { messages, .. } | Event::Summarised { messages, .. }) => {
                    self.go(messages as usize);
                }
                _ => {}
            }
        }
    }

    /// The oldest messages go: whole turns, unless there is but one.
    fn go(&mut self, messages: usize) {
        let were = &self.kept[self.gone..];
        let whole = messages == 0 || were.get(messages).is_none_or(|next| next.who == Speaker::Caller);
        assert!(whole || first_turn(were) == were.len(), "{messages} of {were:?}");
        self.gone += messages;
    }

    fn check(&self, turn: &Turn) {
        let messages = &turn.context.messages;
        assert!(turn.context_tokens() <= BUDGET || messages.len() <= 1, "{} tokens", turn.context_tokens());
        assert!(self.kept.ends_with(messages), "the newest, in their order");
        assert_eq!(self.kept.len(), self.gone + messages.len(), "nothing goes untold");
        assert_eq!(turn.history.weights.len(), messages.len());
    }
}

proptest! {
    #[test]
    fn the_context_stays_within_its_budget(steps in prop::collection::vec(step(), 0..80)) {
        let (mut turn, mut account) = (turn(), Account::default());
        for step in steps {
            account.do_step(&mut turn, step);
            let commands = drain(&mut turn);
            account.read(&turn, commands);
            account.check(&turn);
        }
    }
}
