//! How a reply of a language model ends before its time, in every protocol.

use crate::models::{FORMS, Form, answered, event};
use crate::support::{LONG, Server, Step, answer, chunk, nobody};
use ringway_stages::llm::{Cue, LlmRequest, LlmSession};
use serde_json::json;
use std::time::Duration;

fn said(id: u32) -> LlmRequest {
    LlmRequest::new(id, Cue::Said("hi".into()))
}

async fn failure(session: &mut dyn LlmSession) -> String {
    session.reply(said(1)).unwrap();
    answered(session).await.unwrap_err().to_string()
}

impl Form {
    const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai_llm",
            Self::Ollama => "ollama",
            Self::Anthropic => "anthropic",
        }
    }

    /// A reply that begins, and then ends as `step` has it.
    fn cut(self, step: Step) -> Vec<Step> {
        self.stream(&[self.words("One")], [step, Step::Close])
    }

    /// Failures that every service has, each in its words.
    fn failures(self) -> Vec<(Vec<Step>, String)> {
        let (stream, unit) = (self.content_type(), if self == Self::Ollama { "line" } else { "event" });
        let garbage: &[u8] = if self == Self::Ollama { b"{oops\n" } else { b"data: {oops\n\n" };
        let half: &[u8] = if self == Self::Ollama { b"{\"messa" } else { b"data: {\"choi" };
        vec![
            (
                answer("401 No", "application/json", b"sk-test is bad"),
                "status 401: the key is missing or was refused".into(),
            ),
            (
                answer("200 OK", "text/html", b"<html>"),
                format!("malformed answer: text/html, where {stream} was asked for"),
            ),
            (
                answer("200 OK", stream, garbage),
                format!("malformed {unit}: key must be a string at line 1 column 2"),
            ),
            (
                answer("200 OK", stream, b""),
                "the connection ended inside the answer: the reply has no end".into(),
            ),
            (self.cut(chunk(half)), "the connection ended inside the answer: ".into()),
            (vec![Step::Send(b"garbage\r\n\r\n".to_vec())], "malformed head of the answer: ".into()),
        ]
    }

    /// Failures that it tells of itself: before its answer, as statuses, and inside.
    fn own_failures(self) -> Vec<(Vec<Step>, &'static str)> {
        let status = |status, body| answer(status, "application/json", body);
        match self {
            Self::OpenAi => {
                let error = json!({"error": "overloaded"});
                vec![
                    (status("500 No", br#"{"error":{"message":"oh no"}}"#.as_slice()), "status 500: oh no"),
                    (self.stream(&[error], [chunk(b"")]), "failed inside its answer: overloaded"),
                ]
            }
            Self::Ollama => {
                let error = json!({"error": "llama runner has died"});
                vec![
                    (status("500 No", br#"{"error":"oh no"}"#.as_slice()), "status 500: oh no"),
                    (status("503 Busy", br#"{"error":"server busy"}"#), "status 503: server busy"),
                    (
                        status("404 No", br#"{"error":"model 'llama3.2' not found"}"#),
                        "it has no model \"llama3.2\": model 'llama3.2' not found",
                    ),
                    (self.stream(&[error], [chunk(b"")]), "failed inside its answer: llama runner has died"),
                ]
            }
            Self::Anthropic => {
                let error =
                    |kind, message| json!({"type": "error", "error": {"type": kind, "message": message}});
                let overloaded = error("overloaded_error", "Overloaded");
                let missing = error("not_found_error", "model: claude-none").to_string();
                vec![
                    (status("529 Overloaded", overloaded.to_string().as_bytes()), "status 529: Overloaded"),
                    (
                        status("404 No", missing.as_bytes()),
                        "it has no model \"claude-haiku-4-5\": model: claude-none",
                    ),
                    (
                        self.cut(chunk(&self.record(&overloaded))),
                        "failed inside its answer: overloaded_error: Overloaded",
                    ),
                ]
            }
        }
    }
}

#[tokio::test]
async fn a_cancelled_reply_closes_its_connection() {
    for form in FORMS {
        let one = form.stream(&[form.words("One")], [Step::Hang]);
        let two = form.stream(&[form.words("Two."), form.stop("stop")], [chunk(b"")]);
        let mut server = Server::start(vec![one, vec![Step::Hang], two]).await;
        let mut session = form.open(&server);
        session.reply(said(1)).unwrap();
        event(&mut *session).await.unwrap();
        session.cancel();
        server.gone().await;
        server.asked().await;
        // Before its answer begins, too.
        session.reply(said(2)).unwrap();
        tokio::select! {
            event = event(&mut *session) => panic!("{event:?} out of nothing"),
            _ = server.asked() => {}
        }
        session.cancel();
        server.gone().await;
        session.reply(said(3)).unwrap();
        assert_eq!(answered(&mut *session).await.unwrap().0, "Two.", "{form:?}");
    }
}

#[tokio::test]
async fn every_failure_is_told_with_its_place() {
    for form in FORMS {
        let own = form.own_failures().into_iter().map(|(steps, expected)| (steps, expected.to_owned()));
        for (steps, expected) in form.failures().into_iter().chain(own) {
            let server = Server::start(vec![steps]).await;
            let error = failure(&mut *form.open(&server)).await;
            assert!(error.starts_with(&format!("{}: {expected}", form.name())), "{error}");
            assert!(!error.contains("sk-test"), "{error}");
        }
        let error = failure(&mut *form.open_at(nobody().await, LONG, LONG)).await;
        assert!(error.starts_with(&format!("{}: cannot connect to 127.0.0.1:", form.name())), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_wait_has_its_limit() {
    let (first_byte, idle) = (Duration::from_secs(3), Duration::from_secs(2));
    for form in FORMS {
        for (steps, expected) in [
            (vec![Step::Hang], "nothing came within 3s before the answer"),
            (form.stream(&[form.words("One")], [Step::Hang]), "nothing came within 2s inside the answer"),
        ] {
            let server = Server::start(vec![steps]).await;
            let mut session = form.open_at(server.endpoint(""), first_byte, idle);
            assert_eq!(failure(&mut *session).await, format!("{}: {expected}", form.name()));
            server.gone().await;
        }
    }
}
