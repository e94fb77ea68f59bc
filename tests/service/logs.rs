//! The log is for whoever reads it; whether anybody does is nothing to calls.

use crate::support::browser::Browser;
use crate::support::carrier::{Carrier, start};
use crate::support::server::{Server, Setup};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{PipeWriter, Write, pipe};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_disk_that_is_full_costs_lines_and_no_call() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let server = Setup::bench().start_logging_to(full);
    let (mut browser, _) = Browser::greeted(&server).await;
    assert_eq!(server.get_json("/health").await.0, 200);
    let lost = server.metric("ringway_log_lines_dropped_total{reason=\"write\"}").await;
    assert!(lost.is_some_and(|lines| lines > 0.0), "{lost:?}");
    browser.tell(json!({"type": "stop"}));
    browser.event("ended").await;
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_reader_that_is_gone_costs_no_call() {
    let (reader, writer) = pipe().unwrap();
    let server = Setup::bench().start_logging_to(writer);
    drop(reader);
    let (_browser, _) = Browser::greeted(&server).await;
    assert_eq!(server.get_json("/health").await.0, 200);
}

#[tokio::test]
async fn a_pipe_that_nobody_reads_stops_neither_calls_nor_the_end() {
    let (_reader, writer) = pipe().unwrap();
    let server = Setup::bench().env("RUST_LOG", "debug").start_logging_to(writer.try_clone().unwrap());
    fill(writer);
    let (mut browser, _) = Browser::greeted(&server).await;
    browser.tell(json!({"type": "stop"}));
    browser.event("ended").await;
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));
}

/// Writes until nothing more fits; the thread stays with its last piece.
fn fill(mut writer: PipeWriter) {
    std::thread::spawn(move || while writer.write_all(&[b'\n'; 4_096]).is_ok() {});
}

/// Mistakes that may come at once: of more, only some would be answered and none be told to the log.
const MISTAKES: usize = 60;

#[tokio::test]
async fn a_peer_fills_no_disk_with_the_same_mistake() {
    let mut server = Setup::bench().start();
    let (mut browser, _) = Browser::call(&server).await;
    for _ in 0..MISTAKES {
        browser.line.send(Message::Binary(vec![0].into()));
    }
    for _ in 0..MISTAKES {
        browser.event("error").await;
    }
    browser.tell(json!({"type": "stop"}));
    server.log("call.ended").await;
    let told = server.logged().iter().filter(|line| line["message"] == "protocol.error").count();
    assert_eq!(told, 10);
    let limited = server.metric("ringway_log_lines_dropped_total{reason=\"limit\"}").await;
    assert_eq!(limited, Some((MISTAKES - told) as f64));
}

#[tokio::test]
async fn what_a_carrier_names_is_bounded_and_stays_in_its_field() {
    let mut server = Setup::bench().start();
    let carrier = Carrier::open(&server).await;
    carrier.tell(start_of("CA1\r\n\u{1b}[2Jforged"));
    let id = server.log("call.started").await["carrierCallId"].clone();
    assert_eq!(id, "CA1\\r\\n\\u{1b}[2Jforged");
    assert_eq!(refusal_of(&server, &"x".repeat(50_000)).await, (1007, "bad_field".to_owned()));
    assert_eq!(refusal_of(&server, &"x".repeat(500_000)).await, (1009, "message_too_large".to_owned()));
    carrier.tell(json!({"event": "stop", "streamSid": "MZ1"}));
}

/// The start message of a call that the carrier names so.
fn start_of(call: &str) -> Value {
    let mut message = start(json!({}));
    message["start"]["callSid"] = call.into();
    message
}

/// How a call of this name is closed before it begins.
async fn refusal_of(server: &Server, call: &str) -> (u16, String) {
    let mut carrier = Carrier::open(server).await;
    carrier.tell(start_of(call));
    carrier.line.closed().await
}
