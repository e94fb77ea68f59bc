//! Passages found by what they mean, with the model that set-up fetches.

use crate::support::{config, fetched, folder, indexed, shop};
use ringway_knowledge::{Config, Embedder, Embeddings, Librarian, ModelError, SentenceModel};

const LIBRARY: &str = "lib/libonnxruntime.so";

fn model() -> SentenceModel {
    SentenceModel::load(&fetched(LIBRARY), &config().model, 1).unwrap()
}

#[test]
fn embeddings_are_those_of_the_original() {
    // What its authors' own program prints for this sentence.
    let original = [0.067_656_88, 0.063_495_9, 0.048_713_11, 0.079_304_98, 0.037_448_06, 0.002_652_8];
    let embedding = model().embed("This is an example sentence").unwrap();
    assert_eq!(embedding.len(), 384);
    for (ours, theirs) in embedding.iter().zip(original) {
        assert!((ours - theirs).abs() < 1e-5, "{ours} where {theirs} should be");
    }
    assert!((embedding.iter().map(|number| number * number).sum::<f32>() - 1.0).abs() < 1e-5);
}

#[test]
fn a_text_of_any_length_and_none_has_an_embedding() {
    let model = model();
    for text in ["", "?", &"word ".repeat(9_000), "東京 \u{0} \u{1f600}"] {
        assert_eq!(model.embed(text).unwrap().len(), 384);
    }
}

#[tokio::test]
async fn a_question_without_a_common_word_finds_its_passage() {
    let dir = folder();
    let config = Config { embeddings: Embeddings::Model, ..config() };
    let embedder = Embedder::new(&config, &fetched(LIBRARY), 1, None).unwrap();
    drop(indexed(dir.path(), &shop(), &embedder).await);
    let librarian = Librarian::open(dir.path(), &config, embedder).unwrap();
    for (question, heading) in [
        ("At what time can I come by in the morning?", "Hours"),
        ("Will you ship it home?", "Delivery"),
        ("How quickly am I reimbursed?", "Refunds"),
        ("Who pays when my bike breaks?", "Guarantee"),
    ] {
        let found = librarian.search(question.into(), 3).await.unwrap();
        let first = found.first().unwrap_or_else(|| panic!("nothing for {question:?}"));
        assert_eq!(
            (first.passage.heading.as_str(), first.by_words),
            (heading, None),
            "{question}: {found:#?}"
        );
    }
    let strange = librarian.search("Is there life on Mars?".into(), 3).await.unwrap();
    assert!(strange.is_empty(), "{strange:#?}");
}

#[test]
fn a_model_that_is_not_there_or_not_one_is_told_with_its_file() {
    let dir = folder();
    let error = SentenceModel::load(&fetched(LIBRARY), dir.path(), 1).unwrap_err();
    assert!(matches!(&error, ModelError::File { path, .. } if path.ends_with("vocab.txt")), "{error}");
    assert!(SentenceModel::missing(dir.path()).is_some());
    std::fs::copy(config().model.join("vocab.txt"), dir.path().join("vocab.txt")).unwrap();
    std::fs::write(dir.path().join("model.safetensors"), b"\x02\0\0\0\0\0\0\0{}").unwrap();
    let error = SentenceModel::load(&fetched(LIBRARY), dir.path(), 1).unwrap_err().to_string();
    assert!(error.contains("it has no tensor \"embeddings.word_embeddings.weight\""), "{error}");
}
