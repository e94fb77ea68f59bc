use crate::alias;
use crate::document;
use crate::environment::{self, Said, Variables};
use crate::exposure;
use crate::languages;
use crate::problem::{Origin, Problem, Problems};
use crate::schema::Schema;
use crate::sense::{self, Mistake};
use crate::services;
use crate::setting::{Setting, Settings};
use crate::{Config, Secrets};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use toml::{Table, Value};

/// The file that is read when none is named.
pub const DEFAULT_FILE: &str = "config/default.toml";

/// The keys of [`Config`].
pub static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::of::<Config>);

/// Where configuration comes from. A flag wins over a variable that is named after a key, that over an alias, that over
/// the file, and that over the default.
#[derive(Clone, Debug, Default)]
pub struct Sources<E> {
    /// The file; without one, [`DEFAULT_FILE`].
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: E,
    /// Flags of the command line.
    pub flags: Vec<Flag>,
}

impl Sources<Vec<(String, String)>> {
    /// With the environment of this process; what in it is not Unicode shows as such in the value.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<Flag>) -> Self {
        let text = |text: OsString| text.to_string_lossy().into_owned();
        let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        Self { file, environment, flags }
    }
}

/// A flag of the command line that sets a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Flag {
    /// Its name, with the dashes.
    pub name: &'static str,
    /// The key.
    pub key: &'static str,
    /// The value.
    pub value: Value,
}

/// Configuration that makes sense.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// What only the environment knows.
    pub secrets: Secrets,
    /// What was ignored, and why.
    pub warnings: Vec<Problem>,
    /// What was set, and where; all else has its default.
    pub provenance: Settings,
}

/// Reads all sources.
///
/// # Errors
/// All mistakes of all sources at once.
pub fn load<E>(sources: Sources<E>) -> Result<Loaded, Problems>
where
    E: IntoIterator<Item = (String, String)>,
{
    let path = sources.file.clone().unwrap_or_else(|| DEFAULT_FILE.into());
    match std::fs::read(&path) {
        Ok(bytes) => parse(&path, &bytes, sources),
        Err(error) => {
            let mut problems =
                parse(&path, b"", sources).err().map(|problems| problems.found).unwrap_or_default();
            // A file that cannot be read has no lines to blame for what is missing in it.
            problems.retain(|problem| !matches!(problem.origin, Origin::File { .. }));
            problems.insert(0, at_file(&path, unreadable(&path, &error)));
            Err(Problems { found: problems, readable: Box::default() })
        }
    }
}

/// The same with the contents of the file; `path` is blamed for its mistakes.
///
/// # Errors
/// All mistakes of all sources at once.
pub fn parse<E>(path: &Path, contents: &[u8], sources: Sources<E>) -> Result<Loaded, Problems>
where
    E: IntoIterator<Item = (String, String)>,
{
    let variables: Variables = sources.environment.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    let mut layers = Layers::default();
    let (settings, problems) = document::read(contents, path, &SCHEMA);
    layers.add(Said { settings, problems, warnings: Vec::new() });
    layers.add(alias::read(&variables, &SCHEMA));
    layers.add(environment::read(&variables, &SCHEMA));
    layers.add(Said { settings: sources.flags.into_iter().map(Setting::from).collect(), ..Said::default() });
    layers.finish(path, &variables)
}

