//! The folder of an index.

use crate::support::{add, document, folder, indexed, shop};
use ringway_knowledge::{About, Embedder, Index, KnowledgeBaseError, Language, Passage, Prepared, Source};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn sources(index: &Index) -> Vec<(String, usize)> {
    index.sources().unwrap().into_iter().map(|Source { source, passages }| (source, passages)).collect()
}

#[tokio::test]
async fn a_document_that_is_added_again_is_replaced() {
    let dir = folder();
    let index = indexed(dir.path(), &shop(), &Embedder::None).await;
    assert_eq!(sources(&index), [("money.txt".into(), 2), ("shop.md".into(), 2)]);
    add(&index, &[document("shop.md", &[("Hours", "Open all night.")])], &Embedder::None).await;
    assert_eq!(sources(&index), [("money.txt".into(), 2), ("shop.md".into(), 1)]);
    let shelf = index.shelf().unwrap();
    assert!(shelf.search("deliver to Vienna", None, 3, 0.25).unwrap().is_empty());
    assert_eq!(shelf.search("nights", None, 3, 0.25).unwrap().len(), 1);
}

#[tokio::test]
async fn a_document_is_removed_by_its_name() {
    let dir = folder();
    let index = indexed(dir.path(), &shop(), &Embedder::None).await;
    assert!(index.remove("shop.md").unwrap());
    assert!(!index.remove("shop.md").unwrap());
    assert_eq!(sources(&Index::open(dir.path()).unwrap()), [("money.txt".into(), 2)]);
}

#[tokio::test]
async fn an_index_is_readable_by_its_user_alone() {
    let dir = folder();
    let base = dir.path().join("base");
    drop(indexed(&base, &shop(), &Embedder::None).await);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&base), mode(&base.join("words"))), (0o700, 0o700));
    for file in files(&base.join("words")).into_iter().chain([base.join("about.json")]) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn where_nothing_was_added_there_is_no_index() {
    let dir = folder();
    assert!(matches!(Index::open(dir.path()), Err(KnowledgeBaseError::Missing { .. })));
    assert!(!About::lies_in(dir.path()));
}

#[tokio::test]
async fn a_byte_that_changed_in_any_file_of_the_index_is_noticed() {
    let dir = folder();
    drop(indexed(dir.path(), &shop(), &Embedder::None).await);
    let files = files(&dir.path().join("words"));
    assert!(files.len() > 5, "{files:?}");
    for path in files {
        let whole = std::fs::read(&path).unwrap();
        let mut broken = whole.clone();
        broken[0] ^= 0x20;
        std::fs::write(&path, broken).unwrap();
        let opened = Index::open(dir.path());
        assert!(matches!(opened, Err(KnowledgeBaseError::Damaged { .. })), "{}: {opened:?}", path.display());
        std::fs::write(&path, whole).unwrap();
    }
    assert!(Index::open(dir.path()).is_ok());
}

#[tokio::test]
async fn an_index_that_lost_a_file_or_its_description_is_damaged() {
    let dir = folder();
    drop(indexed(dir.path(), &shop(), &Embedder::None).await);
    std::fs::write(dir.path().join("about.json"), "{").unwrap();
    assert!(matches!(Index::open(dir.path()), Err(KnowledgeBaseError::Damaged { .. })));
    std::fs::remove_dir_all(dir.path().join("words")).unwrap();
    std::fs::write(dir.path().join("about.json"), r#"{"format":2,"language":"english","embeddings":""}"#)
        .unwrap();
    let error = Index::open(dir.path()).unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[test]
fn an_index_of_another_format_is_refused_with_what_to_do() {
    let dir = folder();
    let about = About::new(Language::English, "");
    drop(Index::open_or_create(dir.path(), &about).unwrap());
    let old = r#"{"format":1,"language":"english","embeddings":""}"#;
    std::fs::write(dir.path().join("about.json"), old).unwrap();
    for error in
        [Index::open(dir.path()).unwrap_err(), Index::open_or_create(dir.path(), &about).unwrap_err()]
    {
        assert!(matches!(error, KnowledgeBaseError::Format { format: 1, .. }), "{error}");
        assert!(error.to_string().ends_with("remove the folder and add the files again"), "{error}");
    }
}

#[test]
fn an_index_keeps_to_what_it_was_made_with() {
    let dir = folder();
    let about = |language, embeddings| About::new(language, embeddings);
    drop(Index::open_or_create(dir.path(), &about(Language::English, "m")).unwrap());
    for other in [about(Language::German, "m"), about(Language::English, "n")] {
        let error = Index::open_or_create(dir.path(), &other).unwrap_err();
        assert!(matches!(error, KnowledgeBaseError::Other { .. }), "{error}");
    }
    let index = Index::open(dir.path()).unwrap();
    assert!(index.fits(&Embedder::None).is_ok(), "words are found without it");
}

#[test]
fn passages_are_found_by_the_direction_of_their_embeddings() {
    let dir = folder();
    let index = Index::open_or_create(dir.path(), &About::new(Language::English, "compass")).unwrap();
    let passage = |text: &str, vector| {
        let passage = Passage { source: "a.md".into(), heading: String::new(), text: text.into() };
        (passage, Some(vector))
    };
    let passages = vec![passage("North.", vec![0.0, 1.0]), passage("East.", vec![1.0, 0.0])];
    index.replace(&[Prepared { source: "a.md".into(), passages }]).unwrap();
    let shelf = index.shelf().unwrap();
    let found = shelf.search("somewhere", Some(&[0.8, 0.6]), 3, 0.7).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].passage.text.as_str(), found[0].by_words, found[0].by_meaning),
        ("East.", None, Some(1))
    );
    let both = shelf.search("to the north", Some(&[0.8, 0.6]), 3, 0.5).unwrap();
    assert_eq!(both[0].passage.text, "North.", "found in both ways");
    assert_eq!((both[0].by_words, both[0].by_meaning), (Some(1), Some(2)));
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = dir.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    // Locks, and a list of files to be kept, which is made anew.
    files.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        !name.starts_with('.') && path.metadata().unwrap().len() > 0
    });
    files
}
