//! A call of two browsers.

use crate::support::browser::Browser;
use crate::support::line::Line;
use crate::support::server::{Server, Setup};
use hyper::Method;
use serde_json::{Value, json};

async fn join(server: &Server, id: &str, wanted: Value) -> (Browser, u64) {
    let (status, leg) = server.post(&format!("/api/calls/{id}/legs"), wanted).await;
    assert_eq!(status.as_u16(), 201, "{leg}");
    let mut browser = Browser::over(Line::open(server.ws("/voice-ws")).await);
    let token = leg["token"].as_str().expect("a token");
    browser.tell(json!({"type": "start", "codec": "pcm16", "sampleRate": 16000, "token": token}));
    assert_eq!(browser.event("started").await["callId"], json!(id));
    (browser, leg["leg"].as_u64().expect("a number"))
}

/// Reads what comes until so many frames were loud.
async fn hear(browser: &mut Browser, frames: usize) {
    while browser.loud < frames {
        browser.line.next().await.map(|message| browser.take(&message)).expect("the socket is open");
    }
}

#[tokio::test]
async fn two_browsers_hear_each_other_and_the_bot_in_one_call_and_one_may_leave() {
    let server = Setup::bench().start();
    let (mut caller, id) = Browser::greeted(&server).await;
    let (mut agent, leg) = join(&server, &id, json!({"edge": "browser", "label": "Agent"})).await;
    assert_eq!(leg, 1);
    let call = server.told(&format!("/api/calls/{id}")).await;
    assert_eq!(call["legs"], json!([{"leg": 1, "state": "up"}]));
    agent.microphone();
    caller.say("digits/day-1");
    hear(&mut agent, 10).await;
    caller.answered().await;
    let bot = format!("/api/calls/{id}/bot");
    assert_eq!(server.post(&bot, json!({"audience": "everybody"})).await.0.as_u16(), 400);
    let away = server.send(Method::POST, &bot, "{\"audience\":\"none\"}").await;
    assert_eq!(away.0.as_u16(), 204, "{}", away.1);
    let before = caller.loud;
    agent.say("digits/day-1");
    hear(&mut caller, before + 10).await;
    let hung_up = server.send(Method::DELETE, &format!("/api/calls/{id}/legs/1"), "").await;
    assert_eq!(hung_up.0.as_u16(), 204, "{}", hung_up.1);
    assert_eq!(agent.event("ended").await["reason"], "operator");
    let back = server.send(Method::POST, &bot, "{\"audience\":\"all\"}").await;
    assert_eq!(back.0.as_u16(), 204, "{}", back.1);
    caller.say("digits/day-1");
    caller.answered().await;
    caller.tell(json!({"type": "stop"}));
    server.call_is(&id, "ended").await;
}

#[tokio::test]
async fn a_call_goes_on_without_a_leg_that_fails_and_its_seat_is_free() {
    let server = Setup::bench().with("[resume]\nwithin = \"200ms\"").chaos().start();
    let (mut caller, id) = Browser::greeted(&server).await;
    for (leg, fault) in [(1, "panic"), (2, "disconnect")] {
        let (mut agent, joined) = join(&server, &id, json!({"edge": "browser"})).await;
        assert_eq!(joined, leg);
        assert_eq!(server.inject_leg(&id, leg, fault).await, 202);
        while agent.next().await.is_some() {}
        while server.told(&format!("/api/calls/{id}")).await.get("legs").is_some() {}
        caller.say("digits/day-1");
        caller.answered().await;
    }
    for _ in 0..7 {
        let (status, leg) = server.post(&format!("/api/calls/{id}/legs"), json!({"edge": "browser"})).await;
        assert_eq!(status.as_u16(), 201, "{leg}");
    }
}

#[tokio::test]
async fn a_call_has_eight_legs_at_most_and_a_leg_comes_by_the_edge_of_its_call() {
    let server = Setup::bench().start();
    let (_caller, id) = Browser::greeted(&server).await;
    let legs = format!("/api/calls/{id}/legs");
    for _ in 0..7 {
        assert_eq!(server.post(&legs, json!({"edge": "browser"})).await.0.as_u16(), 201);
    }
    let (status, error) = server.post(&legs, json!({"edge": "browser"})).await;
    assert_eq!((status.as_u16(), &error["code"]), (409, &json!("no_more_legs")));
    for wrong in [json!({"edge": "twilio"}), json!({"edge": "browser", "label": "a".repeat(65)})] {
        assert_eq!(server.post(&legs, wrong).await.0.as_u16(), 400);
    }
    let caller = server.send(Method::DELETE, &format!("{legs}/0"), "").await;
    assert_eq!(caller.0.as_u16(), 400);
    assert_eq!(server.send(Method::DELETE, &format!("{legs}/99"), "").await.0.as_u16(), 404);
    let (status, error) = server.post(&format!("/api/calls/{id}/bot"), json!({"audience": 99})).await;
    assert_eq!((status.as_u16(), &error["code"]), (404, &json!("unknown_leg")));
}
