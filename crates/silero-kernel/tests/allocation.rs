//! What the kernel allocates: once, a known amount, and nothing a window.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ringway_silero_kernel::{Instructions, Kernel, Rate};
use support::{Call, model, sound};

#[test]
fn judging_allocates_nothing() {
    let model = model();
    for instructions in Instructions::all() {
        for rate in [Rate::Hz8000, Rate::Hz16000] {
            let mut kernel = Kernel::read(&model, rate, instructions).unwrap();
            let mut calls: Vec<Call> = (0..50).map(|_| Call::new(rate)).collect();
            calls.iter_mut().enumerate().for_each(|(seed, call)| call.window = sound(seed, 1, rate));
            let judging = allocation_counter::measure(|| {
                for size in 0..=50 {
                    kernel.infer(&mut calls[..size]).unwrap();
                }
            });
            assert_eq!(judging.count_total, 0, "{rate:?}, {instructions}");
            assert!(calls.iter().all(|call| (0.0..=1.0).contains(&call.probability)));
        }
    }
}

#[test]
fn a_kernel_keeps_less_than_3_mib() {
    let model = model();
    for instructions in Instructions::all() {
        let mut kernel = None;
        let made = allocation_counter::measure(|| {
            kernel = Some(Kernel::read(&model, Rate::Hz16000, instructions).unwrap());
        });
        println!("{instructions}: {} bytes", made.bytes_current);
        assert!(made.bytes_current < 3 << 20, "{instructions}: {} bytes", made.bytes_current);
    }
}
