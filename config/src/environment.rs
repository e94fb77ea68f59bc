//! Environment variables named after keys: `RINGWAY_SERVER__PORT` is `server.port`.

use crate::document::unknown;
use crate::problem::{Origin, Problem};
use crate::schema::Schema;
use crate::setting::Setting;
use std::collections::BTreeMap;

/// What an environment says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) settings: Vec<Setting>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

/// An environment; a variable that is empty counts as not set.
pub(crate) type Variables = BTreeMap<String, String>;

/// The variables as they are meant: files of variables leave blanks, line ends and quotation marks around the values.
pub(crate) fn tidied(variables: &Variables) -> Variables {
    let tidied = variables.iter().map(|(name, text)| (name.clone(), tidy(text).to_owned()));
    tidied.filter(|(_, text)| !text.is_empty()).collect()
}

fn tidy(text: &str) -> &str {
    let is_around = |char: char| char.is_whitespace() || char == '\u{feff}';
    let text = text.trim_matches(is_around);
    let unquoted = |quote| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    unquoted('"').or_else(|| unquoted('\'')).map_or(text, |text| text.trim_matches(is_around))
}

/// Reads all variables that are named after keys.
pub(crate) fn read(variables: &Variables, schema: &Schema) -> Said {
    let mut said = Said::default();
    for (variable, text) in variables {
        match variable.strip_prefix(PREFIX) {
            // Of those without a section only slips are ours: RINGWAY_SERVER_PORT.
            Some(name) if !name.contains(SEPARATOR) => {
                // The other is what Kubernetes sets for a service of that name.
                let meant = !text.contains("://");
                said.warnings.extend(slip(variable, name, schema).filter(|_| meant));
            }
            Some(name) => said.take(variable, &key_of(name, schema), text, schema),
            None => {}
        }
    }
    said
}

impl Said {
    /// Reads the text as the key's type asks for.
    pub(crate) fn take(&mut self, variable: &str, key: &str, text: &str, schema: &Schema) {
        let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
        let value = match schema.key(key) {
            Some(key) => key.kind.parse(text),
            None => Err(unknown(schema, section, name)),
        };
        match value {
            Ok(value) => self.settings.push(Setting { key: key.to_owned(), value, origin: origin(variable) }),
            Err(message) => self.problems.push(problem(variable, key, message)),
        }
    }
}

/// The key that is written so, whatever its case; else the name as a key would be written.
fn key_of(name: &str, schema: &Schema) -> String {
    let path = name.replace(SEPARATOR, ".");
    let known = schema.keys().find(|key| key.path.eq_ignore_ascii_case(&path));
    known.map_or_else(|| path.to_lowercase(), |key| key.path.clone())
}

/// A key with one underscore where two are due.
fn slip(variable: &str, name: &str, schema: &Schema) -> Option<Problem> {
    let key = schema.keys().find(|key| key.path.replace('.', "_").eq_ignore_ascii_case(name))?;
    let message = format!("ignored; did you mean {}?", variable_of(&key.path));
    Some(problem(variable, &key.path, message))
}

/// The variable that sets a key.
pub fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', SEPARATOR))
}

pub(crate) fn problem(variable: &str, key: &str, message: impl Into<String>) -> Problem {
    Problem { origin: origin(variable), key: key.to_owned(), message: message.into() }
}

pub(crate) fn origin(variable: &str) -> Origin {
    Origin::Environment { variable: variable.to_owned() }
}

const PREFIX: &str = "RINGWAY_";
const SEPARATOR: &str = "__";
