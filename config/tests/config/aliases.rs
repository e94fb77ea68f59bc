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
    assert_eq!(
        piper().loaded().config.services.piper.url,
        "http://127.0.0.1:5000".to_owned().try_into().unwrap()
    );
}

#[test]
fn the_address_of_whisperlive_may_come_in_two_parts() {
    let url = |given: crate::support::Given| {
        assert_eq!(given.clone().warnings(), [""; 0]);
        format!("{:?}", given.loaded().config.services.whisper_auto.url)
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
fn an_alias_that_cannot_be_followed_warns_without_its_value_and_keeps_nothing_from_starting() {
    for (variable, text) in [
        ("PORT", "70000"),
        ("PORT", "tcp://10.0.0.1:3000"),
        ("VOICE_WS_PORT", "tcp://10.0.0.1:3000"),
        ("WHISPERLIVE_PORT", "tcp://10.0.0.1:9090"),
        ("VOICE_MAX_CONNECTIONS", "unlimited"),
        ("VOICE_MAX_CONNECTIONS", "-1"),
        ("VOICE_MAX_CONNECTIONS", "0"),
        ("VOICE_HEARTBEAT_INTERVAL", "often"),
        ("VOICE_WS_PATH", "/"),
        ("VOICE_WS_PATH", "/socket.io/"),
        ("VOICE_WS_PATH", "/api"),
        ("REDIS_URL", "redis://:horse@redis:6379/0"),
        ("REDIS_URL", "rediss://default:horse@redis/0?ssl_cert_reqs=required"),
        ("REDIS_URL", "redis://redis/0?password=horse"),
        ("REDIS_URL", "redis+sentinel://:horse@s1:26379/mymaster/0"),
        ("REDIS_URL", "unix:///var/run/redis.sock"),
        ("OLLAMA_URL", "http://me:horse@ollama:11434"),
        ("OLLAMA_URL", "me:horse@ollama:11434"),
        ("PIPER_URL", "ftp://piper"),
        ("LIVEKIT_URL", "wss://me:ho rse@livekit"),
        ("WHISPERLIVE_HOST", "me:horse@whisper"),
        ("EC2_WEBSOCKET_URL", "ws://me:horse@ec2:9000"),
    ] {
        let loaded = file("").env(variable, text).loaded();
        assert_eq!(loaded.config, file("").loaded().config, "{variable}={text}");
        let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings.len(), 1, "{variable}={text}: {warnings:?}");
        assert!(warnings[0].starts_with(&format!("environment: {variable}: ignored: ")), "{warnings:?}");
        assert!(!warnings[0].contains(text) && !warnings[0].contains("horse"), "{warnings:?}");
        assert!(!format!("{loaded:?}{}", loaded.to_toml()).contains("horse"), "{variable}={text}");
    }
}

#[test]
fn an_alias_is_read_as_platforms_write_it() {
    for (variable, text, key, value) in [
        ("PORT", "\"5000\"", "server.port", "5000"),
        ("PORT", " 5000\r", "server.port", "5000"),
        ("VOICE_HEARTBEAT_INTERVAL", "30s", "server.heartbeat", "\"30s\""),
        ("VOICE_HEARTBEAT_INTERVAL", "30000", "server.heartbeat", "\"30000ms\""),
        ("VOICE_WS_PATH", "voice/", "server.browser_path", "\"/voice\""),
        ("OLLAMA_URL", "'http://ollama:11434'", "ollama.url", "\"http://ollama:11434\""),
        ("OLLAMA_URL", "ollama", "ollama.url", "\"http://ollama:11434\""),
        ("OLLAMA_URL", "ollama:80", "ollama.url", "\"http://ollama:80\""),
        ("OLLAMA_URL", "::1", "ollama.url", "\"http://[::1]:11434\""),
        ("PIPER_URL", "piper:5000", "piper.url", "\"http://piper:5000\""),
        ("PIPER_URL", "piper/tts", "piper.url", "\"http://piper:5000/tts\""),
        ("LIVEKIT_URL", "livekit:7880", "livekit.url", "\"ws://livekit:7880\""),
        ("REDIS_URL", "redis", "redis.url", "\"redis://redis:6379\""),
        ("EC2_WEBSOCKET_URL", "ec2:9000", "speech_server.url", "\"ws://ec2:9000\""),
        ("WHISPERLIVE_HOST", "whisper:8765", "whisper_auto.url", "\"ws://whisper:8765\""),
    ] {
        let loaded = file("").env(variable, text).loaded();
        assert_eq!(loaded.warnings, [], "{variable}={text}");
        let read = loaded.provenance.value(key).map(ToString::to_string);
        assert_eq!(read.as_deref(), Some(value), "{variable}={text}");
    }
}

#[test]
fn a_link_of_kubernetes_leaves_the_host_that_is_named_beside_it() {
    let given = file("").env("WHISPERLIVE_PORT", "tcp://10.0.0.1:9090").env("WHISPERLIVE_HOST", "whisper");
    assert_eq!(given.clone().warnings().len(), 1);
    assert_eq!(format!("{:?}", given.loaded().config.services.whisper_auto.url), "whisper:9090");
    let links = file("")
        .env("RINGWAY_SERVER_PORT", "tcp://10.0.0.1:3000")
        .env("RINGWAY_PORT_3000_TCP", "tcp://10.0.0.1:3000")
        .env("RINGWAY_SERVICE_HOST", "10.0.0.1");
    assert_eq!(links.warnings(), [""; 0]);
}

#[test]
fn of_two_aliases_the_second_counts_where_the_first_cannot_be_followed() {
    let given = file("").env("PORT", "tcp://10.0.0.1:3000").env("VOICE_WS_PORT", "5001");
    assert_eq!(given.loaded().config.server.port, 5_001);
}

#[test]
fn what_ollama_adds_by_itself_is_left_out_of_its_address() {
    for ending in ["/v1", "/v1/", "/api", "/api/chat", "/v1/chat/completions"] {
        let given = file("").env("OLLAMA_URL", &format!("http://ollama:11434{ending}"));
        assert_eq!(
            format!("{:?}", given.clone().loaded().config.services.ollama.url),
            "ollama:11434",
            "{ending}"
        );
        let told =
            format!("environment: OLLAMA_URL: {} at the end is left out", ending.trim_end_matches('/'));
        assert!(given.clone().warnings()[0].starts_with(&told), "{:?}", given.warnings());
    }
    let text = "[openai_llm]\nurl = \"http://llm/v1/chat/completions\"";
    assert_eq!(format!("{:?}", file(text).loaded().config.services.openai_llm.url), "llm:80/v1");
    let told =
        "a.toml:2: openai_llm.url: /chat/completions at the end is left out: ringway adds the path by itself";
    assert_eq!(file(text).warnings(), [told]);
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
        if let Meaning::Key(key) | Meaning::Url(key, ..) | Meaning::Path(key) = alias.meaning {
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
