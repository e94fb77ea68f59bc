//! Files, read into sections of plain text.

mod encoding;
mod html;
mod hyphens;
mod markdown;
mod outline;
mod pdf;
mod pdf_page;
mod section;
mod text;

pub use section::Section;

use crate::folding::tidy;
use crate::{FileToRead, ReadError};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A file's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// Its name in the knowledge base.
    pub source: String,
    /// In their order; none is without text.
    pub sections: Vec<Section>,
    /// What of the file was not read, or had to be guessed.
    pub notes: Vec<String>,
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
        self.read(bytes).map(|(sections, _)| sections)
    }

    /// The same, and what is to be told of it.
    fn read(self, bytes: &[u8]) -> Result<(Vec<Section>, Vec<String>), ReadError> {
        let mut notes = Vec::new();
        // Soft hyphens at the ends of lines tell that a word goes on: until the lines are joined, all is as it was written.
        let mut text = |is_page| -> Result<String, ReadError> {
            let decoded = encoding::decode(bytes, is_page)?;
            notes
                .extend(decoded.guessed.map(|encoding| format!("was taken for {encoding}: it is not UTF-8")));
            Ok(decoded.text.into_owned())
        };
        let mut sections = match self {
            Self::Markdown => markdown::sections(&text(false)?),
            Self::Text => text::sections(&text(false)?),
            Self::Html => html::sections(&text(true)?),
            Self::Pdf => pdf::sections(bytes, &mut notes)?,
        };
        for Section { heading, text } in &mut sections {
            (*heading, *text) = (tidy(heading), tidy(text));
        }
        sections.retain(|section| section.text.chars().any(char::is_alphanumeric));
        let nothing = if self == Self::Pdf { ReadError::Scanned } else { ReadError::Empty };
        if sections.is_empty() { Err(nothing) } else { Ok((sections, notes)) }
    }
}

/// Reads a file.
///
/// # Errors
/// It cannot be read, or holds no text.
pub fn read(FileToRead { path, source }: &FileToRead) -> Result<Document, ReadError> {
    let kind = Kind::of(path)?;
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    if bytes > LARGEST_FILE {
        return Err(ReadError::TooLarge { bytes, limit: LARGEST_FILE });
    }
    let mut content = Vec::new();
    // It may grow meanwhile.
    file.take(LARGEST_FILE).read_to_end(&mut content)?;
    let (sections, notes) = kind.read(&content)?;
    Ok(Document { source: source.clone(), sections, notes })
}
