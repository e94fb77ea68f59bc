//! Connectors against what real servers of other makers said, recorded by `scripts/test-peers` (`RINGWAY_RECORD`): the
//! same conversation has to come to the same words and the same audio as it did with the server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "tests of the peers say more")]
#[path = "../peers/caller.rs"]
mod caller;
mod replay;
#[path = "../peers/short.rs"]
mod short;
#[path = "../peers/talk.rs"]
mod talk;
#[expect(dead_code, reason = "tests of the peers say more")]
#[path = "../peers/voices.rs"]
mod voices;

use replay::Replay;
use std::path::Path;

async fn comes_to_the_same(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recorded").join(name);
    let heard = std::fs::read_to_string(folder.join("heard.txt")).unwrap();
    let server = Replay::start(&folder).await;
    let lines = short::conversation(name, &server.address.to_string()).await;
    assert_eq!(lines, heard.lines().collect::<Vec<_>>());
    server.is_played_out();
}

/// A test for each recording.
macro_rules! recorded {
    ($($name:ident)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            comes_to_the_same(stringify!($name)).await;
        }
    )*};
}

recorded!(whisperlivekit whisperlive wyoming_faster_whisper wyoming_piper piper_1_4 piper_1_8 ollama);
