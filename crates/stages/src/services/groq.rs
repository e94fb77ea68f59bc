//! [Groq](https://console.groq.com/docs/openai)'s chat completions, in OpenAI's form.

use super::openai_llm::{Options, Vendor};

/// Groq.
#[derive(Clone, Debug, PartialEq)]
pub enum Groq {}

impl Vendor for Groq {
    const NAME: &'static str = "groq";
    const URL: &'static str = "https://api.groq.com/openai/v1";
    const MODEL: &'static str = "llama-3.3-70b-versatile";
    const KEY: &'static str = "GROQ_API_KEY";
}

/// Which model answers, and how.
pub type Config = Options<Groq>;
