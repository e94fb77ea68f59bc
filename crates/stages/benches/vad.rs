//! What a window of voice activity detection costs: the network in batches by each engine, and the cutting of windows.
//!
//! A batch that shall not block its media core longer than 1 ms is as long as this says.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringway_frame::{Format, Frame, SampleRate};
use ringway_silero_kernel::{Instructions, Kernel, Rate};
use ringway_stages::level::LoudTracker;
use ringway_stages::silero::{Silero, SileroConfig, WindowCutter};
use ringway_stages::vad::{Vad, VadJob, VadState};
use std::hint::black_box;
use std::path::{Path, PathBuf};

const RATES: [SampleRate; 2] = [SampleRate::HZ_16000, SampleRate::HZ_8000];

fn file(variable: &str, default: &str) -> PathBuf {
    let kept = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ringway").join(default);
    std::env::var_os(variable).map_or_else(kept, PathBuf::from)
}

fn silero(rate: SampleRate) -> Silero {
    let library = file("RINGWAY_ONNXRUNTIME", "lib/libonnxruntime.so");
    let model = file("RINGWAY_VAD_MODEL", "models/silero_vad.onnx");
    Silero::load(&SileroConfig { library, model, rate }).expect("`make setup` has been run")
}

/// Something that sounds: 200 Hz and its overtones.
fn buzz(samples: usize, rate: SampleRate) -> Vec<f32> {
    let period = rate.hz() as usize / 200;
    (0..samples).map(|n| 0.2 - 0.4 * (n % period) as f32 / period as f32).collect()
}

/// Each engine, its name first: ONNX Runtime, then the kernel with each instruction set of this CPU.
fn engines(rate: SampleRate) -> Vec<(String, Infer)> {
    let mut silero = silero(rate);
    let mut engines: Vec<(String, Infer)> =
        vec![("ONNX Runtime".into(), Box::new(move |jobs| silero.infer(jobs).expect("the model runs")))];
    let model = std::fs::read(file("RINGWAY_VAD_MODEL", "models/silero_vad.onnx")).expect("the model");
    let hears = if rate == SampleRate::HZ_8000 { Rate::Hz8000 } else { Rate::Hz16000 };
    for instructions in Instructions::all() {
        let mut kernel = Kernel::read(&model, hears, instructions).expect("the model");
        let infer = move |jobs: &mut [VadJob<'_>]| kernel.infer(jobs).expect("windows of this rate");
        engines.push((format!("kernel {instructions}"), Box::new(infer)));
    }
    engines
}

type Infer = Box<dyn FnMut(&mut [VadJob<'_>])>;

fn batches(c: &mut Criterion) {
    for rate in RATES {
        let fresh = silero(rate);
        let samples = buzz(fresh.window(), rate);
        let mut engines = engines(rate);
        for size in [1, 8, 24, 32, 128] {
            let mut group = c.benchmark_group(format!("silero at {rate}, a window of {size:3}"));
            group.throughput(Throughput::Elements(size as u64));
            for (engine, infer) in &mut engines {
                let mut states: Vec<VadState> = (0..size).map(|_| fresh.state()).collect();
                group.bench_function(engine.as_str(), |b| {
                    let jobs =
                        states.iter_mut().map(|state| VadJob { state, samples: &samples, probability: 0.0 });
                    let mut jobs: Vec<_> = jobs.collect();
                    b.iter(|| infer(black_box(&mut jobs)));
                });
            }
        }
    }
}

fn frames(c: &mut Criterion) {
    let mut group = c.benchmark_group("a frame of 20 ms");
    for (format, rate) in [
        (Format::Mulaw8k, SampleRate::HZ_16000),
        (Format::Mulaw8k, SampleRate::HZ_8000),
        (Format::Pcm16k, SampleRate::HZ_16000),
        (Format::Pcm16k, SampleRate::HZ_8000),
    ] {
        let frame = Frame::new(format, &vec![0x55; format.bytes()]).expect("a whole frame");
        let mut cutter = WindowCutter::new(format, rate).expect("a rate of the model");
        group.bench_function(format!("cut {format} for {rate}"), |b| {
            b.iter(|| {
                cutter.hear(black_box(&frame));
                black_box(cutter.next_window());
            });
        });
        let mut loud = LoudTracker::new(format.rate());
        group.bench_function(format!("track {format} for {rate}"), |b| {
            b.iter(|| loud.hear(black_box(&frame)))
        });
    }
}

criterion_group!(vad, batches, frames);
criterion_main!(vad);
