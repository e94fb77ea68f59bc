//! What the service remembers between requests, as published in its
//! [prompt caching](https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching): everything up to a block that is
//! marked. Unlike the service, it also remembers what is short, so that short prompts show it.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The beginnings of requests that are remembered, each with its words.
#[derive(Debug, Default)]
pub struct PromptCache(Mutex<HashMap<String, usize>>);

/// A request up to a mark.
#[derive(Debug)]
pub(super) struct Prefix {
    text: String,
    words: usize,
}

/// Words that were remembered, and those that are from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cached {
    pub(super) read: usize,
    pub(super) written: usize,
}

impl PromptCache {
    /// A request with these beginnings, the shortest first.
    pub(super) fn asked(&self, prefixes: Vec<Prefix>) -> Cached {
        let Some(longest) = prefixes.last().map(|prefix| prefix.words) else { return Cached::default() };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let read = prefixes.iter().filter_map(|prefix| known.get(&prefix.text)).max().copied().unwrap_or(0);
        if known.len() > MOST {
            known.clear();
        }
        known.extend(prefixes.into_iter().map(|prefix| (prefix.text, prefix.words)));
        Cached { read, written: longest - read }
    }
}

/// The request up to each of its marks, in the service's order: tools, system, messages.
///
/// # Errors
/// A mark that the service refuses, and why.
pub(super) fn prefixes(body: &Value) -> Result<Vec<Prefix>, String> {
    let mut prefixes = Vec::new();
    let (mut text, mut words) = (String::new(), 0);
    for (place, block) in blocks(body)? {
        let (content, mark) = parted(block);
        let content = content.to_string();
        words += content.split_whitespace().count();
        text += &content;
        if !mark.is_null() {
            check(&place, block, &mark)?;
            prefixes.push(Prefix { text: text.clone(), words });
        }
    }
    match prefixes.len() {
        0..=4 => Ok(prefixes),
        marks => Err(format!("A maximum of 4 blocks with cache_control may be provided. Found {marks}.")),
    }
}

/// All blocks, each with its place.
fn blocks(body: &Value) -> Result<Vec<(String, &Value)>, String> {
    let system = &body["system"];
    if !(system.is_null() || system.is_string() || system.is_array()) {
        return Err("system: Input should be a valid list".into());
    }
    let messages = body["messages"].as_array().into_iter().flatten().enumerate();
    let messages = messages.map(|(n, message)| (format!("messages.{n}.content"), &message["content"]));
    let lists =
        [("tools".to_owned(), &body["tools"]), ("system".to_owned(), system)].into_iter().chain(messages);
    let blocks = lists.flat_map(|(place, list)| {
        let items = list.as_array().into_iter().flatten().enumerate();
        items.map(move |(n, item)| (format!("{place}.{n}"), item))
    });
    let blocks: Vec<_> = blocks.collect();
    match blocks.iter().find(|(place, block)| place.starts_with("system") && block["type"] != "text") {
        Some((place, _)) => Err(format!("{place}.type: Input should be 'text'")),
        None => Ok(blocks),
    }
}

/// A block and its mark apart.
fn parted(block: &Value) -> (Value, Value) {
    let mut block = block.clone();
    let mark = block.as_object_mut().and_then(|fields| fields.remove("cache_control"));
    (block, mark.unwrap_or_default())
}

fn check(place: &str, block: &Value, mark: &Value) -> Result<(), String> {
    let place = format!("{place}.cache_control");
    if mark["type"] != "ephemeral" {
        return Err(format!("{place}.type: Input should be 'ephemeral'"));
    }
    if !matches!(mark["ttl"].as_str(), None | Some("5m" | "1h")) || mark["ttl"].is_number() {
        return Err(format!("{place}.ephemeral.ttl: Input should be '5m' or '1h'"));
    }
    if block["type"] == "text" && block["text"] == json!("") {
        return Err(format!("{place}: cache_control cannot be set for empty text blocks"));
    }
    Ok(())
}

/// Beginnings that are remembered at most.
const MOST: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn body(system: Value, tools: Value) -> Value {
        json!({"system": system, "tools": tools, "messages": [{"role": "user", "content": "hi"}]})
    }

    fn marked(text: &str) -> Value {
        json!([{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}])
    }

    #[test]
    fn what_ends_in_a_mark_is_remembered_by_the_next_request() {
        let cache = PromptCache::default();
        let asked = |system: &str| {
            let tools = json!([{"name": "a b"}, {"name": "c d", "cache_control": {"type": "ephemeral"}}]);
            cache.asked(prefixes(&body(marked(system), tools)).unwrap())
        };
        assert_eq!(asked("Be brief."), Cached { read: 0, written: 6 });
        assert_eq!(asked("Be brief."), Cached { read: 6, written: 0 });
        assert_eq!(asked("Be long."), Cached { read: 4, written: 2 });
        assert_eq!(cache.asked(prefixes(&body("Be brief.".into(), json!([]))).unwrap()), Cached::default());
    }

    #[test]
    fn marks_that_the_service_refuses_are_refused() {
        let marks = |mark: Value| json!([{"type": "text", "text": "a", "cache_control": mark}]);
        for (system, expected) in [
            (marks(json!({"type": "forever"})), "system.0.cache_control.type: Input should be 'ephemeral'"),
            (
                marks(json!({"type": "ephemeral", "ttl": "2h"})),
                "system.0.cache_control.ephemeral.ttl: Input should be '5m' or '1h'",
            ),
            (marked(""), "system.0.cache_control: cache_control cannot be set for empty text blocks"),
            (json!([{"type": "image"}]), "system.0.type: Input should be 'text'"),
            (json!({}), "system: Input should be a valid list"),
            (
                json!(vec![marked("a")[0].clone(); 5]),
                "A maximum of 4 blocks with cache_control may be provided. Found 5.",
            ),
        ] {
            assert_eq!(prefixes(&body(system, Value::Null)).unwrap_err(), expected);
        }
    }
}
