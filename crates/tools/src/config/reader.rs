use super::section::{Section, Wrong, Wrongs};
use super::{
    BuiltInDeclaration, HttpDeclaration, Kind, Lookup, McpDeclaration, Reach, Signing, Template, ToolsFile,
};
use crate::declared::Declared;
use crate::{Answer, Arguments, BargeIn, Calling, Manner, Tool};
use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use ringway_stages::secret;
use ringway_stages::services::Endpoint;
use ringway_stages::tool_use::{Filler, Slots};
use serde_json::{Map, json};
use std::sync::Arc;
use std::time::Duration;
use toml::Table;

/// Makes sense of what a file says, and notes what makes none.
pub(super) struct Reader<'l> {
    variable: Lookup<'l>,
    wrongs: Wrongs,
}

impl<'l> Reader<'l> {
    pub(super) fn new(variable: Lookup<'l>) -> Self {
        Self { variable, wrongs: Wrongs::default() }
    }

    /// All that a document declares, and all that is wrong with it.
    pub(super) fn read(mut self, document: Table) -> (ToolsFile, Vec<Wrong>) {
        let file = self.file(document);
        (file, self.wrongs.0)
    }

    fn file(&mut self, document: Table) -> ToolsFile {
        let mut file = ToolsFile::default();
        let Some(mut whole) = Section::of(String::new(), document.into(), &mut self.wrongs) else {
            return file;
        };
        for (name, section) in self.each(&mut whole, "http") {
            let declaration = self.http(&name, section);
            file.http.extend(declaration.map(|declaration| (name, declaration)));
        }
        for (name, section) in self.each(&mut whole, "mcp") {
            let declaration = self.mcp(section);
            file.mcp.extend(declaration.map(|declaration| (name, declaration)));
        }
        for (name, section) in self.each(&mut whole, "built_in") {
            file.built_in.extend(self.built_in(&name, section));
        }
        whole.refuse_others(&["http", "mcp", "built_in"], &mut self.wrongs);
        file
    }

    /// The tables below a key, by name.
    fn each(&mut self, whole: &mut Section, key: &str) -> Vec<(String, Section)> {
        let Some(mut all) = whole.section(key, &mut self.wrongs) else { return Vec::new() };
        let tables = all.names().into_iter().map(|name| {
            let section = all.section(&name, &mut self.wrongs);
            section.map(|section| (name, section))
        });
        tables.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    fn built_in(&mut self, name: &str, mut section: Section) -> Option<(Kind, BuiltInDeclaration)> {
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == name) else {
            let known = Kind::ALL.map(Kind::name).join(", ");
            let message = format!("there is no built-in tool of this name; there are: {known}");
            return self.wrongs.note(&section, "", message);
        };
        let description = section.take("description", &mut self.wrongs);
        let manner = self.manner(&mut section);
        section.refuse_others(&[&["description"], &MANNER[..]].concat(), &mut self.wrongs);
        Some((kind, BuiltInDeclaration { description, manner }))
    }

    fn http(&mut self, name: &str, mut section: Section) -> Option<HttpDeclaration> {
        let description = section.require("description", &mut self.wrongs);
        let url: Option<String> = section.require("url", &mut self.wrongs);
        let address = url.and_then(|url| self.address(&section, &url));
        let method = self.method(&mut section);
        let parameters = section.take("parameters", &mut self.wrongs);
        let headers = self.headers(&mut section);
        let signing = self.signing(&mut section);
        let answer_limit = section.take("answer_limit", &mut self.wrongs).unwrap_or(ANSWER_LIMIT);
        let manner = self.manner(&mut section);
        let declaration = address.map(|(host, path)| HttpDeclaration {
            description: description.unwrap_or_default(),
            parameters: parameters.unwrap_or_else(|| json!({"type": "object", "properties": {}})),
            method,
            host,
            path,
            headers,
            signing,
            answer_limit,
            manner,
        });
        declaration.iter().for_each(|declaration| self.check(&section, name, declaration));
        section.refuse_others(&[&HTTP[..], &MANNER[..]].concat(), &mut self.wrongs);
        declaration
    }

