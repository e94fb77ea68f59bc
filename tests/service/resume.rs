//! Calls that wait for their callers: before they come, and when their networks fail.

use crate::support::browser::Browser;
use crate::support::carrier::{Carrier, start};
use crate::support::line::Line;
use crate::support::server::{Server, Setup};
use serde_json::{Value, json};

/// 12 s of tone.
const LONG: &str = "[scripted]\nreply = \"This is a long answer, which goes on for a while, and has a second \
    sentence. Here it is, and it goes on as well.\"";

async fn join(server: &Server, path: &str, token: &str) -> (Browser, Value) {
    let mut browser = Browser::over(Line::open(server.ws(path)).await);
    browser.tell(json!({"type": "start", "codec": "pcm16", "sampleRate": 16000, "token": token}));
    let started = browser.event("started").await;
    (browser, started)
}

async fn state_of(server: &Server, id: &str) -> String {
    let call = server.told(&format!("/api/calls/{id}")).await;
    call["state"].as_str().expect("a state").to_owned()
}

#[tokio::test]
async fn a_browser_whose_network_fails_resumes_its_call_and_hears_the_rest_of_the_answer() {
    let server = Setup::bench().with(LONG).start();
    let mut browser = Browser::open(&server).await;
    browser.tell(json!({"type": "start", "codec": "pcm16", "sampleRate": 16000, "resume": true}));
    let started = browser.event("started").await;
    assert_eq!(started["resumeWithinMs"], 30_000);
    let (id, token) = (started["callId"].as_str().unwrap(), started["token"].as_str().unwrap());
    browser.event_where("the first words", |event| event["type"] == "bot").await;
    let before = browser.loud;
    drop(browser);
    server.call_is(id, "detached").await;
    let (mut back, resumed) = join(&server, "/voice-ws?resume", token).await;
    assert_eq!((&resumed["callId"], &resumed["resumed"]), (&json!(id), &json!(true)));
    let last = |event: &Value| event["type"] == "bot" && event["final"] == true;
    let said = back.event_where("the whole answer", last).await;
    assert!(said["text"].as_str().unwrap().ends_with("goes on as well."), "{said}");
    assert!(back.loud > 50 && before > 0, "{before} loud frames before, {} after", back.loud);
    back.tell(json!({"type": "stop"}));
    assert_eq!(back.event("ended").await["reason"], "caller");
    let call = server.told(&format!("/api/calls/{id}")).await;
    let bots = call["transcript"].as_array().unwrap().iter().filter(|line| line["who"] == "bot").count();
    assert_eq!(bots, 1, "{call}");
}

async fn survives_in_its_leg(fault: &str) {
    let server = Setup::bench().with("[limits]\ncalls = 1").with(LONG).chaos().start();
    let mut browser = Browser::open(&server).await;
    browser.tell(json!({"type": "start", "codec": "pcm16", "sampleRate": 16000, "resume": true}));
    let started = browser.event("started").await;
    let (id, token) = (started["callId"].as_str().unwrap(), started["token"].as_str().unwrap());
    browser.event_where("the first words", |event| event["type"] == "bot").await;
    assert_eq!(server.inject_leg(id, 0, fault).await, 202);
    server.call_is(id, "detached").await;
    while browser.next().await.is_some() {}
    let (mut back, resumed) = join(&server, "/voice-ws?resume", token).await;
    assert_eq!((&resumed["callId"], &resumed["resumed"]), (&json!(id), &json!(true)));
    back.microphone();
    back.answered().await;
    back.say("digits/day-1");
    back.answered().await;
    back.tell(json!({"type": "stop"}));
    server.call_is(id, "ended").await;
    let (_next, _) = Browser::call(&server).await;
}

#[tokio::test]
async fn a_call_survives_a_panic_of_its_leg() {
    survives_in_its_leg("panic").await;
}

#[tokio::test]
async fn a_call_survives_the_loss_of_its_legs_network() {
    survives_in_its_leg("disconnect").await;
}

#[tokio::test]
async fn a_call_whose_browser_does_not_come_back_ends_with_a_reason_of_its_own() {
    let server = Setup::bench().with("[resume]\nwithin = \"200ms\"").start();
    let mut browser = Browser::open(&server).await;
    browser.tell(json!({"type": "start", "codec": "pcm16", "sampleRate": 16000, "resume": true}));
    let started = browser.event("started").await;
    let (id, token) = (started["callId"].as_str().unwrap(), started["token"].as_str().unwrap());
    drop(browser);
    server.call_is(id, "ended").await;
    let call = server.told(&format!("/api/calls/{id}")).await;
    assert_eq!(call["endReason"], "not_resumed");
    let mut late = Browser::open(&server).await;
    late.tell(json!({"type": "start", "codec": "pcm16", "sampleRate": 16000, "token": token}));
    assert_eq!(late.event("error").await["code"], "unknown_session");
}

