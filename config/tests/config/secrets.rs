//! Secrets come from the environment only and are never shown.

use crate::support::file;
use ringway_config::Secrets;

const TOKEN: &str = "correct horse battery staple";

#[test]
fn the_environment_gives_the_secrets() {
    let secrets = file("").env("RINGWAY_ADMIN_TOKEN", TOKEN).loaded().secrets;
    assert_eq!(secrets, Secrets { admin_token: Some(TOKEN.into()), twilio_auth_token: None });
    let secrets = file("").env("TWILIO_AUTH_TOKEN", TOKEN).loaded().secrets;
    assert_eq!(secrets, Secrets { admin_token: None, twilio_auth_token: Some(TOKEN.into()) });
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
