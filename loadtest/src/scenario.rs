//! What a caller does, step by step.

mod problem;
mod read;
mod step;
mod table;

pub use problem::Problems;
pub use step::{Conditions, Step, Words};

use crate::repertoire::Repertoire;
use fastrand::Rng;
use std::path::{Path, PathBuf};

/// What callers do: each call is of one kind.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name in reports.
    pub name: String,
    /// At least one.
    kinds: Vec<Kind>,
}

/// One way that a call goes: an opening once, then rounds for as long as the run lasts.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Of the sum of all kinds' shares.
    share: u32,
    opening: Vec<Step>,
    /// Where there is none the caller hangs up after the opening.
    round: Vec<Step>,
}

/// Why there is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// No scenario has this name.
    #[error("there is no scenario {0:?}; there are: {names}, or a FILE.toml", names = names())]
    Unknown(String),
    /// The file is not to be read.
    #[error("{path}: {error}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// All that is wrong with it.
    #[error("{0}")]
    Problems(Problems),
}

/// All that come with the tester.
const BUILT_IN: [(&str, &str); 8] = [
    ("chat", include_str!("../scenarios/chat.toml")),
    ("barge_in", include_str!("../scenarios/barge_in.toml")),
    ("interruptions_that_are_none", include_str!("../scenarios/interruptions_that_are_none.toml")),
    ("ivr", include_str!("../scenarios/ivr.toml")),
    ("flaky_network", include_str!("../scenarios/flaky_network.toml")),
    ("campaign_answering", include_str!("../scenarios/campaign_answering.toml")),
    ("short_calls", include_str!("../scenarios/short_calls.toml")),
    ("idle", include_str!("../scenarios/idle.toml")),
];

/// The names of all built-in scenarios.
pub fn names() -> String {
    BUILT_IN.map(|(name, _)| name).join(", ")
}

impl Scenario {
    /// The built-in scenario of this name, or the one in this file; what it says is added to `repertoire`.
    ///
    /// # Errors
    /// There is no such scenario, or there are mistakes in it, which are told all at once.
    pub fn open(name_or_path: &str, repertoire: &mut Repertoire) -> Result<Self, ScenarioError> {
        let path = Path::new(name_or_path);
        if let Some((name, text)) = BUILT_IN.into_iter().find(|(name, _)| *name == name_or_path) {
            return Self::read(name, text, Path::new(&format!("{name}.toml")), repertoire);
        }
        if path.extension().is_none_or(|extension| extension != "toml") {
            return Err(ScenarioError::Unknown(name_or_path.to_owned()));
        }
        let text = std::fs::read_to_string(path)
            .map_err(|error| ScenarioError::Read { path: path.to_owned(), error })?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::read(&name, &text, path, repertoire)
    }

    fn read(name: &str, text: &str, path: &Path, repertoire: &mut Repertoire) -> Result<Self, ScenarioError> {
        let kinds = read::kinds(text, path, repertoire).map_err(ScenarioError::Problems)?;
        Ok(Self { name: name.to_owned(), kinds })
    }

    /// The number of the kind that a call is of, by its share.
    pub fn draw(&self, rng: &mut Rng) -> usize {
        let shares: u32 = self.kinds.iter().map(|kind| kind.share).sum();
        let mut drawn = rng.u32(..shares);
        let is_drawn = |kind: &Kind| {
            let found = drawn < kind.share;
            drawn = drawn.saturating_sub(kind.share);
            found
        };
        self.kinds.iter().position(is_drawn).unwrap_or(0)
    }

    /// The `number`th step of a call of this kind from its beginning, rounds repeated without end.
    pub fn step(&self, kind: usize, number: usize) -> &Step {
        let Kind { opening, round, .. } = &self.kinds[kind];
        match number.checked_sub(opening.len()) {
            None => &opening[number],
            Some(_) if round.is_empty() => &Step::HANG_UP,
            Some(number) => &round[number % round.len()],
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::time::Duration;

    pub(crate) fn scenario(text: &str) -> Scenario {
        let mut repertoire = Repertoire::of_tones(&[30]);
        Scenario::read("test", text, Path::new("test.toml"), &mut repertoire).unwrap()
    }

    #[test]
    fn every_scenario_that_comes_along_is_good() {
        for (name, _) in BUILT_IN {
            let mut repertoire = Repertoire::of_tones(&[30]);
            assert_eq!(
                Scenario::open(name, &mut repertoire).map_err(|error| error.to_string()).unwrap().name,
                name
            );
        }
    }

    #[test]
    fn the_opening_comes_once_and_rounds_repeat() {
        let chat = Scenario::open("chat", &mut Repertoire::of_tones(&[30])).unwrap();
        assert_eq!(chat.step(0, 0), &Step::AwaitGreeting(Duration::from_secs(3)));
        for round in 0..3 {
            assert!(matches!(chat.step(0, 1 + 4 * round), Step::Say(_)));
            assert!(matches!(chat.step(0, 4 + 4 * round), Step::Think(_)));
        }
    }

    #[test]
    fn after_an_opening_without_rounds_the_caller_hangs_up() {
        let short = scenario(r#"opening = ["say", "await_answer"]"#);
        assert_eq!(short.step(0, 2), &Step::HANG_UP);
    }

    #[test]
    fn kinds_of_calls_come_by_their_shares() {
        let two = scenario("[[kind]]\nshare = 3\nround = [\"say\"]\n[[kind]]\nround = [\"say\"]\n");
        let mut rng = Rng::with_seed(1);
        let second = (0..4_000).filter(|_| two.draw(&mut rng) == 1).count();
        assert!((900..1_100).contains(&second), "{second}");
    }

    #[test]
    fn an_unknown_scenario_is_refused_with_the_names_of_all() {
        let error = Scenario::open("chatt", &mut Repertoire::of_tones(&[30])).unwrap_err().to_string();
        assert!(error.starts_with(r#"there is no scenario "chatt"; there are: chat, barge_in"#), "{error}");
    }

    #[test]
    fn a_scenario_file_that_is_not_there_is_named() {
        let error = Scenario::open("/nowhere/own.toml", &mut Repertoire::of_tones(&[30])).unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/own.toml: "), "{error}");
    }
}
