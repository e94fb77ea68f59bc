use crate::support::browser::Browser;
use crate::support::server::{Setup, TOKEN};
use hyper::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_call_can_be_looked_at_while_it_lasts_and_after() {
    let mut server = Setup::bench().start();
    let (mut browser, id) = Browser::greeted(&server).await;
    browser.say("digits/day-1");
    browser.answered().await;
    let (_, calls) = server.get_json("/api/calls").await;
    let line = &calls["calls"][0];
    assert_eq!(line["id"], json!(id));
    assert_eq!((&line["edge"], &line["carrierCallId"]), (&json!("browser"), &Value::Null));
    assert_eq!((&line["turns"], &line["restarts"]), (&json!(1), &json!(0)), "{:?}", server.logged());
    assert!(line["startedAt"].as_str().is_some_and(|at| at.ends_with('Z')), "{line}");
    browser.tell(json!({"type": "stop"}));
    server.log("call.ended").await;
    assert_eq!(server.get_json("/api/calls").await.1, json!({"calls": []}));
    let (_, call) = server.get_json(&format!("/api/calls/{id}")).await;
    assert_eq!((&call["state"], &call["endReason"]), (&json!("ended"), &json!("caller")));
    let said: Vec<_> = call["transcript"].as_array().unwrap().iter().map(|line| &line["text"]).collect();
    let reply = "Hello, how can I help you?";
    assert_eq!(said, [reply, "hello there", reply]);
    assert_eq!(call["latency"].as_array().map(Vec::len), Some(1));
    assert_eq!(call["stages"]["stt"], json!({"state": "ready", "restarts": 0}));
}

#[tokio::test]
async fn an_operator_hangs_up() {
    let server = Setup::bench().env("RINGWAY_ADMIN_TOKEN", TOKEN).start();
    let (mut browser, id) = Browser::call(&server).await;
    let path = format!("/api/calls/{id}");
    let stranger = hyper::Request::delete(server.url(&path));
    assert_eq!(server.request(stranger, "").await.0, 401);
    assert_eq!(server.send(Method::DELETE, &path, "").await.0, 204);
    assert_eq!(browser.event("ended").await["reason"], "operator");
    server.call_is(&id, "ended").await;
    let (status, error) = server.send(Method::DELETE, &path, "").await;
    let error: Value = serde_json::from_str(&error).unwrap();
    assert_eq!((status.as_u16(), &error["code"]), (404, &json!("call_ended")), "it was there: {error}");
    let (_, error) = server.send(Method::DELETE, &format!("/api/calls/{}", "0".repeat(32)), "").await;
    assert!(error.contains("unknown_call"), "{error}");
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_an_error_object() {
    let server = Setup::bench().start();
    for (method, path) in
        [(Method::PUT, "/api/calls"), (Method::POST, "/health"), (Method::DELETE, "/voice-ws")]
    {
        let (status, error) = server.send(method, path, "").await;
        let error: Value = serde_json::from_str(&error).unwrap_or_else(|_| panic!("{path}: {error:?}"));
        assert_eq!((status.as_u16(), &error["code"]), (405, &json!("method_not_allowed")), "{path}");
    }
}

/// Who can reach the port from elsewhere must not read what was said.
#[tokio::test]
async fn a_server_that_others_can_reach_shows_calls_to_those_who_know_the_token() {
    let server =
        Setup::bench().with("[server]\nlisten = \"0.0.0.0\"").env("RINGWAY_ADMIN_TOKEN", TOKEN).start();
    let (_browser, id) = Browser::call(&server).await;
    for path in ["/api/calls".to_owned(), format!("/api/calls/{id}")] {
        assert_eq!(server.get(&path).await.0, 401, "{path}");
        assert_eq!(server.send(Method::GET, &path, "").await.0, 200, "{path}");
    }
    for path in ["/health", "/metrics", "/"] {
        assert_eq!(server.get(path).await.0, 200, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_an_error_object() {
    let server = Setup::bench().start();
    for path in ["/api/calls/00000000000000000000000000000000", "/api/calls/nonsense", "/nowhere"] {
        let (status, error) = server.get_json(path).await;
        assert_eq!(status, 404);
        assert!(
            error["code"].is_string() && error["message"].is_string() && error["recoverable"] == false,
            "{error}"
        );
    }
    let (status, error) = server.get_json("/voice-ws").await;
    assert_eq!((status.as_u16(), &error["code"]), (426, &json!("websocket_expected")));
}

#[tokio::test]
async fn health_names_the_engines() {
    let server = Setup::bench().start();
    let (status, health) = server.get_json("/health").await;
    assert_eq!(
        (status.as_u16(), &health["status"], &health["service"]),
        (200, &json!("ok"), &json!("ringway"))
    );
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert!(health["timestamp"].is_string());
    let ready = json!({"vad": "ready", "stt": "ready", "llm": "ready", "tts": "ready"});
    assert_eq!(health["engines"], ready);
}

#[tokio::test]
async fn the_log_has_one_line_for_each_end_of_a_call_and_no_words() {
    let mut server = Setup::bench().start();
    let (mut browser, id) = Browser::greeted(&server).await;
    browser.say("digits/day-1");
    browser.answered().await;
    browser.tell(json!({"type": "stop"}));
    let started = server.log("call.started").await;
    assert_eq!((&started["callId"], &started["edge"]), (&json!(id), &json!("browser")));
    let ended = server.log("call.ended").await;
    assert_eq!(
        (&ended["reason"], &ended["turns"], &ended["restarts"]),
        (&json!("caller"), &json!(1), &json!(0))
    );
    assert!(ended["durationMs"].is_u64());
    let again = server
        .logged()
        .iter()
        .any(|line| line["message"] == "call.started" || line["message"] == "call.ended");
    assert!(!again, "one line each");
    assert!(server.logged().iter().all(|line| !line.to_string().contains("hello there")));
}

#[tokio::test]
async fn the_page_and_its_files_are_served() {
    let server = Setup::bench().start();
    let (status, page) = server.get("/").await;
    assert_eq!(status, 200);
    let files: Vec<_> =
        page.split(['"', '\'']).filter(|word| word.ends_with(".js") || word.ends_with(".css")).collect();
    assert!(files.len() >= 2, "{page}");
    for file in files {
        let (status, body) =
            server.get(&format!("/{}", file.trim_start_matches("./").trim_start_matches('/'))).await;
        assert!(status == 200 && !body.is_empty(), "{file}");
    }
}
