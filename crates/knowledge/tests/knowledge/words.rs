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
async fn a_text_in_several_documents_is_found_once_by_the_shortest_name() {
    let dir = folder();
    let copies = ["prices (copy).md", "prices.md", "old/prices.md"]
        .map(|source| document(source, &[("", "A chain costs ten euros.")]));
    let all: Vec<_> =
        copies.into_iter().chain([document("chains.md", &[("", "A chain wears out.")])]).collect();
    let shelf = indexed(dir.path(), &all, &Embedder::None).await.shelf().unwrap();
    let found = search(&shelf, "what does a chain cost");
    let sources: Vec<_> = found.iter().map(|found| found.passage.source.as_str()).collect();
    assert_eq!(sources, ["prices.md", "chains.md"]);
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

/// Whether a document of this text is found before another by a question.
fn is_found(language: ringway_knowledge::Language, text: &str, question: &str) -> bool {
    use ringway_knowledge::{About, Index, Passage, Prepared};
    let dir = folder();
    let index = Index::open_or_create(dir.path(), &About::new(language, "")).unwrap();
    let prepared = |source: &str, text: &str| {
        let passage = Passage { source: source.into(), heading: String::new(), text: text.into() };
        Prepared { source: source.into(), passages: vec![(passage, None)] }
    };
    index.replace(&[prepared("other", "Das Wetter ist sch\u{f6}n."), prepared("wanted", text)]).unwrap();
    let found = index.shelf().unwrap().search(question, None, 3, 0.25).unwrap();
    found.first().is_some_and(|found| found.passage.source == "wanted")
}

#[test]
fn words_are_found_however_their_letters_are_written() {
    use ringway_knowledge::Language::{English, French, German, Greek, Turkish};
    for (language, text, question) in [
        (German, "Unsere O\u{308}ffnungszeiten.", "\u{d6}ffnungszeiten"),
        (German, "Unsere \u{d6}ffnungszeiten.", "O\u{308}ffnungszeiten"),
        (German, "Der Kon\u{ad}to\u{ad}stand.", "Kontostand"),
        (German, "Die Sonder\u{200b}fahrkarte.", "Sonderfahrkarte"),
        (German, "Die Kon\u{fb01}guration.", "Konfiguration"),
        (German, "Die \u{ff21}\u{ff22}\u{ff23}\u{ff11}.", "ABC1"),
        (German, "Die Hauptstra\u{df}e.", "Hauptstrasse"),
        (German, "DIE STRA\u{1e9e}E.", "stra\u{df}e"),
        (German, "Die M\u{fc}llabfuhr.", "Muellabfuhr"),
        (French, "Le caf\u{e9}.", "cafe"),
        (Turkish, "\u{130}stanbul \u{15f}ubesi.", "istanbul"),
        (Turkish, "KIZILAY", "k\u{131}z\u{131}lay"),
        (English, "\u{130}ZM\u{130}R", "izmir"),
        (Greek, "\u{391}\u{398}\u{397}\u{39d}\u{391}", "\u{3b1}\u{3b8}\u{3ae}\u{3bd}\u{3b1}"),
        (English, "\u{5e9}\u{5c1}\u{5b8}\u{5dc}\u{5d5}\u{5b9}\u{5dd}", "\u{5e9}\u{5dc}\u{5d5}\u{5dd}"),
        (English, "\u{645}\u{64f}\u{62d}\u{64e}\u{645}\u{651}\u{64e}\u{62f}", "\u{645}\u{62d}\u{645}\u{62f}"),
        (
            English,
            "\u{926}\u{941}\u{915}\u{93e}\u{928} \u{916}\u{941}\u{932}\u{940}",
            "\u{926}\u{941}\u{915}\u{93e}\u{928}",
        ),
    ] {
        assert!(is_found(language, text, question), "{question} in {text}");
    }
}

#[test]
fn words_are_found_where_none_are_set_apart_by_blanks() {
    use ringway_knowledge::Language::English;
    for (text, question) in [
        ("我们的营业时间是早上九点到下午五点。", "营业时间"),
        ("我们的营业时间是早上九点到下午五点。", "营业时间是什么?"),
        ("当店の営業時間は九時から五時までです。", "営業時間"),
        ("カ\u{3099}ソリンは有料です。", "ガソリン"),
        ("この店は酒を売ります。", "酒"),
        ("เวลาทำการคือเก้าโมงถึงห้าโมงเย็น", "เวลาทำการ"),
        ("영업시간은 아홉 시부터입니다.", "영업시간"),
        ("ເວລາເປີດ", "ເວລາ"),
        ("ម៉ោងបើក", "ម៉ោង"),
    ] {
        assert!(is_found(English, text, question), "{question} in {text}");
    }
}
