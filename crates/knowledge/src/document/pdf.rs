use super::{Section, outline, pdf_page};
use crate::ReadError;
use lopdf::Document;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The pages of a PDF, each a section: it does not say what its headings are.
pub(super) fn sections(bytes: &[u8]) -> Result<Vec<Section>, ReadError> {
    // The reader is not ours, and files are made by anybody: what it trips over is this file's fault.
    let read = catch_unwind(AssertUnwindSafe(|| read(bytes)));
    read.unwrap_or_else(|_| Err(ReadError::Pdf("its structure makes no sense".into())))
}

fn read(bytes: &[u8]) -> Result<Vec<Section>, ReadError> {
    let document = Document::load_mem(bytes).map_err(refused)?;
    // One that an empty password opens was decrypted as it was read.
    if document.is_encrypted() && !document.was_encrypted() {
        return Err(ReadError::Encrypted);
    }
    let mut left = MOST_TEXT;
    let mut sections = Vec::new();
    for (page, id) in document.get_pages() {
        let text = pdf_page::text(&document, id, LARGEST_PAGE).map_err(refused)?;
        left = left.checked_sub(text.len()).ok_or_else(|| ReadError::Pdf("its text is too long".into()))?;
        sections.push(Section { heading: format!("page {page}"), text: flow(&text) });
    }
    Ok(sections)
}

fn refused(error: lopdf::Error) -> ReadError {
    match error {
        lopdf::Error::InvalidPassword | lopdf::Error::Decryption(_) => ReadError::Encrypted,
        error => ReadError::Pdf(error.to_string()),
    }
}

/// A page's lines are broken to fit it: they flow together again, and a hyphen at a line's end goes. What looks like the
/// end of a paragraph, a short line with a full stop, stays one.
fn flow(page: &str) -> String {
    let mut text = String::new();
    let longest = page.lines().map(|line| line.trim().len()).max().unwrap_or_default();
    for line in page.lines().map(str::trim).filter(|line| !line.is_empty()) {
        text.push_str(line);
        let broken = text.ends_with('-') && line.len() > 1;
        if broken {
            text.pop();
        } else if line.ends_with(['.', '!', '?', ':']) && line.len() * 4 < longest * 3 {
            text.push('\n');
        } else {
            text.push(' ');
        }
    }
    outline::lines(&text)
}

/// Bytes of a page's content, unpacked.
const LARGEST_PAGE: usize = 16 * 1_024 * 1_024;

/// Bytes of text in one file.
const MOST_TEXT: usize = 32 * 1_024 * 1_024;
