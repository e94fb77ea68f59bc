//! Calls of tools that a model writes into its text, in the forms of many models.

use super::json::{self, Span};
use crate::llm::{ToolCall, ToolSpec};
use crate::services::arguments;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The tools that may be called.
#[derive(Clone, Debug)]
pub(super) struct Tools(pub(super) Arc<[ToolSpec]>);

/// What a JSON value in a text is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Calls of tools that there are.
    Calls(Vec<ToolCall>),
    /// Calls of others.
    Unknown,
    /// No call.
    Other,
}

impl Tools {
    /// The tool that is meant: models put namespaces before names (`functions.find`) and numbers behind (`find:0`).
    pub(super) fn named(&self, name: &str) -> Option<&str> {
        let known = |name: &str| self.0.iter().find(|tool| tool.name == name).map(|tool| tool.name.as_str());
        let name = name.trim().trim_matches(['"', '\'', '`']);
        let bare = name.rsplit_once(':').filter(|(_, n)| n.bytes().all(|b| b.is_ascii_digit()));
        let bare = bare.map_or(name, |(bare, _)| bare);
        known(name).or_else(|| known(bare)).or_else(|| known(bare.rsplit(['.', ':', '/']).next()?))
    }

    /// A value as a call, or as several.
    pub(super) fn read(&self, value: &Value) -> Written {
        match value {
            Value::Array(values) if !values.is_empty() => {
                let written = values.iter().map(|value| self.read(value));
                written.reduce(Written::and).unwrap_or(Written::Other)
            }
            Value::Object(object) => self.read_object(object),
            _ => Written::Other,
        }
    }

    fn read_object(&self, object: &Map<String, Value>) -> Written {
        for key in LISTS {
            if let Some(inner @ Value::Array(_)) = object.get(key) {
                return self.read(inner);
            }
        }
        for key in NAMES {
            match object.get(key) {
                Some(Value::String(name)) => return self.call(name, object),
                Some(inner @ Value::Object(_)) => return self.read(inner),
                _ => {}
            }
        }
        Written::Other
    }

    fn call(&self, name: &str, object: &Map<String, Value>) -> Written {
        let given = ARGUMENTS.iter().find_map(|key| object.get(*key));
        match (self.named(name), given) {
            (Some(name), given) => Written::Calls(vec![call(name, given.unwrap_or(&Value::Null))]),
            (None, Some(_)) => Written::Unknown,
            (None, None) => Written::Other,
        }
    }

    /// The calls in a stretch of text that is marked as one; `cut`: its end is missing since there was no room for it.
    pub(super) fn find(&self, body: &str, cut: bool) -> Vec<ToolCall> {
        let mut calls = self.in_json(body, cut);
        if calls.is_empty() {
            calls = self.in_tags(body);
        }
        if calls.is_empty() && !cut {
            calls = self.in_python(body);
        }
        calls
    }

    /// Objects that are calls, and objects of arguments behind the name of their tool.
    fn in_json(&self, body: &str, cut: bool) -> Vec<ToolCall> {
        let (mut calls, mut at, mut before) = (Vec::new(), 0, 0);
        for _ in 0..MOST_BRACKETS {
            let Some(found) = body[at..].find(['{', '[']) else { break };
            let from = at + found;
            let (end, value) = match json::span(&body[from..]) {
                Span::Whole(length) => (from + length, json::read(&body[from..from + length])),
                // What is inside of half a call is none either.
                Span::Open(missing) => match completed(&body[from..], &missing).filter(|_| !cut) {
                    None => break,
                    value => (body.len(), value),
                },
            };
            let Some(value) = value else {
                at = from + 1;
                continue;
            };
            match (self.read(&value), self.last_in(&body[before..from])) {
                (Written::Calls(found), _) => calls.extend(found),
                (_, Some(name)) if value.is_object() => calls.push(call(name, &value)),
                _ => {}
            }
            (at, before) = (end, end);
        }
        calls
    }

    /// The tool that is named last.
    fn last_in(&self, text: &str) -> Option<&str> {
        text.split(|char: char| !is_name(char)).rev().find_map(|word| self.named(word))
    }

