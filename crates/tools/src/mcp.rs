//! Servers of tools that speak the [Model Context Protocol](https://modelcontextprotocol.io/specification): programs that
//! are started here, and services over HTTP.

mod catalog;
mod http;
pub(super) mod schema;

use super::config::{McpDeclaration, Reach};
use super::declared::Declared;
use super::{Answer, Arguments, Calling, Tool, ToolError};
use catalog::Offer;
use http::HttpClient;
use ringway_stages::Backoff;
use ringway_stages::llm::ToolSpec;
use ringway_stages::services::ServiceError;
use ringway_stages::tool_use::{Outcome, Slots};
use rmcp::ServiceExt;
use rmcp::model::{CallToolRequestParams, CallToolResult, ContentBlock};
use rmcp::service::{Peer, RoleClient, RunningService, ServiceError as McpError};
use rmcp::transport::TokioChildProcess;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClientTransport, StreamableHttpClientTransportConfig, StreamableHttpError,
};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// A server of tools; it is connected to as long as somebody holds this, and again when it dies.
#[derive(Clone, Debug)]
pub(super) struct Server {
    tools: watch::Receiver<Listed>,
}

/// What a server has told of its tools.
#[derive(Clone, Debug, Default)]
struct Listed {
    tools: Arc<[Declared]>,
    /// It was asked, with whatever success.
    settled: bool,
}

/// The way to a server, while there is one.
type Way = watch::Receiver<Option<Peer<RoleClient>>>;

impl Server {
    /// Starts it, or connects to it, on the present runtime.
    pub(super) fn start(name: String, declaration: McpDeclaration) -> Self {
        let (listed, tools) = watch::channel(Listed::default());
        let (way, _) = watch::channel(None);
        let keeper = Keeper { name: name.into(), declaration, listed, way };
        tokio::spawn(keeper.keep());
        Self { tools }
    }

    /// Its tools, if it is there.
    pub(super) fn tools(&self) -> Vec<Declared> {
        self.tools.borrow().tools.to_vec()
    }

    /// Waits until it has told its tools, or has failed to.
    pub(super) async fn settled(&self) {
        // Its keeper lives as long as this does.
        let _ = self.tools.clone().wait_for(|listed| listed.settled).await;
    }
}

/// Why a server is not there, as the operator has been told.
#[derive(Debug, Default)]
struct Absence(Option<String>);

impl Absence {
    /// The operator has not been told this, or has been told another reason since.
    fn is_news(&mut self, reason: &str) -> bool {
        self.0.replace(reason.to_owned()).as_deref() != Some(reason)
    }
}

/// Keeps a server running.
struct Keeper {
    name: Arc<str>,
    declaration: McpDeclaration,
    listed: watch::Sender<Listed>,
    way: watch::Sender<Option<Peer<RoleClient>>>,
}

impl Keeper {
    async fn keep(self) {
        let (begun, mut backoff, mut absence) = (Instant::now(), Backoff::default(), Absence::default());
        while !self.listed.is_closed() {
            match self.connect().await {
                Ok(service) => {
                    absence = Absence::default();
                    self.attend(service).await;
                }
                Err(reason) if absence.is_news(&reason) => {
                    tracing::warn!(server = %self.name, reason, "the server of tools is not there: it is tried again");
                }
                Err(reason) => {
                    tracing::debug!(server = %self.name, reason, "the server of tools is still not there");
                }
            }
            self.way.send_replace(None);
            self.listed.send_replace(Listed { tools: Arc::default(), settled: true });
            let pause = backoff.failed(begun.elapsed());
            tokio::select! {
                () = sleep(pause) => {}
                () = self.listed.closed() => {}
            }
        }
    }

    async fn connect(&self) -> Result<RunningService<RoleClient, ()>, String> {
        let handshake = timeout(LONGEST_START, async {
            match &self.declaration.reach {
                Reach::Program { command, variables } => {
                    let program = self.program(command, variables)?;
                    ().serve(program).await.map_err(|error| error.to_string())
                }
                Reach::Http { url, headers } => {
                    let client = HttpClient::new(&self.name, url, headers, self.declaration.manner.timeout);
                    let client = client.map_err(|error| error.to_string())?;
                    let config = StreamableHttpClientTransportConfig::with_uri(client.address());
                    let transport = StreamableHttpClientTransport::with_client(client, config);
                    ().serve(transport).await.map_err(|error| error.to_string())
                }
            }
        });
        let service = handshake.await.map_err(|_| format!("it did not begin within {LONGEST_START:?}"))??;
        let tools = timeout(LONGEST_START, catalog::ask(&service)).await;
        let tools = tools.map_err(|_| format!("it did not tell its tools within {LONGEST_START:?}"))?;
        self.publish(&service, tools.map_err(|error| error.to_string())?);
        Ok(service)
    }

    /// The environment has our own keys: it is not handed on.
    fn program(
        &self,
        command: &[String],
        variables: &[(String, String)],
    ) -> Result<TokioChildProcess, String> {
        let mut program = Command::new(&command[0]);
        let usual = HANDED_ON.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
        program.args(&command[1..]).env_clear().envs(usual);
        program.envs(variables.iter().map(|(name, value)| (name, value))).kill_on_drop(true);
        let spawned = TokioChildProcess::builder(program).stderr(Stdio::piped()).spawn();
        let (transport, complaints) = spawned.map_err(|error| format!("{}: {error}", command[0]))?;
        if let Some(complaints) = complaints {
            tokio::spawn(log(self.name.clone(), complaints));
        }
        Ok(transport)
    }

