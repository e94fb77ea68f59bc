//! Ollama, with models that say what is written in them.

use crate::talk::ask;
use ringway_stages::llm::{LanguageModel, LlmCall, LlmSession};
use ringway_stages::services::Endpoint;
use ringway_stages::services::ollama::{Config, Ollama};
use std::time::Duration;

const SAID: &str = "Hello from a tiny local model. Everything works, and this is the second sentence.";

/// Loading may take its time: nothing here is about speed.
const LONG: Duration = Duration::from_secs(60);

fn model(name: &str) -> Ollama {
    let url = Endpoint::parse(&format!("http://{}", crate::peer())).unwrap();
    let config = Config { url, model: name.into(), first_byte: LONG, idle: LONG, ..Config::default() };
    Ollama::new(config, None).unwrap()
}

fn open(name: &str) -> Box<dyn LlmSession> {
    model(name).open(LlmCall::default()).unwrap()
}

#[tokio::test]
async fn a_model_says_what_it_has_to_say_token_by_token() {
    let reply = ask(&mut *open("stub"), "hello").await.unwrap();
    // Its tokeniser marks words that come twice with blanks of no width.
    assert_eq!(reply.words().replace('\u{200b}', ""), SAID);
    assert!(reply.tokens.len() > 10, "{:?}", reply.tokens);
}

#[tokio::test]
async fn a_model_that_is_not_there_is_named() {
    let error = ask(&mut *open("nobody"), "hello").await.unwrap_err().to_string();
    assert_eq!(error, "ollama: it has no model \"nobody\": model 'nobody' not found");
}

#[tokio::test]
async fn a_short_conversation() {
    crate::converse_shortly("ollama").await;
}
