//! A stage dies more often than it may: the next engine serves, or the caller hears an apology and the call ends.

use crate::support::browser::Browser;
use crate::support::server::{Server, Setup};
use serde_json::json;

/// Kills a stage until its budget is spent: it is dead before the next fault, and back, since a stage that waits for its
/// restart has nothing that could fail.
async fn exhaust(server: &mut Server, call: &str, stage: &str, lives: usize) {
    for life in 0..lives {
        if life > 0 {
            server.log("stage.restarted").await;
        }
        assert_eq!(server.inject(call, stage, "error").await, 202);
        server.log("stage died").await;
    }
}

#[tokio::test]
async fn a_caller_whose_recogniser_is_beyond_help_hears_an_apology_before_the_call_ends() {
    let mut server = Setup::bench().with("[call.restart]\nmax_restarts = 2").chaos().start();
    let (mut browser, call) = Browser::greeted(&server).await;
    browser.loud = 0;
    exhaust(&mut server, &call, "stt", 3).await;
    let gone = json!({"type": "stage", "stage": "stt", "state": "gone", "restarts": 3});
    browser.event_where("the end of the recogniser", |event| *event == gone).await;
    let ended = browser.event("ended").await;
    assert_eq!(ended["reason"], "stage_failed");
    // The scripted voice, which is the first, hums 60 ms a character.
    let apology = "I am sorry, something went wrong here. Please call again later.";
    let frames = apology.len() * 3;
    assert!(browser.loud >= frames, "{} of {frames} frames of the apology", browser.loud);
    let line = server.log("call.ended").await;
    assert_eq!((&line["reason"], &line["restarts"]), (&json!("stage_failed"), &json!(3)));
    let outcome = "ringway_calls_total{edge=\"browser\",outcome=\"stage_failed\"}";
    assert_eq!(server.metric(outcome).await, Some(1.0));
    // One call's trouble is nobody else's.
    assert_eq!(server.get_json("/health").await.0, 200);
    Browser::greeted(&server).await;
}

#[tokio::test]
async fn a_language_model_beyond_help_gives_way_to_the_next() {
    let config = "[call.restart]\nmax_restarts = 2\n[llm]\nengines = [\"scripted\", \"dialogue\"]";
    let mut server = Setup::bench().with(config).chaos().start();
    let (mut browser, call) = Browser::greeted(&server).await;
    exhaust(&mut server, &call, "llm", 3).await;
    browser.say("digits/day-1");
    assert_eq!(browser.understood().await, "hello there");
    let scripted = "Hello, how can I help you?";
    assert_ne!(browser.answered().await, scripted, "the dialogue answers");
    browser.tell(json!({"type": "stop"}));
    assert_eq!(browser.event("ended").await["reason"], "caller");
}
