//! Model files that are not what they should be: refused with what is wrong, whatever their bytes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ringway_silero_kernel::{Instructions, Kernel, ModelError, Rate, Reference};
use support::{Call, model, random};

const RATES: [Rate; 2] = [Rate::Hz8000, Rate::Hz16000];

/// Why the model is refused once these bytes are replaced, wherever they are.
fn refused(find: &[u8], replace: &[u8], rate: Rate) -> ModelError {
    let mut model = model();
    let places: Vec<usize> =
        model.windows(find.len()).enumerate().filter(|(_, bytes)| *bytes == find).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "the model has these bytes");
    places.iter().for_each(|&at| model[at..at + find.len()].copy_from_slice(replace));
    Reference::read(&model, rate).unwrap_err()
}

/// Reads as much of these bytes as can be read: it must not panic.
fn read(model: &[u8]) -> bool {
    RATES.iter().all(|&rate| Reference::read(model, rate).is_ok())
}

#[test]
fn no_file_and_other_files_are_refused() {
    for rate in RATES {
        let missing = ModelError::Missing { tensor: "stft.forward_basis_buffer" };
        assert_eq!(Reference::read(&[], rate).unwrap_err(), missing);
        let text = Reference::read(b"this is no protobuf", rate).unwrap_err();
        assert!(matches!(text, ModelError::Protobuf { .. }), "{text}");
    }
}

#[test]
fn a_tensor_that_is_missing_is_named() {
    let error = refused(b"encoder.2.reparam_conv.bias", b"encoder.2.reparam_conv.bi__", Rate::Hz8000);
    assert_eq!(error.to_string(), "no tensor `encoder.2.reparam_conv.bias`");
}

#[test]
fn a_tensor_of_another_shape_is_named_with_both() {
    // Dimensions of 512 and 128, as they stand in the gates' weights.
    let error =
        refused(&[0x08, 0x80, 0x04, 0x08, 0x80, 0x01], &[0x08, 0x81, 0x04, 0x08, 0x80, 0x01], Rate::Hz16000);
    assert_eq!(error.to_string(), "tensor `decoder.rnn.weight_ih` is of shape [513, 128], not [512, 128]");
}

#[test]
fn a_branch_of_another_transform_is_named_with_both_shapes() {
    // Dimensions of 130, 1 and 128, as they stand in the basis for 8 kHz.
    let dims = [0x08, 0x82, 0x01, 0x08, 0x01, 0x08, 0x80, 0x01];
    let error = refused(&dims, &[0x08, 0x82, 0x01, 0x08, 0x01, 0x08, 0x81, 0x01], Rate::Hz8000);
    let ModelError::Shape { tensor, expected, .. } = error else { panic!("{error}") };
    assert_eq!((tensor, expected), ("stft.forward_basis_buffer", vec![130, 1, 128]));
}

#[test]
fn a_number_that_is_none_is_told_with_its_place() {
    // The decoder's bias for 8 kHz, which no other number is equal to.
    let error = refused(&(-0.590_086_7_f32).to_le_bytes(), &f32::NAN.to_le_bytes(), Rate::Hz8000);
    assert_eq!(error.to_string(), "tensor `decoder.decoder.2.bias` holds NaN at 0");
}

#[test]
fn a_basis_that_is_no_fourier_transform_is_refused() {
    let mut model = model();
    let instructions = Instructions::all().next();
    // A cosine of the first frequency under the window, at its second sample.
    let number = 6.022_719e-4_f32.to_le_bytes();
    let at = model.windows(4).position(|bytes| bytes == number).unwrap();
    model[at..at + 4].copy_from_slice(&1.0_f32.to_le_bytes());
    if let Some(instructions) = instructions {
        let refused = RATES.map(|rate| Kernel::read(&model, rate, instructions).map(|_| ()));
        assert!(refused.iter().any(|read| matches!(read, Err(ModelError::Fourier { .. }))), "{refused:?}");
    }
}

#[test]
fn a_truncated_model_is_refused_wherever_it_ends() {
    let model = model();
    for len in (0..2_000).chain((2_000..model.len()).step_by(9_973)).chain([model.len() - 1]) {
        assert!(!read(&model[..len]), "{len} bytes");
    }
}

#[test]
fn bytes_changed_anywhere_never_make_it_panic() {
    let whole = model();
    // Most bytes are numbers: what stands around the names is the structure.
    let names: Vec<usize> =
        whole.windows(8).enumerate().filter(|(_, w)| w == b"Constant").map(|(at, _)| at).collect();
    let (mut model, mut state, mut unread) = (whole.clone(), 1, 0);
    for _ in 0..3_000 {
        let near = names[random(&mut state) % names.len()] + random(&mut state) % 64;
        for at in [near.saturating_sub(48), random(&mut state) % whole.len()] {
            model[at] = random(&mut state) as u8;
        }
        unread += usize::from(!read(&model));
        if random(&mut state).is_multiple_of(4) {
            model.copy_from_slice(&whole);
        }
    }
    assert!(unread > 100, "{unread} of them were refused");
}

#[test]
fn a_job_of_another_length_is_refused_and_changes_nothing() {
    let model = model();
    let Some(instructions) = Instructions::all().next() else { return };
    let mut kernel = Kernel::read(&model, Rate::Hz8000, instructions).unwrap();
    let mut calls = [Call::new(Rate::Hz8000), Call::new(Rate::Hz16000)];
    let error = kernel.infer(&mut calls).unwrap_err();
    assert_eq!(error.to_string(), "a window of 512 samples with a state of 320 is not for Hz8000");
    assert_eq!(calls[0].probability, -1.0);
    assert!(calls[0].state.iter().all(|&number| number == 0.0));
}
