//! Marks in a model's text that are not for the caller: tags, tokens of chat templates, and where values begin.

use super::json::{self, Span};
use super::written::{Tools, closing, may_begin};

/// What stands at a place where a mark may begin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No mark.
    Nothing,
    /// More must come to tell.
    Wait,
    /// A mark of so many bytes.
    Mark(usize, Mark),
    /// A JSON value, or a list of calls in Python's form, that may be a call.
    Value,
    /// A block of code that may hold a call; the bytes of its first line.
    Fence(usize),
}

/// A mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Thoughts begin.
    Think,
    /// They end.
    Thought,
    /// A call begins, by this name of its mark.
    Call(String),
    /// It ends.
    Called(String),
    /// What a tool is said to have answered begins.
    Result(String),
    /// The reply ends.
    End,
    /// A part of a reply ends; another may follow.
    PartEnd,
    /// The word that follows says who speaks.
    Speaker,
    /// What follows until the message says what it is.
    Channel,
    /// The message begins.
    Message,
    /// Somebody else speaks.
    Other,
    /// Nothing of meaning.
    Noise,
}

/// Where a mark may begin.
pub(super) const BEGINNINGS: [char; 5] = ['<', '[', '{', '`', '◁'];

/// Where the call of a tool that there is begins, or may begin, in Python's form: `find(id=12)`. It is looked for in the
/// beginning of `text` that has no other mark; `in_name`: a name goes on there.
pub(super) fn call_in(plain: &str, text: &str, mut in_name: bool, tools: &Tools) -> Option<usize> {
    for (at, char) in plain.char_indices() {
        let begins = is_of_name(char) && !in_name;
        in_name = is_of_name(char);
        if begins && python(&text[at..], tools) != Found::Nothing {
            return Some(at);
        }
    }
    None
}

/// How far a [`Found::Value`] goes: to its last bracket.
pub(super) fn span(text: &str) -> Span {
    match text.find(['{', '[', '(']) {
        Some(open) if text[open..].starts_with('(') => match closing(&text[open + 1..]) {
            Some(end) => Span::Whole(open + 1 + end + 1),
            None => Span::Open(")".into()),
        },
        _ => json::span(text),
    }
}

/// What `text` begins with; its first character is one of [`BEGINNINGS`], or that of a name.
pub(super) fn at(text: &str, tools: &Tools) -> Found {
    match text.chars().next() {
        Some('<') => angle(text),
        Some('[') => square(text, tools),
        Some('{') => object(text),
        Some('`') => fence(text, tools),
        Some('◁') => fixed(text, &[("◁think▷", Mark::Think), ("◁/think▷", Mark::Thought)]),
        _ => python(text, tools),
    }
}

fn angle(text: &str) -> Found {
    let behind = &text[1..];
    let name = behind.strip_prefix('/').unwrap_or(behind);
    match name.chars().next() {
        None => Found::Wait,
        Some('|' | '｜') => token(text),
        Some(char) if char.is_ascii_alphabetic() => tag(text),
        Some(_) => Found::Nothing,
    }
}

/// `<|name|>`, with bars of either width; `<｜DSML｜name ..>`.
fn token(text: &str) -> Found {
    let Some(end) = text.find('>') else { return wait(text, LONGEST_TOKEN, is_of_token) };
    let inner = &text[1..end];
    if end > LONGEST_TOKEN || !inner.chars().all(is_of_token) {
        return Found::Nothing;
    }
    let name = inner.replace('▁', "_").to_lowercase();
    let slash = if name.trim_start_matches(BARS).starts_with('/') { "/" } else { "" };
    let bare = name.trim_matches(['|', '｜', '/', ' ']);
    let whole = match bare.strip_prefix("dsml") {
        Some(tag) => tag.trim_start_matches(BARS).split(' ').next().unwrap_or_default(),
        None if !name.ends_with(BARS) || bare.is_empty() => return Found::Nothing,
        None => bare,
    };
    Found::Mark(end + 1, token_named(&format!("{slash}{whole}")))
}

fn token_named(name: &str) -> Mark {
    match name {
        "im_end" | "eot_id" | "eom_id" | "end_of_text" | "endoftext" | "eos" | "eos_token"
        | "end_of_turn" | "end_of_turn_token" | "end_of_sentence" | "return" | "call" => Mark::End,
        "end" => Mark::PartEnd,
        "im_start" | "start_header_id" | "start_of_turn" | "start_of_role" => Mark::Speaker,
        "start" | "channel" => Mark::Channel,
        "message" => Mark::Message,
        "user" | "system" | "human" | "observation" | "user_token" | "system_token" => Mark::Other,
        "think" | "begin_of_thought" | "start_thinking" | "thinking" => Mark::Think,
        "/think" | "end_of_thought" | "end_thinking" | "/thinking" => Mark::Thought,
        _ => call_named(name),
    }
}

