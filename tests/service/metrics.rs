//! The names and labels of the metrics are a contract: dashboards and alerts of users are built on them.

use crate::support::browser::Browser;
use crate::support::server::{Setup, root};
use serde_json::json;
use std::collections::BTreeSet;

#[tokio::test]
async fn metrics_are_what_the_documentation_says() {
    let server = Setup::bench().with("[tts]\nengines = [\"scripted\", \"flite\"]").start();
    // The metronome and the hub report by themselves, shortly after the start.
    while server.metric("ringway_ring_depth_frames{ring=\"mic\"}").await.is_none() {}
    while server.metric("ringway_metronome_lateness_seconds_count").await.is_none() {}
    let (_, text) = server.get("/metrics").await;
    assert_eq!(shown(&text), documented(), "docs/operate/metrics.md and the server differ");
}

#[tokio::test]
async fn a_call_is_counted() {
    let reply = "This is a long answer, which goes on for a while, until somebody interrupts it.";
    // Shorter than the hang-over: no answer is in time.
    let config =
        format!("[limits]\ncalls = 1\n[metrics]\nanswer_budget = \"20ms\"\n[scripted]\nreply = {reply:?}");
    let mut server = Setup::bench().with(&config).chaos().start();
    let (mut browser, call) = Browser::call(&server).await;
    browser.microphone();
    browser.event("bot").await;
    browser.say("digits/day-1");
    browser.event("clear").await;
    browser.event("latency").await;
    browser.tell(json!({"type": "mute", "muted": 7}));
    browser.event("error").await;
    Browser::open(&server).await.event("error").await;
    server.inject(&call, "tts", "error").await;
    browser.answered().await;
    browser.tell(json!({"type": "stop"}));
    server.log("call.ended").await;
    for series in [
        "ringway_calls_total{edge=\"browser\",outcome=\"caller\"}",
        "ringway_refusals_total{reason=\"capacity\"}",
        "ringway_protocol_errors_total{edge=\"browser\",code=\"bad_field\"}",
        "ringway_stage_restarts_total{stage=\"tts\",cause=\"error\"}",
        "ringway_service_failures_total{stage=\"tts\",service=\"scripted\",cause=\"error\"}",
        "ringway_turn_answer_seconds_count{edge=\"browser\"}",
        "ringway_turns_total{edge=\"browser\"}",
        "ringway_turns_over_budget_total{edge=\"browser\"}",
        "ringway_turn_part_seconds_count{part=\"llm\"}",
        "ringway_barge_in_seconds_count",
        "ringway_barge_in_silence_seconds_count",
        "ringway_barge_in_clear_seconds_count",
        "ringway_capacity_calls",
        "ringway_capacity_left_calls",
        "ringway_health{status=\"ok\"}",
        concat!("ringway_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"),
    ] {
        assert_eq!(server.metric(series).await, Some(1.0), "{series}");
    }
    assert!(server.metric("ringway_metronome_lateness_seconds_count").await.is_some_and(|ticks| ticks > 0.0));
    assert_eq!(server.metric("ringway_calls_active{edge=\"browser\"}").await, Some(0.0));
    assert_eq!(server.metric("ringway_turn_budget_seconds").await, Some(0.02));
    for stage in ["stt", "llm", "tts"] {
        let of = |edge| {
            format!("ringway_service_seconds_count{{edge=\"{edge}\",stage=\"{stage}\",service=\"scripted\"}}")
        };
        assert!(server.metric(&of("browser")).await.is_some_and(|times| times >= 1.0), "{stage}");
        assert_eq!(server.metric(&of("twilio")).await, Some(0.0), "{stage}");
    }
}

#[tokio::test]
async fn a_call_takes_a_place_until_it_ends() {
    let mut server = Setup::bench().with("[limits]\ncalls = 2").start();
    assert_eq!(server.metric("ringway_capacity_left_calls").await, Some(2.0));
    let (browser, _) = Browser::call(&server).await;
    assert_eq!(server.metric("ringway_capacity_left_calls").await, Some(1.0));
    browser.tell(json!({"type": "stop"}));
    server.log("call.ended").await;
    while server.metric("ringway_capacity_left_calls").await != Some(2.0) {}
}

#[tokio::test]
async fn without_metrics_the_process_alone_is_shown() {
    let server = Setup::bench().with("[metrics]\nenabled = false").start();
    let (_, text) = server.get("/metrics").await;
    let process = ["cpu_seconds_total", "resident_memory_bytes", "start_time_seconds", "open_fds", "max_fds"];
    assert_eq!(shown(&text), BTreeSet::from(process.map(|name| format!("process_{name}"))));
}

/// `name{labels}` of each line, in a set.
fn shown(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| series(line.rsplit_once(' ').expect("a value").0)).collect()
}

/// The same of the documentation: `` `name{label,label}` `` at the beginning of a table's row.
fn documented() -> BTreeSet<String> {
    let text =
        std::fs::read_to_string(root().join("docs/operate/metrics.md")).expect("docs/operate/metrics.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(name, _)| name.to_owned()).collect()
}

fn series(line: &str) -> String {
    let (name, labels) = line.split_once('{').unwrap_or((line, ""));
    let name = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let pairs = labels.trim_end_matches('}').split(',').filter_map(|pair| Some(pair.split_once('=')?.0));
    let labels: BTreeSet<_> = pairs.filter(|label| *label != "le").collect();
    if labels.is_empty() {
        return name.to_owned();
    }
    format!("{name}{{{}}}", labels.into_iter().collect::<Vec<_>>().join(","))
}
