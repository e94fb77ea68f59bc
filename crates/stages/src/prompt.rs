//! System prompts: templates in [Jinja's syntax](https://docs.rs/minijinja/latest/minijinja/syntax/) with what is known
//! of a call.
//!
//! A template is the operator's and is checked when it is read: a variable that there is not, or one that a call may lack
//! without a default, is a mistake with its line. Values are the caller's side's: they are data and never template text,
//! of bounded length and without line breaks, so that none begins a paragraph of its own.

mod variables;

pub(crate) use variables::CALL_SLOTS;
pub use variables::{Variables, time_zone};

use crate::tool_use::{Slots, ToolEffects};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};
use serde::Deserialize;
use std::collections::HashSet;
use std::sync::Arc;

/// What prompts are filled with, beside what each call brings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The time zone of `date`, `time` and `weekday`, as the IANA database names it. Default `UTC`.
    pub time_zone: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { time_zone: "UTC".into() }
    }
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the template: {reason}")]
pub struct TemplateError {
    /// Line of the template, from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

/// A text with places for variables.
#[derive(Clone)]
pub struct Template {
    strict: Arc<Environment<'static>>,
    source: Arc<str>,
    /// It says which language is spoken.
    names_language: bool,
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Template").field(&self.source).finish()
    }
}

impl Template {
    /// Reads a template, and fills it in for a call of which nothing is known and for one of which everything is.
    ///
    /// # Errors
    /// The first mistake.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let at = |line, reason| Err(TemplateError { line, reason });
        if source.len() > LONGEST_TEMPLATE {
            return at(1, format!("it is longer than {LONGEST_TEMPLATE} bytes"));
        }
        let mut strict = Environment::new();
        strict.set_undefined_behavior(UndefinedBehavior::Strict);
        strict.set_fuel(Some(FUEL));
        strict.set_syntax(syntax());
        // Nothing can be made large by a few steps.
        strict.remove_global("range");
        strict.add_template_owned(NAME, source.to_owned()).map_err(|error| mistake(&error))?;
        let mut template = Self { strict: Arc::new(strict), source: source.into(), names_language: false };
        if let Some(unknown) = template.unknown() {
            let line = source.lines().position(|line| line.contains(&unknown)).map_or(1, |at| at + 1);
            let known = variables::NAMES.join(", ");
            return at(line, format!("there is no variable {unknown:?}; there are: {known}"));
        }
        for call in [variables::nothing(), variables::everything()] {
            let filled = template.strictly(call)?;
            if filled.len() > LONGEST_PROMPT {
                return at(1, format!("it grows longer than {LONGEST_PROMPT} bytes"));
            }
        }
        template.names_language = template.variables().contains(LANGUAGE);
        Ok(template)
    }

    /// Filled in for a call.
    ///
    /// What was checked fails no more, but where values decide what is reached: then what a call lacks is left empty.
    pub fn fill(&self, variables: &Variables, slots: &Slots) -> String {
        let values = variables.values(slots);
        let filled = self.strictly(values.clone()).or_else(|error| {
            tracing::warn!(%error, "a prompt cannot be filled in; what the call lacks is left empty");
            self.leniently(values)
        });
        filled.unwrap_or_else(|error| {
            tracing::warn!(%error, "a prompt cannot be filled in at all; it is as it was written");
            self.source.to_string()
        })
    }

    fn strictly(&self, values: Value) -> Result<String, TemplateError> {
        let template = self.strict.get_template(NAME).map_err(|error| mistake(&error))?;
        template.render(values).map_err(|error| mistake(&error))
    }

    fn leniently(&self, values: Value) -> Result<String, TemplateError> {
        let mut lenient = (*self.strict).clone();
        lenient.set_undefined_behavior(UndefinedBehavior::Chainable);
        let template = lenient.get_template(NAME).map_err(|error| mistake(&error))?;
        template.render(values).map_err(|error| mistake(&error))
    }

    /// The first variable that there is not.
    fn unknown(&self) -> Option<String> {
        let known = |name: &String| {
            variables::NAMES.contains(&name.as_str())
                || self.strict.globals().any(|(global, _)| global == name)
        };
        self.variables().into_iter().filter(|name| !known(name)).min()
    }

    fn variables(&self) -> HashSet<String> {
        let template = self.strict.get_template(NAME).ok();
        template.map(|template| template.undeclared_variables(false)).unwrap_or_default()
    }
}

