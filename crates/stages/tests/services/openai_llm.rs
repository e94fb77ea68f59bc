//! Chat completions.

use crate::support::{LONG, Server, Step, chunk, chunked, nobody, settle};
use ringway_stages::llm::{
    CachedTokens, Cue, LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Role, Said,
};
use ringway_stages::prompt::Variables;
use ringway_stages::services::openai_llm::{Config, OpenAiLlm};
use ringway_stages::services::{ApiKey, Endpoint, groq};
use std::future::poll_fn;
use std::sync::Arc;

fn config(url: Endpoint) -> Config {
    let greeting = "Hello.".into();
    Config { url, greeting, connect: LONG, first_byte: LONG, idle: LONG, ..Config::default() }
}

fn open(config: Config) -> Box<dyn LlmSession> {
    let key = ApiKey::new("sk-test");
    OpenAiLlm::new(config, Some(&key)).unwrap().open(LlmCall::default()).unwrap()
}

fn ask(id: u32, cue: Cue) -> LlmRequest {
    LlmRequest::new(id, cue)
}

fn said(id: u32) -> LlmRequest {
    ask(id, Cue::Said("hi".into()))
}

async fn event(session: &mut dyn LlmSession) -> Result<LlmEvent, LlmError> {
    poll_fn(|cx| session.poll_event(cx)).await
}

/// The words of a reply, to its end.
async fn reply(session: &mut dyn LlmSession) -> Result<String, LlmError> {
    let mut words = String::new();
    loop {
        match event(session).await? {
            LlmEvent::Text { text, .. } => words += &text,
            LlmEvent::Usage { .. } => {}
            LlmEvent::Done { .. } => return Ok(words),
            other => panic!("{other:?}"),
        }
    }
}

fn token(text: &str) -> Step {
    let text = serde_json::to_string(text).unwrap();
    chunk(format!("data: {{\"choices\":[{{\"delta\":{{\"content\":{text}}}}}]}}\n\n").as_bytes())
}

fn stop() -> [Step; 2] {
    [
        chunk(b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"),
        chunk(b""),
    ]
}

fn stream(steps: impl IntoIterator<Item = Step>) -> Vec<Step> {
    std::iter::once(chunked("text/event-stream; charset=utf-8")).chain(steps).collect()
}

fn good(text: &str) -> Vec<Step> {
    stream([token(text)].into_iter().chain(stop()))
}

#[tokio::test]
async fn words_come_as_the_model_says_them() {
    let steps = [chunk(b": keep-alive\n\n"), token("Good"), Step::Wait, token(" day.")];
    let mut server = Server::start(vec![stream(steps.into_iter().chain(stop()))]).await;
    let mut session = open(config(server.endpoint("/v1")));
    session.reply(said(7)).unwrap();
    assert_eq!(event(&mut *session).await.unwrap(), LlmEvent::Text { id: 7, text: "Good".into() });
    server.go_on();
    assert_eq!(reply(&mut *session).await.unwrap(), " day.");
    let asked = server.asked().await;
    assert!(asked.head.starts_with("post /v1/chat/completions http/1.1\r\n"), "{}", asked.head);
    assert!(asked.head.contains("\r\nauthorization: bearer sk-test\r\n"), "{}", asked.head);
    let body: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body["messages"][1], serde_json::json!({"role": "user", "content": "hi"}));
}

#[tokio::test]
async fn a_caller_is_greeted_without_a_request() {
    let mut session = open(config(nobody().await));
    session.reply(ask(1, Cue::Joined)).unwrap();
    assert_eq!(reply(&mut *session).await.unwrap(), "Hello.");
    let already = LlmRequest { already: "Hel".into(), ..ask(2, Cue::Joined) };
    session.reply(already).unwrap();
    assert_eq!(reply(&mut *session).await.unwrap(), "lo.");
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let mut server = Server::start(vec![good("One."); 12]).await;
    let mut session = open(config(server.endpoint("")));
    let mut connections = Vec::new();
    for id in 0..12 {
        session.reply(said(id)).unwrap();
        assert_eq!(reply(&mut *session).await.unwrap(), "One.");
        connections.push(server.asked().await.connection);
    }
    // One that carries a request, one whose answer is just ending, and one that was set up ahead.
    assert!(connections.iter().all(|connection| *connection < 3), "{connections:?}");
}

#[tokio::test]
async fn a_connection_that_the_service_closed_meanwhile_is_no_failure() {
    // The second request meets a connection that is just being closed, the third one that was closed before.
    let closing = [good("Two."), vec![Step::Close]].concat();
    let server = Server::start(vec![good("One."), vec![Step::Close], closing, good("Three.")]).await;
    let mut session = open(config(server.endpoint("")));
    for (id, words) in ["One.", "Two.", "Three."].into_iter().enumerate() {
        session.reply(said(id as u32)).unwrap();
        assert_eq!(reply(&mut *session).await.unwrap(), words);
        settle().await;
    }
}

#[tokio::test]
async fn a_stream_may_end_without_the_word_for_it() {
    let last = chunk(b"data: {\"choices\":[{\"delta\":{\"content\":\"!\"},\"finish_reason\":\"stop\"}]}\n\n");
    let server = Server::start(vec![stream([token("One"), last, chunk(b"")])]).await;
    let mut session = open(config(server.endpoint("")));
    session.reply(said(1)).unwrap();
    assert_eq!(reply(&mut *session).await.unwrap(), "One!");
}

