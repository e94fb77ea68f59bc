//! Dialogues from files: a language model that says what was written for it, and an engine for telephone menus.
//!
//! A dialogue is a TOML file of states, each with a prompt and the answers that it understands; `docs/start/dialogue.md`
//! teaches how to write one. Loading checks all of it at once, so that no caller runs into a mistake:
//!
//! ```
//! use ringway_stages::dialogue::Dialogues;
//!
//! let diagnostics = Dialogues::parse([("menu", "menu.toml", "start = \"main\"\n[state.mian]\nhang_up = true")], &|_| true)
//!     .unwrap_err();
//! assert_eq!(diagnostics[0].to_string(), "menu.toml:1: start: there is no state \"main\"; there are: mian");
//! ```
//!
//! Sessions are stateless: where a conversation stands is in the memo that travels with each request, and the same
//! request always gives the same reply. So a restarted session goes on in the middle of a sentence.
//!
//! The words of the format follow VoiceXML 2.0 (prompt, choice, no-match, no-input, goto):
//! <https://www.w3.org/TR/voicexml20/>.

mod answer;
mod check;
mod diagnostic;
mod matching;
mod memo;
mod parse;
mod reader;
mod script;
mod session;
mod template;
mod time_of_day;
mod words;

pub use diagnostic::Diagnostic;
pub use template::GAP;
pub use words::ListenedWord;

use crate::llm::{Cue, LanguageModel, LlmCall, LlmError, LlmSession, Next};
use crate::transfer::Transfers;
use answer::Known;
use diagnostic::{Place, Problems};
use script::{Action, Script};
use session::Session;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use template::Template;

/// Dialogues by name, served as a language model.
#[derive(Clone, Debug)]
pub struct Dialogues {
    scripts: BTreeMap<String, Arc<Script>>,
    default: String,
    pace: Duration,
    transfers: Arc<Transfers>,
}

impl Dialogues {
    /// Loads a dialogue file, or all `*.toml` files of a folder; a dialogue is named as its file.
    ///
    /// `pronounceable` tells whether the recogniser knows a word; without a recogniser, `&|_| true`. A call that names
    /// no dialogue gets the first by name: see [`Self::with_default`].
    ///
    /// # Errors
    /// All mistakes of all files.
    pub fn load(path: &Path, pronounceable: &dyn Fn(&str) -> bool) -> Result<Self, Vec<Diagnostic>> {
        let files = dialogue_files(path).map_err(|error| vec![unreadable(path, &error)])?;
        let mut sources = Vec::new();
        let mut diagnostics = Vec::new();
        for file in files {
            match std::fs::read_to_string(&file) {
                Ok(text) => sources.push((name_of(&file), file, text)),
                Err(error) => diagnostics.push(unreadable(&file, &error)),
            }
        }
        match Self::parse(sources, pronounceable) {
            Ok(dialogues) if diagnostics.is_empty() => Ok(dialogues),
            Ok(_) => Err(diagnostics),
            Err(found) => {
                diagnostics.extend(found);
                Err(diagnostics)
            }
        }
    }

    /// Reads dialogues from texts, each with its name and the file to blame.
    ///
    /// # Errors
    /// All mistakes of all texts; one if there is no text.
    pub fn parse<N, F, T>(
        sources: impl IntoIterator<Item = (N, F, T)>,
        pronounceable: &dyn Fn(&str) -> bool,
    ) -> Result<Self, Vec<Diagnostic>>
    where
        N: Into<String>,
        F: Into<PathBuf>,
        T: AsRef<str>,
    {
        let mut scripts = BTreeMap::new();
        let mut diagnostics = Vec::new();
        for (name, file, text) in sources {
            let name = name.into();
            match read(&name, file.into(), text.as_ref(), pronounceable) {
                Ok(script) => drop(scripts.insert(name, Arc::new(script))),
                Err(found) => diagnostics.extend(found),
            }
        }
        match scripts.keys().next().cloned() {
            Some(default) if diagnostics.is_empty() => {
                Ok(Self { scripts, default, pace: Duration::ZERO, transfers: Arc::default() })
            }
            None if diagnostics.is_empty() => Err(vec![nothing()]),
            _ => Err(diagnostics),
        }
    }

