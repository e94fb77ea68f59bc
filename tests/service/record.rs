//! What a call yields: its record in the API, the webhook that delivers it, and the description of both.

use crate::support::browser::Browser;
use crate::support::server::Setup;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::HashMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const BOOKING: &str = "[llm]\nengines = [\"dialogue\"]\n[dialogue]\ndefault = \"booking\"";

/// What a receiver was sent.
struct Delivery {
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

/// A receiver that answers with these statuses in turn, then with 204.
async fn receiver(statuses: Vec<u16>) -> (String, mpsc::Receiver<Delivery>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, deliveries) = mpsc::channel(16);
    tokio::spawn(async move {
        let mut statuses = statuses.into_iter();
        while let Ok((mut tcp, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = tcp.read_u8().await else { break };
                head.push(byte);
            }
            let head = String::from_utf8(head).unwrap();
            let headers: HashMap<_, _> = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect();
            let Some(length) = headers.get("content-length") else { continue };
            let mut body = vec![0; length.parse().unwrap()];
            tcp.read_exact(&mut body).await.unwrap();
            let status = statuses.next().unwrap_or(204);
            let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            tcp.write_all(answer.as_bytes()).await.unwrap();
            sender.send(Delivery { headers, body }).await.unwrap();
        }
    });
    (url, deliveries)
}

#[tokio::test]
async fn the_record_of_a_dialogue_has_its_slots_and_its_end() {
    let mut server = Setup::bench().with(BOOKING).start();
    let (mut browser, id) = Browser::greeted(&server).await;
    for text in ["on Monday", "at seven"] {
        browser.tell(json!({"type": "text", "text": text}));
        browser.event("latency").await;
    }
    browser.tell(json!({"type": "stop"}));
    server.log("call.ended").await;
    let (_, call) = server.get_json(&format!("/api/calls/{id}")).await;
    assert_eq!(call["endReason"], "caller");
    assert!(call["endedAt"].as_str().is_some_and(|at| at.ends_with('Z')), "{call}");
    assert!(call["durationMs"].is_u64() && call["toolCalls"] == json!([]), "{call}");
    let said = call["transcript"].as_array().unwrap();
    let slot = |name: &str| call["slots"][name].as_str().unwrap_or_default().to_lowercase();
    assert_eq!((slot("day"), slot("hour")), ("monday".to_owned(), "7".to_owned()), "{call}");
    assert!(said.iter().any(|line| line["who"] == "caller" && line["text"] == "on Monday"), "{call}");
}

#[tokio::test]
async fn a_webhook_is_signed_repeated_until_it_is_taken_and_has_the_record() {
    let (url, mut deliveries) = receiver(vec![500]).await;
    let server = Setup::bench()
        .with(&format!("[webhook]\nurl = {url:?}"))
        .env("RINGWAY_WEBHOOK_SECRET", "whsec_c2VjcmV0")
        .start();
    let (browser, id) = Browser::greeted(&server).await;
    browser.tell(json!({"type": "stop"}));
    let (first, second) = (deliveries.recv().await.unwrap(), deliveries.recv().await.unwrap());
    assert_eq!(first.headers["webhook-id"], second.headers["webhook-id"]);
    assert_eq!(first.body, second.body);
    assert!(second.headers["webhook-id"].starts_with("evt_"));
    let (stamp, event_id) = (&second.headers["webhook-timestamp"], &second.headers["webhook-id"]);
    let mut mac = Hmac::<Sha256>::new_from_slice(b"secret").unwrap();
    mac.update(format!("{event_id}.{stamp}.").as_bytes());
    mac.update(&second.body);
    let signature = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(second.headers["webhook-signature"], signature);
    let event: Value = serde_json::from_slice(&second.body).unwrap();
    assert_eq!((&event["type"], &event["data"]["id"]), (&json!("call.ended"), &json!(id)));
    assert_eq!(event["data"]["endReason"], "caller");
    while server.metric("ringway_webhooks_total{outcome=\"delivered\"}").await != Some(1.0) {}
}

/// Each path that is described is served, and what is served is as described.
#[tokio::test]
async fn the_api_is_as_its_description_says() {
    let mut server = Setup::bench().start();
    let (browser, id) = Browser::greeted(&server).await;
    let (_, described) = server.get_json("/api/openapi.json").await;
    for (path, operations) in described["paths"].as_object().unwrap() {
        if operations["get"].is_object() {
            let (status, _) = server.get(&path.replace("{id}", &id)).await;
            assert_eq!(status, 200, "{path}");
        }
    }
    browser.tell(json!({"type": "stop"}));
    server.log("call.ended").await;
    let (_, told) = server.get_json(&format!("/api/calls/{id}/events")).await;
    let wanted = json!({
        "type": "array",
        "minItems": 3,
        "items": {"$ref": "#/components/schemas/Lifecycle"},
        "components": described["components"],
    });
    let validator = jsonschema::validator_for(&wanted).unwrap();
    assert!(validator.is_valid(&told["events"]), "{told}");
    for (path, schema) in
        [(format!("/api/calls/{id}"), "Call"), ("/api/info".into(), "Info"), ("/health".into(), "Health")]
    {
        let (_, shown) = server.get_json(&path).await;
        let wanted =
            json!({"$ref": format!("#/components/schemas/{schema}"), "components": described["components"]});
        let validator = jsonschema::validator_for(&wanted).unwrap();
        let mistakes: Vec<_> = validator.iter_errors(&shown).map(|error| error.to_string()).collect();
        assert!(mistakes.is_empty(), "{path}: {mistakes:?} in {shown}");
        let known = properties(&described["components"]["schemas"], schema);
        for field in shown.as_object().unwrap().keys() {
            assert!(known.contains(field), "{path}: {field} is not described");
        }
    }
}

/// The names of a schema's properties, those of its parts included.
fn properties(schemas: &Value, name: &str) -> Vec<String> {
    let of = |schema: &Value| -> Vec<String> {
        schema["properties"].as_object().map(|all| all.keys().cloned().collect()).unwrap_or_default()
    };
    let schema = &schemas[name];
    let mut names = of(schema);
    for part in schema["allOf"].as_array().into_iter().flatten() {
        match part["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            Some(other) => names.extend(properties(schemas, other)),
            None => names.extend(of(part)),
        }
    }
    names
}
