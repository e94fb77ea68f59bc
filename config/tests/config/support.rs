//! Configuration from texts.

use ringway_config::{Flag, Loaded, Problems, Sources, parse};

/// A file that is there: what it holds does not matter to the configuration.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
pub const DIALOGUES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/dialogue");

/// The three sources.
#[derive(Clone, Debug, Default)]
pub struct Given {
    text: String,
    environment: Vec<(String, String)>,
    flags: Vec<Flag>,
}

/// Nothing but a file `a.toml`.
pub fn file(text: &str) -> Given {
    Given { text: text.to_owned(), ..Given::default() }
}

impl Given {
    pub fn env(mut self, name: &str, text: &str) -> Self {
        self.environment.push((name.to_owned(), text.to_owned()));
        self
    }

    pub fn flag(mut self, name: &'static str, key: &'static str, value: impl Into<toml::Value>) -> Self {
        self.flags.push(Flag::new(name, key, value));
        self
    }

    /// With the files that the defaults name, wherever the test runs; they are set in the environment.
    pub fn load(self) -> Result<Loaded, Problems> {
        let there = [("VAD__LIBRARY", FILE), ("VAD__MODEL", FILE), ("DIALOGUE__DIR", DIALOGUES)];
        let there = there.map(|(key, path)| (format!("RINGWAY_{key}"), path.to_owned()));
        Given { environment: there.into_iter().chain(self.environment).collect(), ..self }.load_bare()
    }

    /// Without them.
    pub fn load_bare(self) -> Result<Loaded, Problems> {
        let sources = Sources { file: None, environment: self.environment, flags: self.flags };
        parse("a.toml".as_ref(), self.text.as_bytes(), sources)
    }

    #[track_caller]
    pub fn loaded(self) -> Loaded {
        self.load().unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// What is wrong, one mistake a line.
    #[track_caller]
    pub fn problems(self) -> Vec<String> {
        lines(&self.load().expect_err("a mistake"))
    }

    pub fn warnings(self) -> Vec<String> {
        self.loaded().warnings.iter().map(ToString::to_string).collect()
    }
}

pub fn lines(problems: &Problems) -> Vec<String> {
    problems.found.iter().map(ToString::to_string).collect()
}