/// Asks, and returns what was sent.
async fn sent(server: &mut Server, session: &mut dyn LlmSession, request: LlmRequest) -> serde_json::Value {
    session.reply(request).unwrap();
    reply(session).await.unwrap();
    serde_json::from_slice(&server.asked().await.body).unwrap()
}

#[tokio::test]
async fn the_prompt_is_filled_in_for_the_call() {
    let mut server = Server::start(vec![good("Yes.")]).await;
    let system = "You talk with {{ parameter.name | default('somebody') }}.".into();
    let config = Config { system, ..config(server.endpoint("")) };
    let parameters = [("name".to_owned(), "Ada".to_owned())].into();
    let variables = Arc::new(Variables { parameters, ..Variables::default() });
    let model = OpenAiLlm::new(config, None).unwrap();
    let mut session = model.open(LlmCall { variables, ..LlmCall::default() }).unwrap();
    let body = sent(&mut server, &mut *session, said(1)).await;
    assert_eq!(body["messages"][0]["content"], "You talk with Ada.");
}

#[test]
fn a_template_with_a_mistake_is_refused() {
    let url = Endpoint::parse("http://127.0.0.1:9").unwrap();
    let config = Config { system: "Hello\n{{ caler }}".into(), ..config(url) };
    let error = OpenAiLlm::new(config, None).unwrap_err().to_string();
    assert!(error.starts_with("line 2 of the template: there is no variable \"caler\""), "{error}");
}

#[tokio::test]
async fn what_the_service_says_of_a_requests_length_is_told_before_its_end() {
    let usage = chunk(b"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":57,\"prompt_tokens_details\":{\"cached_tokens\":40}}}\n\ndata: [DONE]\n\n");
    let last = chunk(b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n");
    let server = Server::start(vec![stream([token("Yes."), last, usage, chunk(b"")])]).await;
    let system = "x".repeat(4 * 60);
    let config = Config { system, ..config(server.endpoint("")) };
    let mut session = open(config);
    session.reply(said(1)).unwrap();
    assert_eq!(event(&mut *session).await.unwrap(), LlmEvent::Text { id: 1, text: "Yes.".into() });
    let (estimated, cached) = (60 + 4 + 1 + 4, CachedTokens { read: 40, written: 0 });
    assert_eq!(event(&mut *session).await.unwrap(), LlmEvent::Usage { id: 1, tokens: 57, estimated, cached });
    assert!(matches!(event(&mut *session).await.unwrap(), LlmEvent::Done { id: 1, .. }));
}

#[tokio::test]
async fn what_was_said_before_is_told_in_short_and_a_summary_is_wanted_of_it() {
    let mut server = Server::start(vec![good("Yes."), good("Ada wants a table.")]).await;
    let mut session = open(config(server.endpoint("")));
    let request = LlmRequest { summary: "Ada calls.".into(), ..said(1) };
    let body = sent(&mut server, &mut *session, request).await;
    let before = &body["messages"][1];
    assert_eq!(
        (&before["role"], &before["content"]),
        (&"user".into(), &"[What was said before, in short: Ada calls.]".into())
    );
    let history = vec![Said { role: Role::User, text: "a table".into() }];
    let wish = LlmRequest::summary("Ada calls.".into(), history, String::new());
    let body = sent(&mut server, &mut *session, wish).await;
    assert_eq!(body["messages"].as_array().unwrap().len(), 2, "{body}");
    assert_eq!(body["messages"][1]["content"], "Notes until here: Ada calls.\nCaller: a table\n");
    assert!(body["messages"][0]["content"].as_str().unwrap().contains("notes"), "{body}");
}

#[tokio::test]
async fn a_vendor_of_a_section_of_its_own_is_asked_in_the_same_way_and_fails_under_its_own_name() {
    let mut server = Server::start(vec![good("Good day.")]).await;
    let usual = groq::Config::default();
    assert_eq!((usual.url.host(), usual.key.as_str()), ("api.groq.com", "GROQ_API_KEY"));
    let (url, model) = (server.endpoint("/openai/v1"), usual.model.clone());
    let config = groq::Config { url, connect: LONG, first_byte: LONG, idle: LONG, ..usual };
    let open = |config| OpenAiLlm::new(config, None).unwrap().open(LlmCall::default()).unwrap();
    let mut session = open(config.clone());
    session.reply(said(1)).unwrap();
    assert_eq!(reply(&mut *session).await.unwrap(), "Good day.");
    let asked = server.asked().await;
    assert!(asked.head.starts_with("post /openai/v1/chat/completions "), "{}", asked.head);
    assert!(String::from_utf8_lossy(&asked.body).contains(&model), "{:?}", asked.body);
    let mut session = open(groq::Config { url: nobody().await, ..config });
    session.reply(said(1)).unwrap();
    let error = reply(&mut *session).await.unwrap_err().to_string();
    assert!(error.starts_with("groq: cannot connect to 127.0.0.1:"), "{error}");
}
