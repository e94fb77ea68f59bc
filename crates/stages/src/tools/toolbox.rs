use super::session::Session;
use super::toolset::Tools;
use crate::llm::{LanguageModel, LlmCall, LlmError, LlmSession};
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;

/// Where tools are declared, and how often they may be called.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The file of their declarations; without it there are none.
    pub file: Option<PathBuf>,
    /// How often a model may call tools, and go on with what they said, in one reply. Default 4.
    pub rounds: u32,
    /// How many calls it may make at a time; more are refused. Default 8.
    pub calls: usize,
    /// Whether arguments of calls are shown on the page, in the API, in webhooks and in recordings. Default no.
    pub show_arguments: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { file: None, rounds: 4, calls: 8, show_arguments: false }
    }
}

/// A language model with tools.
#[derive(Clone)]
pub struct Toolbox {
    model: Arc<dyn LanguageModel>,
    tools: Tools,
    config: Config,
}

impl Toolbox {
    /// Wraps a model.
    pub fn new(model: Arc<dyn LanguageModel>, tools: Tools, config: Config) -> Self {
        Self { model, tools, config }
    }
}

impl LanguageModel for Toolbox {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn slots(&self) -> Option<usize> {
        self.model.slots()
    }

    fn summarises(&self) -> bool {
        self.model.summarises()
    }

    fn open(&self, call: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        let dispatch = self.tools.dispatch(&self.config, (call.deeds.clone(), call.weigh), |_| true);
        let model = self.model.open(LlmCall { tools: dispatch.specs(), ..call })?;
        Ok(Box::new(Session::new(model, dispatch)))
    }
}

impl std::fmt::Debug for Toolbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Toolbox")
            .field("model", &self.name())
            .field("tools", &self.tools)
            .finish_non_exhaustive()
    }
}
