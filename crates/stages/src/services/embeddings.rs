//! Embeddings of texts as [OpenAI](https://platform.openai.com/docs/api-reference/embeddings/create) made them; Ollama,
//! llama.cpp, vLLM, LM Studio and others speak the same.

use super::http::{Http, Post, content_type};
use super::{ApiKey, Endpoint, KeyHeader, Limits, ServiceError, SetupError};
use crate::humane;
use hyper::header::HeaderValue;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Which model embeds, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens; `/embeddings` lies below. Default OpenAI's own.
    pub url: Endpoint,
    /// The model. Default `text-embedding-3-small`.
    pub model: String,
    /// The environment variable of its key; a service that asks for none needs none. Default `OPENAI_API_KEY`.
    pub key: String,
    /// The header that it takes the key in: `authorization` has it as `Bearer KEY`, any other the key alone, as Azure's
    /// `api-key` does. Default `authorization`.
    pub key_header: KeyHeader,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// From a request to the head of its answer. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub first_byte: Duration,
    /// Between two pieces of an answer. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("https://api.openai.com/v1").expect("an address"),
            model: "text-embedding-3-small".into(),
            key: "OPENAI_API_KEY".into(),
            key_header: KeyHeader::default(),
            connect: Duration::from_secs(1),
            first_byte: Duration::from_secs(1),
            idle: Duration::from_secs(1),
        }
    }
}

/// A service that embeds texts.
#[derive(Clone, Debug)]
pub struct Embeddings {
    http: Http,
    model: Arc<str>,
}

impl Embeddings {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: &Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let limits = Limits { connect: config.connect, first_byte: config.first_byte, idle: config.idle };
        Ok(Self {
            http: Http::keyed(&config.url, key, &config.key_header, limits)?,
            model: config.model.as_str().into(),
        })
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The embeddings of these texts, in their order and all of one length.
    ///
    /// # Errors
    /// The service refuses, is late, or answers something else.
    pub async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ServiceError> {
        let body = json!({ "model": &*self.model, "input": texts, "encoding_format": "float" });
        let post = Post {
            path: self.http.endpoint().below("/embeddings"),
            content_type: HeaderValue::from_static("application/json"),
            accept: HeaderValue::from_static("application/json"),
            body: body.to_string().into(),
            answer_limit: LARGEST_ANSWER,
        };
        let accepted = self.http.clone().post(post).await?;
        let found = content_type(&accepted.headers).to_owned();
        if !found.contains("json") {
            let reason = format!("{found}, where application/json was asked for");
            return Err(ServiceError::malformed("answer", reason));
        }
        read(&accepted.answer.whole().await?, texts.len())
    }
}

/// The embeddings in an answer that should hold `count` of them.
pub(super) fn read(answer: &[u8], count: usize) -> Result<Vec<Vec<f32>>, ServiceError> {
    #[derive(Deserialize)]
    struct List {
        data: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        index: usize,
        embedding: Vec<f32>,
    }
    let malformed = |reason: String| ServiceError::malformed("embeddings", reason);
    let List { mut data } = serde_json::from_slice(answer).map_err(|error| malformed(error.to_string()))?;
    data.sort_by_key(|item| item.index);
    if !data.iter().map(|item| item.index).eq(0..count) {
        return Err(malformed(format!("{} for {count} texts", data.len())));
    }
    let width = data.first().map_or(0, |item| item.embedding.len());
    if data.iter().any(|item| item.embedding.len() != width || width == 0) {
        return Err(malformed("of different lengths, or empty".into()));
    }
    Ok(data.into_iter().map(|item| item.embedding).collect())
}

/// Bytes of an answer that are taken in: 64 texts of 3,072 numbers.
const LARGEST_ANSWER: usize = 8 * 1_024 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embeddings_come_in_the_order_of_their_texts() {
        let answer =
            br#"{"object": "list", "data": [{"object": "embedding", "index": 1, "embedding": [3, 4]},
            {"object": "embedding", "index": 0, "embedding": [1.5, -2e-1]}], "model": "m"}"#;
        assert_eq!(read(answer, 2).unwrap(), [[1.5, -0.2], [3.0, 4.0]]);
    }

    #[test]
    fn what_does_not_fit_the_question_is_malformed() {
        for (answer, reason) in [
            (r#"{"data": []}"#, "0 for 1 texts"),
            (r#"{"data": [{"index": 1, "embedding": [1]}]}"#, "1 for 1 texts"),
            (r#"{"data": [{"index": 0, "embedding": []}]}"#, "or empty"),
            (r#"{"data": [{"index": 0, "embedding": ["a"]}]}"#, "invalid type"),
            ("<html>", "expected value"),
        ] {
            let error = read(answer.as_bytes(), 1).unwrap_err().to_string();
            assert!(error.starts_with("malformed embeddings: ") && error.contains(reason), "{error}");
        }
    }
}
