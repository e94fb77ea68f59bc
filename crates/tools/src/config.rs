//! The file that declares tools.

mod places;
mod reader;
mod section;

use super::Manner;
use super::built_in::Kind;
use super::signature::Signing;
use super::template::Template;
use hyper::Method;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use reader::Reader;
use ringway_stages::llm::ToolSpec;
use ringway_stages::services::Endpoint;
use ringway_stages::tool_use::Language;
use ringway_stages::transfer::Transfers;
use section::Wrong;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::Table;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// What a file of tools declares.
#[derive(Clone, Debug, Default)]
pub struct ToolsFile {
    pub(super) http: BTreeMap<String, HttpDeclaration>,
    pub(super) built_in: BTreeMap<Kind, BuiltInDeclaration>,
    pub(super) mcp: BTreeMap<String, McpDeclaration>,
    pub(super) languages: Arc<[Language]>,
    /// Where it was read, and the lines of its keys.
    origin: (PathBuf, places::Places),
    pub(super) transfers: Arc<Transfers>,
}

/// A mistake in a file of tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The key, dotted; empty when it is about the form.
    pub key: String,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, line, key, message } = self;
        let gap = if key.is_empty() { "" } else { ": " };
        write!(f, "{}:{line}: {key}{gap}{message}", file.display())
    }
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct HttpDeclaration {
    pub(super) description: String,
    pub(super) parameters: Value,
    pub(super) method: Method,
    pub(super) host: Endpoint,
    pub(super) path: Template,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) signing: Option<Signing>,
    pub(super) answer_limit: usize,
    pub(super) manner: Manner,
}

/// One of ringway's own.
#[derive(Clone, Debug)]
pub(super) struct BuiltInDeclaration {
    pub(super) description: Option<String>,
    pub(super) manner: Manner,
}

/// A server of tools.
#[derive(Clone, Debug)]
pub(super) struct McpDeclaration {
    pub(super) reach: Reach,
    /// Which of its tools; all when empty.
    pub(super) only: Vec<String>,
    pub(super) manner: Manner,
}

/// How a server of tools is reached.
#[derive(Clone)]
pub(super) enum Reach {
    /// A program, which is started.
    Program { command: Vec<String>, variables: Vec<(String, String)> },
    /// Over HTTP.
    Http { url: Endpoint, headers: HeaderMap },
}

/// Variables hold secrets.
impl std::fmt::Debug for Reach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Program { command, .. } => f.debug_tuple("Program").field(command).finish(),
            Self::Http { url, .. } => f.debug_tuple("Http").field(url).finish(),
        }
    }
}

/// Tells what a variable of the environment holds.
pub(super) type Lookup<'l> = &'l dyn Fn(&str) -> Option<String>;

impl ToolsFile {
    /// Reads a file; `variable` tells what the environment holds.
    ///
    /// # Errors
    /// All mistakes.
    pub fn load(path: &Path, variable: Lookup<'_>) -> Result<Self, Vec<Mistake>> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("cannot be read: {error}");
            vec![Mistake { file: path.to_owned(), line: 1, key: String::new(), message }]
        })?;
        Self::parse(path, &text, variable)
    }

    /// Reads a text; `path` is to blame.
    ///
    /// # Errors
    /// All mistakes, by line.
    pub fn parse(path: &Path, text: &str, variable: Lookup<'_>) -> Result<Self, Vec<Mistake>> {
        let (document, broken) = document(path, text);
        let (file, wrongs) = Reader::new(variable).read(document);
        let mut told = broken;
        // What is missing may stand in a line that could not be read.
        let is_sure = |wrong: &Wrong| !wrong.missing || told.is_empty();
        let wrongs: Vec<_> = wrongs.into_iter().filter(is_sure).collect();
        told.extend(wrongs.into_iter().map(|wrong| mistake(path, text, wrong)));
        told.sort_by(|one, other| (one.line, &one.key).cmp(&(other.line, &other.key)));
        let origin = (path.to_owned(), places::Places::of(text));
        if told.is_empty() { Ok(Self { origin, ..file }) } else { Err(told) }
    }

    /// With this policy of whom calls are transferred to; without one it is nobody.
    #[must_use]
    pub fn transferring(self, transfers: Arc<Transfers>) -> Self {
        Self { transfers, ..self }
    }

    /// It has a tool to transfer calls, and nobody to transfer them to.
    pub fn transfers_to_nobody(&self) -> bool {
        self.built_in.contains_key(&Kind::Transfer) && self.transfers.are_empty()
    }

    /// Declared for calls that can be in these languages, the first one among them.
    ///
    /// # Errors
    /// There is a tool to switch them, and nothing to switch to.
    pub fn speaking(self, languages: Vec<Language>) -> Result<Self, Mistake> {
        if languages.len() < 2 && self.built_in.contains_key(&Kind::SwitchLanguage) {
            let message = "there is no language to switch to: the configuration has no [languages]";
            return Err(self.mistake(SWITCH, message.to_owned()));
        }
        Ok(Self { languages: languages.into(), ..self })
    }

    /// A mistake at a key of it.
    pub(super) fn mistake(&self, key: &str, message: String) -> Mistake {
        let (file, places) = &self.origin;
        Mistake { file: file.clone(), line: places.line(key), key: key.to_owned(), message }
    }

    /// Whether a model can search the knowledge base with one of them.
    pub fn looks_up(&self) -> bool {
        self.built_in.contains_key(&Kind::LookUp)
    }
}

fn mistake(path: &Path, text: &str, Wrong { key, message, .. }: Wrong) -> Mistake {
    Mistake { file: path.to_owned(), line: places::Places::of(text).line(&key), key, message }
}

/// All of a text that can be read, and what cannot.
fn document(path: &Path, text: &str) -> (Table, Vec<Mistake>) {
    let (document, errors) = DeTable::parse_recoverable(text);
    let broken = errors.into_iter().map(|error| {
        let line = error.span().map_or(1, |span| places::line_at(text, span.start));
        let message = error.message().to_owned();
        Mistake { file: path.to_owned(), line, key: String::new(), message }
    });
    let mut broken: Vec<_> = broken.collect();
    // Of one line the first says it; the others follow from it.
    broken.dedup_by_key(|mistake| mistake.line);
    let lines: Vec<_> = broken.iter().map(|mistake| mistake.line).collect();
    let whole = without(text, document.get_ref(), &lines);
    (whole, broken)
}

/// A table without what the parser made of broken lines.
fn without(text: &str, table: &DeTable<'_>, broken: &[usize]) -> Table {
    let mut whole = Table::new();
    for (name, value) in table {
        let value = match value.get_ref() {
            DeValue::Table(inner) => Some(toml::Value::Table(without(text, inner, broken))),
            _ if broken.contains(&places::line_at(text, name.span().start)) => None,
            _ => serde::Deserialize::deserialize(ValueDeserializer::from(value.clone())).ok(),
        };
        whole.extend(value.map(|value| (name.get_ref().to_string(), value)));
    }
    whole
}

impl HttpDeclaration {
    pub(super) fn spec(&self, name: &str) -> ToolSpec {
        ToolSpec {
            name: name.to_owned(),
            description: self.description.clone(),
            parameters: self.parameters.clone(),
        }
    }
}

/// The key of the tool that needs languages.
const SWITCH: &str = "built_in.switch_language";
