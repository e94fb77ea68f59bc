//! Ollama, with a model that calls a tool.

use crate::talk::ask;
use ringway_stages::llm::{LanguageModel, LlmCall};
use ringway_stages::services::Endpoint;
use ringway_stages::services::anthropic::{self, Anthropic};
use ringway_stages::services::ollama::{self, Ollama};
use ringway_stages::services::openai_llm::{self, OpenAiLlm};
use ringway_stages::tool_use::Outcome;
use ringway_tools::{Toolbox, Tools, ToolsFile};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Loading may take its time: nothing here is about speed.
const LONG: Duration = Duration::from_secs(60);

/// The tool that the model calls; nobody listens behind it, which the model is told.
fn weather() -> Tools {
    let text = "[http.weather]\ndescription = \"Of a city.\"\nurl = \"http://127.0.0.1:9/{city}\"\n\
        parameters = { type = \"object\", required = [\"city\"], properties = { city = { type = \"string\" } } }\n";
    Tools::start(ToolsFile::parse(Path::new("t.toml"), text, &|_| None).unwrap(), None).unwrap()
}

#[tokio::test]
async fn a_model_that_calls_a_tool_goes_on_with_what_it_said() {
    let url = Endpoint::parse(&format!("http://{}", crate::peer())).unwrap();
    let config =
        ollama::Config { url, model: "tool".into(), first_byte: LONG, idle: LONG, ..Default::default() };
    let model = Ollama::new(config, None).unwrap();
    let toolbox = Toolbox::new(Arc::new(model), weather(), Default::default());
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
    let url = Endpoint::parse(&format!("http://{}", crate::peer())).unwrap();
    let config =
        anthropic::Config { url, model: "tool".into(), first_byte: LONG, idle: LONG, ..Default::default() };
    let model = Arc::new(Anthropic::new(config, None).unwrap());
    let toolbox = Toolbox::new(model, weather(), Default::default());
    let reply = ask(&mut *toolbox.open(LlmCall::default()).unwrap(), "weather in Rome").await.unwrap();
    assert_eq!(reply.tools, [("weather".to_owned(), Outcome::Failed)]);
    assert_eq!(reply.words(), "It is sunny in Rome.");
}
