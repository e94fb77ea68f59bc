//! The services over HTTP as it goes over the wire, in paused time.

mod asr;
mod cartesia;
mod chat;
mod client;
mod failures;
mod flux;
mod listen;
mod live;
mod phone_tts;
mod piper;
mod realtime;
mod speech;
mod speech_server;
mod transcription;
mod whisperlive;
mod wyoming;

use super::config::Config;
use super::mocks::Mocks;
use client::ask;
use serde_json::Value;
use std::sync::Arc;

/// Mock services as this TOML has them.
fn mocks(toml: &str) -> Arc<Mocks> {
    let config: Config = toml::from_str(toml).unwrap();
    config.check().unwrap();
    Arc::new(Mocks::new(config))
}

/// A counter at `/stats`, by its path.
async fn stat(mocks: &Arc<Mocks>, path: &str) -> u64 {
    let stats: Value = ask(mocks, "GET", "/stats", &[], b"").await.json();
    let counter = path.split('.').fold(&stats, |value, key| &value[key]);
    counter.as_u64().unwrap_or_else(|| panic!("no {path} in {stats}"))
}