fn call_named(name: &str) -> Mark {
    let of_call = ["tool", "function", "python", "action", "invoke"].iter().any(|word| name.contains(word));
    let closes = name.starts_with('/') || name.contains("end") || name.contains("_close");
    let inner = ["sep", "argument", "plugin"].iter().any(|word| name.contains(word));
    match name {
        _ if inner || !of_call => Mark::Noise,
        _ if closes => Mark::Called(name.to_owned()),
        _ if ["response", "result", "output"].iter().any(|word| name.contains(word)) => {
            Mark::Result(name.to_owned())
        }
        _ => Mark::Call(name.to_owned()),
    }
}

/// `<name>`, `</name>` and `<name=x ..>` of the names that are known.
fn tag(text: &str) -> Found {
    let from = if text.starts_with("</") { 2 } else { 1 };
    let length = text[from..].find(|char: char| !is_of_name(char));
    let name = text[from..length.map_or(text.len(), |length| from + length)].to_ascii_lowercase();
    if length.is_none() {
        let unused = "unused".starts_with(&name) || is_unused(&name);
        let may_become = unused || TAGS.iter().any(|(known, _)| known.starts_with(&name));
        return if may_become && name.len() < LONGEST_TOKEN { Found::Wait } else { Found::Nothing };
    }
    let known = TAGS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
    let Some(kind) = known.or_else(|| is_unused(&name).then_some(Kind::Noise)) else { return Found::Nothing };
    let Some(end) = text.find('>') else { return wait(text, LONGEST_TAG, |char| char != '\n') };
    if end > LONGEST_TAG || text[1..end].contains(['<', '\n']) {
        return Found::Nothing;
    }
    Found::Mark(end + 1, kind.mark(name, from == 2))
}

/// Tokens that a vocabulary keeps in reserve.
fn is_unused(name: &str) -> bool {
    name.strip_prefix("unused").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Thought,
    Call,
    Result,
    End,
    Speaker,
    Noise,
}

impl Kind {
    fn mark(self, name: String, closes: bool) -> Mark {
        match (self, closes) {
            (Self::Thought, false) => Mark::Think,
            (Self::Thought, true) => Mark::Thought,
            (Self::Call, false) => Mark::Call(name),
            (Self::Result, false) => Mark::Result(name),
            (Self::Call | Self::Result, true) => Mark::Called(name),
            (Self::Speaker, _) => Mark::Speaker,
            (Self::End, _) => Mark::End,
            (Self::Noise, _) => Mark::Noise,
        }
    }
}

fn square(text: &str, tools: &Tools) -> Found {
    let marks = [
        ("[THINK]", Mark::Think),
        ("[/THINK]", Mark::Thought),
        ("[TOOL_CALLS]", Mark::Call("[tool_calls]".into())),
        ("[/TOOL_CALLS]", Mark::Called("/[tool_calls]".into())),
        ("[TOOL_RESULTS]", Mark::Result("[tool_results]".into())),
        ("[/TOOL_RESULTS]", Mark::Called("/[tool_results]".into())),
        ("[INST]", Mark::Other),
        ("[/INST]", Mark::Noise),
    ];
    match fixed(text, &marks) {
        Found::Nothing => {}
        found => return found,
    }
    let inner = text[1..].trim_start();
    match inner.chars().next() {
        None if inner.len() + LONGEST_TOKEN < text.len() => Found::Nothing,
        None => Found::Wait,
        Some('{') => object(inner),
        Some(_) => python(inner, tools),
    }
}

/// A call of a tool that there is, perhaps with a namespace before its name.
fn python(text: &str, tools: &Tools) -> Found {
    let length = text.find(|char: char| !is_of_name(char)).unwrap_or(text.len());
    let (name, behind) = text.split_at(length);
    let bare = NAMESPACES.iter().find_map(|space| name.strip_prefix(space)).unwrap_or(name);
    let mut known = tools.0.iter().map(|tool| tool.name.as_str());
    match behind.chars().next() {
        None if name.is_empty() => Found::Nothing,
        None if known.any(|tool| tool.starts_with(bare)) => Found::Wait,
        None if NAMESPACES.iter().any(|space| space.starts_with(name)) => Found::Wait,
        Some('(') if known.any(|tool| tool == bare) => Found::Value,
        _ => Found::Nothing,
    }
}

/// An object that begins as calls do: with the name of one of their fields.
fn object(text: &str) -> Found {
    let inner = text[1..].trim_start();
    if text.len() - inner.len() > LONGEST_TOKEN {
        return Found::Nothing;
    }
    let Some(quote) = inner.chars().next() else { return Found::Wait };
    if !matches!(quote, '"' | '\'') {
        return Found::Nothing;
    }
    match inner[1..].find(quote) {
        Some(end) if may_begin(&inner[1..=end]) => Found::Value,
        None if inner.len() < LONGEST_TOKEN => Found::Wait,
        _ => Found::Nothing,
    }
}

