//! A fault in each stage, in each way, while it is at work: the call goes on.

use crate::support::browser::Browser;
use crate::support::server::{Server, Setup};
use serde_json::Value;
use std::io::Write;

/// Its words tell what was heard of it; the first clause ends at the first comma.
const REPLY: &str =
    "Here is the first part, and here comes the second part of it, then the third, and that is all.";

/// Slow enough that faults hit a reply in its middle.
fn server() -> Server {
    let config = format!("[scripted]\nreply = {REPLY:?}\ntoken_ms = 60\nstt_ms = 200\n");
    Setup::bench().with(&config).chaos().start()
}

/// Talks until the stage is at work, then puts the fault into it.
async fn hit(browser: &mut Browser, server: &Server, call: &str, stage: &str, fault: &str) {
    browser.say("digits/day-1");
    let at_work: fn(&Value) -> bool = match stage {
        "vad" | "stt" => |event| event["stage"] == "stt" && event["state"] == "working",
        "llm" => |event| event["state"] == "speaking",
        _ => |event| event["type"] == "bot",
    };
    browser.event_where("the stage at work", at_work).await;
    assert_eq!(server.inject(call, stage, fault).await, 202);
}

async fn survives(stage: &str, fault: &str) {
    let mut server = server();
    let (mut browser, call) = Browser::greeted(&server).await;
    hit(&mut browser, &server, &call, stage, fault).await;
    if matches!(stage, "vad" | "stt") {
        assert_eq!(browser.understood().await, "hello there");
    }
    // A recogniser that is away for long costs the filler, which is what it is for.
    let answer = browser.answered().await;
    assert_eq!(answer.trim_start_matches("One moment. "), REPLY, "all of it is heard, and nothing twice");
    browser.say("digits/7");
    assert_eq!(browser.understood().await, "hello there", "the next turn is as ever");
    assert_eq!(browser.answered().await, REPLY);
    let restarted = server.log_with("stage.restarted", &[("stage", stage), ("cause", fault)]).await;
    let counted =
        server.metric(&format!("ringway_stage_restarts_total{{stage=\"{stage}\",cause=\"{fault}\"}}")).await;
    assert_eq!(counted, Some(1.0));
    print_pause(stage, fault, &restarted["pauseMs"]);
}

/// To the terminal, past the capture of passing tests.
fn print_pause(stage: &str, fault: &str, pause: &Value) {
    let _ = writeln!(std::io::stdout(), "    {fault} in {stage}: the stage was away for {pause} ms");
}

macro_rules! survives {
    ($($name:ident: $stage:literal $fault:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            survives($stage, $fault).await;
        }
    )*};
}

survives! {
    a_call_survives_an_error_of_its_vad: "vad" "error";
    a_call_survives_a_panic_of_its_vad: "vad" "panic";
    a_call_survives_a_stall_of_its_vad: "vad" "stall";
    a_call_survives_an_error_of_its_stt: "stt" "error";
    a_call_survives_a_panic_of_its_stt: "stt" "panic";
    a_call_survives_a_stall_of_its_stt: "stt" "stall";
    a_call_survives_an_error_of_its_llm: "llm" "error";
    a_call_survives_a_panic_of_its_llm: "llm" "panic";
    a_call_survives_a_stall_of_its_llm: "llm" "stall";
    a_call_survives_an_error_of_its_tts: "tts" "error";
    a_call_survives_a_panic_of_its_tts: "tts" "panic";
    a_call_survives_a_stall_of_its_tts: "tts" "stall";
}

#[tokio::test]
async fn faults_are_injected_with_the_flag_and_the_token_only() {
    let plain = Setup::bench().env("RINGWAY_ADMIN_TOKEN", crate::support::server::TOKEN).start();
    let (_browser, call) = Browser::call(&plain).await;
    assert_eq!(plain.inject(&call, "vad", "error").await, 404);
    let server = Setup::bench().chaos().start();
    let (_browser, call) = Browser::call(&server).await;
    let path = server.url(&format!("/api/calls/{call}/chaos"));
    let order = r#"{"stage":"vad","fault":"error"}"#;
    let request = hyper::Request::post(&path).header("content-type", "application/json");
    assert_eq!(server.request(request, order).await.0, 401);
    assert_eq!(server.inject(&call, "ears", "error").await, 400);
    assert_eq!(server.inject(&"0".repeat(32), "vad", "error").await, 404);
    assert_eq!(server.inject_leg(&call, 1, "panic").await, 404);
    assert_eq!(server.inject_leg(&call, 0, "stall").await, 400);
    assert_eq!(server.inject(&call, "tts", "disconnect").await, 400);
}