    /// The same, with another dialogue for calls that name none.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn with_default(mut self, name: &str) -> Result<Self, LlmError> {
        self.script(name)?;
        name.clone_into(&mut self.default);
        Ok(self)
    }

    /// The same, with this policy of which numbers callers may have themselves transferred to by keying or saying them;
    /// without one, none.
    ///
    /// # Errors
    /// A dialogue would have such a number dialled, and the policy lists nobody.
    pub fn with_transfers(mut self, transfers: Arc<Transfers>) -> Result<Self, Vec<Diagnostic>> {
        let vain = self.scripts.values().filter(|_| transfers.are_empty()).flat_map(|script| {
            let targets = script.all_actions().filter_map(|action| match action {
                Action::Transfer(to) if to.slots().next().is_some() => Some(to),
                _ => None,
            });
            targets.map(|to| Diagnostic {
                file: script.file.clone(),
                line: to.place.line,
                key: to.place.key.clone(),
                message: NOBODY.to_owned(),
            })
        });
        let vain: Vec<_> = vain.collect();
        if !vain.is_empty() {
            return Err(vain);
        }
        self.transfers = transfers;
        Ok(self)
    }

    /// The same, with this pause before each word, as a model that makes its words one by one. Default none.
    #[must_use]
    pub fn with_pace(mut self, pause: Duration) -> Self {
        self.pace = pause;
        self
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.scripts.keys().map(String::as_str)
    }

    /// All texts that they may say, each once; where a caller's own words come in there is a [`GAP`].
    pub fn texts(&self) -> BTreeSet<String> {
        self.scripts.values().flat_map(|script| script.templates().map(Template::with_gaps)).collect()
    }

    /// Every word that they listen for, once for each place that asks for it: a recogniser has to know them all.
    ///
    /// [`Self::load`] checks them already; this is for a recogniser that is chosen later.
    pub fn words(&self) -> impl Iterator<Item = ListenedWord> {
        self.scripts.values().flat_map(|script| {
            words::listened(script).into_iter().map(|(place, word)| {
                let Place { line, key } = place.clone();
                ListenedWord { word, file: script.file.clone(), line, key }
            })
        })
    }

    fn script(&self, name: &str) -> Result<&Arc<Script>, LlmError> {
        self.scripts.get(name).ok_or_else(|| LlmError::UnknownDialogue {
            name: name.to_owned(),
            known: self.names().collect::<Vec<_>>().join(", "),
        })
    }
}

impl LanguageModel for Dialogues {
    fn name(&self) -> &str {
        "dialogue"
    }

    fn open(&self, call: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        let script = self.script(call.dialogue.as_deref().unwrap_or(&self.default))?;
        let known = Known { transfers: self.transfers.clone(), variables: call.variables };
        Ok(Box::new(Session::new(script.clone(), known, self.pace)))
    }
}

/// Feeds any bytes to the reader and, when they are a dialogue, holds a conversation in it.
///
/// # Panics
/// A mistake has no line of the file, or a memo cannot be read back.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let script = match read("fuzz", "fuzz.toml".into(), text, &|_| true) {
        Ok(script) => script,
        Err(found) => {
            let lines = text.split('\n').count();
            assert!(
                !found.is_empty() && found.iter().all(|found| (1..=lines).contains(&found.line)),
                "{found:?}"
            );
            return;
        }
    };
    let mut memo = memo::Memo::start(&script);
    for cue in fuzz_cues(text) {
        let answer = answer::answer(&script, &Known::default(), memo, &cue);
        if let Next::Listen(expectation) = &answer.next {
            expectation.completes(text);
        }
        memo = memo::Memo::read(&answer.memo.write(), &script).expect("a memo reads back what it wrote");
    }
}

/// Half a dozen things that a caller may do, words of the dialogue itself among them.
fn fuzz_cues(text: &str) -> impl Iterator<Item = Cue> {
    let quoted = text.split('"').skip(1).step_by(2).take(64).map(|said| Cue::Said(said.to_owned()));
    let others =
        [Cue::Joined, Cue::Pressed("1".into()), Cue::Silent(1), Cue::Said(text.into()), Cue::Silent(255)];
    others.into_iter().chain(quoted)
}

/// Callers choose the number, and would choose one that costs.
const NOBODY: &str =
    "the caller chooses the number: list those that may be dialled in transfer.allow or transfer.targets";

fn read(
    name: &str,
    file: PathBuf,
    text: &str,
    pronounceable: &dyn Fn(&str) -> bool,
) -> Result<Script, Vec<Diagnostic>> {
    let mut problems = Problems::new(file);
    let script = parse::parse(name, text, &mut problems);
    if let Some(script) = &script {
        check::check(script, pronounceable, &mut problems);
    }
    script.filter(|_| problems.is_empty()).ok_or_else(|| problems.into_sorted())
}

fn dialogue_files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let entries: Vec<_> =
        path.read_dir()?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    let mut files: Vec<_> = entries
        .into_iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(std::io::Error::other("no .toml file is in it"));
    }
    Ok(files)
}

fn name_of(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn unreadable(file: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic {
        file: file.to_owned(),
        line: 1,
        key: String::new(),
        message: format!("cannot be read: {error}"),
    }
}

fn nothing() -> Diagnostic {
    Diagnostic {
        file: PathBuf::new(),
        line: 1,
        key: String::new(),
        message: "there is no dialogue".to_owned(),
    }
}
