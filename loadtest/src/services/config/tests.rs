use super::*;

fn read(text: &str) -> Result<Config, String> {
    let config: Config = toml::from_str(text).map_err(|error| error.to_string())?;
    config.check().map(|()| config).map_err(|error| error.to_string())
}

#[test]
fn nothing_said_is_the_default() {
    assert_eq!(read(""), Ok(Config::default()));
}

#[test]
fn the_default_reply_is_a_clause_of_two_words_and_a_sentence_of_twelve() {
    let reply = &Config::default().llm.replies[0];
    let words: Vec<_> = reply.split(". ").map(|sentence| sentence.split_whitespace().count()).collect();
    assert_eq!(words, [2, 12]);
}

#[test]
fn a_file_says_it_all() {
    let config = read(
        "port = 0\nseed = 7\napi_key = 'k'\n[stt]\ndelay_ms = 'normal(80,10)'\ntexts = ['yes', 'no']\n\
         fail = ['1%:hang']\n[listen]\ndelay_ms = 30\n[llm]\ntoken_ms = 12.5\nfail = ['2%:500', '1%:cut']\n\
         [tts]\nrate_hz = 16000\nspeed = 4\ngeneration = '1.4'\n",
    )
    .unwrap();
    assert_eq!(config.conduct(Service::Listen).delay_ms, Delay::Fixed(30.0));
    assert_eq!(config.conduct(Service::Stt).delay_ms, "normal(80,10)".parse().unwrap());
    assert_eq!(config.socket_texts(Service::Listen), ["yes", "no"]);
    assert_eq!(config.llm.fail.len(), 2);
    assert_eq!(config.tts.generation, Generation::RootJson);
}

#[test]
fn mistakes_are_told() {
    for (text, told) in [
        ("prot = 1", "unknown field `prot`"),
        ("[llm]\nspeed = 2", "unknown field `speed`"),
        ("[llm]\ndelay_ms = 'fast'", "not milliseconds"),
        ("[llm]\nfail = ['500']", "not a share and a failure"),
        ("[llm]\nfail = ['60%:500', '50%:hang']", "llm.fail: fails more often than always"),
        ("[llm]\nreplies = ['  ']", "llm.replies: at least one word is needed"),
        ("[stt]\ntexts = []", "stt.texts: at least one is needed"),
        ("[tts]\nrate_hz = 7", "tts.rate_hz: from 8000 to 48000"),
        ("[tts]\nspeed = 0", "tts.speed: from 0.1 to 1000"),
        ("slow_factor = 0.5", "slow_factor: from 1 to 1000"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(told), "{text:?}: {error}");
    }
}
