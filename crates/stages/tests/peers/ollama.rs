//! Ollama, with models that say what is written in them.

use crate::talk::ask;
use ringway_stages::llm::{LanguageModel, LlmCall, LlmSession};
use ringway_stages::services::Endpoint;
use ringway_stages::services::ollama::{Config, Ollama};
use ringway_stages::services::openai_llm::{self, OpenAiLlm};
use ringway_stages::tools::{Outcome, Toolbox, Tools, ToolsFile};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const SAID: &str = "Hello from a tiny local model. Everything works, and this is the second sentence.";

/// Loading may take its time: nothing here is about speed.
const LONG: Duration = Duration::from_secs(60);

fn model(name: &str) -> Ollama {
    let url = Endpoint::parse(&format!("http://{}", crate::peer())).unwrap();
    let config = Config { url, model: name.into(), first_byte: LONG, idle: LONG, ..Config::default() };
    Ollama::new(config, None).unwrap()
}

/// The tool that the model calls; nobody listens behind it, which the model is told.
fn weather() -> Tools {
    let text = "[http.weather]\ndescription = \"Of a city.\"\nurl = \"http://127.0.0.1:9/{city}\"\n\
        parameters = { type = \"object\", required = [\"city\"], properties = { city = { type = \"string\" } } }\n";
    Tools::start(ToolsFile::parse(Path::new("t.toml"), text, &|_| None).unwrap(), None).unwrap()
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
async fn a_model_that_calls_a_tool_goes_on_with_what_it_said() {
    let toolbox = Toolbox::new(Arc::new(model("tool")), weather(), Default::default());
    let reply = ask(&mut *toolbox.open(LlmCall::default()).unwrap(), "weather in Rome").await.unwrap();
    assert_eq!(reply.tools, [("weather".to_owned(), Outcome::Failed)]);
    assert_eq!(reply.words(), "It is sunny in Rome.");
}

#[tokio::test]
async fn its_form_of_openai_calls_tools_too() {
    let url = Endpoint::parse(&format!("http://{}/v1", crate::peer())).unwrap();
    let config =
        openai_llm::Config { url, model: "tool".into(), first_byte: LONG, idle: LONG, ..Default::default() };
    let model = Arc::new(OpenAiLlm::new(config, None).unwrap());
    let toolbox = Toolbox::new(model, weather(), Default::default());
    let reply = ask(&mut *toolbox.open(LlmCall::default()).unwrap(), "weather in Rome").await.unwrap();
    assert_eq!(reply.tools, [("weather".to_owned(), Outcome::Failed)]);
    assert_eq!(reply.words(), "It is sunny in Rome.");
}

#[tokio::test]
async fn its_form_of_anthropic_calls_tools_too() {
    use ringway_stages::services::anthropic::{Anthropic, Config};
    let url = Endpoint::parse(&format!("http://{}", crate::peer())).unwrap();
    let config = Config { url, model: "tool".into(), first_byte: LONG, idle: LONG, ..Config::default() };
    let model = Arc::new(Anthropic::new(config, None).unwrap());
    let toolbox = Toolbox::new(model, weather(), Default::default());
    let reply = ask(&mut *toolbox.open(LlmCall::default()).unwrap(), "weather in Rome").await.unwrap();
    assert_eq!(reply.tools, [("weather".to_owned(), Outcome::Failed)]);
    assert_eq!(reply.words(), "It is sunny in Rome.");
}

#[tokio::test]
async fn a_short_conversation() {
    crate::converse_shortly("ollama").await;
}
