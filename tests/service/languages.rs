//! A call that goes on in another language, and one that begins in it.

use crate::support::browser::Browser;
use crate::support::chat::chat;
use crate::support::server::{Server, Setup};
use serde_json::{Value, json};

/// Goes on in German when it is asked to.
fn bilingual(body: &Value) -> Value {
    let last = &body["messages"].as_array().unwrap().last().unwrap();
    match (last["role"].as_str(), last["content"].as_str()) {
        (Some("tool"), _) => json!({ "content": "Gern." }),
        (_, Some("in german please")) => {
            let function = json!({ "name": "switch_language", "arguments": "{\"language\":\"de\"}" });
            json!({ "tool_calls": [{ "index": 0, "id": "c1", "type": "function", "function": function }] })
        }
        _ => json!({ "content": "So so." }),
    }
}

/// English and German by scripted engines: who hears is told by what is heard.
fn server(url: &str, tools: &str) -> Server {
    Setup::bench()
        .with(&format!("[llm]\nengines = [\"openai_llm\"]\n[openai_llm]\nurl = {url:?}\nkey = \"\"\n"))
        .with(&format!("[tools]\nfile = {tools:?}\n[scripted]\ntext = \"in german please\"\n"))
        .with("[languages.de]\nfiller = \"Moment.\"\napology = \"Schade.\"\n")
        .with("[languages.de.scripted]\ntext = \"guten tag\"\n")
        .start()
}

/// What the model was told to be.
fn system(body: &Value) -> String {
    body["messages"][0]["content"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_caller_who_asks_for_german_is_heard_and_answered_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let tools = dir.path().join("tools.toml");
    std::fs::write(&tools, "[built_in.switch_language]\n").unwrap();
    let (url, mut asked) = chat(bilingual).await;
    let server = server(&url, tools.to_str().unwrap());
    let (mut browser, call) = Browser::greeted(&server).await;
    browser.say("digits/day-1");
    assert_eq!(browser.understood().await, "in german please");
    assert_eq!(browser.answered().await, "Gern.");
    browser.say("digits/day-1");
    assert_eq!(browser.understood().await, "guten tag");
    assert_eq!(browser.answered().await, "So so.");
    let mut systems = Vec::new();
    while let Ok(body) = asked.try_recv() {
        systems.push(system(&body).ends_with("Speak German."));
    }
    assert_eq!((systems.first(), systems.last()), (Some(&false), Some(&true)), "{systems:?}");

    let (_, trace) = server.get_json(&format!("/api/calls/{call}/trace")).await;
    assert_eq!(trace["turns"][1]["language"]["language"], "de", "{trace}");
    let switched: Vec<_> = trace["turns"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|turn| turn["switches"].as_array().cloned().unwrap_or_default())
        .map(|switch| (switch["stage"].clone(), switch["to"].clone(), switch["cause"].clone()))
        .collect();
    for stage in ["stt", "tts"] {
        let wanted = (json!(stage), json!("scripted/de"), json!("language"));
        assert!(switched.contains(&wanted), "{switched:?}");
    }
    let (_, text) = server.get(&format!("/api/calls/{call}/trace?format=text")).await;
    assert!(text.contains("turn     is in the language de"), "{text}");
}

#[tokio::test]
async fn a_caller_may_choose_the_language_that_the_call_begins_in() {
    let dir = tempfile::tempdir().unwrap();
    let tools = dir.path().join("tools.toml");
    std::fs::write(&tools, "[built_in.switch_language]\n").unwrap();
    let (url, mut asked) = chat(bilingual).await;
    let server = server(&url, tools.to_str().unwrap());
    let mut browser = Browser::open(&server).await;
    let parameters = json!({"language": "de"});
    browser.tell(json!({"type": "start", "codec": "pcm16", "sampleRate": 16000, "parameters": parameters}));
    assert_eq!(browser.event("language").await["language"], "de");
    browser.microphone();
    browser.answered().await;
    browser.say("digits/day-1");
    assert_eq!(browser.understood().await, "guten tag");
    let greeted = system(&asked.recv().await.unwrap());
    assert!(greeted.ends_with("Speak German."), "{greeted}");
}