    fn publish(&self, service: &Peer<RoleClient>, tools: Vec<Offer>) {
        let only = &self.declaration.only;
        let is_wanted = |tool: &Offer| only.iter().any(|name| *name == tool.name || *name == tool.offered);
        let wanted = tools.into_iter().filter(|tool| only.is_empty() || is_wanted(tool));
        let declared: Arc<[Declared]> = wanted.filter_map(|tool| self.declare(tool)).collect();
        let names: Vec<_> = declared.iter().map(|tool| tool.spec.name.as_str()).collect();
        tracing::info!(server = %self.name, tools = names.join(", "), "the server of tools is there");
        self.way.send_replace(Some(service.clone()));
        self.listed.send_replace(Listed { tools: declared, settled: true });
    }

    fn declare(&self, offer: Offer) -> Option<Declared> {
        let Offer { name, offered, description, schemas } = offer;
        let spec = ToolSpec { name: offered, description, parameters: schemas.told };
        let function = Function { server: self.name.clone(), name: name.clone(), way: self.way.subscribe() };
        let declared = Declared::new(spec, self.declaration.manner.clone(), Arc::new(function));
        let declared = declared.and_then(|declared| declared.taking(&schemas.checked));
        declared
            .inspect_err(|reason| {
                tracing::warn!(server = %self.name, tool = name, reason, "the tool cannot be used");
            })
            .ok()
    }

    /// Until the server dies, or nobody wants it any more.
    async fn attend(&self, service: RunningService<RoleClient, ()>) {
        let stop = service.cancellation_token();
        tokio::select! {
            ended = service.waiting() => {
                tracing::warn!(server = %self.name, ?ended, "the server of tools is gone");
            }
            () = self.listed.closed() => stop.cancel(),
        }
    }
}

/// What a program complains of is the operator's to read.
async fn log(server: Arc<str>, complaints: impl AsyncRead + Unpin) {
    let (mut complaints, mut line) = (BufReader::new(complaints), Vec::new());
    while (&mut complaints).take(LONGEST_LINE).read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
        let said = String::from_utf8_lossy(&line);
        tracing::debug!(%server, line = said.trim_end(), "the server of tools says");
        line.clear();
    }
}

/// Bytes of a line of a program's complaints that are kept together.
const LONGEST_LINE: u64 = 4 * 1_024;

/// One tool of a server.
#[derive(Debug)]
struct Function {
    server: Arc<str>,
    name: String,
    way: Way,
}

impl Tool for Function {
    fn call(&self, arguments: Arguments, _: Slots) -> Calling {
        let (server, peer) = (self.server.to_string(), self.way.borrow().clone());
        let params = CallToolRequestParams::new(self.name.clone()).with_arguments(arguments);
        Box::pin(async move {
            let away = |reason: String| ToolError::Away { server: server.clone(), reason };
            let peer = peer.ok_or_else(|| away("it is being started".into()))?;
            match peer.call_tool(params).await {
                Ok(result) => answer(result),
                Err(McpError::McpError(error)) => Err(ToolError::Said(error.message.into_owned())),
                Err(error) => Err(failed(error, away)),
            }
        })
    }
}

/// In the words of our own connections, where they tell. An error of the server leaves open what it has done.
fn failed(error: McpError, away: impl Fn(String) -> ToolError) -> ToolError {
    let McpError::TransportSend(sent) = error else { return away(error.to_string()) };
    match sent.error.downcast::<StreamableHttpError<ServiceError>>().map(|error| *error) {
        Ok(StreamableHttpError::Client(error @ ServiceError::Status { status: 500.., .. })) => {
            ToolError::Unsure { reason: error.to_string(), outcome: Outcome::Failed }
        }
        Ok(StreamableHttpError::Client(error)) => error.into(),
        Ok(error) => away(error.to_string()),
        Err(error) => away(error.to_string()),
    }
}

/// Its words; what is no text is not for a telephone.
fn answer(result: CallToolResult) -> Result<Answer, ToolError> {
    let texts = result.content.iter().filter_map(ContentBlock::as_text).map(|text| text.text.as_str());
    let mut text = texts.collect::<Vec<_>>().join("\n");
    if text.is_empty() {
        text = result.structured_content.map_or_else(|| "Done.".into(), |value| value.to_string());
    }
    if result.is_error == Some(true) { Err(ToolError::Said(text)) } else { Ok(Answer::text(text)) }
}

/// A server that installs itself first takes longer; it is tried again.
const LONGEST_START: Duration = Duration::from_secs(30);

/// Variables that programs cannot do without.
const HANDED_ON: [&str; 6] = ["PATH", "HOME", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_stays_away_is_told_of_once_for_each_reason() {
        let mut absence = Absence::default();
        let told = ["no file", "no file", "no file", "too slow", "too slow", "no file"]
            .map(|reason| absence.is_news(reason));
        assert_eq!(told, [true, false, false, true, false, true]);
    }
}
