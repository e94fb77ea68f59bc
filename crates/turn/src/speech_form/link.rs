//! Links, addresses and tags.

use std::ops::Range;

/// An address in the text: its length, and which bytes of it are said.
pub(super) struct Address {
    pub(super) length: usize,
    pub(super) said: Range<usize>,
}

/// A tag of HTML.
pub(super) struct Tag {
    pub(super) length: usize,
    /// What is behind it stands apart from what is before.
    pub(super) breaks: bool,
}

/// The address that `text` begins with. Of a page its host is said, of a mailbox all of it.
pub(super) fn address(text: &str) -> Option<Address> {
    let word = &text[..text.find(ends_address).unwrap_or(text.len())];
    let scheme =
        word.find("://").filter(|at| word[..*at].bytes().all(|byte| byte.is_ascii_alphanumeric()) && *at > 1);
    if let Some(scheme) = scheme {
        let length = without_tail(word);
        let start = scheme + 3;
        return Some(Address { length, said: host(&word[..length.max(start)], start) });
    }
    if let Some(address) = word.strip_prefix("mailto:").filter(|address| address.contains('@')) {
        let (length, start) = (without_tail(word), word.len() - address.len());
        let end = word.find('?').unwrap_or(length).min(length);
        return Some(Address { length, said: start..end.max(start) });
    }
    let slash = word.find('/').filter(|slash| is_domain(&word[..*slash]))?;
    let length = without_tail(word);
    Some(Address { length, said: 0..slash.min(length) })
}

/// "www.ex.am" and the like.
fn is_domain(text: &str) -> bool {
    let Some((names, last)) = text.rsplit_once('.') else { return false };
    let name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let letters = last.bytes().all(|byte| byte.is_ascii_lowercase());
    (2..=12).contains(&last.len()) && letters && names.split('.').all(name)
}

fn host(word: &str, start: usize) -> Range<usize> {
    let end = word[start..].find(['/', '?', '#']).map_or(word.len(), |at| start + at);
    let start = word[start..end].rfind('@').map_or(start, |at| start + at + 1);
    let end = word[start..end].rfind(':').map_or(end, |at| start + at);
    let start = if word[start..end].starts_with("www.") { start + 4 } else { start };
    start..end
}

fn ends_address(c: char) -> bool {
    c.is_whitespace() || matches!(c, '<' | '>' | '"' | ']' | '|' | '，' | '。' | '、' | '）' | '」')
}

/// The length of an address without what belongs to the sentence around it.
fn without_tail(word: &str) -> usize {
    let mut length = word.trim_end_matches(TAIL).len();
    while word[..length].ends_with(')')
        && word[..length].matches(')').count() > word[..length].matches('(').count()
    {
        length = word[..length - 1].trim_end_matches(TAIL).len();
    }
    length
}

const TAIL: [char; 10] = ['.', ',', ';', ':', '!', '?', '\'', '*', '_', '`'];

/// What `before` ends with goes on: an address that was too long for one clause.
pub(super) fn continues(before: &str) -> bool {
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    word.contains("://")
}

/// The length of what is left of such an address.
pub(super) fn rest_of(text: &str) -> usize {
    text.find(char::is_whitespace).unwrap_or(text.len())
}

/// What is between the sign that `text` begins with and `end`, on one line.
pub(super) fn inside(text: &str, end: char) -> Option<&str> {
    let text = &text[text.chars().next()?.len_utf8()..];
    let inner = &text[..text.find(end)?];
    (!inner.contains('\n')).then_some(inner)
}

/// The length of a link's target in parentheses; of one that is cut off, all of it.
pub(super) fn target(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('(')?;
    let mut depth = 1_usize;
    for (at, c) in inner.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '\n' => return None,
            c if c.is_whitespace() && !inner[at..].trim_start().starts_with(['"', '\'']) && depth == 1 => {
                let titled = inner[..at].contains(['"', '\'']);
                if !titled {
                    return None;
                }
            }
            _ => {}
        }
        if depth == 0 {
            return Some(at + 2);
        }
    }
    (inner.contains("://") || inner.starts_with("mailto:")).then_some(text.len())
}

/// `[1]`, `[2, 3]`, `[^note]`
pub(super) fn is_footnote(inner: &str) -> bool {
    let numbers = inner.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b' ' | b'-'));
    (numbers && inner.len() <= 8 && inner.bytes().any(|byte| byte.is_ascii_digit())) || inner.starts_with('^')
}

/// The tag, or the comment, that `text` begins with.
pub(super) fn tag(text: &str) -> Option<Tag> {
    if text.starts_with("<!--") {
        let length = text.find("-->").map_or(text.len(), |at| at + 3);
        return Some(Tag { length, breaks: false });
    }
    let inner = &text[1..text.find('>')?];
    let name = inner.trim_start_matches('/');
    let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
    let is = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    let (breaks, known) = (is(BLOCKS), is(INLINE));
    ((breaks || known) && !inner.contains('<')).then_some(Tag { length: inner.len() + 2, breaks })
}

const BLOCKS: &[&str] = &[
    "br",
    "p",
    "div",
    "li",
    "ul",
    "ol",
    "tr",
    "td",
    "th",
    "table",
    "thead",
    "tbody",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "blockquote",
    "pre",
    "details",
    "summary",
    "section",
    "article",
    "html",
    "body",
    "head",
];
const INLINE: &[&str] = &[
    "a", "b", "i", "u", "s", "em", "strong", "span", "code", "small", "sub", "sup", "mark", "del", "ins",
    "kbd", "font", "img", "q", "cite", "abbr", "strike", "tt", "center",
];