#[tokio::test]
async fn a_client_that_did_not_ask_to_be_waited_for_is_not() {
    let server = Setup::bench().start();
    let (browser, id) = Browser::call(&server).await;
    drop(browser);
    server.call_is(&id, "ended").await;
    assert_eq!(server.told(&format!("/api/calls/{id}")).await["endReason"], "caller");
}

#[tokio::test]
async fn a_call_that_the_api_creates_waits_for_its_browser_and_greets_it_then() {
    let server = Setup::bench().start();
    let created = server.post("/api/calls", json!({"edge": "browser", "parameters": {"name": "Ada"}})).await;
    assert_eq!((created.0.as_u16(), &created.1["state"]), (201, &json!("dialling")));
    let (id, token) = (created.1["id"].as_str().unwrap(), created.1["token"].as_str().unwrap());
    assert_eq!(state_of(&server, id).await, "dialling");
    let (mut browser, started) = join(&server, "/voice-ws", token).await;
    assert_eq!((&started["callId"], started.get("resumed")), (&json!(id), None));
    browser.microphone();
    browser.answered().await;
    browser.say("digits/day-1");
    assert_eq!(browser.answered().await, "Hello, how can I help you?");
}

#[tokio::test]
async fn a_call_that_nobody_comes_for_ends_and_a_created_one_takes_a_place() {
    let server = Setup::bench().with("[limits]\ncalls = 1\n[call.leg]\ndialling = \"300ms\"").start();
    let (status, created) = server.post("/api/calls", json!({"edge": "browser"})).await;
    assert_eq!(status.as_u16(), 201);
    assert_eq!(server.post("/api/calls", json!({"edge": "twilio"})).await.0.as_u16(), 503);
    let id = created["id"].as_str().unwrap();
    server.call_is(id, "ended").await;
    assert_eq!(server.told(&format!("/api/calls/{id}")).await["endReason"], "no_answer");
    let (status, error) = server.post("/api/calls", json!({"edge": "browser", "parameters": 7})).await;
    assert_eq!((status.as_u16(), &error["code"]), (400, &json!("bad_request")));
    let (status, error) = server.post("/api/calls", json!({"edge": "fax"})).await;
    assert_eq!((status.as_u16(), &error["code"]), (400, &json!("bad_request")));
}

/// What a carrier asks when its media socket has closed, and what it is answered.
async fn after(server: &Server) -> String {
    server.post_form("/media/twilio/after", "CallSid=CA1").await
}

#[tokio::test]
async fn a_carrier_whose_socket_breaks_is_connected_to_the_same_call() {
    let server = Setup::bench().with(LONG).start();
    let mut carrier = Carrier::call(&server).await;
    carrier.microphone();
    while carrier.loud < 25 {
        carrier.next().await.expect("the greeting");
    }
    let id = server.carrier_call().await.expect("a call")["id"].as_str().unwrap().to_owned();
    drop(carrier);
    let broke = std::time::Instant::now();
    let twiml = after(&server).await;
    assert!(twiml.contains("/media/twilio/resume"), "{twiml}");
    let token = twiml.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let mut back = Carrier::over(Line::open(server.ws("/media/twilio/resume")).await);
    back.tell(json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}));
    back.tell(start(json!({"token": token.expect("a token")})));
    back.next().await.expect("the rest of the greeting");
    println!("the carrier heard nothing for {} ms", broke.elapsed().as_millis());
    back.microphone();
    let call = back.answered(&server).await;
    assert_eq!(call["id"], json!(id));
    assert!(back.loud > 50, "{} loud frames of the rest", back.loud);
    back.tell(json!({"event": "stop", "streamSid": "MZ1"}));
    server.call_is(&id, "ended").await;
    let call = server.told(&format!("/api/calls/{id}")).await;
    assert_eq!(call["endReason"], "caller");
    assert!(!after(&server).await.contains("<Stream"));
}

#[tokio::test]
async fn a_call_that_the_api_creates_waits_for_a_carriers_stream() {
    let server = Setup::bench().start();
    let (status, created) = server.post("/api/calls", json!({"edge": "twilio", "caller": "+431234"})).await;
    assert_eq!(status.as_u16(), 201);
    let mut carrier = Carrier::open(&server).await;
    carrier.tell(json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}));
    carrier.tell(start(json!({"token": created["token"]})));
    carrier.microphone();
    while carrier.loud < 25 {
        carrier.next().await.expect("the greeting");
    }
    assert_ne!(state_of(&server, created["id"].as_str().unwrap()).await, "dialling");
}
