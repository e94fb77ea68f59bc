//! The file that declares tools.

mod places;
mod raw;

use super::built_in::Kind;
use super::http::Signing;
use super::template::Template;
use super::toolset::ToolsError;
use super::{Filler, Language, Manner};
use crate::llm::ToolSpec;
use crate::services::Endpoint;
use crate::transfer::Transfers;
use hyper::Method;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a file of tools declares.
#[derive(Clone, Debug, Default)]
pub struct ToolsFile {
    pub(super) http: BTreeMap<String, HttpDeclaration>,
    pub(super) built_in: BTreeMap<Kind, BuiltInDeclaration>,
    pub(super) mcp: BTreeMap<String, McpDeclaration>,
    pub(super) languages: Arc<[Language]>,
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
    /// All mistakes.
    pub fn parse(path: &Path, text: &str, variable: Lookup<'_>) -> Result<Self, Vec<Mistake>> {
        let mistake =
            |line: usize, key: String, message: String| Mistake { file: path.to_owned(), line, key, message };
        let raw: raw::File = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| places::line_at(text, span.start));
            vec![mistake(line, String::new(), error.message().to_owned())]
        })?;
        let mut reader = Reader { variable, mistakes: Vec::new() };
        let file = reader.file(raw);
        if reader.mistakes.is_empty() {
            return Ok(file);
        }
        let told = reader
            .mistakes
            .into_iter()
            .map(|(key, message)| mistake(places::line_of(text, &key), key, message));
        Err(told.collect())
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
    pub fn speaking(self, languages: Vec<Language>) -> Result<Self, ToolsError> {
        if languages.len() < 2 && self.built_in.contains_key(&Kind::SwitchLanguage) {
            let tool = Kind::SwitchLanguage.name().to_owned();
            return Err(ToolsError::Declaration { tool, reason: "[languages] has no other language".into() });
        }
        Ok(Self { languages: languages.into(), ..self })
    }
}

/// Makes sense of what a file says, and notes what makes none.
struct Reader<'l> {
    variable: Lookup<'l>,
    mistakes: Vec<(String, String)>,
}

