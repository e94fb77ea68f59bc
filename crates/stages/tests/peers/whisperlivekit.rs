//! WhisperLiveKit.

use crate::caller::{Caller, WORDS};
use crate::peer;
use ringway_frame::Format;
use ringway_stages::services::Endpoint;
use ringway_stages::services::deepgram::{self, Deepgram};
use ringway_stages::services::whisper_auto::{self, WhisperAuto};
use ringway_stages::services::whisperlivekit::{Config, Mode, WhisperLiveKit};
use std::time::Duration;

fn config() -> Config {
    Config { url: Endpoint::parse(&format!("ws://{}", peer())).unwrap(), ..Config::default() }
}

#[tokio::test]
async fn words_of_each_turn_come_once_and_in_order() {
    for (mode, format) in
        [(Mode::Diff, Format::Mulaw8k), (Mode::Full, Format::Pcm16k), (Mode::Diff, Format::Pcm8k)]
    {
        let engine = WhisperLiveKit::new(Config { mode, ..config() }, None).unwrap();
        let mut caller = Caller::new(&engine, format);
        let mut heard = Vec::new();
        for seconds in [3, 2, 2] {
            let words = caller.turn(Duration::from_secs(seconds)).await;
            println!("{mode:?} {format}: {words:?} after {:?}", caller.partials);
            assert!(!caller.partials.is_empty());
            heard.extend(words.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        }
        let expected: Vec<_> = WORDS.iter().cycle().take(heard.len()).copied().collect();
        assert_eq!(heard, expected, "{mode:?}");
        assert!(heard.len() >= 12, "{heard:?}");
    }
}

#[tokio::test]
async fn its_socket_in_the_form_of_deepgram_serves_a_call_too() {
    let url = Endpoint::parse(&format!("ws://{}/v1/listen", peer())).unwrap();
    let config =
        deepgram::Config { url, server: deepgram::Server::WhisperLiveKit, ..deepgram::Config::default() };
    let engine = Deepgram::new(config, None).unwrap();
    let mut caller = Caller::new(&engine, Format::Mulaw8k);
    let mut heard = Vec::new();
    for seconds in [3, 2, 2] {
        let words = caller.turn(Duration::from_secs(seconds)).await;
        println!("{words:?} after {:?}", caller.partials);
        heard.extend(words.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    }
    assert!(
        heard.len() >= 12 && heard.starts_with(&["the".into(), "quick".into(), "brown".into()]),
        "{heard:?}"
    );
}

#[tokio::test]
async fn it_is_known_without_being_told() {
    let auto = whisper_auto::Config { url: config().url, ..whisper_auto::Config::default() };
    let engine = WhisperAuto::new(auto, config(), Default::default(), None).unwrap();
    let words = Caller::new(&engine, Format::Mulaw8k).turn(Duration::from_secs(2)).await;
    assert!(words.starts_with("the quick brown fox"), "{words}");
}

#[tokio::test]
async fn a_short_conversation() {
    crate::converse_shortly("whisperlivekit").await;
}
