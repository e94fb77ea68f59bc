//! A model that hears and speaks by itself, in place of recogniser, language model and voice.

use crate::support::carrier::{Carrier, FromServer};
use crate::support::realtime::{ANSWER, Realtime, UNDERSTOOD};
use crate::support::server::{Server, Setup};
use crate::support::within;
use serde_json::{Value, json};

fn server(url: &str) -> Server {
    let config = format!(
        "[speech_to_speech]\nengines = [\"openai_realtime\"]\n[openai_realtime]\nurl = \"{url}\"\nkey = \"\"\n"
    );
    Setup::bench().with(&config).chaos().start()
}

fn lines(call: &Value) -> Vec<(&str, &str)> {
    let lines = call["transcript"].as_array().expect("lines").iter();
    lines.map(|line| (line["who"].as_str().expect("a name"), line["text"].as_str().expect("words"))).collect()
}

#[tokio::test]
async fn a_carriers_call_is_heard_and_answered_by_one_service() {
    let realtime = Realtime::start().await;
    let server = server(&realtime.url);
    let mut carrier = Carrier::call(&server).await;
    carrier.microphone();
    carrier.answered(&server).await;
    carrier.say("digits/day-1");
    let call = carrier.answered(&server).await;
    assert_eq!(lines(&call), [("bot", ANSWER), ("caller", UNDERSTOOD), ("bot", ANSWER)]);
    let update = &realtime.told("session.update")[0];
    assert_eq!(update["session"]["audio"]["input"]["format"]["type"], "audio/pcmu");
    let latency = "ringway_service_seconds_count{edge=\"twilio\",stage=\"s2s\",service=\"openai_realtime\"}";
    assert_eq!(server.metric(latency).await, Some(2.0));
    carrier.tell(json!({"event": "stop", "streamSid": "MZ1"}));
    assert_eq!(carrier.line.closed().await, (1000, "caller".to_owned()));
}

#[tokio::test]
async fn a_caller_who_speaks_over_the_answer_is_heard_and_the_service_told_what_they_heard() {
    let realtime = Realtime::start().await;
    let server = server(&realtime.url);
    let mut carrier = Carrier::call(&server).await;
    carrier.microphone();
    while carrier.loud < 25 {
        carrier.next().await.expect("the greeting");
    }
    carrier.say("digits/day-1");
    let cleared = async { while carrier.next().await.expect("a clear") != FromServer::Clear {} };
    within("the clear", cleared).await;
    // What was heard of the greeting may be there before the answer.
    let mut call = carrier.answered(&server).await;
    if lines(&call).len() < 3 {
        call = carrier.answered(&server).await;
    }
    let lines = lines(&call);
    assert!(ANSWER.starts_with(lines[0].1) && lines[0].1.len() < ANSWER.len(), "{lines:?}");
    assert_eq!(lines[1], ("caller", UNDERSTOOD));
    let truncated = &realtime.told("conversation.item.truncate")[0];
    let heard_ms = truncated["audio_end_ms"].as_u64().expect("milliseconds");
    assert_eq!(truncated["item_id"], "i-r1");
    assert!((400..3_000).contains(&heard_ms), "{heard_ms} of 3,000 ms");
}

#[tokio::test]
async fn a_call_survives_its_service_and_the_next_session_is_told_what_was_said() {
    let realtime = Realtime::start().await;
    let mut server = server(&realtime.url);
    let mut carrier = Carrier::call(&server).await;
    carrier.microphone();
    let call = carrier.answered(&server).await;
    let id = call["id"].as_str().expect("an id").to_owned();
    assert_eq!(server.inject(&id, "s2s", "panic").await, 202);
    server.log_with("stage.restarted", &[("stage", "s2s"), ("cause", "panic")]).await;
    carrier.say("digits/day-1");
    let call = carrier.answered(&server).await;
    assert_eq!(lines(&call), [("bot", ANSWER), ("caller", UNDERSTOOD), ("bot", ANSWER)]);
    let told = realtime.told("conversation.item.create");
    assert_eq!((told.len(), &told[0]["item"]["content"][0]["text"]), (1, &json!(ANSWER)));
}

#[tokio::test]
async fn where_the_service_is_not_there_the_three_hold_the_conversation() {
    let server = server("ws://127.0.0.1:9");
    let mut carrier = Carrier::call(&server).await;
    carrier.microphone();
    carrier.answered(&server).await;
    carrier.say("digits/day-1");
    let call = carrier.answered(&server).await;
    assert_eq!(lines(&call)[1], ("caller", "hello there"), "the scripted recogniser");
    let switched = "ringway_service_switches_total{stage=\"s2s\",from=\"openai_realtime\",to=\"three_stages\",cause=\"error\"}";
    assert_eq!(server.metric(switched).await, Some(1.0));
}
