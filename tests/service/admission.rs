use crate::support::browser::Browser;
use crate::support::carrier::Carrier;
use crate::support::server::Setup;
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;

#[tokio::test]
async fn a_full_server_refuses_in_words_that_each_edge_understands() {
    let server = Setup::bench().with("[limits]\ncalls = 1").start();
    let (mut first, _) = Browser::call(&server).await;
    let mut second = Browser::open(&server).await;
    let error = second.event("error").await;
    assert_eq!((&error["code"], &error["recoverable"]), (&json!("capacity"), &json!(false)));
    assert_eq!(second.line.closed().await.0, 1013);
    let Err(Error::Http(response)) = connect_async(server.ws("/media/twilio")).await else {
        panic!("let in")
    };
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(server.metric("ringway_refusals_total{reason=\"capacity\"}").await, Some(2.0));
    first.tell(json!({"type": "stop"}));
    first.event("ended").await;
    while first.next().await.is_some() {}
    soon(async { while server.metric("ringway_calls_active{edge=\"browser\"}").await != Some(0.0) {} }).await;
    Browser::call(&server).await;
}

#[tokio::test]
async fn a_server_told_to_stop_lets_calls_finish_and_nobody_in() {
    let server = Setup::bench().start();
    let (mut browser, _) = Browser::greeted(&server).await;
    let mut carrier = Carrier::call(&server).await;
    carrier.answered(&server).await;
    server.terminate();
    browser.say("digits/day-1");
    assert_eq!(browser.understood().await, "hello there");
    browser.answered().await;
    assert_eq!(Browser::open(&server).await.event("error").await["code"], "draining");
    carrier.tell(json!({"event": "stop", "streamSid": "MZ1"}));
    browser.tell(json!({"type": "stop"}));
    assert_eq!(browser.event("ended").await["reason"], "caller");
    assert_eq!(server.ended().await.code(), Some(0));
}

#[tokio::test]
async fn health_says_that_the_server_drains() {
    let server = Setup::bench().start();
    let (_browser, _) = Browser::call(&server).await;
    assert_eq!(server.get_json("/health").await.0, 200);
    server.terminate();
    let drains = async {
        loop {
            let (status, health) = server.get_json("/health").await;
            if status == 503 {
                return health;
            }
        }
    };
    assert_eq!(soon(drains).await["status"], "draining");
}

/// What has to come, of a server that is asked again and again.
async fn soon<T>(awaited: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), awaited).await.expect("it comes")
}

#[tokio::test]
async fn calls_that_outlast_the_drain_are_ended_with_the_reason() {
    let server = Setup::bench().with("[server]\ndrain = \"100ms\"").start();
    let (mut browser, _) = Browser::call(&server).await;
    server.terminate();
    assert_eq!(browser.event("ended").await["reason"], "drain");
    assert_eq!(server.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_the_calls_in_good_order() {
    let mut server = Setup::bench().start();
    let (mut browser, _) = Browser::call(&server).await;
    server.terminate();
    soon(async { while server.get_json("/health").await.0 != 503 {} }).await;
    server.terminate();
    assert_eq!(browser.event("ended").await["reason"], "drain");
    assert_eq!(server.log("call.ended").await["reason"], "drain");
    while browser.next().await.is_some() {}
    assert_eq!(server.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_signal_to_read_files_again_ends_nothing() {
    let mut server = Setup::bench().flag("--tls").flag("self-signed").start();
    for signal in ["-HUP", "-USR1", "-USR2"] {
        server.signal(signal);
        server.log("the certificate was read again").await;
    }
    server.terminate();
    server.log("draining").await;
    assert_eq!(server.ended().await.code(), Some(0));
}
