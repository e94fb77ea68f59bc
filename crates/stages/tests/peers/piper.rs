//! Piper's HTTP server, of any generation that can be installed.

use crate::peer;
use crate::voices::{converse, open, say};
use ringway_frame::Format;
use ringway_stages::services::Endpoint;
use ringway_stages::services::piper::{Config, Generation, Piper};

fn voice(path: &str, more: impl FnOnce(Config) -> Config) -> Piper {
    let url = Endpoint::parse(&format!("http://{}{path}", peer())).unwrap();
    Piper::new(more(Config { url, ..Config::default() })).unwrap()
}

pub(crate) async fn it_is_found_out_whatever_path_the_address_has() {
    for path in ["", "/", "/synthesize"] {
        converse(&voice(path, |config| config)).await;
    }
}

pub(crate) async fn a_voice_that_speaks_slowly_takes_longer() {
    let slow = voice("", |config| Config { length_scale: Some(2.0), ..config });
    let (usual, _) =
        say(&mut *open(&voice("", |config| config), Format::Pcm16k), Format::Pcm16k, "Good day.")
            .await
            .unwrap();
    let (slow, _) = say(&mut *open(&slow, Format::Pcm16k), Format::Pcm16k, "Good day.").await.unwrap();
    assert!(slow.len() * 2 > usual.len() * 3, "{} frames, and {}", usual.len(), slow.len());
}

pub(crate) async fn the_wrong_generation_is_told(generation: Generation, expected: &str) {
    let wrong = voice("", |config| Config { generation, ..config });
    let error = say(&mut *open(&wrong, Format::Pcm16k), Format::Pcm16k, "Good day.").await.unwrap_err();
    assert!(error.to_string().starts_with(expected), "{error}");
}
