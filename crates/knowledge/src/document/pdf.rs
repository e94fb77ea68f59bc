use super::section::Section;
use super::{hyphens, outline, pdf_page};
use crate::ReadError;
use lopdf::Document;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The pages of a PDF, each a section: it does not say what its headings are. What of it holds no text is noted.
pub(super) fn sections(bytes: &[u8], notes: &mut Vec<String>) -> Result<Vec<Section>, ReadError> {
    // The reader is not ours, and files are made by anybody: what it trips over is this file's fault.
    let read = catch_unwind(AssertUnwindSafe(|| read(bytes)));
    let (sections, told) =
        read.unwrap_or_else(|_| Err(ReadError::Pdf("its structure makes no sense".into())))?;
    notes.extend(told);
    Ok(sections)
}

fn read(bytes: &[u8]) -> Result<(Vec<Section>, Vec<String>), ReadError> {
    let document = Document::load_mem(bytes).map_err(refused)?;
    // One that an empty password opens was decrypted as it was read.
    if document.is_encrypted() && !document.was_encrypted() {
        return Err(ReadError::Encrypted);
    }
    let (mut left, mut sections) = (MOST_TEXT, Vec::new());
    let (mut empty, mut broken, mut why) = (Vec::new(), Vec::new(), None);
    for (page, id) in document.get_pages() {
        let text = match pdf_page::text(&document, id, LARGEST_PAGE) {
            Ok(text) => text,
            Err(error) => {
                broken.push(page);
                why = Some(error);
                continue;
            }
        };
        left = left.checked_sub(text.len()).ok_or_else(|| ReadError::Pdf("its text is too long".into()))?;
        if !text.chars().any(char::is_alphanumeric) {
            empty.push(page);
        }
        sections.push(Section { heading: format!("page {page}"), text: flow(&text) });
    }
    match why {
        Some(error) if sections.is_empty() => return Err(refused(error)),
        _ => {}
    }
    let told = [(empty, "without text: scanned pages are not recognised"), (broken, "that cannot be read")];
    let told = told.into_iter().filter(|(pages, _)| !pages.is_empty());
    Ok((sections, told.map(|(pages, what)| format!("has pages {what}: {}", ranges(&pages))).collect()))
}

/// "page 2, pages 4 to 7".
fn ranges(pages: &[u32]) -> String {
    let runs =
        pages.chunk_by(|one, next| one + 1 == *next).filter_map(|run| Some((run.first()?, run.last()?)));
    let told =
        runs.map(
            |(first, last)| {
                if first == last { format!("page {first}") } else { format!("pages {first} to {last}") }
            },
        );
    told.collect::<Vec<_>>().join(", ")
}

fn refused(error: lopdf::Error) -> ReadError {
    match error {
        lopdf::Error::InvalidPassword | lopdf::Error::Decryption(_) => ReadError::Encrypted,
        error => ReadError::Pdf(error.to_string()),
    }
}

/// A page's lines are broken to fit it: they flow together again. What looks like the end of a paragraph, a short line
/// with a full stop, stays one.
fn flow(page: &str) -> String {
    let mut text = String::new();
    let longest = page.lines().map(|line| line.trim().len()).max().unwrap_or_default();
    for line in page.lines().map(str::trim).filter(|line| !line.is_empty()) {
        hyphens::join(&mut text, line, page);
        if line.ends_with(['.', '!', '?', ':']) && line.len() * 4 < longest * 3 {
            text.push('\n');
        }
    }
    outline::lines(&text)
}

/// Bytes of a page's content, unpacked.
const LARGEST_PAGE: usize = 16 * 1_024 * 1_024;

/// Bytes of text in one file.
const MOST_TEXT: usize = 32 * 1_024 * 1_024;
