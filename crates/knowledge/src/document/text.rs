use super::section::Section;
use super::{hyphens, outline};

/// Plain text has no headings: an empty line ends a paragraph, and lines within one were broken to fit a page.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let mut paragraphs = vec![String::new()];
    for line in text.lines() {
        match paragraphs.last_mut() {
            Some(paragraph) if is_item(line) => {
                paragraph.push('\n');
                paragraph.push_str(line);
            }
            Some(paragraph) if !line.trim().is_empty() => hyphens::join(paragraph, line.trim(), text),
            _ => paragraphs.push(String::new()),
        }
    }
    vec![Section { heading: String::new(), text: outline::lines(&paragraphs.join("\n")) }]
}

/// Items of a list are lines of their own.
fn is_item(line: &str) -> bool {
    line.trim_start().starts_with(['-', '*', '•'])
}
