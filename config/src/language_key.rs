//! Keys of languages, as they are written: `languages.de.piper.voice` is the key `piper.voice` in the language `de`.

use crate::engines::ENGINES;
use crate::schema::Schema;

/// A key of a language, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LanguageKey<'k> {
    pub(crate) code: &'k str,
    /// The key within the language.
    pub(crate) rest: &'k str,
}

impl<'k> LanguageKey<'k> {
    /// `None`: the key is none of a language.
    pub(crate) fn of(key: &'k str) -> Option<Self> {
        let (code, rest) = key.strip_prefix(SECTION)?.strip_prefix('.')?.split_once('.')?;
        Some(Self { code, rest })
    }

    /// The language has it for itself.
    pub(crate) fn is_own(self) -> bool {
        OWN.contains(&self.rest)
    }

    /// What is wrong with a key that is not its own.
    pub(crate) fn refusal(self, schema: &Schema) -> Option<&'static str> {
        let section = self.rest.split('.').next().unwrap_or_default();
        let known = schema.key(self.rest).is_some();
        let speaks = belongs(section, STT) || belongs(section, TTS);
        (known && !speaks).then_some("a language changes only what hears and speaks")
    }
}

/// Whether the section is that of a stage or of one of its services.
pub(crate) fn belongs(section: &str, stage: &str) -> bool {
    let engines = ENGINES.iter().find(|(key, _)| key.split('.').next() == Some(stage));
    section == stage || engines.is_some_and(|(_, names)| names.contains(&section))
}

/// As <https://www.rfc-editor.org/rfc/rfc5646> has them.
pub(crate) fn is_code(code: &str) -> bool {
    let subtag =
        |part: &str| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
    code.len() >= 2 && code.split('-').all(subtag)
}

/// Where they are written.
pub(crate) const SECTION: &str = "languages";

/// Keys that only a language has.
const OWN: [&str; 3] = ["name", "filler", "apology"];

/// Those that it must have.
pub(crate) const SAID: [&str; 2] = ["filler", "apology"];
pub(crate) const MUST_BE_SAID: &str = "must be said in each language";

pub(crate) const STT: &str = "stt";
pub(crate) const TTS: &str = "tts";