/// The newline that a text ends with is its own; lines that hold a block alone leave none.
fn syntax() -> SyntaxConfig {
    let mut builder = SyntaxConfig::builder();
    builder.keep_trailing_newline(true).trim_blocks(true).lstrip_blocks(true);
    builder.build().expect("the usual delimiters")
}

fn mistake(error: &minijinja::Error) -> TemplateError {
    let reason = match error.kind() {
        ErrorKind::UndefinedError => {
            "a call may lack this: give it a default, as in {{ parameter.name | default(\"nobody\") }}".into()
        }
        ErrorKind::OutOfFuel => "it takes too many steps".into(),
        kind => error.detail().map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}")),
    };
    TemplateError { line: error.line().unwrap_or(1), reason }
}

/// The templates of one service.
#[derive(Clone, Debug)]
pub(crate) struct Templates {
    system: Template,
    greeting: Template,
}

impl Templates {
    /// # Errors
    /// What is wrong with one of them.
    pub(crate) fn parse(system: &str, greeting: &str) -> Result<Arc<Self>, TemplateError> {
        Ok(Arc::new(Self { system: Template::parse(system)?, greeting: Template::parse(greeting)? }))
    }
}

/// One call's prompt, filled in when it begins and again when a slot was set or another language is spoken.
#[derive(Debug)]
pub(crate) struct Prompt {
    templates: Arc<Templates>,
    variables: Arc<Variables>,
    effects: ToolEffects,
    /// The language that the templates are written for.
    first: String,
    /// Those that it was filled in with.
    slots: Slots,
    system: String,
    greeting: String,
}

impl Prompt {
    pub(crate) fn new(templates: Arc<Templates>, variables: Arc<Variables>, effects: ToolEffects) -> Self {
        let (slots, first) = (effects.slots(), variables.language.clone());
        let (system, greeting) = (String::new(), String::new());
        let mut prompt = Self { templates, variables, effects, first, slots, system, greeting };
        prompt.fill();
        prompt
    }

    /// What the model is to be and do, in this language; empty: in the first one.
    pub(crate) fn system(&mut self, language: &str) -> &str {
        self.speak(language);
        let slots = self.effects.slots();
        if slots != self.slots {
            self.slots = slots;
            self.fill();
        }
        &self.system
    }

    /// What is said to a caller who comes on the line; empty: the model is asked.
    pub(crate) fn greeting(&mut self, language: &str) -> &str {
        self.speak(language);
        &self.greeting
    }

    fn speak(&mut self, language: &str) {
        let language = if language.is_empty() { &self.first } else { language };
        if self.variables.language != language {
            self.variables =
                Arc::new(Variables { language: language.to_owned(), ..(*self.variables).clone() });
            self.fill();
        }
    }

    /// Templates that do not say which language is spoken are in the first one.
    fn fill(&mut self) {
        let Templates { system, greeting } = &*self.templates;
        let other = self.variables.language != self.first;
        self.system = system.fill(&self.variables, &self.slots);
        if other && !system.names_language {
            let gap = if self.system.is_empty() { "" } else { "\n\n" };
            self.system = format!("{}{gap}Speak {}.", self.system.trim_end(), self.variables.language);
        }
        let foreign = other && !greeting.names_language;
        self.greeting = if foreign { String::new() } else { greeting.fill(&self.variables, &self.slots) };
    }
}

const NAME: &str = "prompt";

/// The variable that tells which language is spoken.
const LANGUAGE: &str = "language";

/// Bytes of a template, and of what becomes of it: to be filled in within a millisecond on a media core.
const LONGEST_TEMPLATE: usize = 32 * 1_024;
const LONGEST_PROMPT: usize = 64 * 1_024;

/// Instructions of minijinja's that filling one in may take: some hundred microseconds.
const FUEL: u64 = 20_000;

#[cfg(test)]
mod tests;
