//! Tools behind HTTP.

use crate::model::{Model, event, reply, toolbox};
use ringway_stages::llm::{Cue, LanguageModel, LlmCall, LlmEvent, LlmRequest, Role, Said};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

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

/// Answers requests when it may, and counts them.
#[derive(Clone)]
struct Desk {
    asked: Arc<AtomicUsize>,
    may: Arc<Semaphore>,
}

impl Desk {
    fn new() -> Self {
        Self { asked: Arc::default(), may: Arc::new(Semaphore::new(0)) }
    }

    async fn open(&self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let desk = self.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(desk.clone().serve(tcp));
            }
        });
        port
    }

    async fn serve(self, mut tcp: TcpStream) {
        let (mut asked, mut buffer) = (Vec::new(), [0; 4_096]);
        while let Ok(read @ 1..) = tcp.read(&mut buffer).await {
            asked.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&asked).to_lowercase();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let (_, length) = head.split_once("content-length: ").unwrap();
            if body.len() >= length.lines().next().unwrap().parse().unwrap() {
                self.asked.fetch_add(1, Ordering::SeqCst);
                asked.clear();
                self.may.acquire().await.unwrap().forget();
                let _ = tcp.write_all(OK.as_bytes()).await;
            }
        }
    }

    fn answers(&self) {
        self.may.add_permits(1);
    }

    fn times_asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn is_asked(&self, times: usize) {
        while self.times_asked() < times {
            tokio::task::yield_now().await;
        }
    }
}

/// A call of `book` that the caller speaks over, and the next reply, in which the model calls it again with `second`.
async fn spoken_over(method: &str, on_barge_in: &str, second: &'static str) -> (Desk, Model) {
    let desk = Desk::new();
    let text = format!(
        "[http.book]\ndescription = \"Books.\"\nmethod = \"{method}\"\nurl = \"http://127.0.0.1:{}/\"\n\
         on_barge_in = \"{on_barge_in}\"\nparameters = {{ type = \"object\" }}\n",
        desk.open().await
    );
    let again: &'static [(&str, &str)] = Box::leak(Box::new([("book", second)]));
    let model = Model::that_says(&[
        ("", &[("book", r#"{"day":"Monday","people":4}"#)]),
        ("", again),
        ("Booked.", &[]),
    ]);
    let mut session = toolbox(&model, &text, None).open(LlmCall::default()).unwrap();
    session.reply(LlmRequest::new(1, Cue::Said("book it".into()))).unwrap();
    session.commit();
    assert!(matches!(event(&mut *session).await, LlmEvent::Tool { .. }));
    desk.is_asked(1).await;
    session.cancel();
    let served = desk.clone();
    tokio::spawn(async move {
        tokio::task::yield_now().await;
        served.answers();
        served.answers();
    });
    let history = vec![Said { role: Role::User, text: "book it".into() }];
    reply(&mut *session, LlmRequest { history, ..LlmRequest::new(2, Cue::Said("hello?".into())) }).await;
    (desk, model)
}

fn result(model: &Model, request: usize) -> (bool, String) {
    let asked = model.asked(request);
    let called = asked.rounds.last().unwrap().calls.last().unwrap();
    (called.failed, called.result.clone())
}

#[tokio::test]
async fn what_is_called_again_while_it_runs_is_done_once() {
    for same in [r#"{"day":"Monday","people":4}"#, r#"{ "people": 4.0, "day":"Monday" }"#] {
        let (desk, model) = spoken_over("POST", "finish", same).await;
        assert_eq!(desk.times_asked(), 1, "{same}");
        assert_eq!(result(&model, 2), (false, "{\"state\":\"new\"}".into()), "{same}");
    }
    let (desk, _) = spoken_over("POST", "finish", r#"{"day":"Tuesday","people":4}"#).await;
    assert_eq!(desk.times_asked(), 2, "another booking");
}

#[tokio::test]
async fn a_request_that_left_is_told_as_one_that_may_have_been_carried_out_and_is_not_sent_again() {
    let (desk, model) = spoken_over("POST", "cancel", r#"{"day":"Monday","people":4}"#).await;
    let (failed, told) = result(&model, 1);
    assert!(failed && told.starts_with("it was sent; its outcome is unknown"), "{told}");
    assert!(!told.contains("cancelled"), "{told}");
    assert_eq!((desk.times_asked(), result(&model, 2)), (1, (true, told)));
}

#[tokio::test]
async fn what_only_asks_may_ask_again_when_it_was_dropped() {
    let (desk, model) = spoken_over("GET", "cancel", r#"{"day":"Monday","people":4}"#).await;
    let (failed, told) = result(&model, 1);
    assert!(failed && told.starts_with("it was asked for and not waited for"), "{told}");
    assert_eq!((desk.times_asked(), result(&model, 2)), (2, (false, "{\"state\":\"new\"}".into())));
}
