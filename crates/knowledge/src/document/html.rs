use super::Section;
use super::outline::Outline;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use std::cell::RefCell;

/// The sections of a page: what a reader sees of it, without its menus.
///
/// Tokens are enough for that, and no tree is built: a page may be nested as deeply as it likes.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let tokenizer = Tokenizer::new(Page::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(text));
    // It would stop early for a script only if the page asked it to.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner().outline.finish()
}

/// What has been read; the tokenizer lends its sink to be looked at only.
#[derive(Default)]
struct Page(RefCell<Reading>);

#[derive(Default)]
struct Reading {
    outline: Outline,
    /// An element that readers do not see, and how often it is open within itself.
    hidden: Option<(String, u32)>,
}

impl TokenSink for Page {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut reading = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => return reading.tag(&tag),
            Token::CharacterTokens(text) if reading.hidden.is_none() => {
                // A line's end in the source is a blank.
                reading.outline.say(&text.replace(['\n', '\r'], " "));
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Reading {
    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = tag.name.as_ref();
        match tag.kind {
            TagKind::StartTag => self.begin(name, tag.self_closing),
            TagKind::EndTag => self.end(name),
        }
        match (tag.kind, name) {
            (TagKind::StartTag, "script") => TokenSinkResult::RawData(RawKind::ScriptData),
            (TagKind::StartTag, "style" | "noscript" | "iframe") => {
                TokenSinkResult::RawData(RawKind::Rawtext)
            }
            (TagKind::StartTag, "title" | "textarea") => TokenSinkResult::RawData(RawKind::Rcdata),
            _ => TokenSinkResult::Continue,
        }
    }

    fn begin(&mut self, name: &str, self_closing: bool) {
        if let Some((hidden, depth)) = &mut self.hidden {
            *depth += u32::from(hidden == name && !self_closing);
            return;
        }
        match (name, level(name)) {
            (_, Some(level)) => self.outline.begin_heading(level),
            ("td" | "th", _) => self.outline.say("  "),
            _ if HIDDEN.contains(&name) && !self_closing => self.hidden = Some((name.to_owned(), 1)),
            _ if !INLINE.contains(&name) => self.outline.end_line(),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if let Some((hidden, depth)) = &mut self.hidden {
            *depth -= u32::from(hidden == name);
            // Whatever was left open ends with the page's body.
            if *depth == 0 || name == "body" {
                self.hidden = None;
            }
            return;
        }
        if level(name).is_some() {
            self.outline.end_heading();
        } else if !INLINE.contains(&name) && !matches!(name, "td" | "th") {
            self.outline.end_line();
        }
    }
}

/// The level of a heading; the title of the page stands above all.
fn level(name: &str) -> Option<u8> {
    match name {
        "title" => Some(0),
        "h1" => Some(1),
        "h2" => Some(2),
        "h3" => Some(3),
        "h4" => Some(4),
        "h5" => Some(5),
        "h6" => Some(6),
        _ => None,
    }
}

/// Elements whose text is none of the page's.
const HIDDEN: [&str; 9] =
    ["script", "style", "noscript", "template", "svg", "nav", "iframe", "select", "object"];

/// Elements within a line.
const INLINE: [&str; 24] = [
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "em", "i", "img", "kbd", "mark", "q", "s",
    "small", "span", "strong", "sub", "sup", "time", "u", "wbr",
];