fn fence(text: &str, tools: &Tools) -> Found {
    let ticks = text.bytes().take_while(|byte| *byte == b'`').count();
    let behind = &text[ticks..];
    if ticks != 3 {
        return if ticks < 3 && behind.is_empty() { Found::Wait } else { Found::Nothing };
    }
    let length = behind.find(|char: char| !is_of_name(char)).unwrap_or(behind.len());
    let (language, rest) = behind.split_at(length);
    let inner = rest.trim_start();
    let found = match inner.chars().next() {
        None if text.len() < LONGEST_TOKEN => return Found::Wait,
        _ if matches!(language, "tool_code" | "tool_call" | "tool_calls" | "function_call") => Found::Value,
        Some('{') => object(inner),
        Some('[') => square(inner, tools),
        Some('<') => angle(inner),
        Some(char) if is_of_name(char) => python(inner, tools),
        _ => Found::Nothing,
    };
    match found {
        Found::Wait => Found::Wait,
        Found::Value | Found::Mark(_, Mark::Call(_)) => Found::Fence(text.len() - inner.len()),
        _ => Found::Nothing,
    }
}

fn fixed(text: &str, marks: &[(&str, Mark)]) -> Found {
    let whole = marks.iter().find(|(mark, _)| text.starts_with(mark));
    match whole {
        Some((mark, kind)) => Found::Mark(mark.len(), kind.clone()),
        None if marks.iter().any(|(mark, _)| mark.starts_with(text)) => Found::Wait,
        None => Found::Nothing,
    }
}

/// Whether `text`, whose end is missing, can still become a mark.
fn wait(text: &str, longest: usize, is_of: impl Fn(char) -> bool) -> Found {
    let possible = text.len() <= longest && text[1..].chars().all(|char| char != '<' && is_of(char));
    if possible { Found::Wait } else { Found::Nothing }
}

pub(super) const fn is_of_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.' | ':')
}

fn is_of_token(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | '-' | '.' | ':' | '/' | '=' | '"' | ' ' | '|' | '｜' | '▁')
}

/// What models put before the names of tools.
const NAMESPACES: [&str; 3] = ["functions.", "tools.", "default_api."];

/// Around tokens, of either width.
const BARS: [char; 2] = ['|', '｜'];

/// Bytes of a token, of its words and of the first line of a block.
const LONGEST_TOKEN: usize = 80;

/// Bytes of a tag with its attributes.
const LONGEST_TAG: usize = 160;

/// Tags by their names in small letters.
const TAGS: &[(&str, Kind)] = &[
    ("think", Kind::Thought),
    ("thinking", Kind::Thought),
    ("thought", Kind::Thought),
    ("thoughts", Kind::Thought),
    ("reasoning", Kind::Thought),
    ("reason", Kind::Thought),
    ("reflection", Kind::Thought),
    ("analysis", Kind::Thought),
    ("scratchpad", Kind::Thought),
    ("inner_monologue", Kind::Thought),
    ("inner_thoughts", Kind::Thought),
    ("internal_monologue", Kind::Thought),
    ("monologue", Kind::Thought),
    ("chain_of_thought", Kind::Thought),
    ("cot", Kind::Thought),
    ("seed:think", Kind::Thought),
    ("antthinking", Kind::Thought),
    ("antml:thinking", Kind::Thought),
    ("tool_call", Kind::Call),
    ("tool_calls", Kind::Call),
    ("toolcall", Kind::Call),
    ("toolcalls", Kind::Call),
    ("tool_use", Kind::Call),
    ("tool_code", Kind::Call),
    ("tool", Kind::Call),
    ("tools", Kind::Call),
    ("function", Kind::Call),
    ("functions", Kind::Call),
    ("function_call", Kind::Call),
    ("function_calls", Kind::Call),
    ("functioncall", Kind::Call),
    ("invoke", Kind::Call),
    ("antml:function_calls", Kind::Call),
    ("antml:invoke", Kind::Call),
    ("minimax:tool_call", Kind::Call),
    ("seed:tool_call", Kind::Call),
    ("tool_response", Kind::Result),
    ("tool_result", Kind::Result),
    ("tool_results", Kind::Result),
    ("tool_output", Kind::Result),
    ("function_results", Kind::Result),
    ("function_response", Kind::Result),
    ("observation", Kind::Result),
    ("end_of_turn", Kind::End),
    ("eos", Kind::End),
    ("end_of_utterance", Kind::End),
    ("eot", Kind::End),
    ("start_of_turn", Kind::Speaker),
    ("s", Kind::Noise),
    ("bos", Kind::Noise),
    ("pad", Kind::Noise),
    ("unk", Kind::Noise),
    ("answer", Kind::Noise),
    ("final_answer", Kind::Noise),
    ("final", Kind::Noise),
    ("response", Kind::Noise),
    ("output", Kind::Noise),
    ("reply", Kind::Noise),
];
