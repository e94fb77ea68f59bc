//! Secrets come from the environment only and are never shown.

use crate::support::file;
use ringway_config::Secrets;

const TOKEN: &str = "correct horse battery staple";

#[test]
fn the_environment_gives_the_secrets() {
    let secrets = file("").env("RINGWAY_ADMIN_TOKEN", TOKEN).loaded().secrets;
    assert_eq!(secrets, Secrets { admin_token: Some(TOKEN.into()), ..Secrets::default() });
    let secrets = file("").env("TWILIO_AUTH_TOKEN", TOKEN).loaded().secrets;
    assert_eq!(secrets, Secrets { twilio_auth_token: Some(TOKEN.into()), ..Secrets::default() });
}

#[test]
fn an_empty_secret_is_none() {
    assert_eq!(file("").env("RINGWAY_ADMIN_TOKEN", "").loaded().secrets, Secrets::default());
}

#[test]
fn no_output_shows_a_secret() {
    let loaded = file("").env("RINGWAY_ADMIN_TOKEN", TOKEN).env("TWILIO_AUTH_TOKEN", TOKEN).loaded();
    let shown = format!("{loaded:?}{}{:?}", loaded.to_toml(), loaded.warnings);
    assert!(!shown.contains(TOKEN), "{shown}");
    assert!(shown.contains("# RINGWAY_ADMIN_TOKEN: set\n# TWILIO_AUTH_TOKEN: set\n"), "{shown}");
}

#[test]
fn a_secret_in_a_file_is_an_unknown_key() {
    let problems = file("[server]\nadmin_token = \"s3cret\"").problems();
    assert_eq!(problems, ["a.toml:2: server.admin_token: unknown key"]);
}

const SERVICES: &str = "[stt]\nengines = [\"deepgram\"]\n[llm]\nengines = [\"openai_llm\"]\n";

#[test]
fn the_configuration_names_the_variables_of_its_services() {
    let text = format!("{SERVICES}[openai_llm]\nkey = \"MY_KEY\"");
    let given =
        file(&text).env("MY_KEY", TOKEN).env("DEEPGRAM_API_KEY", "other").env("OPENAI_API_KEY", "unused");
    let loaded = given.loaded();
    let names: Vec<&str> = loaded.secrets.api_keys.keys().map(String::as_str).collect();
    assert_eq!(names, ["DEEPGRAM_API_KEY", "MY_KEY"]);
    assert!(loaded.secrets.api_key("MY_KEY").is_some());
    let shown = format!("{loaded:?}{}{:?}", loaded.to_toml(), loaded.secrets.api_key("MY_KEY"));
    assert!(!shown.contains(TOKEN), "{shown}");
    assert!(shown.contains("# DEEPGRAM_API_KEY: set\n# MY_KEY: set\n"), "{shown}");
}

#[test]
fn a_vendors_own_service_needs_its_key() {
    let text = format!("{SERVICES}[openai_llm]\nkey = \"MY_KEY\"");
    assert_eq!(
        file(&text).problems(),
        [
            "a.toml:1: deepgram.key: the variable \"DEEPGRAM_API_KEY\" is not set",
            "a.toml:6: openai_llm.key: the variable \"MY_KEY\" is not set",
        ]
    );
    let ours =
        format!("{SERVICES}[openai_llm]\nurl = \"http://10.0.0.1/v1\"\n[deepgram]\nurl = \"ws://10.0.0.1\"");
    assert_eq!(file(&ours).loaded().secrets.api_key("OPENAI_API_KEY"), None);
}

#[test]
fn what_editors_leave_around_a_secret_is_no_part_of_it() {
    let text = format!("{SERVICES}[openai_llm]\nkey = \"MY_KEY\"");
    let given = file(&text)
        .env("RINGWAY_ADMIN_TOKEN", "s3cret\r\n")
        .env("TWILIO_AUTH_TOKEN", " \u{feff}12345\n")
        .env("MY_KEY", "k\n")
        .env("DEEPGRAM_API_KEY", "\td ");
    let secrets = given.loaded().secrets;
    assert_eq!(secrets.admin_token.as_deref(), Some("s3cret"));
    assert_eq!(secrets.twilio_auth_token.as_deref(), Some("12345"));
    assert_eq!((secrets.password("MY_KEY"), secrets.password("DEEPGRAM_API_KEY")), (Some("k"), Some("d")));
}

