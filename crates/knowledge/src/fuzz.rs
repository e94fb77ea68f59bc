//! What the fuzzers call, and the test that replays their corpora: each takes any bytes and panics on a defect.

use crate::meaning;
use crate::{Document, Kind, cut};

/// A fuzz target.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub const TARGETS: &[(&str, Target)] = &[("documents", documents), ("safetensors", safetensors)];

/// A file of the kind that its first byte says: refused on one line, or cut into passages that are neither empty nor too
/// long and lose no word.
pub fn documents(data: &[u8]) {
    let Some((kind, content)) = data.split_first() else { return };
    let kind = [Kind::Markdown, Kind::Text, Kind::Html, Kind::Pdf][usize::from(kind % 4)];
    let sections = match kind.sections(content) {
        Ok(sections) => sections,
        Err(error) => return assert_eq!(error.to_string().lines().count(), 1, "{error}"),
    };
    let document = Document { source: "file".into(), sections, notes: Vec::new() };
    let passages = cut(&document);
    for passage in &passages {
        assert!(!passage.text.trim().is_empty() && passage.text.len() <= 2_048, "{passage:?}");
    }
    let words =
        document.sections.iter().flat_map(|section| section.text.split(|c: char| !c.is_ascii_alphanumeric()));
    for word in words.filter(|word| word.len() < 64).take(1_000) {
        assert!(passages.iter().any(|passage| passage.text.contains(word)), "{word:?} is lost");
    }
}

/// The header of a file of weights: refused, or every tensor lies in the file.
pub fn safetensors(data: &[u8]) {
    meaning::fuzz(data);
}
