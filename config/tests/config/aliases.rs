//! The names of other voice systems.

use crate::support::file;
use ringway_config::{ALIASES, Meaning, SCHEMA};

#[test]
fn an_alias_sets_its_key() {
    assert_eq!(file("").env("PORT", "5000").loaded().config.server.port, 5_000);
    assert_eq!(file("").env("VOICE_WS_PORT", "5001").loaded().config.server.port, 5_001);
    assert_eq!(file("").env("VOICE_MAX_CONNECTIONS", "10000").loaded().config.limits.calls, 10_000);
    let voice = file("").env("VOICE_WS_PATH", "/voice").env("VOICE_HEARTBEAT_INTERVAL", "30000").loaded();
    assert_eq!(voice.config.server.browser_path.as_deref(), Some("/voice"));
    assert_eq!(voice.config.server.heartbeat, std::time::Duration::from_secs(30));
    let piper = || file("").env("PIPER_URL", "http://127.0.0.1:5000");
    assert_eq!(piper().warnings(), [""; 0]);
    assert_eq!(piper().loaded().config.piper.url, "http://127.0.0.1:5000".to_owned().try_into().unwrap());
}

#[test]
fn the_address_of_whisperlive_may_come_in_two_parts() {
    let url = |given: crate::support::Given| {
        assert_eq!(given.clone().warnings(), [""; 0]);
        format!("{:?}", given.loaded().config.whisper_auto.url)
    };
    assert_eq!(url(file("").env("WHISPERLIVE_URL", "ws://stt:8765")), "stt:8765");
    assert_eq!(url(file("").env("WHISPERLIVE_HOST", "stt")), "stt:9090");
    assert_eq!(url(file("").env("WHISPERLIVE_PORT", "8765")), "127.0.0.1:8765");
    assert_eq!(url(file("").env("WHISPERLIVE_PORT", "8765").env("WHISPERLIVE_HOST", "stt")), "stt:8765");
    let both = file("").env("WHISPERLIVE_URL", "ws://stt:1").env("WHISPERLIVE_HOST", "other");
    let ignored = "environment: WHISPERLIVE_HOST: ignored: WHISPERLIVE_URL sets whisper_auto.url already";
    assert_eq!(both.warnings(), [ignored]);
}

#[test]
fn a_bad_value_of_an_alias_is_a_mistake() {
    let problems = file("").env("PORT", "70000").problems();
    assert_eq!(problems, ["environment: PORT: must be a whole number from 0 to 65535, not 70000"]);
}

#[test]
fn of_two_aliases_for_one_key_the_second_is_ignored_aloud() {
    let given = file("").env("VOICE_WS_PORT", "5001").env("PORT", "5000");
    assert_eq!(given.clone().loaded().config.server.port, 5_000);
    assert_eq!(given.warnings(), ["environment: VOICE_WS_PORT: ignored: PORT sets server.port already"]);
}

#[test]
fn what_is_fixed_warns_unless_it_asks_for_just_that() {
    let agreed = file("").env("VOICE_FRAME_SIZE", "1920").env("VOICE_LOG_LEVEL", "debug");
    assert_eq!(agreed.warnings(), [""; 0]);
    let differs = file("").env("VOICE_FRAME_SIZE", "3840");
    assert_eq!(differs.warnings(), ["environment: VOICE_FRAME_SIZE: ignored: here it is always 1920 or 640"]);
}

#[test]
fn an_alias_of_a_later_feature_warns_and_never_fails() {
    for alias in ALIASES.iter().filter(|alias| matches!(alias.meaning, Meaning::NotYet(_))) {
        let warnings = file("").env(alias.variable, "s3cret \u{0}%&/()").warnings();
        assert_eq!(warnings.len(), 1, "{}", alias.variable);
        assert!(
            warnings[0].starts_with(&format!("environment: {}: ignored: ", alias.variable)),
            "{warnings:?}"
        );
        assert!(!warnings[0].contains("s3cret"), "{warnings:?}");
    }
}

#[test]
fn every_alias_of_a_key_names_one_that_exists() {
    for alias in ALIASES {
        if let Meaning::Key(key) = alias.meaning {
            assert!(SCHEMA.key(key).is_some(), "{}: {key}", alias.variable);
        }
    }
}

#[test]
fn no_alias_is_listed_twice() {
    let mut names: Vec<_> = ALIASES.iter().map(|alias| alias.variable).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ALIASES.len());
}
