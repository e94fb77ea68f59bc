//! The kernel against the scalar reference, with every instruction set of this CPU, over sounds made here.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ringway_silero_kernel::{Instructions, Kernel, Rate, Reference};
use support::{Call, model, sound};

const RATES: [Rate; 2] = [Rate::Hz8000, Rate::Hz16000];

#[test]
fn every_batch_gives_what_the_reference_gives() {
    for rate in RATES {
        let reference = Reference::read(&model(), rate).unwrap();
        for instructions in Instructions::all() {
            let mut kernel = Kernel::read(&model(), rate, instructions).unwrap();
            for size in [1, 2, 3, 5, 6, 7, 13, 24, 25, 49] {
                let mut calls: Vec<Call> = (0..size).map(|_| Call::new(rate)).collect();
                let mut expected = calls.clone();
                for step in 0..6 {
                    for (seed, call) in calls.iter_mut().enumerate() {
                        call.window = sound(seed, step, rate);
                    }
                    kernel.infer(&mut calls).unwrap();
                    for (n, (call, expected)) in calls.iter().zip(&mut expected).enumerate() {
                        expected.probability = reference.infer(&mut expected.state, &call.window).unwrap();
                        let error = (call.probability - expected.probability).abs();
                        assert!(
                            error < 1e-5,
                            "{rate:?}, {instructions}, call {n} of {size}, step {step}: {}, {}",
                            call.probability,
                            expected.probability
                        );
                    }
                }
            }
        }
    }
}
