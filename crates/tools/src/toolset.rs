use super::built_in::{BuiltIn, Kind};
use super::declared::Declared;
use super::dispatch::Dispatch;
use super::http::HttpTool;
use super::mcp::Server;
use super::settings::Config;
use super::switch_language::SwitchLanguage;
use super::transfer::Transfer;
use super::{Knowledge, Manner, Mistake, Tool, ToolsFile};
use ringway_stages::llm::{ToolSpec, Weigh};
use ringway_stages::services::SetupError;
use ringway_stages::tool_use::ToolEffects;
use std::sync::Arc;
use tokio::runtime::Handle;

/// All tools that there are, shared by all calls.
#[derive(Clone, Debug)]
pub struct Tools {
    fixed: Arc<[Declared]>,
    servers: Arc<[Server]>,
    control: Handle,
}

/// Why tools cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolsError {
    /// Connections cannot even be tried.
    #[error("tool {tool:?}: {source}")]
    Setup {
        /// Whose.
        tool: String,
        /// Why.
        source: SetupError,
    },
    /// The declaration makes no sense.
    #[error("tool {tool:?}: {reason}")]
    Declaration {
        /// Whose.
        tool: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ToolsFile {
    /// Requests that cannot even be tried; connections are set up on the present runtime.
    pub fn unusable(&self) -> Vec<Mistake> {
        let wrong = self.http.iter().filter_map(|(name, declaration)| {
            let error = HttpTool::new(declaration.clone()).err()?;
            Some(self.mistake(&format!("http.{name}.url"), error.to_string()))
        });
        wrong.collect()
    }
}

impl Tools {
    /// Of these declarations; they run on the present runtime, where servers are now started.
    ///
    /// # Errors
    /// One cannot be used.
    pub fn start(file: ToolsFile, knowledge: Option<Arc<dyn Knowledge>>) -> Result<Self, ToolsError> {
        let mut fixed = Vec::new();
        let in_vain = file.transfers_to_nobody();
        for (name, declaration) in file.http {
            let (spec, manner) = (declaration.spec(&name), declaration.manner.clone());
            let tool = HttpTool::new(declaration);
            let tool = tool.map_err(|source| ToolsError::Setup { tool: name.clone(), source })?;
            fixed.push(declare(spec, manner, Arc::new(tool))?);
        }
        for (kind, declaration) in file.built_in {
            // A model that is offered what cannot work promises it to the caller.
            if kind == Kind::Transfer && in_vain {
                continue;
            }
            let mut arguments = None;
            let (parameters, tool): (_, Arc<dyn Tool>) = match kind {
                Kind::Transfer => {
                    let tool = Transfer::new(file.transfers.clone());
                    arguments = Some(Transfer::arguments());
                    (tool.parameters(), Arc::new(tool))
                }
                Kind::SwitchLanguage => {
                    let tool = SwitchLanguage::new(file.languages.clone());
                    (tool.parameters(), Arc::new(tool))
                }
                kind => (kind.parameters(), Arc::new(BuiltIn::new(kind, knowledge.clone()))),
            };
            let description = declaration.description.unwrap_or_else(|| kind.description().into());
            let spec = ToolSpec { name: kind.name().into(), description, parameters };
            let declared = declare(spec, declaration.manner, tool)?;
            fixed.push(match arguments {
                Some(arguments) => declared
                    .taking(&arguments)
                    .map_err(|reason| ToolsError::Declaration { tool: kind.name().into(), reason })?,
                None => declared,
            });
        }
        let servers =
            file.mcp.into_iter().map(|(name, declaration)| Server::start(name, declaration)).collect();
        Ok(Self { fixed: fixed.into(), servers, control: Handle::current() })
    }

    /// Those that can be called now: servers that are down have none. The first of a name counts.
    pub(super) fn now(&self) -> Vec<Declared> {
        let mut tools: Vec<Declared> = self.fixed.to_vec();
        for tool in self.servers.iter().flat_map(Server::tools) {
            if tools.iter().all(|other| other.spec.name != tool.spec.name) {
                tools.push(tool);
            }
        }
        tools
    }

    /// What makes the calls of one session: those of the tools that can be called now and are `wanted`.
    pub(super) fn dispatch(
        &self,
        config: &Config,
        (effects, weigh): (ToolEffects, Weigh),
        wanted: impl Fn(&str) -> bool,
    ) -> Dispatch {
        let tools = self.now().into_iter().filter(|tool| wanted(&tool.spec.name)).collect();
        Dispatch { tools, control: self.control.clone(), effects, weigh, config: config.clone() }
    }

    /// Their names.
    pub fn names(&self) -> Vec<String> {
        self.now().into_iter().map(|tool| tool.spec.name).collect()
    }

    /// Waits until every server has told its tools, or has failed to for once.
    pub async fn settled(&self) {
        for server in self.servers.iter() {
            server.settled().await;
        }
    }
}

fn declare(spec: ToolSpec, manner: Manner, tool: Arc<dyn Tool>) -> Result<Declared, ToolsError> {
    let name = spec.name.clone();
    Declared::new(spec, manner, tool).map_err(|reason| ToolsError::Declaration { tool: name, reason })
}
