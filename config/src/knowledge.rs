//! What is wrong with the section `[knowledge]`.

use crate::Config;
use crate::mistake::Mistake;
use ringway_knowledge::{About, Embeddings};
use std::path::Path;

/// All mistakes, where there is a knowledge base.
pub(crate) fn mistakes(config: &Config) -> Vec<Mistake> {
    let Some(index) = &config.knowledge.index else { return Vec::new() };
    let mut mistakes = numbers(&config.knowledge);
    if !About::lies_in(index) {
        mistakes.push(at("index", format!("{} is not there; run `ringway kb add FILES`", index.display())));
    }
    if config.knowledge.embeddings == Embeddings::Model {
        mistakes.extend(model(&config.knowledge.model));
    }
    mistakes
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

fn model(dir: &Path) -> Option<Mistake> {
    let missing = ringway_knowledge::SentenceModel::missing(dir)?;
    Some(at("model", format!("{} is not there; run `make setup-kb`", missing.display())))
}

fn at(key: &str, message: impl Into<String>) -> Mistake {
    (format!("knowledge.{key}"), message.into())
}

/// What a model reads before it answers.
const MOST_PASSAGES: usize = 20;
