//! What a question to 10,000 passages costs: by words, by meaning, by both, and the embedding of the question itself.
//!
//! A turn may wait 20 ms for all of it.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use ringway_knowledge::{About, Index, Language, Passage, Prepared, SentenceModel, Shelf};
use std::hint::black_box;
use std::path::{Path, PathBuf};

const PASSAGES: usize = 10_000;
const WIDTH: usize = 384;
const QUESTION: &str = "how long does the delivery of word seven and word nine hundred take";

/// Numbers that look drawn by lot and are the same each time: `SplitMix64`,
/// <https://doi.org/10.1145/2714064.2660195>.
struct Lot(u64);

impl Lot {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Few words are in many passages and most in few, as in texts.
    fn word(&mut self) -> String {
        let even = (self.draw() % 10_000) as f64 / 10_000.0;
        format!("word{}", (even.powi(3) * 20_000.0) as u32)
    }

    fn direction(&mut self) -> Vec<f32> {
        let mut vector: Vec<f32> = (0..WIDTH).map(|_| (self.draw() % 2_001) as f32 / 1_000.0 - 1.0).collect();
        let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
        vector.iter_mut().for_each(|number| *number /= length);
        vector
    }
}

fn shelf(dir: &Path, lot: &mut Lot) -> Shelf {
    let index = Index::open_or_create(dir, &About::new(Language::English, "lot")).expect("an index");
    let passages = (0..PASSAGES).map(|at| {
        let words: Vec<_> = (0..120).map(|_| lot.word()).collect();
        let passage =
            Passage { source: "lot".into(), heading: format!("delivery {at}"), text: words.join(" ") };
        (passage, Some(lot.direction()))
    });
    index.replace(&[Prepared { source: "lot".into(), passages: passages.collect() }]).expect("room");
    index.shelf().expect("the index")
}

fn search(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("room");
    let mut lot = Lot(1);
    let shelf = shelf(dir.path(), &mut lot);
    let meaning = lot.direction();
    let mut group = criterion.benchmark_group("search of 10,000 passages");
    for (name, question, meaning) in [
        ("words", QUESTION, None),
        ("meaning", "", Some(&meaning[..])),
        ("words and meaning", QUESTION, Some(&meaning[..])),
    ] {
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| shelf.search(black_box(question), meaning, 3, 0.0).expect("the index"));
        });
    }
    group.finish();
}

fn embed(criterion: &mut Criterion) {
    let fetched =
        |file: &str| -> PathBuf { Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ringway").join(file) };
    let (library, model) = (fetched("lib/libonnxruntime.so"), fetched("models/all-minilm-l6-v2"));
    let model = SentenceModel::load(&library, &model, 1).expect("`make setup-kb` has been run");
    criterion.bench_function("embedding of a question", |bencher| {
        bencher.iter(|| model.embed(black_box(QUESTION)).expect("the model runs"));
    });
}

criterion_group!(benches, search, embed);
criterion_main!(benches);
