use crate::language_key::{LanguageKey, SECTION};
use crate::loaded::Loaded;
use crate::schema::Key;
use crate::{DEFAULTS, SCHEMA, Secrets};
use ringway_stages::secret::masked;
use std::fmt::Write as _;
use std::sync::LazyLock;
use toml::{Table, Value};

/// The shipped defaults as a document.
static DEFAULT_DOCUMENT: LazyLock<Table> =
    LazyLock::new(|| DEFAULTS.parse().expect("a test reads the shipped file"));

impl Loaded {
    /// The configuration that counts, as a file: each value that is not the default with where it was set. Of secrets
    /// it tells only whether they are set.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        for (name, secret) in self.secrets.by_variable() {
            line(&mut text, &format!("# {name}: {}", Secrets::shown(secret)));
        }
        let mut last = "";
        for key in SCHEMA.keys() {
            let (section, name) = key.path.rsplit_once('.').unwrap_or(("", &key.path));
            if section != last {
                line(&mut text, &format!("\n[{section}]"));
                last = section;
            }
            line(&mut text, &self.shown(key, name));
        }
        let languages = self.provenance.languages().into_keys();
        languages.for_each(|code| self.show_language(code, &mut text));
        text
    }

    /// Only what is its own.
    fn show_language(&self, code: &str, text: &mut String) {
        line(text, &format!("\n[{SECTION}.{code}]"));
        for setting in self.provenance.of_language(code) {
            let name = LanguageKey::of(&setting.key).map_or("", |key| key.rest);
            line(text, &format!("{name} = {}  # {}", masked(&setting.value.to_string()), setting.origin));
        }
    }

    fn shown(&self, key: &Key, name: &str) -> String {
        let default = default_of(&key.path);
        let Some(value) = self.provenance.value(&key.path) else {
            return default
                .map_or_else(|| format!("# {name} is not set"), |value| format!("{name} = {value}"));
        };
        let shown = masked(&value.to_string()).into_owned();
        match self.provenance.origin(&key.path) {
            Some(origin) if default != Some(value) => format!("{name} = {shown}  # {origin}"),
            _ => format!("{name} = {shown}"),
        }
    }
}

/// The default of a key as it is shipped; none where it is not set.
pub fn default_of(path: &str) -> Option<&'static Value> {
    let mut names = path.split('.');
    let first = DEFAULT_DOCUMENT.get(names.next()?);
    names.try_fold(first?, |table, name| table.get(name))
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes whatever is written");
}
