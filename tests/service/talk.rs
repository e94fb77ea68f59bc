//! `ringway talk` and `ringway check` as users run them.

use crate::support::browser::Browser;
use crate::support::server::{Server, Setup, root};
use crate::support::{sound, within};
use ringway_frame::SampleRate;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// 3 s between the words of a long answer, so that there is time to break in.
const LONG: &str = "[scripted]\nreply = \"This is a long answer, which goes on for a while, and has a second \
    sentence. Here it is, and it goes on as well.\"";

async fn ringway(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringway"));
    command.args(arguments).current_dir(root()).env_remove("RINGWAY_ADMIN_TOKEN");
    let done = tokio::task::spawn_blocking(move || command.output());
    within("the command's end", done).await.expect("no panic").expect("the binary")
}

async fn talk(server: &Server, scheme: &str, arguments: &[&str]) -> (Option<i32>, Vec<Value>) {
    let url = format!("{scheme}://{}/voice-ws", server.address);
    let output = ringway(&[&["talk", "--json", "--url", &url], arguments].concat()).await;
    let lines = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
}

fn count(events: &[Value], kind: &str) -> usize {
    events.iter().filter(|event| event["event"] == kind).count()
}

#[tokio::test]
async fn talk_holds_a_conversation_and_writes_what_the_bot_said() {
    let server = Setup::bench().start();
    let (day, hour) = (sound("digits/day-1"), sound("digits/7"));
    for codec in ["pcm16", "opus"] {
        let out =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("talk-{codec}-{}.wav", std::process::id()));
        let out = out.to_str().unwrap();
        let (code, events) =
            talk(&server, "ws", &["--in", &day, "--in", &hour, "--codec", codec, "--out", out]).await;
        assert_eq!(code, Some(0), "{events:?}");
        assert_eq!(count(&events, "answer"), 2, "{events:?}");
        let written = ringway_wire::wav::read(&std::fs::read(out).unwrap(), SampleRate::HZ_16000).unwrap();
        let loud = written.iter().filter(|sample| sample.unsigned_abs() > 3_000).count();
        assert!(loud > 16_000, "{codec}: {loud} loud samples of three answers");
    }
}

#[tokio::test]
async fn talk_breaks_into_the_answer() {
    let server = Setup::bench().with(LONG).start();
    let day = sound("digits/day-1");
    let (code, events) =
        talk(&server, "ws", &["--in", &day, "--in", &day, "--barge-in-after", "500ms"]).await;
    assert_eq!(code, Some(0), "{events:?}");
    assert!(count(&events, "clear") >= 1, "{events:?}");
}

#[tokio::test]
async fn talk_drops_its_connection_in_the_answer_and_hears_the_rest_over_the_next_one() {
    let server = Setup::bench().with(LONG).start();
    let day = sound("digits/day-1");
    // The greeting is the same long answer: it is dropped in the middle of that.
    let (code, events) = talk(&server, "ws", &["--in", &day, "--drop-at", "2s", "--drop-for", "500ms"]).await;
    assert_eq!(code, Some(0), "{events:?}");
    let of = |kind: &str| events.iter().position(|event| event["event"] == kind);
    let (dropped, resumed) = (of("dropped").expect("dropped"), of("resumed").expect("resumed"));
    assert!(dropped < resumed && of("bot").is_none_or(|bot| resumed < bot), "{events:?}");
    assert_eq!((count(&events, "dropped"), count(&events, "resumed"), count(&events, "started")), (1, 1, 1));
    let answers: Vec<_> = events.iter().filter(|event| event["event"] == "bot").collect();
    for answer in &answers {
        assert!(answer["text"].as_str().unwrap().ends_with("goes on as well."), "whole: {answer}");
    }
    assert!(!answers.is_empty() && count(&events, "answer") == 1, "{events:?}");
    let id = events[of("started").expect("started")]["text"].as_str().unwrap().to_owned();
    let call = server.told(&format!("/api/calls/{id}")).await;
    let transcript = call["transcript"].as_array().unwrap();
    assert_eq!(transcript.iter().filter(|line| line["who"] == "bot").count(), answers.len(), "{call}");
}

#[tokio::test]
async fn talk_says_that_its_session_is_not_resumed() {
    let server = Setup::bench().with(LONG).with("[resume]\nwithin = \"200ms\"").start();
    let day = sound("digits/day-1");
    let (code, events) = talk(&server, "ws", &["--in", &day, "--drop-at", "1s", "--drop-for", "2s"]).await;
    assert_eq!((code, count(&events, "resumed")), (Some(1), 0), "{events:?}");
}

#[tokio::test]
async fn talk_tells_by_its_exit_code_what_was_wrong() {
    let silent = Setup::bench().with("[scripted]\nreply = \"\"").start();
    let day = sound("digits/day-1");
    assert_eq!(talk(&silent, "ws", &["--in", &day]).await.0, Some(3), "no answer");
    let full = Setup::bench().with("[limits]\ncalls = 1").start();
    let _occupied = Browser::call(&full).await;
    assert_eq!(talk(&full, "ws", &["--in", &day]).await.0, Some(4), "refused");
    assert_eq!(talk(&full, "ws", &["--in", "no/such.wav"]).await.0, Some(2), "no such file");
    let nobody = ringway(&["talk", "--in", &day, "--url", "ws://127.0.0.1:9/voice-ws"]).await;
    assert_eq!(nobody.status.code(), Some(1), "no server");
}

#[tokio::test]
async fn a_self_signed_listener_serves_who_trusts_it() {
    let server = Setup::bench().flag("--tls").flag("self-signed").start();
    let day = sound("digits/day-1");
    let (code, events) = talk(&server, "wss", &["--in", &day, "--insecure"]).await;
    assert_eq!((code, count(&events, "answer")), (Some(0), 1), "{events:?}");
    assert_eq!(talk(&server, "wss", &["--in", &day]).await.0, Some(1), "nobody vouches for it");
}

#[tokio::test]
async fn check_tells_all_mistakes_on_standard_output() {
    let good = ringway(&["check", "--config", "config/default.toml"]).await;
    assert_eq!(good.status.code(), Some(0), "{good:?}");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mistakes-{}.toml", std::process::id()));
    std::fs::write(&path, "[server]\nport = 70000\nprot = 1\n[turn]\nspeculation = \"all\"\n").unwrap();
    let path = path.to_str().unwrap();
    let bad = ringway(&["check", "--config", path]).await;
    assert_eq!(bad.status.code(), Some(2));
    let said = String::from_utf8(bad.stdout).unwrap();
    for mistake in [":2: server.port: ", ":3: server.prot: ", ":5: turn.speculation: "] {
        assert!(said.contains(&format!("{path}{mistake}")), "{said}");
    }
    let printed = ringway(&["check", "--print", "--config", "config/default.toml"]).await;
    assert!(String::from_utf8(printed.stdout).unwrap().contains("[server]"), "all keys");
}
