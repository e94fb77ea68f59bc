//! One call's story: what it tells and in which order, never how long anything took.

use crate::support::browser::Browser;
use crate::support::server::{Server, Setup, TOKEN, root};
use hyper::Method;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};

/// Long enough to be spoken over, and slow enough that a fault hits its making.
const REPLY: &str = "This is a long answer, which goes on for a while, and has a second sentence. Here it is, and it \
    goes on as well, until somebody interrupts it, or until it has come to its end.";

fn setup() -> Setup {
    Setup::bench().with(&format!("[scripted]\nreply = {REPLY:?}\ntoken_ms = 60\n")).chaos()
}

/// A turn whose model dies on the way, and one that breaks its answer off.
async fn two_turns(server: &Server) -> (Browser, String) {
    let (mut browser, call) = Browser::call(server).await;
    browser.microphone();
    browser.event_where("a few words", |event| event["type"] == "bot").await;
    browser.say("digits/day-1");
    browser.event("clear").await;
    browser.understood().await;
    browser.event_where("the answer", |event| event["state"] == "speaking").await;
    assert_eq!(server.inject(&call, "llm", "error").await, 202);
    let again =
        |event: &Value| event["type"] == "bot" && event["text"].as_str().is_some_and(|text| text.len() > 40);
    browser.event_where("some of the answer", again).await;
    browser.say("digits/7");
    browser.event("clear").await;
    browser.understood().await;
    browser.event("latency").await;
    (browser, call)
}

async fn trace(server: &Server, call: &str) -> Value {
    server.told(&format!("/api/calls/{call}/trace")).await
}

fn spans<'a>(turn: &'a Value, lane: &'a str) -> impl Iterator<Item = &'a Value> {
    turn["spans"].as_array().expect("spans").iter().filter(move |span| span["lane"] == lane)
}

fn outcomes<'a>(turn: &'a Value, lane: &'a str) -> Vec<&'a str> {
    spans(turn, lane).map(|span| span["outcome"].as_str().expect("an outcome")).collect()
}

/// The marks of the answered turn, in the order in which they must have happened.
fn marks(turn: &Value) -> Vec<f64> {
    let last = |lane, mark: &str| spans(turn, lane).last().map(|span| span[mark].clone()).unwrap_or_default();
    let first =
        |lane, mark: &str| spans(turn, lane).next().map(|span| span[mark].clone()).unwrap_or_default();
    let marks = [
        first("caller", "startMs"),
        first("stt", "startMs"),
        last("stt", "askedMs"),
        last("stt", "firstMs"),
        last("stt", "endMs"),
        first("llm", "startMs"),
        first("llm", "firstMs"),
        first("tts", "startMs"),
        first("tts", "firstMs"),
        first("playout", "startMs"),
        last("playout", "endMs"),
    ];
    marks.iter().map(|mark| mark.as_f64().unwrap_or_else(|| panic!("{marks:?} of {turn}"))).collect()
}

fn noted(turn: &Value) -> Vec<&str> {
    turn["notes"].as_array().expect("notes").iter().filter_map(|note| note["what"].as_str()).collect()
}