    /// `<function=find><parameter=id>12</parameter>`, `<invoke name="find"><parameter name="id">12</parameter>`, and
    /// `find <arg_key>id</arg_key><arg_value>12</arg_value>`.
    fn in_tags(&self, body: &str) -> Vec<ToolCall> {
        let mut calls: Vec<(&str, Map<String, Value>)> = Vec::new();
        let mut rest = body;
        let mut key = None;
        while let Some((before, behind)) = rest.split_once('<') {
            let named = self.last_in(before).filter(|_| calls.is_empty());
            calls.extend(named.map(|name| (name, Map::new())));
            let Some((tag, after)) = behind.split_once('>') else { break };
            let content = || after.split('<').next().unwrap_or_default().trim();
            let tag = tag
                .trim_start_matches(['|', '｜'])
                .trim_start_matches("DSML")
                .trim_start_matches(['|', '｜']);
            let kind = tag.split(|char: char| !is_name(char)).next().unwrap_or_default();
            let label = tag[kind.len()..].trim_start_matches(|char: char| !is_name(char));
            let label = label.strip_prefix("name=").unwrap_or(label);
            let label = label.split(['"', '\'', ' ', '/']).find(|part| !part.is_empty()).unwrap_or_default();
            match kind {
                _ if tag.starts_with('/') => {}
                "arg_key" => key = Some(content()),
                "arg_value" | "parameter" | "param" => {
                    let key = if kind == "arg_value" { key.take() } else { Some(label) };
                    if let (Some((_, arguments)), Some(key)) = (calls.last_mut(), key) {
                        arguments.insert(key.to_owned(), self.typed(content()));
                    }
                }
                _ => calls.extend(self.named(label).map(|name| (name, Map::new()))),
            }
            rest = after;
        }
        let calls = calls.into_iter().map(|(name, arguments)| call(name, &Value::Object(arguments)));
        if body.contains('<') { calls.collect() } else { Vec::new() }
    }

    /// Numbers, lists and the like stand between tags as JSON has them, texts as they are.
    fn typed(&self, text: &str) -> Value {
        serde_json::from_str(text).unwrap_or_else(|_| text.into())
    }

    /// `find(id=12)`, or the name alone.
    fn in_python(&self, body: &str) -> Vec<ToolCall> {
        let (mut calls, mut at) = (Vec::new(), 0);
        while let Some(found) = body[at..].find('(') {
            let open = at + found;
            let name = body[..open].rsplit(|char| !is_name(char)).next().and_then(|name| self.named(name));
            at = open + 1;
            let (Some(name), Some(end)) = (name, closing(&body[at..])) else { continue };
            if let Some(arguments) = keywords(&body[at..at + end]) {
                calls.push(call(name, &Value::Object(arguments)));
            }
            at += end;
        }
        if calls.is_empty() {
            let alone = body.rsplit('>').next().unwrap_or_default();
            calls.extend(self.named(alone).map(|name| call(name, &Value::Null)));
        }
        calls
    }
}

impl Written {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Calls(mut calls), Self::Calls(more)) => {
                calls.extend(more);
                Self::Calls(calls)
            }
            (Self::Calls(calls), _) | (_, Self::Calls(calls)) => Self::Calls(calls),
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Other, Self::Other) => Self::Other,
        }
    }
}

fn call(name: &str, given: &Value) -> ToolCall {
    let written = match given {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        given => given.to_string(),
    };
    ToolCall::new("", name, arguments::text(&written))
}

/// Some models forget the last brackets. A value that was cut inside of a text or a number is none.
fn completed(text: &str, missing: &str) -> Option<Value> {
    let text = text.trim_end();
    text.ends_with(['}', ']', '"']).then(|| json::read(&format!("{text}{missing}")))?
}

const fn is_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.' | ':')
}

/// Where the bracket is closed that was opened before `text`.
pub(super) fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, char) in text.char_indices() {
        match (quote, char) {
            (Some(open), _) if open == char => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(char),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')') if depth == 0 => return Some(at),
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// `id=12, day="Monday"`.
fn keywords(text: &str) -> Option<Map<String, Value>> {
    let (mut arguments, mut rest) = (Map::new(), text.trim());
    while !rest.is_empty() {
        let (key, value) = rest.split_once('=')?;
        let end = comma(value);
        let value_text = value[..end].trim();
        arguments.insert(key.trim().to_owned(), json::read(value_text)?);
        rest = value[end..].trim_start_matches(',').trim();
    }
    Some(arguments)
}

/// Where the value ends with which `text` begins.
fn comma(text: &str) -> usize {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, char) in text.char_indices() {
        match (quote, char) {
            (Some(open), _) if open == char => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(char),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// Brackets in a call that are tried: one that needs more is none.
const MOST_BRACKETS: usize = 64;

/// Fields that hold several calls.
const LISTS: [&str; 4] = ["tool_calls", "function_calls", "tool_uses", "calls"];

/// Fields that name a tool, or hold the call.
pub(super) const NAMES: [&str; 9] = [
    "name",
    "tool_name",
    "function_name",
    "recipient_name",
    "tool",
    "function",
    "function_call",
    "tool_call",
    "action",
];

/// Fields with the arguments.
const ARGUMENTS: [&str; 8] =
    ["arguments", "parameters", "args", "params", "input", "tool_input", "action_input", "kwargs"];

/// With which of its fields a call may begin.
pub(super) fn may_begin(key: &str) -> bool {
    NAMES.contains(&key)
        || LISTS.contains(&key)
        || ARGUMENTS.contains(&key)
        || matches!(key, "type" | "id" | "tool_call_id" | "index")
}