impl Reader<'_> {
    fn file(&mut self, raw: raw::File) -> ToolsFile {
        let raw::File { http, mcp, built_in } = raw;
        let mut file = ToolsFile::default();
        for (name, raw) in http {
            let declaration = self.http(&format!("http.{name}"), &name, raw);
            file.http.extend(declaration.map(|declaration| (name, declaration)));
        }
        for (name, raw) in mcp {
            let declaration = self.mcp(&format!("mcp.{name}"), raw);
            file.mcp.extend(declaration.map(|declaration| (name, declaration)));
        }
        for (kind, raw) in built_in {
            self.refuse(&format!("built_in.{}", kind.name()), &raw.unknown);
            let manner = manner(raw.manner);
            file.built_in.insert(kind, BuiltInDeclaration { description: raw.description, manner });
        }
        file
    }

    fn refuse(&mut self, at: &str, unknown: &BTreeMap<String, toml::Value>) {
        for key in unknown.keys() {
            self.wrong::<()>(at, key, "unknown key".into());
        }
    }

    fn http(&mut self, at: &str, name: &str, raw: raw::Http) -> Option<HttpDeclaration> {
        self.refuse(at, &raw.unknown);
        let (host, path) = self.address(at, &raw.url)?;
        let method = match Method::from_bytes(raw.method.to_ascii_uppercase().as_bytes()) {
            Ok(method) if METHODS.contains(&method) => method,
            _ => return self.wrong(at, "method", format!("{:?} is none of {METHODS:?}", raw.method)),
        };
        let parameters = raw.parameters.unwrap_or_else(|| json!({"type": "object", "properties": {}}));
        let headers = raw.headers.iter().filter_map(|(name, text)| self.header(at, name, text)).collect();
        let signing = raw.sign.and_then(|raw| self.signing(at, raw));
        let declaration = HttpDeclaration {
            description: raw.description,
            parameters,
            method,
            host,
            path,
            headers,
            signing,
            answer_limit: raw.answer_limit,
            manner: manner(raw.manner),
        };
        self.check(at, name, &declaration);
        Some(declaration)
    }

    /// What a model could not be told, or an address would lack.
    fn check(&mut self, at: &str, name: &str, declaration: &HttpDeclaration) {
        let known = |argument: &&str| declaration.parameters["properties"].get(argument).is_none();
        if let Some(argument) = declaration.path.arguments().find(known) {
            self.wrong::<()>(at, "url", format!("no property of parameters is named {argument:?}"));
        }
        let spec = declaration.spec(name);
        if let Err(reason) = super::declared::Declared::new(spec, Manner::default(), Arc::new(Nothing)) {
            self.wrong::<()>(at, "parameters", reason);
        }
    }

    /// Host and path apart: only the path has places for arguments.
    fn address(&mut self, at: &str, url: &str) -> Option<(Endpoint, Template)> {
        let behind = url.find("://").map_or(0, |at| at + 3);
        let slash = url[behind..].find(['/', '?', '{']).map_or(url.len(), |at| behind + at);
        let (host, path) = url.split_at(slash);
        if path.starts_with('{') {
            return self.wrong(at, "url", "a host cannot be an argument".into());
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let host = Endpoint::parse(host).map_err(|error| error.to_string());
        let filled = |template: Template| {
            let plain = template.fill(&mut serde_json::Map::new(), &super::Slots::new()).unwrap_or_default();
            plain.parse::<hyper::Uri>().map(|_| template).map_err(|error| error.to_string())
        };
        match (host, Template::parse(&path).and_then(filled)) {
            (Ok(host), Ok(path)) => Some((host, path)),
            (Err(reason), _) | (_, Err(reason)) => self.wrong(at, "url", reason),
        }
    }

    fn mcp(&mut self, at: &str, raw: raw::Mcp) -> Option<McpDeclaration> {
        self.refuse(at, &raw.unknown);
        let reach = match (raw.command, raw.url) {
            (command, None) if !command.is_empty() => {
                let variables = raw
                    .variables
                    .iter()
                    .filter_map(|name| Some((name.clone(), self.value(at, "variables", name)?)));
                Reach::Program { variables: variables.collect(), command }
            }
            (command, Some(url)) if command.is_empty() => {
                let url = Endpoint::parse(&url).map_err(|error| error.to_string());
                let headers =
                    raw.headers.iter().filter_map(|(name, text)| self.header(at, name, text)).collect();
                match url {
                    Ok(url) => Reach::Http { url, headers },
                    Err(reason) => return self.wrong(at, "url", reason),
                }
            }
            _ => return self.wrong(at, "command", "there must be either a command or a url".into()),
        };
        Some(McpDeclaration { reach, only: raw.tools, manner: manner(raw.manner) })
    }

    fn signing(&mut self, at: &str, raw: raw::Sign) -> Option<Signing> {
        let secret = self.value(at, "sign.secret", &raw.secret)?;
        let mut name = |key: &str, text: &str| match HeaderName::from_bytes(text.as_bytes()) {
            Ok(name) => Some(name),
            Err(_) => self.wrong(at, key, format!("{text:?} is no name of a header")),
        };
        let (signature, timestamp) =
            (name("sign.signature", &raw.signature)?, name("sign.timestamp", &raw.timestamp)?);
        Some(Signing { secret, signature, timestamp })
    }

    /// `${NAME}` in a header's value is the variable of that name.
    fn header(&mut self, at: &str, name: &str, text: &str) -> Option<(HeaderName, HeaderValue)> {
        let key = format!("headers.{name}");
        let (mut value, mut rest) = (String::new(), text);
        while let Some((before, behind)) = rest.split_once("${") {
            let (variable, after) = behind.split_once('}').unwrap_or((behind, ""));
            value += before;
            value += &self.value(at, &key, variable)?;
            rest = after;
        }
        value += rest;
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(true);
                Some((name, value))
            }
            _ => self.wrong(at, &key, "is no header".into()),
        }
    }

    fn value(&mut self, at: &str, key: &str, variable: &str) -> Option<String> {
        let value = (self.variable)(variable).filter(|value| !value.is_empty());
        value.or_else(|| self.wrong(at, key, format!("the variable {variable:?} is not set")))
    }

    fn wrong<T>(&mut self, at: &str, key: &str, message: String) -> Option<T> {
        self.mistakes.push((format!("{at}.{key}"), message));
        None
    }
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

fn manner(raw: raw::Manner) -> Manner {
    let raw::Manner { timeout, filler, filler_after, on_barge_in } = raw;
    let filler = filler.filter(|words| !words.trim().is_empty());
    Manner { timeout, filler: filler.map(|words| Filler { after: filler_after, words }), on_barge_in }
}

/// Stands for a tool while its declaration is checked.
#[derive(Debug)]
struct Nothing;

impl super::Tool for Nothing {
    fn call(&self, _: super::Arguments, _: super::Slots) -> super::Calling {
        Box::pin(std::future::ready(Ok(super::Answer::default())))
    }
}

const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