/// Sources in the order of their weight, the lightest first.
#[derive(Default)]
struct Layers {
    settings: Settings,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Layers {
    fn add(&mut self, said: Said) {
        self.problems.extend(said.problems);
        self.warnings.extend(said.warnings);
        for setting in said.settings {
            match setting.check(&SCHEMA) {
                Ok(()) => self.settings.set(setting),
                Err(problem) => self.problems.push(problem),
            }
        }
    }

    fn finish(mut self, path: &Path, variables: &Variables) -> Result<Loaded, Problems> {
        let Self { settings, problems, .. } = &mut self;
        let mut config = config_of(settings.document(), path, problems);
        let mut unread = Vec::new();
        let config_in = |code: &str| config_of(settings.document_in(code), path, &mut unread);
        config.languages = languages::read(settings, &config.call.language, config_in, problems);
        config.turn.language.get_or_insert_with(|| config.call.language.clone());
        problems.extend(unread);
        let secrets = secrets(variables, &config);
        self.check_sense(path, &config, &secrets);
        for (key, message) in exposure::warnings(&config, &secrets) {
            let origin = self.settings.origin(&key).cloned();
            let origin = origin.unwrap_or_else(|| Origin::File { path: path.to_owned(), line: 1 });
            self.warnings.push(Problem { origin, key, message });
        }
        if self.problems.is_empty() {
            let Self { settings: provenance, warnings, .. } = self;
            return Ok(Loaded { config, secrets, warnings, provenance });
        }
        self.problems.sort();
        self.problems.dedup();
        Err(Problems { found: self.problems, readable: Box::new(config) })
    }

    /// A default is blamed on the file's first line: there it can be changed.
    fn check_sense(&mut self, path: &Path, config: &Config, secrets: &Secrets) {
        let wrong: BTreeSet<_> = self.problems.iter().map(|problem| problem.key.clone()).collect();
        let whole = sense::mistakes(config, secrets);
        for (code, language) in &config.languages {
            let found = sense::mistakes(&language.config, secrets).into_iter();
            let own: Vec<_> = found.filter(|mistake| !whole.contains(mistake)).collect();
            self.blame_language(code, own, &wrong);
        }
        for (key, message) in whole {
            // What could not be read was told already, and has its default here.
            if wrong.contains(&key) {
                continue;
            }
            let origin = self.settings.origin(&key).cloned();
            let origin = origin.unwrap_or_else(|| Origin::File { path: path.to_owned(), line: 1 });
            self.problems.push(Problem { origin, key, message });
        }
    }
}

impl Layers {
    /// What a language has not set itself makes sense in the whole; so it is told where the language begins.
    fn blame_language(&mut self, code: &str, mistakes: Vec<Mistake>, wrong: &BTreeSet<String>) {
        for (key, message) in mistakes {
            let key = format!("{}.{code}.{key}", languages::SECTION);
            let any = || self.settings.of_language(code).map(|setting| &setting.origin).min();
            let origin = self.settings.origin(&key).or_else(any).cloned();
            if let Some(origin) = origin.filter(|_| !wrong.contains(&key)) {
                self.problems.push(Problem { origin, key, message });
            }
        }
    }
}

fn config_of(document: Table, path: &Path, problems: &mut Vec<Problem>) -> Config {
    Config::deserialize(document).unwrap_or_else(|error| {
        problems.push(at_file(path, error.message().to_owned()));
        Config::default()
    })
}

impl Flag {
    /// A flag that sets a key.
    pub fn new(name: &'static str, key: &'static str, value: impl Into<Value>) -> Self {
        Self { name, key, value: value.into() }
    }
}

impl From<Flag> for Setting {
    fn from(flag: Flag) -> Self {
        Self { key: flag.key.to_owned(), value: flag.value, origin: Origin::Flag { name: flag.name } }
    }
}

fn secrets(variables: &Variables, config: &Config) -> Secrets {
    let secret = |name: &str| variables.get(name).cloned();
    let languages = config.languages.values().map(|language| &language.config);
    let all = std::iter::once(config).chain(languages).flat_map(services::keyed);
    let named = all.map(|service| service.variable).filter(|name| !name.is_empty());
    Secrets {
        admin_token: secret(Secrets::ADMIN_TOKEN),
        twilio_auth_token: secret(Secrets::TWILIO_AUTH_TOKEN),
        twilio_shared_key: secret(Secrets::TWILIO_SHARED_KEY),
        api_keys: named.map(|name| (name.to_owned(), secret(name))).collect(),
    }
}

fn at_file(path: &Path, message: String) -> Problem {
    Problem { origin: Origin::File { path: path.to_owned(), line: 1 }, key: String::new(), message }
}

/// A path that begins somewhere is told with where that is.
fn unreadable(path: &Path, error: &std::io::Error) -> String {
    let here = std::env::current_dir().ok().filter(|_| path.is_relative());
    let from = here.map(|dir| format!(" from {}", dir.display())).unwrap_or_default();
    format!("cannot be read{from}: {error}; name a file with --config")
}
