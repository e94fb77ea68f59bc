use super::MISTAKEN;
use crate::engines;
use clap::Args;
use ringway_config::{Config, Loaded, Origin, Problem, Sources, load};
use ringway_knowledge::Index;
use ringway_stages::dialogue::{Diagnostic, Dialogues};
use ringway_stages::tools::{Mistake, ToolsFile};
use ringway_stages::transfer::Transfers;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Tells all mistakes of the configuration and of the dialogues, one a line.
#[derive(Clone, Debug, Args)]
pub struct Check {
    /// Configuration file; without it config/default.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Prints what counts, and where it was set.
    #[arg(long)]
    print: bool,
    /// Prints one JSON object.
    #[arg(long, conflicts_with = "print")]
    json: bool,
}

impl Check {
    /// Exit 0: good; 2: there are mistakes.
    pub fn run(self) -> ExitCode {
        let findings = Findings::of(self.config.clone());
        if self.json {
            say!("{}", findings.to_json());
        } else {
            findings.print(self.print);
        }
        if findings.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(MISTAKEN) }
    }
}

/// What a check finds.
#[derive(Debug)]
struct Findings {
    loaded: Option<Loaded>,
    problems: Vec<Problem>,
}

impl Findings {
    fn of(file: Option<PathBuf>) -> Self {
        match load(Sources::of_process(file, Vec::new())) {
            Ok(loaded) => Self { problems: beyond(&loaded.config), loaded: Some(loaded) },
            Err(mut wrong) => {
                wrong.found.extend(beyond(&wrong.readable));
                Self { problems: wrong.found, loaded: None }
            }
        }
    }

    fn warnings(&self) -> impl Iterator<Item = &Problem> {
        self.loaded.iter().flat_map(|loaded| &loaded.warnings)
    }

    fn print(&self, effective: bool) {
        for warning in self.warnings() {
            complain!("{warning}");
        }
        for problem in &self.problems {
            say!("{problem}");
        }
        match &self.loaded {
            Some(loaded) if effective => say!("{}", loaded.to_toml().trim_end()),
            _ if self.problems.is_empty() => complain!("the configuration is good"),
            _ => {}
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "ok": self.problems.is_empty(),
            "problems": self.problems.iter().map(to_json).collect::<Vec<_>>(),
            "warnings": self.warnings().map(to_json).collect::<Vec<_>>(),
        })
    }
}

fn to_json(problem: &Problem) -> Value {
    let Problem { origin, key, message } = problem;
    match origin {
        Origin::File { path, line } => json!({ "file": path, "line": line, "key": key, "message": message }),
        Origin::Environment { variable } => json!({ "variable": variable, "key": key, "message": message }),
        Origin::Flag { name } => json!({ "flag": name, "key": key, "message": message }),
    }
}

/// The mistakes of the files that the configuration names.
fn beyond(config: &Config) -> Vec<Problem> {
    let mut problems = dialogues(config);
    problems.extend(tools(config));
    problems.extend(knowledge(config));
    problems
}

/// What keeps the knowledge base from being read.
fn knowledge(config: &Config) -> Option<Problem> {
    // A folder that is missing is told already.
    let index = config.knowledge.index.as_ref().filter(|index| index.is_dir())?;
    let message = Index::open(index).err()?.to_string();
    let origin = Origin::File { path: index.clone(), line: 1 };
    Some(Problem { origin, key: "knowledge.index".into(), message })
}

/// The mistakes of the tools' declarations.
fn tools(config: &Config) -> Vec<Problem> {
    // A file that is missing is told already.
    let Some(file) = config.tools.file.as_ref().filter(|file| file.is_file()) else { return Vec::new() };
    let mistakes = match ToolsFile::load(file, &|variable| std::env::var(variable).ok()) {
        Ok(tools) => tools
            .speaking(engines::languages(config))
            .err()
            .map(|error| Mistake {
                file: file.clone(),
                line: 1,
                key: String::new(),
                message: error.to_string(),
            })
            .into_iter()
            .collect(),
        Err(mistakes) => mistakes,
    };
    let problem = |Mistake { file, line, key, message }| Problem {
        origin: Origin::File { path: file, line },
        key,
        message,
    };
    mistakes.into_iter().map(problem).collect()
}

/// The mistakes of the dialogues, where any are held.
fn dialogues(config: &Config) -> Vec<Problem> {
    let dir = &config.dialogue.dir;
    // A folder that is missing is told already.
    if !config.llm.engines.iter().any(|name| name == "dialogue") || !dir.is_dir() {
        return Vec::new();
    }
    let words = config.dictionary();
    let pronounceable = |word: &str| words.as_ref().is_none_or(|words| words.pronounceable(word));
    let transfers = Arc::new(Transfers::new(&config.transfer).unwrap_or_default());
    let loaded = Dialogues::load(dir, &pronounceable);
    let diagnostics =
        loaded.and_then(|dialogues| dialogues.with_transfers(transfers)).err().unwrap_or_default();
    diagnostics.into_iter().map(problem).collect()
}

fn problem(diagnostic: Diagnostic) -> Problem {
    let Diagnostic { file, line, key, message } = diagnostic;
    Problem { origin: Origin::File { path: file, line }, key, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_config::DialogueConfig;

    fn config_of(dir: PathBuf) -> Config {
        Config { dialogue: DialogueConfig { dir, ..DialogueConfig::default() }, ..Config::default() }
    }

    #[test]
    fn the_shipped_dialogues_are_good() {
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/config/dialogue");
        assert_eq!(dialogues(&config_of(shipped.into())), []);
    }

    #[test]
    fn a_mistake_in_a_dialogue_is_told_with_its_line() {
        let dir = std::env::temp_dir().join(format!("ringway-check-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("menu.toml"), "start = \"main\"\n[state.mian]\nhang_up = true").unwrap();
        let problems = dialogues(&config_of(dir.clone()));
        std::fs::remove_dir_all(&dir).unwrap();
        let first =
            format!("{}/menu.toml:1: start: there is no state \"main\"; there are: mian", dir.display());
        assert_eq!(problems[0].to_string(), first);
    }

    #[test]
    fn a_problem_is_an_object_with_its_place() {
        let origin = Origin::File { path: "a.toml".into(), line: 3 };
        let problem = Problem { origin, key: "server.port".into(), message: "no".into() };
        let wanted = json!({ "file": "a.toml", "line": 3, "key": "server.port", "message": "no" });
        assert_eq!(to_json(&problem), wanted);
    }
}
