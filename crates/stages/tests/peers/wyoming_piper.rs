//! `wyoming-piper`.

use crate::peer;
use crate::voices::converse;
use ringway_stages::services::Endpoint;
use ringway_stages::services::wyoming_tts::{Config, WyomingTts};

#[tokio::test]
async fn it_speaks() {
    let url = Endpoint::parse(&format!("tcp://{}", peer())).unwrap();
    converse(&WyomingTts::new(Config { url, ..Config::default() }).unwrap()).await;
}

#[tokio::test]
async fn a_short_conversation() {
    crate::converse_shortly("wyoming_piper").await;
}
