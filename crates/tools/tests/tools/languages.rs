//! The tool that has a call go on in another language.

use crate::model::{Model, declared, reply};
use ringway_stages::llm::{Cue, LanguageModel, LlmCall, LlmRequest};
use ringway_stages::tool_use::{Language, Outcome, ToolNews};
use ringway_tools::{Config, Toolbox, Tools};
use std::sync::Arc;

fn languages() -> Vec<Language> {
    [("en", "English"), ("de", "German")]
        .map(|(code, name)| Language { code: code.into(), name: name.into() })
        .into()
}

fn toolbox(model: &Model) -> Toolbox {
    let file = declared("[built_in.switch_language]").speaking(languages()).unwrap();
    Toolbox::new(Arc::new(model.clone()), Tools::start(file, None).unwrap(), Config::default())
}

fn said(text: &str) -> LlmRequest {
    LlmRequest::new(1, Cue::Said(text.into()))
}

#[tokio::test]
async fn the_model_goes_on_in_the_language_and_the_call_is_told() {
    let model = Model::that_says(&[("", &[("switch_language", r#"{"language":"de"}"#)]), ("Gern.", &[])]);
    let mut session = toolbox(&model).open(LlmCall::default()).unwrap();
    let reply = reply(&mut *session, said("können wir Deutsch sprechen?")).await;
    assert_eq!(reply.words, "Gern.");
    assert_eq!(reply.news.last(), Some(&ToolNews::Language(languages()[1].clone())));
    assert_eq!((model.asked(0).language.as_str(), model.asked(1).language.as_str()), ("", "German"));
    let result = model.asked(1).rounds[0].calls[0].result.clone();
    assert!(result.contains("you speak German"), "{result}");
}

#[tokio::test]
async fn the_model_is_told_which_languages_there_are_and_no_other_is_taken() {
    let model = Model::that_says(&[("", &[("switch_language", r#"{"language":"fr"}"#)]), ("Sorry.", &[])]);
    let mut session = toolbox(&model).open(LlmCall::default()).unwrap();
    let reply = reply(&mut *session, said("français?")).await;
    let parameters = model.known.lock().unwrap()[0].parameters.clone();
    let language = &parameters["properties"]["language"];
    assert_eq!(language["enum"], serde_json::json!(["en", "de"]));
    assert_eq!(language["description"], "en: English, de: German");
    let refused = |news: &ToolNews| matches!(news, ToolNews::Ended { outcome: Outcome::Refused, .. });
    assert!(reply.news.iter().any(refused), "{:?}", reply.news);
    assert!(!reply.news.iter().any(|news| matches!(news, ToolNews::Language(_))));
    let called = model.asked(1).rounds[0].calls[0].clone();
    assert!(called.failed && called.result.contains("\"fr\" is not one of"), "{}", called.result);
    assert_eq!(model.asked(1).language, "");
}

#[test]
fn a_tool_that_has_nothing_to_switch_to_is_a_mistake() {
    let one = languages()[..1].to_vec();
    let error = declared("[built_in.switch_language]").speaking(one).map(drop).unwrap_err();
    let reason = "there is no language to switch to: the configuration has no [languages]";
    assert_eq!(error.to_string(), format!("tools.toml:1: built_in.switch_language: {reason}"));
    assert!(declared("[built_in.hang_up]").speaking(Vec::new()).is_ok());
}
