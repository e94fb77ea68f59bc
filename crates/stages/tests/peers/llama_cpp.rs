//! The server of llama.cpp's Python package, in the form of OpenAI.

use crate::talk::ask;
use ringway_stages::llm::{LanguageModel, LlmCall};
use ringway_stages::services::Endpoint;
use ringway_stages::services::openai_llm::{Config, OpenAiLlm};

#[tokio::test]
async fn a_model_says_what_it_has_to_say_token_by_token() {
    let url = Endpoint::parse(&format!("http://{}/v1", crate::peer())).unwrap();
    let model = OpenAiLlm::new(Config { url, model: "stub".into(), ..Config::default() }, None).unwrap();
    let reply = ask(&mut *model.open(LlmCall::default()).unwrap(), "hello").await.unwrap();
    assert!(reply.words().starts_with("Hello from a tiny local model."), "{:?}", reply.words());
    assert!(reply.tokens.len() > 5, "{:?}", reply.tokens);
}
