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
