use super::session::Session;
use super::settings::Config;
use super::toolset::Tools;
use ringway_stages::llm::{LanguageModel, LlmCall, LlmError, LlmSession};
use std::sync::Arc;

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
        let dispatch = self.tools.dispatch(&self.config, (call.effects.clone(), call.weigh), |_| true);
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
