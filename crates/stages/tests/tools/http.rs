//! Tools behind HTTP.

use crate::model::{Model, reply, toolbox};
use ringway_stages::llm::{Cue, LanguageModel, LlmCall, LlmRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers one request with this, and gives the request.
async fn serve(answer: &'static str) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        loop {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            let mut buffer = [0; 4_096];
            loop {
                let read = tcp.read(&mut buffer).await.unwrap();
                asked.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&asked).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else {
                    if read == 0 {
                        break;
                    }
                    continue;
                };
                let length = head
                    .to_lowercase()
                    .split_once("content-length: ")
                    .unwrap()
                    .1
                    .lines()
                    .next()
                    .unwrap()
                    .parse::<usize>();
                if body.len() >= length.unwrap() {
                    tcp.write_all(answer.as_bytes()).await.unwrap();
                    return text;
                }
            }
        }
    });
    (port, serving)
}

async fn call(text: &str, arguments: &'static str) -> (bool, String) {
    let calls: &'static [(&str, &str)] = Box::leak(Box::new([("find", arguments)]));
    let model = Model::that_says(&[("", calls), ("", &[])]);
    let mut session = toolbox(&model, text, None).open(LlmCall::default()).unwrap();
    reply(&mut *session, LlmRequest::new(1, Cue::Said("find it".into()))).await;
    let called = model.asked(1).rounds[0].calls[0].clone();
    (called.failed, called.result)
}

const OK: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"state\":\"new\"}";

#[tokio::test]
async fn arguments_go_into_the_address_and_headers_come_from_the_environment() {
    let (port, asked) = serve(OK).await;
    let text = format!(
        r#"[http.find]
description = "Finds an order."
url = "http://127.0.0.1:{port}/orders/{{id}}?full=1"
headers = {{ Authorization = "Bearer ${{SHOP}}" }}
parameters = {{ type = "object", required = ["id"], properties = {{ id = {{ type = "string" }}, page = {{ type = "integer" }} }} }}
"#
    );
    assert_eq!(call(&text, r#"{"id":"a/7","page":2}"#).await, (false, "{\"state\":\"new\"}".into()));
    let asked = asked.await.unwrap();
    assert!(asked.starts_with("GET /orders/a%2F7?full=1&page=2 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("\r\nauthorization: Bearer value-of-SHOP\r\n"), "{asked}");
}

#[tokio::test]
async fn a_body_is_signed_with_the_time() {
    let (port, asked) = serve(OK).await;
    let text = format!(
        r#"[http.find]
description = "Books."
method = "post"
url = "http://127.0.0.1:{port}/bookings"
sign = {{ secret = "HMAC", signature = "X-Sig", timestamp = "X-Time" }}
parameters = {{ type = "object", properties = {{ day = {{ type = "string" }} }} }}
"#
    );
    assert!(!call(&text, r#"{"day":"Monday"}"#).await.0);
    let asked = asked.await.unwrap();
    let (head, body) = asked.split_once("\r\n\r\n").unwrap();
    let header =
        |name: &str| head.split_once(&format!("\r\n{name}: ")).unwrap().1.lines().next().unwrap().to_owned();
    assert_eq!((body, header("x-sig").len()), (r#"{"day":"Monday"}"#, 64));
    assert!(header("x-time").parse::<u64>().unwrap() > 1_700_000_000);
    assert!(!head.contains("value-of-HMAC"));
}

#[tokio::test]
async fn the_model_is_told_how_the_service_failed() {
    for (answer, expected) in [
        ("HTTP/1.1 404 No\r\nContent-Length: 21\r\n\r\n{\"error\": \"no order\"}", "status 404: no order"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n0123456789", "the connection ended inside the answer"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234567890123456789", "answer of more than 16 bytes"),
    ] {
        let (port, _) = serve(answer).await;
        let text = format!(
            "[http.find]\ndescription = \"Finds.\"\nurl = \"http://127.0.0.1:{port}/\"\nanswer_limit = 16\n"
        );
        let (failed, told) = call(&text, "{}").await;
        assert!(failed && told.starts_with(expected), "{told}");
    }
}
