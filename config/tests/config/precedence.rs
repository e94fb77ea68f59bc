//! Flag > variable named after a key > alias > file > default.

use crate::support::{Given, file};
use ringway_config::Origin;

type Source = fn(Given) -> Given;

/// The sources of a port, the lightest first, each with the port that it asks for.
fn sources() -> [(Source, u16); 4] {
    [
        (|_| file("[server]\nport = 1001"), 1_001),
        (|given| given.env("PORT", "1002"), 1_002),
        (|given| given.env("RINGWAY_SERVER__PORT", "1003"), 1_003),
        (|given| given.flag("--port", "server.port", 1_004), 1_004),
    ]
}

#[test]
fn without_a_source_the_default_counts() {
    assert_eq!(file("").loaded().config.server.port, 3_000);
}

#[test]
fn each_source_wins_over_those_before_it() {
    let mut given = file("");
    for (source, port) in sources() {
        given = source(given);
        assert_eq!(given.clone().loaded().config.server.port, port);
    }
}

#[test]
fn each_source_counts_alone() {
    for (source, port) in sources() {
        assert_eq!(source(file("")).loaded().config.server.port, port);
    }
}

#[test]
fn where_a_value_was_set_is_known() {
    let given = file("\n[turn]\nfiller = \"Well.\"\n[limits]\ncalls = 5").env("RINGWAY_LIMITS__CALLS", "6");
    let settings = given.loaded().provenance;
    assert_eq!(settings.origin("turn.filler"), Some(&Origin::File { path: "a.toml".into(), line: 3 }));
    let variable = "RINGWAY_LIMITS__CALLS".to_owned();
    assert_eq!(settings.origin("limits.calls"), Some(&Origin::Environment { variable }));
    assert_eq!(settings.origin("limits.media_cores"), None);
}

#[test]
fn a_section_without_keys_changes_nothing() {
    assert_eq!(file("[stt]\n[turn]").loaded().config, file("").loaded().config);
}

#[test]
fn keys_may_be_dotted_or_in_inline_tables() {
    let config = file("call.stall = { vad = \"1s\" }\nserver.port = 80").loaded().config;
    assert_eq!(config.server.port, 80);
    assert_eq!(config.call.stall.vad.as_secs(), 1);
}
