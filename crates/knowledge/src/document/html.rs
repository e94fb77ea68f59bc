use super::outline::Outline;
use super::section::Section;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use std::cell::{RefCell, RefMut};

/// The sections of a page: what a reader sees of it, without its menus.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let html = Html::default();
    html.feed(text);
    html.finish()
}

/// Reads HTML piece by piece.
///
/// Tokens are enough for that, and no tree is built: a page may be nested as deeply as it likes.
pub(super) struct Html(Tokenizer<Page>);

impl Default for Html {
    fn default() -> Self {
        Self(Tokenizer::new(Page::default(), TokenizerOpts::default()))
    }
}

impl Html {
    pub(super) fn feed(&self, text: &str) {
        let input = BufferQueue::default();
        input.push_back(StrTendril::from_slice(text));
        // It would stop early for a script only if the page asked it to.
        let _ = self.0.feed(&input);
    }

    /// What has been read, for what is no HTML between its pieces.
    pub(super) fn reading(&self) -> RefMut<'_, Reading> {
        self.0.sink.0.borrow_mut()
    }

    pub(super) fn finish(self) -> Vec<Section> {
        self.0.end();
        self.0.sink.0.into_inner().outline.finish()
    }
}

/// What has been read; the tokenizer lends its sink to be looked at only.
#[derive(Default)]
pub(super) struct Page(RefCell<Reading>);

#[derive(Default)]
pub(super) struct Reading {
    pub(super) outline: Outline,
    /// An element that readers do not see, and how often it is open within itself.
    hidden: Option<(String, u32)>,
    /// Cells of tables that are open, and whether anything was said in the last of them.
    cells: u32,
    said: bool,
    /// A part of a cell has ended.
    parted: bool,
    /// What comes next stands above the line or below it, or on it again.
    shifted: bool,
}

impl TokenSink for Page {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut reading = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => return reading.tag(&tag),
            // A line's end in the source is a blank.
            Token::CharacterTokens(text) => reading.say(&text.replace(['\n', '\r'], " ")),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Reading {
    /// Text, unless readers do not see it.
    pub(super) fn say(&mut self, text: &str) {
        if self.hidden.is_some() || text.is_empty() {
            return;
        }
        // 12 with 50 above the line is not 1250.
        if std::mem::take(&mut self.shifted)
            && text.starts_with(|char: char| char.is_ascii_digit())
            && self.outline.is_apart_from_digits()
        {
            self.outline.say(" ");
        }
        if text.chars().any(|char| !char.is_whitespace()) {
            if std::mem::take(&mut self.parted) {
                self.outline.part();
            }
            self.said = true;
        }
        self.outline.say(text);
    }

    /// A line ends; within a cell, a part of it.
    pub(super) fn break_line(&mut self) {
        if self.hidden.is_some() {
            return;
        }
        match self.cells {
            0 => self.outline.end_line(),
            _ => {
                self.parted = self.said;
                self.outline.say(" ");
            }
        }
    }

    pub(super) fn begin_cell(&mut self) {
        self.cells += 1;
        (self.said, self.parted) = (false, false);
        self.outline.say("  ");
    }

    pub(super) fn end_cell(&mut self) {
        self.cells = self.cells.saturating_sub(1);
        (self.said, self.parted) = (self.cells > 0, false);
        self.outline.say("  ");
    }

    fn end_row(&mut self) {
        (self.cells, self.parted) = (0, false);
        self.outline.end_line();
    }

    /// Whatever was left open ends.
    pub(super) fn close(&mut self) {
        (self.hidden, self.cells, self.parted) = (None, 0, false);
    }

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
            ("td" | "th", _) => self.begin_cell(),
            // Cells need not be closed.
            ("tr" | "table", _) => self.end_row(),
            ("sup" | "sub", _) => self.shifted = true,
            _ if HIDDEN.contains(&name) && !self_closing => self.hidden = Some((name.to_owned(), 1)),
            _ if !INLINE.contains(&name) => self.break_line(),
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
        match name {
            _ if level(name).is_some() => self.outline.end_heading(),
            "td" | "th" => self.end_cell(),
            "tr" | "table" => self.end_row(),
            "sup" | "sub" => self.shifted = true,
            _ if !INLINE.contains(&name) => self.break_line(),
            _ => {}
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
