//! WhisperLiveKit.

use crate::peer;
use ringway_stages::services::Endpoint;

#[test]
fn the_peer_is_there() {
    Endpoint::parse(&format!("ws://{}/asr", peer())).unwrap();
}
