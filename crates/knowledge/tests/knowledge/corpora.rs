//! Replays what was written for the fuzzers by hand, and what they found.

use proptest::prelude::*;
use ringway_knowledge::fuzz::TARGETS;
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
const PIECES: &[&str] = &[
    "# ",
    "\n",
    "\n\n",
    "- ",
    "| a | b |\n|---|---|\n",
    "---\n",
    "`",
    "*",
    "[x](y)",
    "<p>",
    "</p>",
    "<nav>",
    "</nav>",
    "<h1>",
    "<h2>",
    "<script>",
    "</script>",
    "<title>",
    "&amp;",
    "&#",
    "<!--",
    "-->",
    "word. ",
    "Word ",
    "%PDF-1.4\n",
    "1 0 obj<<",
    ">>endobj\n",
    "/Type/Catalog",
    "xref\n",
    "trailer",
    "startxref\n0\n%%EOF",
    "stream\n",
    "endstream",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[",
    "],\"data_offsets\":[0,",
    "8]}}",
];

proptest! {
    #[test]
    fn any_bytes_pass_every_target(
        first in any::<u8>(),
        pieces in prop::collection::vec(
            prop_oneof![
                4 => (0..PIECES.len()).prop_map(|at| PIECES[at].as_bytes().to_vec()),
                1 => prop::collection::vec(any::<u8>(), 0..6),
            ],
            0..24,
        ),
    ) {
        let data = [vec![first], pieces.concat()].concat();
        for (_, target) in TARGETS {
            target(&data);
        }
    }
}
