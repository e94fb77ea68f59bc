//! WhisperLive of collabora, which serves two clients for twelve seconds each.

use crate::caller::Caller;
use crate::peer;
use ringway_frame::Format;
use ringway_stages::services::Endpoint;
use ringway_stages::services::whisper_auto::{self, WhisperAuto};
use ringway_stages::services::whisperlive::{Config, Samples, WhisperLive};
use std::time::Duration;
use tokio::time::Instant;

/// Out of which its model makes four words.
const TONE: Duration = Duration::from_millis(1_800);

const FOUR_WORDS: &str = "the quick brown fox";

fn config() -> Config {
    Config {
        url: Endpoint::parse(&format!("ws://{}", peer())).unwrap(),
        renew: Duration::from_secs(6),
        // Its model says the same for half a second; the server must not take that for the end on a busy machine.
        same_output: 15,
        ..Config::default()
    }
}

#[tokio::test]
async fn words_of_each_turn_come_once_in_every_format() {
    for (samples, format) in [
        (Samples::Float32, Format::Mulaw8k),
        (Samples::Int16, Format::Pcm16k),
        (Samples::Float32, Format::Pcm8k),
    ] {
        let engine = WhisperLive::new(Config { samples, ..config() }, None).unwrap();
        let mut caller = Caller::new(&engine, format);
        for _ in 0..3 {
            let words = caller.turn(TONE).await;
            println!("{samples:?} {format}: {words:?} after {:?}", caller.partials);
            assert_eq!(words, FOUR_WORDS);
        }
    }
}

#[tokio::test]
async fn a_call_longer_than_the_servers_time_limit_loses_no_word() {
    let engine = WhisperLive::new(config(), None).unwrap();
    let mut caller = Caller::new(&engine, Format::Pcm16k);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(20) {
        assert_eq!(caller.turn(TONE).await, FOUR_WORDS);
    }
}

#[tokio::test]
async fn a_third_client_is_told_that_the_server_is_full() {
    let engine = WhisperLive::new(config(), None).unwrap();
    let mut served = [Caller::new(&engine, Format::Pcm16k), Caller::new(&engine, Format::Pcm16k)];
    for caller in &mut served {
        caller.turn(TONE).await;
    }
    let mut refused = Caller::new(&engine, Format::Pcm16k);
    refused.begin();
    let error = refused.event().await.unwrap_err().to_string();
    assert!(error.starts_with("whisperlive: is full: a place is free in "), "{error}");
}

#[tokio::test]
async fn it_is_known_without_being_told() {
    let auto = whisper_auto::Config { url: config().url, ..whisper_auto::Config::default() };
    let engine = WhisperAuto::new(auto, Default::default(), config(), None).unwrap();
    assert_eq!(Caller::new(&engine, Format::Mulaw8k).turn(TONE).await, FOUR_WORDS);
}

#[tokio::test]
async fn a_short_conversation() {
    crate::converse_shortly("whisperlive").await;
}