#[test]
fn a_secret_that_cannot_be_meant_is_refused_without_being_shown() {
    for (text, reason) in [
        ("\n", "holds nothing but blanks; leave it empty to set none"),
        ("\"s3cret\"", "stands in quotation marks, which would count as part of it: write it without them"),
        ("s3\ncret", "has a line end or another invisible character within it"),
        ("s3\u{fffd}cret", "is not UTF-8 text"),
    ] {
        for variable in ["RINGWAY_ADMIN_TOKEN", "TWILIO_AUTH_TOKEN", "DEEPGRAM_API_KEY"] {
            let ours = "[stt]\nengines = [\"deepgram\"]\n[deepgram]\nurl = \"ws://10.0.0.1\"";
            let problems = file(ours).env(variable, text).problems();
            assert_eq!(problems, [format!("environment: {variable}: {reason}")]);
        }
    }
    let problems =
        file(SERVICES).env("DEEPGRAM_API_KEY", "schl\u{fc}ssel").env("OPENAI_API_KEY", "k").problems();
    let reason = "has characters that no key has, such as letters with accents";
    assert_eq!(problems, [format!("a.toml:1: deepgram.key: the variable \"DEEPGRAM_API_KEY\" {reason}")]);
}

#[test]
fn a_key_in_the_place_of_its_variables_name_is_refused_without_being_shown() {
    for key in ["sk-proj-horse", "horse0123456789abcdef", "HORSEWY3DPEHPK3PXPJBSWY3D", "horse"] {
        for text in
            [format!("[openai_llm]\nkey = \"{key}\""), format!("{SERVICES}[openai_llm]\nkey = \"{key}\"")]
        {
            let problems =
                file(&text).env("DEEPGRAM_API_KEY", "d").env("OPENAI_API_KEY", "o").load().unwrap_err();
            let shown = format!("{problems} {problems:?}");
            assert!(!shown.to_lowercase().contains("horse"), "{shown}");
            assert_eq!(problems.found.len(), 1, "{shown}");
            assert!(shown.contains("openai_llm.key: must be the name of an environment variable"), "{shown}");
        }
    }
    let small = file("[openai_llm]\nkey = \"my_key\"").env("my_key", "k").loaded();
    assert_eq!(small.config.services.openai_llm.key, "my_key");
}

#[test]
fn no_message_shows_a_password_in_an_address() {
    for (key, text) in [
        ("redis.url", "redis://:horse@redis:6379"),
        ("openai_llm.url", "https://me:horse@llm/v1"),
        ("ollama.url", "me:horse@ollama:11434"),
        ("piper.url", "http://me:ho/horse@piper"),
        ("deepgram.url", "wss://me:ho horse@stt"),
        ("livekit.url", "ws://horse@livekit"),
        ("knowledge.service.url", "http://me:horse@embed/v1"),
        ("server.public_url", "https://me:horse@voice.example"),
        ("server.public_url", "https://voice.example/?token=horse"),
        ("server.port", "https://me:horse@voice.example"),
        ("server.listen", "me:horse@voice.example"),
        ("server.drain", "sk-proj-horse"),
        ("tts.engines", "sk-proj-horse"),
        ("turn.speculation", "redis://:horse@redis"),
    ] {
        let (section, name) = key.rsplit_once('.').unwrap();
        let written = file(&format!("[{section}]\n{name} = {text:?}"));
        let variable = format!("RINGWAY_{}", key.replace('.', "__").to_uppercase());
        for given in [written, file("").env(&variable, text)] {
            let problems = given.load().unwrap_err();
            assert!(!problems.to_string().contains("horse"), "{problems}");
            // The name of an engine is a name, and masked where it is told.
            let debugged = format!("{problems:?}");
            assert!(!debugged.contains("horse") || key == "tts.engines", "{debugged}");
            assert!(
                problems.to_string().contains(name) || problems.to_string().contains(&variable),
                "{problems}"
            );
        }
    }
    let listed = file("[server]\nallowed_origins = [\"https://me:horse@shop.example\"]").problems();
    assert!(listed.len() == 1 && !listed[0].contains("horse"), "{listed:?}");
}

#[test]
fn keys_in_queries_are_used_and_not_shown() {
    let loaded = file("[openai_llm]\nurl = \"https://llm/v1?version=2&api-key=horse\"")
        .env("OPENAI_API_KEY", "k")
        .loaded();
    let printed = loaded.to_toml();
    assert!(printed.contains("url = \"https://llm/v1?version=2&api-key=(hidden)\"  # a.toml:2"), "{printed}");
    assert!(!format!("{:?}", loaded.config).contains("horse"));
}
