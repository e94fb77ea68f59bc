//! `--print`: the configuration that counts, as a file.

use crate::support::{Given, file};
use ringway_config::Loaded;

fn changed() -> Given {
    file("[turn]\nfiller = \"Well.\"\nkey_end = \"#\"\n[recording]\ndir = \"calls\"")
        .env("RINGWAY_CALL__STALL__STT", "3s")
        .env("PORT", "5000")
        .flag("--chaos", "server.chaos", true)
}

#[test]
fn each_value_that_is_not_the_default_names_its_source() {
    let printed = changed().loaded().to_toml();
    for line in [
        "filler = \"Well.\"  # a.toml:2",
        "dir = \"calls\"  # a.toml:5",
        "stt = \"3s\"  # environment: RINGWAY_CALL__STALL__STT",
        "port = 5000  # environment: PORT",
        "chaos = true  # flag: --chaos",
        "key_end = \"#\"",
        "drain = \"20s\"",
        "# tls is not set",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line} in:\n{printed}");
    }
}

#[test]
fn what_is_printed_reads_back() {
    let Loaded { config, .. } = changed().loaded();
    let printed = changed().loaded().to_toml();
    assert_eq!(file(&printed).load_bare().map(|loaded| loaded.config), Ok(config));
}
