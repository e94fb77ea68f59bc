//! Folders, files and the documents that tests search.

use ringway_knowledge::{About, Config, Document, Embedder, Index, Kind, Language, Section, prepare};
use std::path::{Path, PathBuf};

/// A folder of one test.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A file in it.
pub(crate) fn file(dir: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// Headings and texts of a document.
pub(crate) fn sections(kind: Kind, content: impl AsRef<[u8]>) -> Vec<(String, String)> {
    let sections = kind.sections(content.as_ref()).unwrap();
    sections.into_iter().map(|Section { heading, text }| (heading, text)).collect()
}

pub(crate) fn document(source: &str, sections: &[(&str, &str)]) -> Document {
    let section =
        |(heading, text): &(&str, &str)| Section { heading: (*heading).into(), text: (*text).into() };
    Document { source: source.into(), sections: sections.iter().map(section).collect(), notes: Vec::new() }
}

/// A bicycle shop's.
pub(crate) fn shop() -> Vec<Document> {
    let hours = [
        ("Hours", "Our shop is open from nine to five on weekdays, and until noon on Saturdays."),
        ("Delivery", "We bring parcels to your door within three days. Vienna is served on the same day."),
    ];
    let money = [
        ("Refunds", "Money for returned goods is paid back within two weeks, to the card that was used."),
        ("Guarantee", "Frames are guaranteed for ten years. Tyres and chains wear out and are not covered."),
    ];
    vec![document("shop.md", &hours), document("money.txt", &money)]
}

/// An index of these documents in a folder.
pub(crate) async fn indexed(dir: &Path, documents: &[Document], embedder: &Embedder) -> Index {
    let index = Index::open_or_create(dir, &About::new(Language::English, embedder.name())).unwrap();
    add(&index, documents, embedder).await;
    index
}

pub(crate) async fn add(index: &Index, documents: &[Document], embedder: &Embedder) {
    let mut prepared = Vec::new();
    for document in documents {
        prepared.push(prepare(document, embedder, |_| {}).await.unwrap());
    }
    index.replace(&prepared).unwrap();
}

/// What set-up fetches.
pub(crate) fn fetched(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ringway").join(file)
}

pub(crate) fn config() -> Config {
    Config { model: fetched("models/all-minilm-l6-v2"), ..Config::default() }
}
