//! What cannot be loaded or judged, and how it is told.

use super::{config, silero};
use ringway_frame::SampleRate;
use ringway_stages::silero::{Silero, SileroConfig};
use ringway_stages::vad::{Vad, VadError, VadJob, VadState};
use std::path::PathBuf;

fn written(name: &str, bytes: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).expect("the target folder is writable");
    path
}

fn refused_model(model: PathBuf) -> String {
    let refused = Silero::load(&SileroConfig { model: model.clone(), ..config(SampleRate::HZ_16000) });
    match refused {
        Err(VadError::Model { path, reason }) => {
            assert_eq!(path, model);
            reason
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_missing_model_is_refused() {
    let reason = refused_model(PathBuf::from("no/such/silero_vad.onnx"));
    assert!(reason.contains("No such file"), "{reason}");
}

#[test]
fn a_file_that_is_no_model_is_refused() {
    let reason = refused_model(written("garbage.onnx", b"this is no protobuf"));
    assert!(reason.to_lowercase().contains("protobuf"), "{reason}");
}

#[test]
fn a_truncated_model_is_refused() {
    let whole = std::fs::read(config(SampleRate::HZ_16000).model).unwrap();
    let reason = refused_model(written("truncated.onnx", &whole[..whole.len() / 2]));
    assert!(!reason.is_empty());
}

#[test]
fn another_network_is_refused_by_the_input_it_lacks() {
    let reason = refused_model(written("identity.onnx", &identity_model()));
    assert_eq!(reason, "the model has no input `input`");
}

#[test]
fn a_rate_that_the_model_does_not_hear_is_refused_before_anything_is_loaded() {
    let nothing = SileroConfig { library: PathBuf::new(), model: PathBuf::new(), rate: SampleRate::HZ_24000 };
    assert!(matches!(Silero::load(&nothing), Err(VadError::Rate(SampleRate::HZ_24000))));
}

#[test]
fn a_second_library_is_refused_and_names_the_first() {
    let loaded = config(SampleRate::HZ_16000);
    silero(loaded.rate);
    let other = SileroConfig { library: written("other.so", b""), ..loaded.clone() };
    let error = Silero::load(&other).unwrap_err();
    let first = loaded.library.canonicalize().unwrap();
    assert!(matches!(&error, VadError::Library { path, .. } if *path == other.library), "{error:?}");
    assert!(error.to_string().contains(first.to_str().unwrap()), "{error}");
}

#[test]
fn the_same_library_by_another_path_is_the_same() {
    let config = config(SampleRate::HZ_16000);
    let (folder, file) = (config.library.parent().unwrap(), config.library.file_name().unwrap());
    let library = folder.join("..").join(folder.file_name().unwrap()).join(file);
    silero(config.rate);
    Silero::load(&SileroConfig { library, ..config }).unwrap();
}

#[test]
fn a_window_or_state_of_the_wrong_length_is_refused() {
    let mut silero = silero(SampleRate::HZ_16000);
    let (mut right, mut wrong) = (silero.state(), VadState::zeroed(1));
    for (state, samples) in [(&mut right, &[0.0; 511][..]), (&mut wrong, &[0.0; 512])] {
        let refused = silero.infer(&mut [VadJob { state, samples, probability: 0.0 }]);
        assert!(matches!(refused, Err(VadError::Inference(_))), "{refused:?}");
    }
}

/// `y = Identity(x)` on a scalar, as protobuf (field numbers from onnx.proto, <https://onnx.ai/onnx/api/classes.html>).
fn identity_model() -> Vec<u8> {
    let scalar = field(1, &[&[0x08, 1][..], &field(2, &[])].concat());
    let value = |name: &[u8]| [field(1, name), field(2, &scalar)].concat();
    let node = [field(1, b"x"), field(2, b"y"), field(4, b"Identity")].concat();
    let graph = [field(1, &node), field(2, b"g"), field(11, &value(b"x")), field(12, &value(b"y"))].concat();
    let opset = [0x10, 13];
    [vec![0x08, 8], field(7, &graph), field(8, &opset)].concat()
}

/// A field of bytes, fewer than 128.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
}
