//! Languages that a call can switch to: settings of services that hear and speak, laid over those of the whole.
//!
//! `languages.de.piper.voice` is the key `piper.voice` as it counts in the language `de`.

use crate::language_key::{MUST_BE_SAID, SAID, SECTION, STT, TTS, belongs, is_code};
use crate::problem::Problem;
use crate::setting::Settings;
use crate::{Config, LanguageConfig};
use std::collections::BTreeMap;

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
