//! Connectors against the real servers of other makers, one module a peer; `scripts/test-peers` starts each and runs its
//! module. They are no part of `cargo test`, which has what was recorded from them (`tests/recorded`).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod caller;
mod llama_cpp;
mod ollama;
mod piper;
mod piper_1_4;
mod piper_1_8;
mod short;
mod talk;
mod voices;
mod whisperlive;
mod whisperlivekit;
mod wyoming_faster_whisper;
mod wyoming_piper;

/// Host and port of the server.
fn peer() -> String {
    std::env::var("RINGWAY_PEER").expect("run by scripts/test-peers")
}

/// The short conversation of a peer; what comes of it is put beside its recording, if there is one.
async fn converse_shortly(name: &str) {
    let lines = short::conversation(name, &peer()).await;
    assert!(lines.iter().all(|line| !line.is_empty()), "{lines:?}");
    println!("{lines:#?}");
    if let Some(folder) = std::env::var_os("RINGWAY_RECORD") {
        let folder = std::path::Path::new(&folder).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("heard.txt"), lines.join("\n") + "\n").unwrap();
    }
}
