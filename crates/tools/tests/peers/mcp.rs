//! Tools of a server that speaks the Model Context Protocol, over HTTP and as a program.

use ringway_stages::Expectation;
use ringway_stages::llm::{
    Cue, LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Next, ToolCall,
};
use ringway_stages::tool_use::{Outcome, ToolNews};
use ringway_tools::{Config, Toolbox, Tools, ToolsFile};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

/// Calls what it is told to, and keeps what came of it.
#[derive(Clone)]
struct Caller {
    call: (&'static str, &'static str),
    told: Arc<Mutex<Vec<(bool, String)>>>,
}

struct Session(Caller, VecDeque<LlmEvent>);

impl LanguageModel for Caller {
    fn name(&self) -> &str {
        "caller"
    }

    fn open(&self, _: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        Ok(Box::new(Session(self.clone(), VecDeque::new())))
    }
}

impl LlmSession for Session {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        let id = request.id;
        let results = request.rounds.iter().flat_map(|round| &round.calls);
        *self.0.told.lock().unwrap() = results.map(|called| (called.failed, called.result.clone())).collect();
        if request.rounds.is_empty() {
            let (name, arguments) = self.0.call;
            let call = ToolCall::new("c", name, arguments);
            self.1.push_back(LlmEvent::Call { id, call });
        }
        let next = Next::Listen(Expectation::anything());
        self.1.push_back(LlmEvent::Done { id, next, memo: String::new() });
        Ok(())
    }

    fn cancel(&mut self) {}

    fn poll_event(&mut self, _: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        self.1.pop_front().map_or(Poll::Pending, |event| Poll::Ready(Ok(event)))
    }
}

fn start(text: &str) -> Tools {
    let variable = |name: &str| Some(format!("value-of-{name}"));
    Tools::start(ToolsFile::parse(Path::new("t.toml"), text, &variable).unwrap(), None).unwrap()
}

fn over_http(more: &str) -> String {
    format!("[mcp.peer]\nurl = \"http://{}/mcp\"\n{more}", crate::peer())
}

/// The peer as a program; where `scripts/test-peers` has installed it.
fn as_program(more: &str) -> String {
    let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ringway/peers");
    let peers = std::env::var_os("RINGWAY_PEERS").map_or_else(usual, PathBuf::from);
    format!("[mcp.peer]\ncommand = [{:?}]\n{more}", peers.join("mcp/stdio").display().to_string())
}

/// How a call ended, and what the model was told.
async fn call(tools: &Tools, call: (&'static str, &'static str)) -> (Outcome, bool, String) {
    let caller = Caller { call, told: Arc::default() };
    let toolbox = Toolbox::new(Arc::new(caller.clone()), tools.clone(), Config::default());
    let mut session = toolbox.open(LlmCall::default()).unwrap();
    session.reply(LlmRequest::new(1, Cue::Said("go".into()))).unwrap();
    session.commit();
    let mut ended = None;
    loop {
        match poll_fn(|cx| session.poll_event(cx)).await.unwrap() {
            LlmEvent::Tool { news: ToolNews::Ended { outcome, .. }, .. } => ended = Some(outcome),
            LlmEvent::Done { .. } => break,
            _ => {}
        }
    }
    let (failed, told) = caller.told.lock().unwrap()[0].clone();
    (ended.unwrap(), failed, told)
}

async fn every_kind_of_answer(tools: &Tools) {
    tools.settled().await;
    assert_eq!(tools.names(), ["add", "weather", "fail", "slow", "environment", "die"]);
    assert_eq!(call(tools, ("add", r#"{"a":2,"b":3}"#)).await, (Outcome::Done, false, "5".into()));
    let sunny = "It is sunny in Rome.".to_owned();
    assert_eq!(call(tools, ("weather", r#"{"city":"Rome"}"#)).await, (Outcome::Done, false, sunny));
    let (outcome, failed, told) = call(tools, ("add", r#"{"a":"two","b":3}"#)).await;
    assert_eq!((outcome, failed), (Outcome::Refused, true), "{told}");
    let (outcome, failed, told) = call(tools, ("fail", "{}")).await;
    // It keeps the reason to itself.
    assert_eq!((outcome, failed, told.contains("fail")), (Outcome::Failed, true, true), "{told}");
    let (outcome, _, told) = call(tools, ("slow", r#"{"seconds":30}"#)).await;
    let late = "it was sent; its outcome is unknown (it did not answer within 300ms). Do not call it again unless the \
                caller asks for that";
    assert_eq!((outcome, told.as_str()), (Outcome::Late, late));
}

#[tokio::test]
async fn over_http_every_kind_of_answer_is_understood() {
    every_kind_of_answer(&start(&over_http("timeout = \"300ms\"\n"))).await;
}

#[tokio::test]
async fn as_a_program_every_kind_of_answer_is_understood() {
    every_kind_of_answer(&start(&as_program("timeout = \"300ms\"\n"))).await;
}

#[tokio::test]
async fn only_some_tools_are_offered_if_so_declared() {
    let tools = start(&over_http("tools = [\"weather\"]\n"));
    tools.settled().await;
    assert_eq!(tools.names(), ["weather"]);
}

#[tokio::test]
async fn a_program_gets_the_variables_that_are_declared_and_no_others() {
    let tools = start(&as_program("variables = [\"CALENDAR_KEY\"]\n"));
    tools.settled().await;
    let told = call(&tools, ("environment", r#"{"name":"CALENDAR_KEY"}"#)).await.2;
    assert_eq!(told, "value-of-CALENDAR_KEY");
    assert_eq!(call(&tools, ("environment", r#"{"name":"CARGO_MANIFEST_DIR"}"#)).await.2, "unset");
}

#[tokio::test]
async fn a_program_that_dies_is_started_again() {
    let tools = start(&as_program(""));
    tools.settled().await;
    let (outcome, failed, told) = call(&tools, ("die", "{}")).await;
    assert_eq!((outcome, failed), (Outcome::Failed, true), "{told}");
    while tools.names().is_empty() || call(&tools, ("add", r#"{"a":1,"b":1}"#)).await.0 != Outcome::Done {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_has_no_tools() {
    let tools = start("[mcp.nobody]\ncommand = [\"/nowhere/server\"]\n");
    tools.settled().await;
    assert!(tools.names().is_empty());
}
