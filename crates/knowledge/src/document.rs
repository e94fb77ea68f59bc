//! Files, read into sections of plain text.

mod html;
mod markdown;
mod outline;
mod pdf;
mod pdf_page;
mod text;

use crate::ReadError;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A file's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its name in the knowledge base.
    pub source: String,
    /// In their order; none is without text.
    pub sections: Vec<Section>,
}

/// What stands below one heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// The headings above it, the highest first, separated by `>`; may be empty.
    pub heading: String,
    /// Its text; paragraphs, and items of lists, are lines.
    pub text: String,
}

/// What a file is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `.md`, `.markdown`
    Markdown,
    /// `.txt`, `.text`
    Text,
    /// `.html`, `.htm`
    Html,
    /// `.pdf`
    Pdf,
}

/// Bytes of a file that are taken in.
pub const LARGEST_FILE: u64 = 32 * 1_024 * 1_024;

impl Kind {
    /// The kind of a file of this name.
    ///
    /// # Errors
    /// It is none of those that can be read.
    pub fn of(path: &Path) -> Result<Self, ReadError> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "md" | "markdown" => Ok(Self::Markdown),
            "txt" | "text" => Ok(Self::Text),
            "html" | "htm" => Ok(Self::Html),
            "pdf" => Ok(Self::Pdf),
            _ => Err(ReadError::Kind),
        }
    }

    /// The sections of a file of this kind; those without text are left out.
    ///
    /// # Errors
    /// It cannot be read, or holds no text.
    pub fn sections(self, bytes: &[u8]) -> Result<Vec<Section>, ReadError> {
        let mut sections = match self {
            Self::Markdown => markdown::sections(utf8(bytes)?),
            Self::Text => text::sections(utf8(bytes)?),
            Self::Html => html::sections(utf8(bytes)?),
            Self::Pdf => pdf::sections(bytes)?,
        };
        sections.retain(|section| section.text.chars().any(char::is_alphanumeric));
        if sections.is_empty() { Err(ReadError::Empty) } else { Ok(sections) }
    }
}

/// Reads a file; its name, as it was given, is the source of its passages.
///
/// # Errors
/// It cannot be read, or holds no text.
pub fn read(path: &Path) -> Result<Document, ReadError> {
    let kind = Kind::of(path)?;
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    if bytes > LARGEST_FILE {
        return Err(ReadError::TooLarge { bytes, limit: LARGEST_FILE });
    }
    let mut content = Vec::new();
    // It may grow meanwhile.
    file.take(LARGEST_FILE).read_to_end(&mut content)?;
    Ok(Document { source: path.display().to_string(), sections: kind.sections(&content)? })
}

fn utf8(bytes: &[u8]) -> Result<&str, ReadError> {
    let text = std::str::from_utf8(bytes).map_err(|error| ReadError::NotUtf8 { at: error.valid_up_to() })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}
