//! What a caller does, step by step.

use std::ops::Range;
use std::time::Duration;

/// What callers do: an opening once, then rounds for as long as the run lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Its name on the command line and in reports.
    pub name: &'static str,
    opening: &'static [Step],
    round: &'static [Step],
}

/// One thing that a caller does before the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Waits for the end of the bot's first words; no longer than this for their beginning.
    AwaitGreeting(Duration),
    /// Says something, then goes on at the end of its last loud frame.
    Say,
    /// As [`Step::Say`], over the bot's words: measures how fast the bot falls silent.
    Interrupt,
    /// Waits for the first loud frame of the answer, or until it counts as missing.
    AwaitAnswer,
    /// Lets the bot speak for so long, from the first loud frame of its answer on.
    Listen(Range<Duration>),
    /// Waits until the bot has said all.
    AwaitQuiet,
    /// Is silent for so long.
    Think(Range<Duration>),
}

/// No scenario has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no scenario {0:?}; there are: {names}", names = names())]
pub struct UnknownScenario(String);

const GREETING_WITHIN: Step = Step::AwaitGreeting(Duration::from_secs(3));
const THINK: Step = Step::Think(Duration::from_millis(500)..Duration::from_millis(2_000));
const LISTEN: Step = Step::Listen(Duration::from_millis(300)..Duration::from_millis(900));

/// All that come with the tester.
const BUILT_IN: [Scenario; 2] = [
    Scenario {
        name: "chat",
        opening: &[GREETING_WITHIN],
        round: &[Step::Say, Step::AwaitAnswer, Step::AwaitQuiet, THINK],
    },
    Scenario {
        name: "barge_in",
        opening: &[GREETING_WITHIN],
        round: &[
            Step::Say,
            Step::AwaitAnswer,
            LISTEN,
            Step::Interrupt,
            Step::AwaitAnswer,
            Step::AwaitQuiet,
            THINK,
        ],
    },
];

impl Scenario {
    /// The built-in scenario of this name.
    pub fn named(name: &str) -> Result<Self, UnknownScenario> {
        let found = BUILT_IN.into_iter().find(|scenario| scenario.name == name);
        found.ok_or_else(|| UnknownScenario(name.to_owned()))
    }

    /// The `number`th step from the beginning, rounds repeated without end.
    pub fn step(&self, number: usize) -> &Step {
        match number.checked_sub(self.opening.len()) {
            None => &self.opening[number],
            Some(number) => &self.round[number % self.round.len()],
        }
    }
}

/// The names of all built-in scenarios.
fn names() -> String {
    BUILT_IN.map(|scenario| scenario.name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_opening_comes_once_and_rounds_repeat() {
        let chat = Scenario::named("chat").unwrap();
        assert_eq!(chat.step(0), &GREETING_WITHIN);
        for round in 0..3 {
            assert_eq!(chat.step(1 + 4 * round), &Step::Say);
            assert_eq!(chat.step(4 + 4 * round), &THINK);
        }
    }

    #[test]
    fn an_unknown_scenario_is_refused_with_the_names_of_all() {
        let error = Scenario::named("chatt").unwrap_err();
        assert_eq!(error.to_string(), r#"there is no scenario "chatt"; there are: chat, barge_in"#);
    }
}
