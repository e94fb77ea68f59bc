//! Languages that a call can switch to: settings of services that hear and speak, laid over those of the whole.
//!
//! `languages.de.piper.voice` is the key `piper.voice` as it counts in the language `de`.

use crate::Config;
use crate::load::SCHEMA;
use crate::problem::Problem;
use crate::sense::ENGINES;
use crate::setting::Settings;
use std::collections::BTreeMap;

/// A language besides the one that calls begin in.
#[derive(Clone, Debug, PartialEq)]
pub struct LanguageConfig {
    /// What people call it, and a model is told.
    pub name: String,
    /// What is said in it while an answer takes long.
    pub filler: String,
    /// What is said in it when a stage cannot be restored.
    pub apology: String,
    /// All configuration, with the language's own over it.
    pub config: Config,
    /// It has recognisers of its own.
    pub own_stt: bool,
    /// It has voices of its own.
    pub own_tts: bool,
}

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
    pub(crate) fn refusal(self) -> Option<&'static str> {
        let section = self.rest.split('.').next().unwrap_or_default();
        let known = SCHEMA.key(self.rest).is_some();
        let speaks = belongs(section, STT) || belongs(section, TTS);
        (known && !speaks).then_some("a language changes only what hears and speaks")
    }
}

/// The languages of these settings. What is wrong with them as such is added to `problems`.
pub(crate) fn read(
    settings: &Settings,
    first: &str,
    mut config_of: impl FnMut(&str) -> Config,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, LanguageConfig> {
    let mut languages = BTreeMap::new();
    for (code, blamed) in settings.languages() {
        let mut wrong = |key: &str, message: &str| {
            let key = format!("{SECTION}.{code}{key}");
            let origin = settings.origin(&key).unwrap_or(&blamed.origin).clone();
            problems.push(Problem { origin, key, message: message.to_owned() });
        };
        if !is_code(code) {
            wrong("", "a language's code is letters, digits and -, such as de or pt-BR");
        }
        if code.eq_ignore_ascii_case(first) {
            wrong("", "calls begin in it (call.language): its settings are those of the whole");
        }
        if languages.keys().any(|other: &String| other.eq_ignore_ascii_case(code)) {
            wrong("", "the language is there twice");
        }
        let text =
            |key: &str| settings.value(&format!("{SECTION}.{code}.{key}"))?.as_str().map(str::to_owned);
        // One that is missing was told where the language is read.
        for key in SAID.into_iter().filter(|key| text(key).is_some_and(|text| text.trim().is_empty())) {
            wrong(&format!(".{key}"), MUST_BE_SAID);
        }
        let mut config = config_of(code);
        config.turn.language = Some(code.to_owned());
        let sections: Vec<_> = settings.sections_of(code).collect();
        let own = |stage| sections.iter().any(|section| belongs(section, stage));
        let language = LanguageConfig {
            name: text("name").unwrap_or_else(|| name_of(code)),
            filler: text("filler").unwrap_or_default(),
            apology: text("apology").unwrap_or_default(),
            config,
            own_stt: own(STT),
            own_tts: own(TTS),
        };
        languages.insert(code.to_owned(), language);
    }
    languages
}

/// Whether the section is that of a stage or of one of its services.
fn belongs(section: &str, stage: &str) -> bool {
    let engines = ENGINES.iter().find(|(key, _)| key.split('.').next() == Some(stage));
    section == stage || engines.is_some_and(|(_, names)| names.contains(&section))
}

/// As <https://www.rfc-editor.org/rfc/rfc5646> has them.
pub(crate) fn is_code(code: &str) -> bool {
    let subtag =
        |part: &str| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
    code.len() >= 2 && code.split('-').all(subtag)
}

/// What people call the language of this code; the code itself where that is not known.
pub fn name_of(code: &str) -> String {
    let (primary, region) =
        code.split_once('-').map_or((code, None), |(primary, rest)| (primary, Some(rest)));
    let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(primary));
    match (known, region) {
        (None, _) => code.to_owned(),
        (Some((_, name)), None) => (*name).to_owned(),
        (Some((_, name)), Some(region)) => format!("{name} ({region})"),
    }
}

/// Where they are written.
pub(crate) const SECTION: &str = "languages";

/// Keys that only a language has.
const OWN: [&str; 3] = ["name", "filler", "apology"];

/// Those that it must have.
pub(crate) const SAID: [&str; 2] = ["filler", "apology"];
pub(crate) const MUST_BE_SAID: &str = "must be said in each language";

const STT: &str = "stt";
const TTS: &str = "tts";

const NAMES: [(&str, &str); 40] = [
    ("ar", "Arabic"),
    ("bg", "Bulgarian"),
    ("bn", "Bengali"),
    ("ca", "Catalan"),
    ("cs", "Czech"),
    ("da", "Danish"),
    ("de", "German"),
    ("el", "Greek"),
    ("en", "English"),
    ("es", "Spanish"),
    ("et", "Estonian"),
    ("fa", "Persian"),
    ("fi", "Finnish"),
    ("fr", "French"),
    ("he", "Hebrew"),
    ("hi", "Hindi"),
    ("hr", "Croatian"),
    ("hu", "Hungarian"),
    ("id", "Indonesian"),
    ("it", "Italian"),
    ("ja", "Japanese"),
    ("ko", "Korean"),
    ("lt", "Lithuanian"),
    ("lv", "Latvian"),
    ("nb", "Norwegian"),
    ("nl", "Dutch"),
    ("pl", "Polish"),
    ("pt", "Portuguese"),
    ("ro", "Romanian"),
    ("ru", "Russian"),
    ("sk", "Slovak"),
    ("sl", "Slovenian"),
    ("sr", "Serbian"),
    ("sv", "Swedish"),
    ("th", "Thai"),
    ("tr", "Turkish"),
    ("uk", "Ukrainian"),
    ("ur", "Urdu"),
    ("vi", "Vietnamese"),
    ("zh", "Chinese"),
];