#[tokio::test]
async fn a_call_of_two_turns_tells_its_story() {
    let server = setup().start();
    let (mut browser, call) = two_turns(&server).await;
    let told = trace(&server, &call).await;
    assert_eq!(
        (&told["call"], &told["edge"], &told["droppedTurns"]),
        (&json!(call), &json!("browser"), &json!(0))
    );
    let turns = told["turns"].as_array().unwrap();
    let numbers: Vec<_> = turns.iter().map(|turn| turn["turn"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [0, 1, 2], "the greeting and two turns");

    assert!(noted(&turns[0]).contains(&"barge_in") && outcomes(&turns[0], "playout").contains(&"cancelled"));
    assert!(REPLY.starts_with(turns[0]["heard"].as_str().unwrap()), "{}", turns[0]["heard"]);

    let first = &turns[1];
    let marks = marks(first);
    assert!(marks.is_sorted(), "{marks:?} of {first}");
    assert_eq!(first["said"], "hello there");
    assert_eq!(outcomes(first, "caller"), ["done"]);
    assert!(first["latency"]["answerMs"].is_number());
    let restart = &first["restarts"][0];
    assert_eq!((&restart["stage"], &restart["cause"]), (&json!("llm"), &json!("error")));
    let llm = outcomes(first, "llm");
    let lost = llm.iter().position(|outcome| *outcome == "lost").expect("the work that was lost");
    assert!(llm.len() > lost + 1, "it was begun again: {llm:?}");
    assert!(restart["backMs"].as_f64() >= restart["atMs"].as_f64(), "{restart}");
    assert!(noted(first).contains(&"barge_in"), "{first}");

    let second = &turns[2];
    assert_eq!((outcomes(second, "caller"), outcomes(second, "playout")), (vec!["done"], vec!["open"]));
    assert!(second["heard"].is_null(), "it sounds still");
    browser.tell(json!({"type": "stop"}));
    browser.event("ended").await;
}

#[tokio::test]
async fn a_story_comes_as_text_and_as_a_picture_too() {
    let server = Setup::bench().start();
    let (mut browser, call) = Browser::greeted(&server).await;
    browser.say("digits/day-1");
    browser.answered().await;
    let path = |query: &str| format!("/api/calls/{call}/trace?{query}");
    let (_, text) = server.send(Method::GET, &path("format=text"), "").await;
    for words in
        ["turn 1  answer", "caller   begins to speak", "stt      is asked", "heard    \"Hello, how can"]
    {
        assert!(text.contains(words), "{words} in {text}");
    }
    let (_, picture) = server.send(Method::GET, &path("format=svg&width=360&turns=1"), "").await;
    assert!(picture.contains("viewBox=\"0 0 360 ") && picture.contains("lane-playout done"), "{picture}");
    assert_eq!(picture.matches("class=\"waterfall-turn\"").count(), 1);
    let (_, last) = server.get_json(&path("turns=1")).await;
    assert_eq!((&last["droppedTurns"], &last["turns"][0]["turn"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn a_story_that_cannot_be_told_is_refused() {
    let server = Setup::bench().start();
    let nobody = format!("/api/calls/{}/trace", "0".repeat(32));
    let (status, error) = server.get_json(&nobody).await;
    assert_eq!((status.as_u16(), &error["code"]), (404, &json!("unknown_call")));
    let (_browser, call) = Browser::call(&server).await;
    for query in ["format=gif", "width=wide", "turns=-1", "colour=red"] {
        let (status, error) = server.get_json(&format!("/api/calls/{call}/trace?{query}")).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!("bad_request")), "{query}");
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ringway"))
        .arg("trace")
        .args(arguments)
        .current_dir(root())
        .env_remove("RINGWAY_ADMIN_TOKEN")
        .output()
        .expect("the binary")
}

/// Off the runtime, which serves the caller meanwhile.
async fn command(arguments: &[&str]) -> (Option<i32>, String, String) {
    let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let ran =
        tokio::task::spawn_blocking(move || run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()));
    let Output { status, stdout, stderr } = ran.await.unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[tokio::test]
async fn the_command_tells_the_story_of_a_call_and_of_its_recording() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("traced-{}", std::process::id()));
    let mut server = Setup::bench().with(&format!("[recording]\ndir = {dir:?}")).start();
    let (mut browser, call) = Browser::greeted(&server).await;
    browser.say("digits/day-1");
    browser.answered().await;
    browser.tell(json!({"type": "stop"}));
    server.log("call.ended").await;
    let url = server.url("");
    let (code, text, _) = command(&[&call, "--url", &url]).await;
    assert!(code == Some(0) && text.starts_with("call ") && text.contains("turn 1  answer"), "{text}");
    let (code, live, _) = command(&[&call, "--url", &url, "--json"]).await;
    assert_eq!(code, Some(0));
    let picture = dir.join("story.svg");
    let (code, silent, _) = command(&[&call, "--url", &url, "--svg", picture.to_str().unwrap()]).await;
    assert_eq!((code, silent.trim()), (Some(0), ""));
    assert!(std::fs::read_to_string(&picture).unwrap().starts_with("<svg "));
    server.terminate();
    server.ended().await;
    let recording = dir.join(format!("{call}.jsonl"));
    let (code, recorded, error) = command(&[recording.to_str().unwrap(), "--json"]).await;
    assert_eq!(code, Some(0), "{error}");
    same_story(&live, &recorded);
}

/// A recording knows no edge; its beginning is dated by itself.
#[track_caller]
fn same_story(live: &str, recorded: &str) {
    let [live, recorded] = [live, recorded].map(|told| serde_json::from_str::<Value>(told).unwrap());
    assert_eq!((&live["call"], &live["endReason"]), (&recorded["call"], &recorded["endReason"]));
    let kinds = |told: &Value| -> Vec<_> {
        let turns = told["turns"].as_array().unwrap();
        let spans = turns.iter().flat_map(|turn| turn["spans"].as_array().unwrap());
        spans.map(|span| (span["lane"].clone(), span["startMs"].clone(), span["firstMs"].clone())).collect()
    };
    assert_eq!(kinds(&live), kinds(&recorded));
    let words = |told: &Value| (told["turns"][1]["said"].clone(), told["turns"][1]["heard"].clone());
    assert_eq!(words(&live), words(&recorded));
}

#[tokio::test]
async fn the_command_says_why_there_is_no_story() {
    let server = Setup::bench().start();
    let (url, nobody) = (server.url(""), "0".repeat(32));
    let (code, _, error) = command(&[&nobody, "--url", &url]).await;
    assert!(code == Some(1) && error.contains("no call has the id"), "{code:?} {error}");
    let (code, _, error) = command(&["Cargo.toml"]).await;
    assert!(code == Some(1) && error.contains("Cargo.toml: line 1"), "{code:?} {error}");
    let (code, _, error) = command(&["no-such-call"]).await;
    assert!(code == Some(2) && error.contains("neither the id of a call"), "{code:?} {error}");
    let (code, _, error) = command(&[&nobody, "--url", "elsewhere"]).await;
    assert!(code == Some(2) && error.contains("is not an address"), "{code:?} {error}");
    server.terminate();
    server.ended().await;
    let (code, _, error) = command(&[&nobody, "--url", &url]).await;
    assert!(code == Some(1) && error.contains("does the server run?"), "{code:?} {error}");
}

#[tokio::test]
async fn a_server_that_others_can_reach_tells_those_who_know_the_token() {
    let server =
        Setup::bench().with("[server]\nlisten = \"0.0.0.0\"").env("RINGWAY_ADMIN_TOKEN", TOKEN).start();
    let (_browser, call) = Browser::call(&server).await;
    let url = server.url("");
    assert_eq!(server.get(&format!("/api/calls/{call}/trace")).await.0, 401);
    let (code, _, error) = command(&[&call, "--url", &url]).await;
    assert!(code == Some(1) && error.contains("asks for a token: give --token"), "{code:?} {error}");
    let (code, _, error) = command(&[&call, "--url", &url, "--token", "a guess"]).await;
    assert!(code == Some(1) && error.contains("does not know this token"), "{code:?} {error}");
    let (code, text, error) = command(&[&call, "--url", &url, "--token", TOKEN]).await;
    assert!(code == Some(0) && text.contains(&call), "{code:?} {error}");
}
