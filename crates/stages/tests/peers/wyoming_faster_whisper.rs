//! wyoming-faster-whisper.

use crate::caller::{WORDS, utterance};
use crate::peer;
use ringway_frame::Format;
use ringway_stages::services::Endpoint;
use ringway_stages::services::wyoming_stt::{Config, WyomingStt};
use std::time::Duration;

#[tokio::test]
async fn each_utterance_is_recognised_whole() {
    let config = Config { url: Endpoint::parse(&format!("tcp://{}", peer())).unwrap(), ..Config::default() };
    let engine = WyomingStt::new(config).unwrap();
    for format in [Format::Mulaw8k, Format::Pcm8k, Format::Pcm16k] {
        for words in [4, 2] {
            let length = Duration::from_millis(500) * words + Duration::from_millis(100);
            let heard = utterance(&engine, format, length).await.unwrap();
            assert_eq!(heard, WORDS[..words as usize].join(" "), "{format}");
        }
    }
}

#[tokio::test]
async fn a_short_conversation() {
    crate::converse_shortly("wyoming_faster_whisper").await;
}
