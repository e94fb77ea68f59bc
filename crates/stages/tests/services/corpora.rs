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

/// What models' readers and the filter are given, among them recordings: cut at each of its first bytes.
#[test]
fn streams_of_models_are_the_same_wherever_they_are_cut() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, target) in TARGETS {
        if !["sse", "ollama", "anthropic", "openai_llm", "reply_text"].contains(name) {
            continue;
        }
        let corpus =
            corpora.join(name).read_dir().unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
        let recorded = [
            include_bytes!("../fixtures/ollama-reply.ndjson").as_slice(),
            include_bytes!("../fixtures/ollama-call.ndjson"),
        ];
        let recorded = recorded.into_iter().map(|bytes| [&[0], bytes].concat());
        for mut data in corpus.chain(recorded) {
            for cut in 0..=u8::MAX {
                data[0] = cut;
                target(&data);
            }
        }
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
    b"<think>",
    b"</think>",
    b"<|im_end|>",
    b"<tool_call>",
    b"</tool_call>",
    b"{\"name\":\"find\",\"arguments\":{\"id\":12}}",
    b"[find(",
    b"```json\n",
    b"\"finish_reason\":\"stop\"",
    b"null",
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
