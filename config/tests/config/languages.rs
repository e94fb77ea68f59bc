//! Languages that calls can switch to: settings laid over those of the whole.

use crate::support::file;
use ringway_config::{Loaded, name_of};

const GERMAN: &str = r#"
[stt]
engines = ["whisperlivekit"]

[tts]
engines = ["piper", "flite"]

[piper]
voice = "en_US-amy-medium"
url = "http://127.0.0.1:5001"

[languages.de]
filler = "Einen Moment, bitte."
apology = "Es tut mir leid."
tts.engines = ["piper"]

[languages.de.piper]
voice = "de_DE-thorsten-medium"
"#;

fn problems(of_german: &str) -> Vec<String> {
    let whole = "[languages.de]\nfiller = \"Moment.\"\napology = \"Schade.\"\n";
    file(&format!("{whole}{of_german}")).problems()
}

#[test]
fn a_language_changes_what_it_names_and_keeps_the_rest() {
    let Loaded { config, .. } = file(GERMAN).loaded();
    assert_eq!(config.services.piper.voice.as_deref(), Some("en_US-amy-medium"));
    let german = &config.languages["de"];
    assert_eq!((german.name.as_str(), german.filler.as_str()), ("German", "Einen Moment, bitte."));
    assert_eq!(german.apology, "Es tut mir leid.");
    assert_eq!(german.config.services.piper.voice.as_deref(), Some("de_DE-thorsten-medium"));
    assert_eq!(german.config.services.piper.url, config.services.piper.url);
    assert_eq!((german.config.tts.engines.len(), config.tts.engines.len()), (1, 2));
    assert_eq!(german.config.stt.engines, config.stt.engines);
    assert!(german.own_tts && !german.own_stt, "the recogniser is that of the whole");
}

#[test]
fn a_recogniser_is_a_languages_own_by_a_setting_of_its_own() {
    let text = format!("{GERMAN}\n[languages.de.whisperlivekit]\nlanguage = \"de\"\n");
    let Loaded { config, .. } = file(&text).loaded();
    let german = &config.languages["de"];
    assert!(german.own_stt);
    assert_eq!(german.config.services.whisperlivekit.language, "de");
    assert_ne!(config.services.whisperlivekit.language, "de");
}

#[test]
fn its_name_is_known_or_given_or_its_code() {
    assert_eq!(name_of("de"), "German");
    assert_eq!(name_of("DE-at"), "German (at)");
    assert_eq!(name_of("tlh"), "tlh");
    let Loaded { config, .. } = file(&GERMAN.replace("filler", "name = \"Viennese\"\nfiller")).loaded();
    assert_eq!(config.languages["de"].name, "Viennese");
}

#[test]
fn all_mistakes_of_a_language_are_told_at_once_with_its_path() {
    let text = r#"
[languages.de]
filler = 5
voice = "x"
tts.engines = ["pipper"]

[languages.de.piper]
voce = "thorsten"
length_scale = 99.0

[languages.de.server]
port = 80
"#;
    let found = file(text).problems();
    let wanted = [
        "a.toml:2: languages.de.apology: must be said in each language",
        "a.toml:3: languages.de.filler: must be a string, not 5",
        "a.toml:4: languages.de.voice: unknown key; did you mean ",
        "a.toml:5: languages.de.tts.engines: no engine is named \"pipper\"; there are: flite, piper,",
        "a.toml:8: languages.de.piper.voce: unknown key; did you mean piper.voice?",
        "a.toml:9: languages.de.piper.length_scale: must be from 0.1 to 10",
        "a.toml:12: languages.de.server.port: a language changes only what hears and speaks",
    ];
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(found.starts_with(wanted), "{found} is not {wanted}");
    }
}

#[test]
fn a_mistake_of_the_whole_is_not_told_again_for_each_language() {
    let text = format!("[limits]\ncalls = 0\n{GERMAN}");
    assert_eq!(file(&text).problems(), ["a.toml:2: limits.calls: must not be zero"]);
}

#[test]
fn a_service_that_only_a_language_uses_needs_its_key_there() {
    let text = "[languages.de.tts]\nengines = [\"elevenlabs\"]\n";
    let found = problems(text);
    assert_eq!(found.len(), 1, "{found:?}");
    let wanted = ": languages.de.elevenlabs.key: the variable \"ELEVENLABS_API_KEY\" is not set";
    assert!(found[0].ends_with(wanted), "{found:?}");
    let whole = "[languages.de]\nfiller = \"Moment.\"\napology = \"Schade.\"\n";
    let Loaded { secrets, .. } = file(&format!("{whole}{text}")).env("ELEVENLABS_API_KEY", "k").loaded();
    assert!(secrets.api_key("ELEVENLABS_API_KEY").is_some());
}

#[test]
fn a_code_is_a_code_and_not_that_of_the_first_language() {
    let found = file("[languages.\"d.e\"]\nfiller = \"x\"\napology = \"y\"").problems();
    assert!(found[0].contains("letters, digits and -"), "{found:?}");
    let found = file("[languages.EN]\nfiller = \"x\"\napology = \"y\"").problems();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("languages.EN: calls begin in it"), "{found:?}");
    let found = file("[call]\nlanguage = \"e n\"").problems();
    assert!(found[0].starts_with("a.toml:2: call.language: must be a language's code"), "{found:?}");
}

#[test]
fn a_language_in_which_nothing_can_be_said_is_none() {
    let missing = |key| format!("a.toml:1: languages.de.{key}: must be said in each language");
    assert_eq!(file("[languages.de]").problems(), [missing("apology"), missing("filler")]);
    let blank = file("[languages.de]\napology = \"Schade.\"\nfiller = \" \"").problems();
    assert_eq!(blank, ["a.toml:3: languages.de.filler: must be said in each language"]);
}

#[test]
fn calls_may_begin_in_another_language_than_english() {
    let text = format!("[call]\nlanguage = \"fr\"\n{GERMAN}");
    assert_eq!(file(&text).loaded().config.call.language, "fr");
}

#[test]
fn a_language_is_printed_as_it_can_be_read_again() {
    let printed = file(GERMAN).loaded().to_toml();
    assert!(printed.contains("\n[languages.de]\n"), "{printed}");
    let again = file(&printed).loaded();
    assert_eq!(again.config.languages, file(GERMAN).loaded().config.languages);
}
