use crate::addresses;
use crate::alias;
use crate::document;
use crate::environment::{self, Said, Variables};
use crate::exposure;
use crate::language_key;
use crate::languages;
use crate::loaded::Loaded;
use crate::mistake::Mistake;
use crate::problem::{Origin, Problem};
use crate::problems::Problems;
use crate::proxies;
use crate::sense;
use crate::services;
use crate::setting::{Setting, Settings};
use crate::{Config, SCHEMA, Secrets};
use ringway_stages::secret;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The file that is read when none is named.
pub const DEFAULT_FILE: &str = "config/default.toml";

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
            let mut wrong = parse(&path, b"", sources).err().unwrap_or_default();
            let mut problems = std::mem::take(&mut wrong.found);
            wrong.readable.config = Config::default();
            // A file that cannot be read has no lines to blame for what is missing in it.
            problems.retain(|problem| !matches!(problem.origin, Origin::File { .. }));
            problems.insert(0, at_file(&path, unreadable(&path, &error)));
            Err(Problems { found: problems, ..wrong })
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
    let given: Variables = sources.environment.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    let variables = environment::tidied(&given);
    let (settings, problems) = document::read(contents, path, &SCHEMA);
    let file = Said { settings, problems, warnings: Vec::new() };
    let mut aliases = alias::read(&variables, &SCHEMA);
    let own = environment::read(&variables, &SCHEMA);
    let proxies = proxies::read(&variables);
    let flags = Said { settings: sources.flags.into_iter().map(Setting::from).collect(), ..Said::default() };
    loop {
        let mut layers = Layers::of(&given, &file);
        for said in [&file, &aliases, &own, &proxies, &flags] {
            layers.add(said.clone());
        }
        match layers.finish(path) {
            Err(problems) if aliases.pardon(&problems) => {}
            finished => return finished,
        }
    }
}

/// Sources in the order of their weight, the lightest first.
struct Layers<'v> {
    settings: Settings,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    variables: &'v Variables,
    /// Lines of the file could not be read: what they set is not known.
    broken: bool,
}

impl Said {
    /// Takes back the aliases that are to blame for mistakes, with a warning; `false`: there are none.
    fn pardon(&mut self, problems: &Problems) -> bool {
        let pardoned: Vec<_> = problems.found.iter().filter_map(alias::pardoned).collect();
        let wrong = |setting: &Setting| pardoned.iter().any(|warning| warning.origin == setting.origin);
        let before = self.settings.len();
        self.settings.retain(|setting| !wrong(setting));
        self.warnings.extend(pardoned);
        self.settings.len() < before
    }
}

impl<'v> Layers<'v> {
    fn of(variables: &'v Variables, file: &Said) -> Self {
        let (settings, problems, warnings) = (Settings::default(), Vec::new(), Vec::new());
        let broken = file.problems.iter().any(|problem| problem.key.is_empty());
        Self { settings, problems, warnings, variables, broken }
    }

    fn add(&mut self, said: Said) {
        self.problems.extend(said.problems);
        self.warnings.extend(said.warnings);
        for setting in said.settings {
            let (setting, told) = addresses::base(setting);
            self.warnings.extend(told);
            match setting.check(&SCHEMA).and_then(|()| self.check_name(&setting)) {
                Ok(()) => self.settings.set(setting),
                Err(problem) => self.problems.push(problem),
            }
        }
    }

    /// A secret where the name of its variable is due would be shown with the configuration.
    fn check_name(&self, setting: &Setting) -> Result<(), Problem> {
        let name = setting.value.as_str().filter(|name| setting.names_variable() && !name.is_empty());
        match name {
            Some(name) if !secret::is_variable_name(name) && !self.variables.contains_key(name) => {
                Err(setting.problem(NO_NAME))
            }
            _ => Ok(()),
        }
    }

