//! Who may ask, and how much one peer can take.

use crate::support::browser::Browser;
use crate::support::carrier::{Carrier, start};
use crate::support::line::Line;
use crate::support::server::{Server, Setup, TOKEN};
use futures_util::{SinkExt, StreamExt};
use hyper::http::request::Builder;
use hyper::{Method, Request};
use serde_json::json;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

fn asks(server: &Server, method: Method, path: &str) -> Builder {
    Request::builder().method(method).uri(server.url(path))
}

/// What is answered to a handshake with these headers.
async fn handshake(server: &Server, path: &str, headers: &[(&'static str, &str)]) -> u16 {
    let mut request = server.ws(path).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok(_) => 101,
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_token_is_asked_for_on_loopback_too() {
    let server = Setup::bench().chaos().start();
    let (_browser, id) = Browser::call(&server).await;
    let call = format!("/api/calls/{id}");
    for (method, path) in [
        (Method::GET, "/api/calls".to_owned()),
        (Method::GET, call.clone()),
        (Method::GET, format!("{call}/trace")),
        (Method::POST, format!("{call}/chaos")),
        (Method::DELETE, call.clone()),
        (Method::POST, "/media/twilio/voice".to_owned()),
        (Method::POST, "/media/twilio/after".to_owned()),
    ] {
        let (status, error) = server.request(asks(&server, method, &path), "").await;
        assert_eq!(status, 401, "{path}: {error}");
    }
    for path in ["/health", "/metrics", "/", "/main.js"] {
        assert_eq!(server.get(path).await.0, 200, "{path}");
    }
    assert_eq!(server.send(Method::GET, &call, "").await.0, 200);
    assert_eq!(handshake(&server, "/media/twilio", &[]).await, 101);
    assert_eq!(server.metric("ringway_refusals_total{reason=\"token\"}").await, Some(7.0));
}

#[tokio::test]
async fn a_name_that_was_rebound_to_this_machine_reads_and_begins_nothing() {
    let mut server = Setup::bench().start();
    let (_browser, id) = Browser::call(&server).await;
    let call = format!("/api/calls/{id}");
    for (method, path) in [
        (Method::GET, "/api/calls"),
        (Method::GET, call.as_str()),
        (Method::DELETE, call.as_str()),
        (Method::POST, "/media/twilio/voice"),
    ] {
        let request = asks(&server, method, path).header("host", "evil.example:3000");
        assert_eq!(server.request(request, "").await.0, 403, "{path}");
    }
    let rebound = [("host", "evil.example"), ("origin", "http://evil.example")];
    for path in ["/voice-ws", "/media/twilio"] {
        assert_eq!(handshake(&server, path, &rebound).await, 403, "{path}");
        assert_eq!(handshake(&server, path, &[("origin", "http://evil.example")]).await, 403, "{path}");
    }
    let local = asks(&server, Method::GET, &call).header("host", "localhost:3000");
    assert_eq!(server.request(local, "").await.0, 200, "the call is still there");
    let logged = server.log("refused: without RINGWAY_ADMIN_TOKEN only requests for localhost are answered, not for \"evil.example:3000\"").await;
    assert_eq!((&logged["code"], &logged["path"]), (&json!("host"), &json!("/api/calls")));
}

#[tokio::test]
async fn what_a_proxy_forwards_needs_a_token() {
    let server = Setup::bench().start();
    let forwarded = asks(&server, Method::GET, "/api/calls").header("x-forwarded-for", "203.0.113.9");
    let (status, error) = server.request(forwarded, "").await;
    assert!(status == 403 && error.contains("behind a proxy: set RINGWAY_ADMIN_TOKEN"), "{status} {error}");
    let through = [("x-forwarded-for", "203.0.113.9")];
    assert_eq!(handshake(&server, "/voice-ws", &through).await, 403);
    let server = Setup::bench().env("RINGWAY_ADMIN_TOKEN", TOKEN).start();
    assert_eq!(handshake(&server, "/voice-ws", &through).await, 101);
}

#[tokio::test]
async fn a_place_is_taken_at_start_and_who_finds_none_is_told() {
    let server = Setup::bench().with("[limits]\ncalls = 1\nunstarted = 10").start();
    let idle = [Browser::open(&server).await, Browser::open(&server).await];
    let mut late = Browser::open(&server).await;
    let mut carrier = Carrier::open(&server).await;
    let _first = Browser::call(&server).await;
    late.tell(json!({"type": "start", "codec": "pcm16", "sampleRate": 16000}));
    assert_eq!(late.event("error").await["code"], "capacity");
    assert_eq!(late.line.closed().await, (1013, "capacity".to_owned()));
    carrier.tell(start(json!({})));
    assert_eq!(carrier.line.closed().await, (1013, "capacity".to_owned()));
    drop(idle);
}

#[tokio::test]
async fn sockets_without_a_call_are_bounded() {
    let server = Setup::bench().with("[limits]\nunstarted = 2").start();
    let _idle = (Browser::open(&server).await, Carrier::open(&server).await);
    assert_eq!(handshake(&server, "/media/twilio", &[]).await, 503);
    let mut refused = Browser::open(&server).await;
    assert_eq!(refused.event("error").await["code"], "capacity");
    assert_eq!(refused.line.closed().await, (1013, "unstarted".to_owned()));
}

async fn call_from(server: &Server, address: &str) -> Browser {
    let mut request = server.ws("/voice-ws").into_client_request().unwrap();
    request.headers_mut().insert("x-forwarded-for", address.parse().unwrap());
    let browser = Browser::over(Line::open(request).await);
    browser.tell(json!({"type": "start", "codec": "pcm16", "sampleRate": 16000}));
    browser
}

#[tokio::test]
async fn one_address_has_its_share_of_the_calls() {
    let limits = "[limits]\ncalls_per_address = 1\nunstarted_per_address = 1";
    let server = Setup::bench().with(limits).env("RINGWAY_ADMIN_TOKEN", TOKEN).start();
    let mut first = call_from(&server, "203.0.113.9").await;
    first.event("started").await;
    let mut second = call_from(&server, "6.6.6.6, 203.0.113.9").await;
    let error = second.event("error").await;
    assert_eq!(
        (&error["code"], &error["message"]),
        (&json!("capacity"), &json!("one address has at most 1 calls at once"))
    );
    assert_eq!(second.line.closed().await, (1013, "address".to_owned()));
    call_from(&server, "203.0.113.10").await.event("started").await;
    let (_this_machine, _) = Browser::call(&server).await;
    let (_is_not_limited, _) = Browser::call(&server).await;
    first.tell(json!({"type": "stop"}));
    first.event("ended").await;
    while first.next().await.is_some() {}
    // The socket's share is given back when its task has ended, a moment later.
    while call_from(&server, "203.0.113.9").await.next().await.is_none_or(|event| event["type"] != "started")
    {
    }
}

#[tokio::test]
async fn a_peer_that_floods_is_closed_and_nobody_else_notices() {
    let server = Setup::bench().start();
    let (mut bystander, _) = Browser::greeted(&server).await;
    let (socket, _) = connect_async(server.ws("/voice-ws")).await.unwrap();
    let (mut up, mut down) = socket.split();
    let start = json!({"type": "start", "codec": "opus", "sampleRate": 48000}).to_string();
    up.send(Message::text(start)).await.unwrap();
    let flood = tokio::spawn(async move {
        // A packet of silence in 20 ms, as small as one can be.
        while up.send(Message::binary(vec![0x48])).await.is_ok() {}
    });
    let close = loop {
        match down.next().await {
            Some(Ok(Message::Close(frame))) => break frame.expect("a code"),
            Some(Ok(_)) => {}
            end => panic!("closed without a word: {end:?}"),
        }
    };
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1008, "too_fast"));
    flood.abort();
    let dropped = server.metric("ringway_excess_total{edge=\"browser\",kind=\"audio\"}").await;
    assert!(dropped.is_some_and(|frames| frames >= 3_000.0), "{dropped:?}");
    bystander.say("digits/7");
    assert_eq!(bystander.understood().await, "hello there");
}
