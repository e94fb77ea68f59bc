//! The Silero model over recorded speech, and what is refused once ONNX Runtime is loaded.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpus;
mod kernel;
mod loudness;
mod recordings;
mod refusals;

use recordings::{PROMPTS, noise, prompt, windows};
use ringway_frame::SampleRate;
use ringway_stages::silero::{Silero, SileroConfig};
use ringway_stages::vad::{Vad, VadJob, VadState};
use std::path::{Path, PathBuf};

const RATES: [SampleRate; 2] = [SampleRate::HZ_16000, SampleRate::HZ_8000];

/// From here on a window is speech.
const SPEECH: f32 = 0.5;

fn config(rate: SampleRate) -> SileroConfig {
    SileroConfig {
        library: file("RINGWAY_ONNXRUNTIME", "lib/libonnxruntime.so"),
        model: file("RINGWAY_VAD_MODEL", "models/silero_vad.onnx"),
        rate,
    }
}

fn file(variable: &str, default: &str) -> PathBuf {
    let kept = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ringway").join(default);
    std::env::var_os(variable).map_or_else(kept, PathBuf::from)
}

fn silero(rate: SampleRate) -> Silero {
    Silero::load(&config(rate)).unwrap_or_else(|error| panic!("{error} (`make setup` puts it there)"))
}

fn judge(silero: &mut Silero, state: &mut VadState, samples: &[f32]) -> f32 {
    let mut job = [VadJob { state, samples, probability: -1.0 }];
    silero.infer(&mut job).expect("the model runs");
    job[0].probability
}

/// One by one, from a fresh state.
fn probabilities(silero: &mut Silero, windows: &[Vec<f32>]) -> Vec<f32> {
    let mut state = silero.state();
    windows.iter().map(|window| judge(silero, &mut state, window)).collect()
}

/// All calls at once, a window of each at a time; a call leaves when its windows are over.
fn batched(silero: &mut Silero, calls: &[Vec<Vec<f32>>]) -> Vec<Vec<f32>> {
    let mut states: Vec<VadState> = calls.iter().map(|_| silero.state()).collect();
    let mut results = vec![Vec::new(); calls.len()];
    let longest = calls.iter().map(Vec::len).max().unwrap_or(0);
    for step in 0..longest {
        let mut jobs: Vec<VadJob<'_>> = Vec::new();
        for (state, windows) in states.iter_mut().zip(calls).filter(|(_, windows)| step < windows.len()) {
            jobs.push(VadJob { state, samples: &windows[step], probability: -1.0 });
        }
        silero.infer(&mut jobs).expect("the model runs");
        let going = results.iter_mut().zip(calls).filter(|(_, windows)| step < windows.len());
        going.zip(&jobs).for_each(|((result, _), job)| result.push(job.probability));
    }
    results
}

#[test]
fn a_batch_gives_the_same_decisions_as_one_by_one() {
    for rate in RATES {
        let mut silero = silero(rate);
        // More calls than one run takes, of many lengths, so that every size of batch occurs.
        let calls: Vec<_> =
            PROMPTS.iter().chain(&PROMPTS[..16]).map(|name| windows(&prompt(name), rate)).collect();
        for (call, together) in batched(&mut silero, &calls).iter().enumerate() {
            let alone = probabilities(&mut silero, &calls[call]);
            assert_eq!(alone.len(), together.len());
            for (n, (alone, together)) in alone.iter().zip(together).enumerate() {
                assert!(
                    (alone - together).abs() < 1e-5,
                    "{rate}, call {call}, window {n}: {alone}, {together}"
                );
                assert_eq!(*alone >= SPEECH, *together >= SPEECH, "{rate}, call {call}, window {n}");
            }
        }
    }
}

#[test]
fn speech_is_found_in_every_prompt() {
    for rate in RATES {
        let mut silero = silero(rate);
        for name in PROMPTS {
            let probabilities = probabilities(&mut silero, &windows(&prompt(name), rate));
            let speech = probabilities.iter().filter(|&&probability| probability >= SPEECH).count();
            assert!(speech >= 3, "{name} at {rate}: {speech} windows of speech in {probabilities:.2?}");
            // The silence before and the last half second after it.
            let (before, after) = (&probabilities[..14], &probabilities[probabilities.len() - 15..]);
            for &probability in before.iter().chain(after) {
                assert!(probability < 0.3, "{name} at {rate}: {probability} in silence");
            }
        }
    }
}

#[test]
fn silence_and_noise_are_no_speech() {
    for rate in RATES {
        let mut silero = silero(rate);
        for (name, samples) in [
            ("silence", vec![0; 40_000]),
            ("-50 dBFS", noise(40_000, -50.0)),
            ("-30 dBFS", noise(40_000, -30.0)),
        ] {
            let probabilities = probabilities(&mut silero, &windows(&samples, rate));
            assert!(probabilities.iter().all(|&p| p < SPEECH), "{name} at {rate}: {probabilities:.2?}");
        }
    }
}

#[test]
fn calls_do_not_hear_one_another() {
    let rate = SampleRate::HZ_16000;
    let mut silero = silero(rate);
    let speech = windows(&prompt("hello-world"), rate);
    let silence = vec![vec![0.0; silero.window()]; speech.len()];
    let alone = probabilities(&mut silero, &silence);
    let together = batched(&mut silero, &[speech, silence]);
    assert!(together[0].iter().any(|&probability| probability > 0.9));
    for (alone, together) in alone.iter().zip(&together[1]) {
        assert!((alone - together).abs() < 1e-5, "{alone}, {together}");
    }
}

#[test]
fn a_session_may_move_to_the_thread_that_uses_it() {
    let mut silero = silero(SampleRate::HZ_8000);
    let judged = std::thread::spawn(move || {
        let mut state = silero.state();
        judge(&mut silero, &mut state, &[0.0; 256])
    });
    let here = probabilities(&mut self::silero(SampleRate::HZ_8000), &[vec![0.0; 256]]);
    assert_eq!(judged.join().unwrap(), here[0]);
}
