//! Replays what the fuzzers found interesting, and what was written for them by hand.

use proptest::prelude::*;
use ringway_stages::services::fuzz::TARGETS;
use std::path::Path;

#[test]
fn every_corpus_passes_its_target() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, target) in TARGETS {
        let mut inputs = 0;
        for entry in corpora.join(name).read_dir().unwrap_or_else(|error| panic!("{name}: {error}")) {
            let path = entry.unwrap().path();
            // Shown only when the target panics.
            println!("{}", path.display());
            target(&std::fs::read(&path).unwrap());
            inputs += 1;
        }
        assert!(inputs > 0, "the corpus of {name} is empty");
    }
}

/// What parsers look for, so that random input gets past their first byte.
const PIECES: &[&[u8]] = &[
    b"data: ",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"{\"choices\":[{\"delta\":{\"content\":\"x\"}}]}",
    b"[DONE]",
    b": ping\n",
    b"RIFF\0\0\0\0WAVE",
    b"fmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0",
    b"data\x08\0\0\0",
    b"LIST\x03\0\0\0",
    b"\xff\xff\xff\xff",
    b"{\"type\":\"Results\",",
    b"\"channel\":{\"alternatives\":[]}",
    b"}",
    b"\0",
    b"{\"type\":\"transcript\",\"data_length\":11}\n",
    b"{\"text\":\"x\"}",
    b"{\"type\":\"audio-chunk\",\"payload_length\":2}\n",
];

proptest! {
    #[test]
    fn any_bytes_pass_every_target(
        cut in any::<u8>(),
        pieces in prop::collection::vec(
            prop_oneof![
                (0..PIECES.len()).prop_map(|at| PIECES[at].to_vec()),
                prop::collection::vec(any::<u8>(), 0..6),
            ],
            0..12,
        ),
    ) {
        let data = [vec![cut], pieces.concat()].concat();
        for (_, target) in TARGETS {
            target(&data);
            target(&data[1..]);
        }
    }
}