    fn finish(mut self, path: &Path) -> Result<Loaded, Problems> {
        let Self { settings, problems, variables, .. } = &mut self;
        let mut config = config_of(settings.document(), path, problems);
        let mut unread = Vec::new();
        let config_in = |code: &str| config_of(settings.document_in(code), path, &mut unread);
        config.languages = languages::read(settings, &config.call.language, config_in, problems);
        config.turn.language.get_or_insert_with(|| config.call.language.clone());
        problems.extend(unread);
        let secrets = secrets(variables, &config, problems);
        self.check_sense(path, &config, &secrets);
        for (key, message) in exposure::warnings(&config, &secrets) {
            let origin = self.settings.origin(&key).cloned();
            let origin = origin.unwrap_or_else(|| Origin::File { path: path.to_owned(), line: 1 });
            self.warnings.push(Problem { origin, key, message });
        }
        let Self { settings: provenance, warnings, problems: mut found, .. } = self;
        let loaded = Loaded { file: path.to_owned(), config, secrets, warnings, provenance };
        if found.is_empty() {
            return Ok(loaded);
        }
        found.sort();
        found.dedup();
        Err(Problems { found, readable: Box::new(loaded) })
    }

    /// A default is blamed on the file's first line: there it can be changed.
    fn check_sense(&mut self, path: &Path, config: &Config, secrets: &Secrets) {
        let mut wrong: BTreeSet<_> = self.problems.iter().map(|problem| problem.key.clone()).collect();
        if self.problems.iter().any(|problem| is_of(problem, Secrets::ADMIN_TOKEN)) {
            // There is a token, though not one that counts.
            wrong.extend(["server.listen", "tts_api.listen"].map(str::to_owned));
        }
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
            // Nor is it known what stands in lines that could not be read.
            if origin.is_none() && self.broken {
                continue;
            }
            let origin = origin.unwrap_or_else(|| Origin::File { path: path.to_owned(), line: 1 });
            self.problems.push(Problem { origin, key, message });
        }
    }
}

impl Layers<'_> {
    /// What a language has not set itself makes sense in the whole; so it is told where the language begins.
    fn blame_language(&mut self, code: &str, mistakes: Vec<Mistake>, wrong: &BTreeSet<String>) {
        for (key, message) in mistakes {
            let key = format!("{}.{code}.{key}", language_key::SECTION);
            let any = || self.settings.of_language(code).map(|setting| &setting.origin).min();
            let origin = self.settings.origin(&key).or_else(any).cloned();
            if let Some(origin) = origin.filter(|_| !wrong.contains(&key)) {
                self.problems.push(Problem { origin, key, message });
            }
        }
    }
}

fn is_of(problem: &Problem, name: &str) -> bool {
    matches!(&problem.origin, Origin::Environment { variable } if variable == name)
}

fn config_of(document: Table, path: &Path, problems: &mut Vec<Problem>) -> Config {
    Config::read(document).unwrap_or_else(|error| {
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

/// Whatever is set, and is none of what can be meant, is a mistake: nothing is let in or kept out by another secret.
fn secrets(variables: &Variables, config: &Config, problems: &mut Vec<Problem>) -> Secrets {
    let mut secret = |name: &str, key: &str| {
        let read = secret::read(variables.get(name).map_or("", String::as_str));
        read.unwrap_or_else(|error| {
            problems.push(environment::problem(name, key, error.to_string()));
            None
        })
        .map(str::to_owned)
    };
    let languages = config.languages.values().map(|language| &language.config);
    let all = std::iter::once(config).chain(languages).flat_map(services::keyed);
    let named = all.filter(|service| !service.variable.is_empty());
    Secrets {
        admin_token: secret(Secrets::ADMIN_TOKEN, ""),
        twilio_auth_token: secret(Secrets::TWILIO_AUTH_TOKEN, ""),
        twilio_shared_key: secret(Secrets::TWILIO_SHARED_KEY, ""),
        api_keys: named.map(|it| (it.variable.to_owned(), secret(it.variable, &it.path))).collect(),
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

const NO_NAME: &str = "must be the name of an environment variable that holds the key, such as OPENAI_API_KEY, and not the key \
    itself";
