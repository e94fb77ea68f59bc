//! Piper's HTTP server, 1.8.

use crate::piper;
use ringway_stages::services::piper::Generation;

#[tokio::test]
async fn it_is_found_out_whatever_path_the_address_has() {
    piper::it_is_found_out_whatever_path_the_address_has().await;
}

#[tokio::test]
async fn a_voice_that_speaks_slowly_takes_longer() {
    piper::a_voice_that_speaks_slowly_takes_longer().await;
}

#[tokio::test]
async fn the_wrong_generation_is_told() {
    piper::the_wrong_generation_is_told(Generation::JsonAtRoot, "piper: status 405: ").await;
}

#[tokio::test]
async fn a_short_conversation() {
    crate::converse_shortly("piper_1_8").await;
}
