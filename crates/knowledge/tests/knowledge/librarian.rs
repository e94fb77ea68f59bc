//! Questions to an index in use.

use crate::support::{add, config, document, folder, indexed, shop};
use ringway_knowledge::{Config, Counts, Embedder, Librarian, SearchError};
use ringway_tools::Knowledge;

#[tokio::test]
async fn a_tool_is_told_passages_with_what_cites_them() {
    let dir = folder();
    drop(indexed(dir.path(), &shop(), &Embedder::None).await);
    let librarian = Librarian::open(dir.path(), &config(), Embedder::None).unwrap();
    let passages = librarian.look_up("When are you open?".into(), 2).await.unwrap();
    assert_eq!(passages[0].source, "shop.md, Hours");
    assert!(passages[0].text.starts_with("Our shop is open"), "{passages:?}");
    assert_eq!(librarian.counts(), Counts { searches: 1, loads: 1, ..Counts::default() });
}

#[tokio::test]
async fn the_index_is_read_once_and_again_only_when_it_was_changed() {
    let dir = folder();
    let index = indexed(dir.path(), &shop(), &Embedder::None).await;
    let librarian = Librarian::open(dir.path(), &config(), Embedder::None).unwrap();
    for _ in 0..20 {
        assert!(librarian.search("submarines".into(), 3).await.unwrap().is_empty());
    }
    assert_eq!((librarian.counts().searches, librarian.counts().loads), (20, 1));
    add(&index, &[document("sea.md", &[("", "We repair submarines.")])], &Embedder::None).await;
    for _ in 0..20 {
        assert_eq!(librarian.search("submarines".into(), 3).await.unwrap().len(), 1);
    }
    assert_eq!((librarian.counts().searches, librarian.counts().loads), (40, 2));
}

#[tokio::test]
async fn one_question_too_many_is_refused_and_counted() {
    let dir = folder();
    drop(indexed(dir.path(), &shop(), &Embedder::None).await);
    let config = Config { searches: 0, ..config() };
    let librarian = Librarian::open(dir.path(), &config, Embedder::None).unwrap();
    assert!(matches!(librarian.search("hours".into(), 3).await, Err(SearchError::Busy)));
    let error = librarian.look_up("hours".into(), 3).await.unwrap_err().to_string();
    assert_eq!(error, "the knowledge base cannot be searched: too many searches are under way");
    assert_eq!((librarian.counts().searches, librarian.counts().refused), (0, 2));
}
