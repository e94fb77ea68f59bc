//! What is wrong with the section `[knowledge]`.

use crate::Config;
use crate::mistake::Mistake;
use std::path::Path;

/// All mistakes, where there is a knowledge base.
pub(crate) fn mistakes(config: &Config) -> Vec<Mistake> {
    let Some(index) = &config.knowledge.index else { return Vec::new() };
    let mut mistakes = numbers(&config.knowledge);
    mistakes.extend(files(index, &config.knowledge));
    mistakes
}

#[cfg(feature = "knowledge")]
fn files(index: &Path, config: &ringway_knowledge::Config) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    if !ringway_knowledge::About::lies_in(index) {
        mistakes.push(at("index", format!("{} is not there; run `ringway kb add FILES`", index.display())));
    }
    if config.embeddings == ringway_knowledge::Embeddings::Model {
        mistakes.extend(model(&config.model));
    }
    mistakes
}

#[cfg(not(feature = "knowledge"))]
fn files(_: &Path, _: &ringway_knowledge::Config) -> Vec<Mistake> {
    vec![at("index", "this build has no knowledge base: it was built without the feature `knowledge`")]
}

fn numbers(config: &ringway_knowledge::Config) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    if !(1..=MOST_PASSAGES).contains(&config.passages) {
        mistakes.push(at("passages", format!("must be from 1 to {MOST_PASSAGES}")));
    }
    if !(-1.0..=1.0).contains(&config.likeness) {
        mistakes.push(at("likeness", "must be from -1 to 1"));
    }
    if config.searches == 0 {
        mistakes.push(at("searches", "must not be zero"));
    }
    mistakes
}

#[cfg(feature = "knowledge")]
fn model(dir: &Path) -> Option<Mistake> {
    let missing = ringway_knowledge::SentenceModel::missing(dir)?;
    Some(at("model", format!("{} is not there; run `make setup-kb`", missing.display())))
}

fn at(key: &str, message: impl Into<String>) -> Mistake {
    (format!("knowledge.{key}"), message.into())
}

/// What a model reads before it answers.
const MOST_PASSAGES: usize = 20;

#[cfg(all(test, not(feature = "knowledge")))]
mod tests {
    use crate::{Sources, parse};

    fn mistakes(text: &str) -> String {
        let sources = Sources { file: None, environment: Vec::new(), flags: Vec::new() };
        parse("a.toml".as_ref(), text.as_bytes(), sources)
            .err()
            .map(|problems| problems.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn a_build_without_a_knowledge_base_says_so_once_one_is_named() {
        assert!(!mistakes("[knowledge]\npassages = 5\n").contains("knowledge"));
        let told = mistakes("[knowledge]\nindex = \"kb\"\n");
        assert!(told.contains("a.toml:2: knowledge.index: this build has no knowledge base"), "{told}");
    }
}
