use super::MISTAKEN;
use crate::validation::Validation;
use clap::Args;
use ringway_config::{Origin, Problem, Sources};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

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
        let found = Validation::of(Sources::of_process(self.config.clone(), Vec::new())).with_engines();
        if self.json {
            say_json!(object(&found));
        } else {
            print(&found, self.print);
        }
        if found.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(MISTAKEN) }
    }
}

fn print(found: &Validation, effective: bool) {
    for warning in &found.warnings {
        complain!("{warning}");
    }
    for problem in &found.problems {
        say!("{problem}");
    }
    match found.problems.is_empty() {
        true if effective => say!("{}", found.loaded.to_toml().trim_end()),
        true => complain!("the configuration is good"),
        false => {}
    }
}

fn object(found: &Validation) -> Value {
    json!({
        "ok": found.problems.is_empty(),
        "problems": found.problems.iter().map(to_json).collect::<Vec<_>>(),
        "warnings": found.warnings.iter().map(to_json).collect::<Vec<_>>(),
    })
}

fn to_json(problem: &Problem) -> Value {
    let Problem { origin, key, .. } = problem;
    let message = problem.told();
    match origin {
        Origin::File { path, line } => json!({ "file": path, "line": line, "key": key, "message": message }),
        Origin::Environment { variable } => json!({ "variable": variable, "key": key, "message": message }),
        Origin::Flag { name } => json!({ "flag": name, "key": key, "message": message }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_an_object_with_its_place() {
        let origin = Origin::File { path: "a.toml".into(), line: 3 };
        let problem = Problem { origin, key: "server.port".into(), message: "no".into() };
        let wanted = json!({ "file": "a.toml", "line": 3, "key": "server.port", "message": "no" });
        assert_eq!(to_json(&problem), wanted);
    }
}
