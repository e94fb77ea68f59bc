//! Passages found by their words.

use crate::support::{document, folder, indexed, shop};
use ringway_knowledge::{Embedder, Found, Shelf};

fn first(found: &[Found]) -> Option<&str> {
    found.first().map(|found| found.passage.heading.as_str())
}

fn search(shelf: &Shelf, question: &str) -> Vec<Found> {
    shelf.search(question, None, 3, 0.25).unwrap()
}

#[tokio::test]
async fn the_right_passage_comes_first() {
    let dir = folder();
    let shelf = indexed(dir.path(), &shop(), &Embedder::None).await.shelf().unwrap();
    assert_eq!((shelf.len(), shelf.embedded()), (4, 0));
    for (question, heading) in [
        ("When does your shop open?", Some("Hours")),
        ("do you deliver to vienna", Some("Delivery")),
        ("Is the chain GUARANTEED?", Some("Guarantee")),
        ("I'd like a refund, please.", Some("Refunds")),
        ("Hello, can you tell me something?", None),
        ("?!", None),
    ] {
        let found = search(&shelf, question);
        assert_eq!(first(&found), heading, "{question}");
        assert!(found.iter().all(|found| found.by_meaning.is_none()));
    }
}

#[tokio::test]
async fn of_many_that_share_a_word_the_best_are_given_and_no_more() {
    let dir = folder();
    let of = |at: usize| format!("Part {at} costs {at} euros. {}", "A chain is a part. ".repeat(at % 3));
    let texts: Vec<_> = (0..300).map(of).collect();
    let documents: Vec<_> =
        texts.iter().enumerate().map(|(at, text)| document(&format!("{at}.md"), &[("", text)])).collect();
    let shelf = indexed(dir.path(), &documents, &Embedder::None).await.shelf().unwrap();
    let found = search(&shelf, "what does part 217 cost");
    assert_eq!((found.len(), found[0].passage.source.as_str()), (3, "217.md"));
    assert_eq!(found.iter().map(|found| found.by_words).collect::<Vec<_>>(), [Some(1), Some(2), Some(3)]);
}

#[tokio::test]
async fn other_languages_have_stems_of_their_own() {
    use ringway_knowledge::{About, Index, Language, prepare};
    let dir = folder();
    let index = Index::open_or_create(dir.path(), &About::new(Language::German, "")).unwrap();
    let text = document("zeiten.md", &[("Zeiten", "Das Geschäft öffnet werktags um neun.")]);
    index.replace(&[prepare(&text, &Embedder::None, |_| {}).await.unwrap()]).unwrap();
    let found = index.shelf().unwrap().search("Wann haben die Geschäfte geöffnet?", None, 3, 0.25).unwrap();
    assert_eq!(first(&found), Some("Zeiten"));
}
