//! What is recorded of a call, event by event.

use crate::support::browser::Browser;
use crate::support::server::{Setup, TOKEN};
use hyper::Method;
use serde_json::{Value, json};

/// The events of a call, which are numbered without gaps.
fn events(told: &Value, call: &str) -> Vec<Value> {
    let events = told["events"].as_array().expect("a list").clone();
    for (sequence, event) in events.iter().enumerate() {
        assert_eq!((&event["sequence"], &event["call"]), (&json!(sequence), &json!(call)), "{told}");
    }
    events
}

#[tokio::test]
async fn a_call_tells_what_happened_in_it_while_it_lasts_and_after() {
    let mut server = Setup::bench().chaos().start();
    let (mut browser, id) = Browser::greeted(&server).await;
    let path = format!("/api/calls/{id}/events");
    assert_eq!(server.get(&path).await.0, 401, "who may not know is not told");
    let before = events(&server.told(&path).await, &id);
    assert_eq!((&before[0]["event"], &before[0]["edge"]), (&json!("started"), &json!("browser")));
    browser.say("digits/day-1");
    browser.answered().await;
    assert_eq!(server.inject(&id, "tts", "error").await, 202);
    browser.event_where("the voice is back", |event| event["stage"] == "tts" && event["restarts"] == 1).await;
    browser.tell(json!({"type": "stop"}));
    server.log("call.ended").await;
    let after = events(&server.told(&path).await, &id);
    assert_eq!(after[..before.len()], before[..], "what was told does not change");
    let said: Vec<_> = after.iter().filter(|event| event["event"] == "message").collect();
    assert!(said.iter().any(|event| event["who"] == "caller" && event["text"] == "hello there"), "{said:?}");
    let ends: Vec<_> = after.iter().filter(|event| event["event"] == "ended").collect();
    assert_eq!((ends.len(), &ends[0]["reason"]), (1, &json!("caller")));
    assert_eq!((ends[0], &ends[0]["restarts"]), (after.last().expect("an end"), &json!(1)));
    let call = server.told(&format!("/api/calls/{id}")).await;
    assert_eq!((&call["turns"], &call["durationMs"]), (&ends[0]["turns"], &ends[0]["durationMs"]));
}

#[tokio::test]
async fn a_call_that_nobody_knows_has_no_events() {
    let server = Setup::bench().start();
    let (status, error) = server.get_json("/api/calls/00000000000000000000000000000000/events").await;
    assert!(status == 404 && error["code"] == "unknown_call", "{error}");
}

#[tokio::test]
async fn an_operator_who_hangs_up_leaves_the_last_words_before_the_end() {
    let reply = "This is a long answer, which goes on for a while, until somebody hangs up.";
    let mut server = Setup::bench()
        .with(&format!("[scripted]\nreply = {reply:?}"))
        .env("RINGWAY_ADMIN_TOKEN", TOKEN)
        .start();
    let (mut browser, id) = Browser::call(&server).await;
    browser.event_where("a few words", |event| event["type"] == "bot").await;
    assert_eq!(server.send(Method::DELETE, &format!("/api/calls/{id}"), "").await.0, 204);
    server.log("call.ended").await;
    let told = events(&server.told(&format!("/api/calls/{id}/events")).await, &id);
    let [.., message, ended] = &told[..] else { panic!("{told:?}") };
    assert_eq!((&message["event"], &message["who"]), (&json!("message"), &json!("bot")), "{told:?}");
    assert_eq!((&ended["event"], &ended["reason"]), (&json!("ended"), &json!("operator")), "{told:?}");
}
