use crate::support::browser::Browser;
use crate::support::server::{Setup, root};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn replay(file: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ringway"))
        .args(["replay", "--json"])
        .arg(file)
        .current_dir(root())
        .output()
        .expect("the binary")
}

async fn record() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("recordings-{}", std::process::id()));
    let mut server = Setup::bench().with(&format!("[recording]\ndir = {dir:?}")).start();
    let (mut browser, id) = Browser::greeted(&server).await;
    browser.say("digits/day-1");
    browser.event("latency").await;
    browser.say("digits/7");
    browser.event("clear").await;
    browser.answered().await;
    browser.answered().await;
    browser.tell(json!({"type": "stop"}));
    server.log("call.ended").await;
    server.terminate();
    server.ended().await;
    dir.join(format!("{id}.jsonl"))
}

fn replay_cut(file: &Path, at: &str) -> (Option<i32>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_ringway"))
        .args(["replay", "--json", "--cut-at", at])
        .arg(file)
        .current_dir(root())
        .output()
        .expect("the binary");
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

#[tokio::test]
async fn a_recorded_call_replays_identically_and_a_changed_one_does_not() {
    let file = record().await;
    let same = replay(&file);
    assert_eq!(same.status.code(), Some(0), "{}", String::from_utf8_lossy(&same.stderr));
    let report: Value = serde_json::from_slice(&same.stdout).unwrap();
    assert_eq!(report["identical"], true);
    assert!(report["inputs"].as_u64().is_some_and(|inputs| inputs > 100), "{report}");
    for at in ["1", "100", "2s"] {
        let (code, report) = replay_cut(&file, at);
        assert_eq!((code, &report["identical"]), (Some(0), &json!(true)), "{report}");
        assert!(report["cut"]["snapshotBytes"].as_u64().is_some_and(|bytes| bytes > 100), "{report}");
    }
    assert_eq!(replay_cut(&file, "10h").0, Some(1), "the call was shorter");
    let changed = file.with_extension("changed.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&changed, text.replacen("hello there", "hello where", 1)).unwrap();
    let different = replay(&changed);
    assert_eq!(different.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&different.stdout).unwrap();
    assert!(report["difference"].as_str().is_some_and(|difference| difference.contains("line")), "{report}");
}

#[test]
fn what_is_no_recording_is_refused() {
    let refused = replay(&root().join("Cargo.toml"));
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Cargo.toml"));
}
