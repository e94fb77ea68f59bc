/// A block of code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    text: bool,
}

impl Fence {
    /// The line begins or ends one.
    pub(super) fn of(line: &str) -> Option<Self> {
        let line = line.trim();
        let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let kind = line.trim_start_matches(mark);
        let fences = line.len() - kind.len() >= 3 && !kind.contains('`');
        let known = ["text", "txt", "plain", "plaintext", "markdown", "md"];
        fences.then(|| Self { text: known.iter().any(|known| kind.trim().eq_ignore_ascii_case(known)) })
    }

    /// What is in it is said to be text.
    pub(super) const fn is_text(self) -> bool {
        self.text
    }
}

/// The block of code that is open behind byte `upto`.
pub(super) fn fence_at(text: &str, upto: usize) -> Option<Fence> {
    let before = &text[..upto];
    if !before.contains("```") && !before.contains("~~~") {
        return None;
    }
    let lines = before.split('\n').filter_map(Fence::of);
    lines.fold(None, |open, fence| if open.is_some() { None } else { Some(fence) })
}

/// What follows `before` begins a line.
pub(super) fn is_fresh(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '\t', '\r']);
    before.is_empty() || before.ends_with('\n')
}

/// The text up to its first line end.
pub(super) fn first(text: &str) -> &str {
    text.split('\n').next().unwrap_or_default()
}

/// It begins as an entry of a list does.
pub(super) fn has_bullet(line: &str) -> bool {
    bullet(line) > 0 || is_rule(first(line))
}

/// A line across the page, the line below a table's head, or the underline of a heading.
pub(super) fn is_rule(line: &str) -> bool {
    let signs = line.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let marks = line.bytes().filter(|byte| matches!(byte, b'-' | b'=' | b'*' | b'_')).count();
    marks >= 2 && signs.clone().all(|byte| matches!(byte, b'-' | b'=' | b'*' | b'_' | b'|' | b':'))
        || marks > 0 && line.contains('|') && signs.clone().all(|byte| matches!(byte, b'-' | b'|' | b':'))
}

/// The length of the marks in front of the words of a line: of quotes, headings, lists and tables.
pub(super) fn marks(line: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = &line[at..];
        let blanks = rest.len() - rest.trim_start().len();
        let rest = &rest[blanks..];
        let length = match rest.chars().next() {
            Some('>' | '|') => 1,
            Some('#') => heading(rest),
            _ => bullet(rest).max(checkbox(rest)),
        };
        if length == 0 {
            // Blanks in front of words are none of the marks.
            return if at == 0 { 0 } else { at + blanks };
        }
        at += blanks + length;
    }
}

fn heading(line: &str) -> usize {
    let signs = line.len() - line.trim_start_matches('#').len();
    let ends = line[signs..].chars().next().is_none_or(char::is_whitespace);
    if signs <= 6 && ends { signs } else { 0 }
}

fn bullet(line: &str) -> usize {
    let mut chars = line.chars();
    let mark = chars.next().filter(|mark| BULLETS.contains(mark));
    let dash = mark.is_some_and(|mark| matches!(mark, '-' | '*' | '+' | '–' | '—'));
    let blank = chars.next().is_none_or(char::is_whitespace);
    mark.filter(|_| blank || !dash).map_or(0, char::len_utf8)
}

fn checkbox(line: &str) -> usize {
    if ["[ ] ", "[x] ", "[X] "].iter().any(|box_| line.starts_with(box_)) { 3 } else { 0 }
}

const BULLETS: [char; 11] = ['-', '*', '+', '–', '—', '•', '◦', '▪', '●', '‣', '∙'];
