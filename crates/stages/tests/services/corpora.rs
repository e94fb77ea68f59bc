//! Replays what the fuzzers found interesting, and what was written for them by hand.

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
