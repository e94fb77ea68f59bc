//! Replays what the fuzzer found interesting, and what was written for it by hand; and files of the model's size with
//! something wrong in them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ringway_silero_kernel::fuzz::onnx;
use std::path::Path;
use support::{model, random};

/// Runs the target, which may allocate a small multiple of what the file holds: lists of what is in it, and its weights
/// laid out for each of several readers, one after the other.
fn read(file: &[u8], name: &str) {
    let most = 32 * file.len() as u64 + (64 << 10);
    let allocated = allocation_counter::measure(|| onnx(file)).bytes_max;
    assert!(allocated <= most, "{name}: {} bytes made it allocate {allocated}", file.len());
}

#[test]
fn every_corpus_passes_its_target() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/onnx");
    let mut inputs = 0;
    for entry in corpus.read_dir().unwrap_or_else(|error| panic!("{}: {error}", corpus.display())) {
        let path = entry.unwrap().path();
        // Shown only when the target panics.
        println!("{}", path.display());
        read(&std::fs::read(&path).unwrap(), &path.display().to_string());
        inputs += 1;
    }
    assert!(inputs > 20, "only {inputs} inputs");
}

#[test]
fn a_model_with_a_byte_changed_passes_the_target() {
    let whole = model();
    let (mut model, mut state) = (whole.clone(), 1);
    for n in 0..60 {
        let at = random(&mut state) % whole.len();
        model[at] ^= 1 << (n % 8);
        read(&model, &format!("byte {at}"));
        model[at] = whole[at];
    }
}

#[test]
fn small_things_many_times_over_allocate_little() {
    // A graph with a million empty nodes, one tensor of a million dimensions, and a constant a hundred thousand times.
    let field = |number: u8, bytes: &[u8]| [&[number << 3 | 2][..], &varint(bytes.len()), bytes].concat();
    let node = |attribute: &[u8]| {
        let named = [field(2, b"stft.forward_basis_buffer"), field(4, b"Constant")].concat();
        field(1, &[named, field(5, attribute)].concat())
    };
    let nodes = [0x0a, 0].repeat(1_000_000);
    let dims = node(&field(5, &field(1, &vec![1; 1_000_000])));
    let constants = node(&field(5, &[])).repeat(100_000);
    for graph in [nodes, dims, constants] {
        let branch = [field(4, b"If"), field(5, &field(6, &graph))].concat();
        read(&field(7, &field(1, &branch)), "a graph");
    }
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
