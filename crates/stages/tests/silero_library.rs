//! ONNX Runtime that is missing or something else; a process of its own, in which none is ever loaded.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use ringway_frame::SampleRate;
use ringway_stages::silero::{Silero, SileroConfig};
use ringway_stages::vad::VadError;
use std::path::PathBuf;

fn refused(library: PathBuf) -> String {
    let model = PathBuf::from("never/read.onnx");
    match Silero::load(&SileroConfig { library: library.clone(), model, rate: SampleRate::HZ_16000 }) {
        Err(VadError::Library { path, reason }) => {
            assert_eq!(path, library);
            reason
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_missing_library_is_refused() {
    let reason = refused(PathBuf::from("no/such/libonnxruntime.so"));
    assert!(reason.contains("No such file"), "{reason}");
}

#[test]
fn a_file_that_is_no_library_is_refused() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("text.so");
    std::fs::write(&path, "this is no ELF file").unwrap();
    let reason = refused(path);
    assert!(reason.contains("failed to load"), "{reason}");
}

#[test]
fn a_library_that_is_not_onnx_runtime_is_refused() {
    let reason = refused(libc());
    assert!(reason.contains("does not export `OrtGetApiBase`"), "{reason}");
}

/// The C library of this very process, wherever the system keeps it.
fn libc() -> PathBuf {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux tells what a process has loaded");
    let path = maps.split_whitespace().find(|word| word.contains("/libc.so") || word.contains("/libc-"));
    PathBuf::from(path.expect("this process has a C library"))
}
