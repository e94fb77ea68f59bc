//! Calls of several legs.

use crate::support::browser::Browser;
use crate::support::carrier::{Carrier, start};
use crate::support::line::Line;
use crate::support::server::{Server, Setup};
use crate::support::within;
use hyper::Method;
use serde_json::{Value, json};

async fn join(server: &Server, id: &str, wanted: Value) -> (Browser, u64) {
    let (status, leg) = server.post(&format!("/api/calls/{id}/legs"), wanted).await;
    assert_eq!(status.as_u16(), 201, "{leg}");
    let path = leg["path"].as_str().expect("where it connects");
    let mut browser = Browser::over(Line::open(server.ws(path)).await);
    let token = leg["token"].as_str().expect("a token");
    browser.tell(json!({"type": "start", "codec": "pcm16", "sampleRate": 16000, "token": token}));
    assert_eq!(browser.event("started").await["callId"], json!(id));
    (browser, leg["leg"].as_u64().expect("a number"))
}

/// Waits until the only leg beside the caller's is in this state.
async fn leg_is(server: &Server, id: &str, state: &str) {
    within(state, async {
        while server.told(&format!("/api/calls/{id}")).await["legs"][0]["state"] != state {}
    })
    .await;
}

/// Waits until the caller's leg is alone.
async fn caller_is_alone(server: &Server, id: &str) {
    within("the caller alone", async {
        while server.told(&format!("/api/calls/{id}")).await.get("legs").is_some() {}
    })
    .await;
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
    leg_is(&server, &id, "up").await;
    let call = server.told(&format!("/api/calls/{id}")).await;
    assert_eq!(call["legs"], json!([{"leg": 1, "label": "Agent", "edge": "browser", "state": "up"}]));
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

/// Reads what comes until so many frames more were loud.
async fn hear_on_the_telephone(carrier: &mut Carrier, frames: usize) {
    let until = carrier.loud + frames;
    while carrier.loud < until {
        carrier.next().await.expect("the socket is open");
    }
}

async fn bot(server: &Server, id: &str, audience: &str) {
    let (status, error) = server
        .send(Method::POST, &format!("/api/calls/{id}/bot"), &json!({"audience": audience}).to_string())
        .await;
    assert_eq!(status.as_u16(), 204, "{error}");
}

#[tokio::test]
async fn an_agents_browser_joins_a_carriers_call_and_each_hears_the_other_and_the_bot() {
    let server = Setup::bench().start();
    let mut carrier = Carrier::call(&server).await;
    carrier.microphone();
    let id = carrier.answered(&server).await["id"].as_str().expect("an id").to_owned();
    let (mut agent, leg) = join(&server, &id, json!({"edge": "browser", "label": "Agent"})).await;
    agent.microphone();
    leg_is(&server, &id, "up").await;
    let call = server.told(&format!("/api/calls/{id}")).await;
    assert_eq!(call["legs"], json!([{"leg": leg, "label": "Agent", "edge": "browser", "state": "up"}]));
    bot(&server, &id, "none").await;
    carrier.say("digits/day-1");
    hear(&mut agent, 10).await;
    agent.say("digits/day-1");
    hear_on_the_telephone(&mut carrier, 10).await;
    bot(&server, &id, "all").await;
    let before = agent.loud;
    carrier.say("digits/day-1");
    carrier.answered(&server).await;
    // The caller says it in half a second; the answer takes longer.
    hear(&mut agent, before + 60).await;
    agent.tell(json!({"type": "stop"}));
    assert_eq!(agent.event("ended").await["reason"], "caller");
    caller_is_alone(&server, &id).await;
    carrier.say("digits/day-1");
    let call = carrier.answered(&server).await;
    assert_eq!(call["id"], json!(id));
    let over = server.metric("ringway_leg_transitions_total{edge=\"browser\",state=\"over\"}").await;
    assert_eq!(over, Some(1.0));
}

#[tokio::test]
async fn a_telephone_joins_a_browsers_call() {
    let server = Setup::bench().start();
    let (mut caller, id) = Browser::greeted(&server).await;
    let (status, leg) = server.post(&format!("/api/calls/{id}/legs"), json!({"edge": "twilio"})).await;
    assert_eq!((status.as_u16(), &leg["path"]), (201, &json!("/media/twilio/resume")));
    let path = leg["path"].as_str().unwrap();
    let mut carrier = Carrier::over(Line::open(server.ws(path)).await);
    carrier.tell(json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}));
    carrier.tell(start(json!({"token": leg["token"]})));
    carrier.microphone();
    bot(&server, &id, "none").await;
    caller.say("digits/day-1");
    hear_on_the_telephone(&mut carrier, 10).await;
    let before = caller.loud;
    carrier.say("digits/day-1");
    hear(&mut caller, before + 10).await;
}