    /// What a model could not be told, or an address would lack.
    fn check(&mut self, section: &Section, name: &str, declaration: &HttpDeclaration) {
        let known = |argument: &&str| declaration.parameters["properties"].get(argument).is_none();
        for argument in declaration.path.arguments().filter(known) {
            let message = format!("no property of parameters is named {argument:?}");
            self.wrongs.note::<()>(section, "url", message);
        }
        let spec = declaration.spec(name);
        if let Err(reason) = Declared::new(spec, Manner::default(), Arc::new(Nothing)) {
            let key = if reason.contains("name") { "" } else { "parameters" };
            self.wrongs.note::<()>(section, key, reason);
        }
    }

    fn method(&mut self, section: &mut Section) -> Method {
        let Some(text) = section.take::<String>("method", &mut self.wrongs) else { return Method::GET };
        let method = Method::from_bytes(text.to_ascii_uppercase().as_bytes());
        let method = method.ok().filter(|method| METHODS.contains(method));
        method.unwrap_or_else(|| {
            let known = METHODS.map(|method| method.to_string()).join(", ");
            self.wrongs.note::<()>(section, "method", format!("must be one of {known}"));
            Method::GET
        })
    }

    /// Host and path apart: only the path has places for arguments.
    fn address(&mut self, section: &Section, url: &str) -> Option<(Endpoint, Template)> {
        let behind = url.find("://").map_or(0, |at| at + 3);
        let slash = url[behind..].find(['/', '?', '{']).map_or(url.len(), |at| behind + at);
        let (host, path) = url.split_at(slash);
        if path.starts_with('{') {
            return self.wrongs.note(section, "url", "a host cannot be an argument");
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let host = Endpoint::parse(host).map_err(|error| error.to_string());
        let filled = |template: Template| {
            let plain = template.fill(&mut Map::new(), &Slots::new()).unwrap_or_default();
            plain.parse::<hyper::Uri>().map(|_| template).map_err(|error| error.to_string())
        };
        match (host, Template::parse(&path).and_then(filled)) {
            (Ok(host), Ok(path)) => Some((host, path)),
            (Err(reason), _) | (_, Err(reason)) => self.wrongs.note(section, "url", reason),
        }
    }

    fn mcp(&mut self, mut section: Section) -> Option<McpDeclaration> {
        let command: Option<Vec<String>> = section.take("command", &mut self.wrongs);
        let variables: Vec<String> = section.take("variables", &mut self.wrongs).unwrap_or_default();
        let url: Option<String> = section.take("url", &mut self.wrongs);
        let headers = self.headers(&mut section).into_iter().collect();
        let only = section.take("tools", &mut self.wrongs).unwrap_or_default();
        let manner = self.manner(&mut section);
        let named = variables
            .iter()
            .filter_map(|name| Some((name.clone(), self.value(&section, "variables", name)?)));
        let variables = named.collect();
        let reach = match (command.filter(|command| !command.is_empty()), url) {
            (Some(command), None) => Some(Reach::Program { variables, command }),
            (None, Some(url)) => match Endpoint::parse(&url) {
                Ok(url) => Some(Reach::Http { url, headers }),
                Err(error) => self.wrongs.note(&section, "url", error.to_string()),
            },
            _ => self.wrongs.note(&section, "command", "there must be either a command or a url"),
        };
        section.refuse_others(&[&MCP[..], &MANNER[..]].concat(), &mut self.wrongs);
        Some(McpDeclaration { reach: reach?, only, manner })
    }

    fn manner(&mut self, section: &mut Section) -> Manner {
        let usual = Manner::default();
        let timeout = section.duration("timeout", &mut self.wrongs).unwrap_or(usual.timeout);
        let words: Option<String> = section.take("filler", &mut self.wrongs);
        let after = section.duration("filler_after", &mut self.wrongs).unwrap_or(FILLER_AFTER);
        let on_barge_in: Option<BargeIn> = section.take("on_barge_in", &mut self.wrongs);
        let words = words.filter(|words| !words.trim().is_empty());
        let filler = words.map(|words| Filler { after, words });
        Manner { timeout, filler, on_barge_in: on_barge_in.unwrap_or(usual.on_barge_in) }
    }

    fn signing(&mut self, section: &mut Section) -> Option<Signing> {
        let mut sign = section.section("sign", &mut self.wrongs)?;
        let secret: Option<String> = sign.require("secret", &mut self.wrongs);
        let secret = secret.and_then(|variable| self.value(&sign, "secret", &variable));
        let mut header = |key: &str, usual: &str| {
            let text: String = sign.take(key, &mut self.wrongs).unwrap_or_else(|| usual.to_owned());
            match HeaderName::from_bytes(text.as_bytes()) {
                Ok(name) => Some(name),
                Err(_) => self.wrongs.note(&sign, key, "is no name that a header can have"),
            }
        };
        let (signature, timestamp) = (header("signature", SIGNATURE), header("timestamp", TIMESTAMP));
        sign.refuse_others(&["secret", "signature", "timestamp"], &mut self.wrongs);
        Some(Signing { secret: secret?, signature: signature?, timestamp: timestamp? })
    }

    fn headers(&mut self, section: &mut Section) -> Vec<(HeaderName, HeaderValue)> {
        let Some(mut headers) = section.section("headers", &mut self.wrongs) else { return Vec::new() };
        let names = headers.names().into_iter();
        let read = names.filter_map(|name| {
            let text: String = headers.take(&name, &mut self.wrongs)?;
            self.header(&headers, &name, &text)
        });
        read.collect()
    }

    /// `${NAME}` in a header's value is the variable of that name.
    fn header(&mut self, section: &Section, name: &str, text: &str) -> Option<(HeaderName, HeaderValue)> {
        let (mut value, mut rest) = (Some(String::new()), text);
        while let Some((before, behind)) = rest.split_once("${") {
            let Some((variable, after)) = behind.split_once('}') else {
                return self.wrongs.note(section, name, "a ${ has no closing brace");
            };
            let filled = self.value(section, name, variable);
            value = value.zip(filled).map(|(value, filled)| value + before + &filled);
            rest = after;
        }
        let value = value? + rest;
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value.trim())) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(true);
                Some((name, value))
            }
            (Err(_), _) => self.wrongs.note(section, name, "is no name that a header can have"),
            (_, Err(_)) => self.wrongs.note(section, name, "has characters that no header can have"),
        }
    }

    /// What a variable holds, as all secrets are read.
    fn value(&mut self, section: &Section, key: &str, variable: &str) -> Option<String> {
        let held = (self.variable)(variable).unwrap_or_default();
        match secret::read(&held) {
            Ok(Some(value)) => Some(value.to_owned()),
            Ok(None) => self.wrongs.note(section, key, format!("{} is not set", secret::named(variable))),
            Err(error) => self.wrongs.note(section, key, format!("{} {error}", secret::named(variable))),
        }
    }
}

/// Stands for a tool while its declaration is checked.
#[derive(Debug)]
struct Nothing;

impl Tool for Nothing {
    fn call(&self, _: Arguments, _: Slots) -> Calling {
        Box::pin(std::future::ready(Ok(Answer::default())))
    }
}

const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Keys of a request, of a server of tools, and of all tools.
const HTTP: [&str; 7] = ["description", "url", "method", "parameters", "headers", "sign", "answer_limit"];
const MCP: [&str; 5] = ["command", "variables", "url", "headers", "tools"];
const MANNER: [&str; 4] = ["timeout", "filler", "filler_after", "on_barge_in"];

/// Bytes of an answer.
const ANSWER_LIMIT: usize = 64 * 1_024;

const FILLER_AFTER: Duration = Duration::from_secs(1);
const SIGNATURE: &str = "X-Signature";
const TIMESTAMP: &str = "X-Timestamp";