#[tokio::test]
async fn a_leg_is_put_on_hold_and_taken_back() {
    let server = Setup::bench().start();
    let (mut caller, id) = Browser::greeted(&server).await;
    let (mut agent, leg) = join(&server, &id, json!({})).await;
    agent.microphone();
    leg_is(&server, &id, "up").await;
    let path = format!("/api/calls/{id}/legs/{leg}");
    let hold = async |held: bool| {
        server.send(Method::PATCH, &path, &json!({ "held": held }).to_string()).await.0.as_u16()
    };
    bot(&server, &id, "none").await;
    for _ in 0..2 {
        assert_eq!(hold(true).await, 204);
    }
    leg_is(&server, &id, "held").await;
    let before = agent.loud;
    caller.say("digits/day-1");
    bot(&server, &id, "all").await;
    caller.answered().await;
    assert_eq!(hold(false).await, 204);
    leg_is(&server, &id, "up").await;
    assert_eq!(agent.loud, before);
    caller.say("digits/day-1");
    hear(&mut agent, before + 10).await;
    let (status, error) =
        server.send(Method::PATCH, &format!("/api/calls/{id}/legs/9"), "{\"held\":true}").await;
    assert_eq!(status.as_u16(), 404, "{error}");
    assert_eq!(server.post(&format!("/api/calls/{id}/legs"), json!({})).await.0.as_u16(), 201);
    let awaited = server.send(Method::PATCH, &format!("/api/calls/{id}/legs/2"), "{\"held\":true}").await;
    assert_eq!((awaited.0.as_u16(), awaited.1.contains("wrong_state")), (409, true), "{}", awaited.1);
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
        caller_is_alone(&server, &id).await;
        caller.say("digits/day-1");
        caller.answered().await;
    }
    for _ in 0..7 {
        let (status, leg) = server.post(&format!("/api/calls/{id}/legs"), json!({"edge": "browser"})).await;
        assert_eq!(status.as_u16(), 201, "{leg}");
    }
}

#[tokio::test]
async fn a_call_has_eight_legs_at_most_and_each_has_a_label_and_an_edge() {
    let server = Setup::bench().start();
    let (_caller, id) = Browser::greeted(&server).await;
    let legs = format!("/api/calls/{id}/legs");
    for _ in 0..7 {
        assert_eq!(server.post(&legs, json!({"edge": "browser"})).await.0.as_u16(), 201);
    }
    let (status, error) = server.post(&legs, json!({"edge": "browser"})).await;
    assert_eq!((status.as_u16(), &error["code"]), (409, &json!("no_more_legs")));
    for wrong in [json!({"edge": "fax"}), json!({"edge": "browser", "label": "a".repeat(65)})] {
        assert_eq!(server.post(&legs, wrong).await.0.as_u16(), 400);
    }
    let caller = server.send(Method::DELETE, &format!("{legs}/0"), "").await;
    assert_eq!(caller.0.as_u16(), 400);
    assert_eq!(server.send(Method::DELETE, &format!("{legs}/99"), "").await.0.as_u16(), 404);
    let (status, error) = server.post(&format!("/api/calls/{id}/bot"), json!({"audience": 99})).await;
    assert_eq!((status.as_u16(), &error["code"]), (404, &json!("unknown_leg")));
}
