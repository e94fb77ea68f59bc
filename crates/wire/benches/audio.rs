//! What 20 ms cost in each codec of audio, and between rates.

use criterion::{Criterion, criterion_group, criterion_main};
use ringway_frame::SampleRate;
use ringway_wire::opus::{Decoder, Encoder, MAX_PACKET};
use ringway_wire::resample::Resampler;
use ringway_wire::{g711, level::Dbfs};
use rubato::audioadapter_buffers::number_to_float::InterleavedNumbers;
use rubato::{
    Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType, WindowFunction,
};
use std::hint::black_box;

fn mulaw(criterion: &mut Criterion) {
    let (mut samples, mut mulaw) = ([0; 160], [0x55; 160]);
    let table: [i16; 256] = std::array::from_fn(|byte| {
        let mut sample = [0];
        g711::decode(&[byte as u8], &mut sample);
        sample[0]
    });
    let mut group = criterion.benchmark_group("mu-law decoded");
    group.bench_function("g711", |bencher| bencher.iter(|| g711::decode(black_box(&mulaw), &mut samples)));
    group.bench_function("a table of 512 bytes", |bencher| {
        bencher.iter(|| {
            for (sample, byte) in samples.iter_mut().zip(black_box(&mulaw)) {
                *sample = table[usize::from(*byte)];
            }
            black_box(&samples);
        });
    });
    group.finish();
    criterion.bench_function("mu-law encoded", |bencher| {
        bencher.iter(|| g711::encode(black_box(&samples), &mut mulaw))
    });
    criterion.bench_function("level of mu-law", |bencher| bencher.iter(|| Dbfs::of_mulaw(black_box(&mulaw))));
}

fn resampling(criterion: &mut Criterion) {
    let hz = [(8_000, 16_000), (16_000, 8_000), (48_000, 16_000), (16_000, 48_000), (22_050, 16_000)];
    for (from, to) in hz {
        let [from, to] = [from, to].map(|hz| SampleRate::new(hz).expect("not zero"));
        let mut group = criterion.benchmark_group(format!("resampled, {from} to {to}"));
        let (samples, mut resampled) = (vec![100_i16; from.frame_samples()], vec![0; to.frame_samples()]);
        let mut resampler = Resampler::new(from, to).expect("whole frames");
        group.bench_function("FFT, as we do", |bencher| {
            bencher.iter(|| resampler.process(black_box(&samples), &mut resampled));
        });
        let mut sinc = sinc(from, to);
        let mut room = vec![0_i16; 2 * to.frame_samples()];
        let space = room.len();
        let input = InterleavedNumbers::new(&samples[..], 1, samples.len()).expect("one channel");
        let mut output = InterleavedNumbers::new_mut(&mut room[..], 1, space).expect("one channel");
        group.bench_function("rubato's sinc of 64", |bencher| {
            bencher.iter(|| {
                sinc.process_into_buffer(black_box(&input), &mut output, None).expect("there is room")
            });
        });
        group.finish();
    }
}

fn sinc(from: SampleRate, to: SampleRate) -> Async<f32> {
    let parameters = SincInterpolationParameters {
        sinc_len: 64,
        f_cutoff: Some(0.95),
        interpolation: SincInterpolationType::Linear,
        oversampling_factor: 128,
        window: WindowFunction::BlackmanHarris2,
    };
    let ratio = f64::from(to.hz()) / f64::from(from.hz());
    Async::new_sinc(ratio, 1.0, &parameters, from.frame_samples(), 1, FixedAsync::Input)
        .expect("good parameters")
}

fn opus(criterion: &mut Criterion) {
    let samples: Vec<i16> = (0..320).map(|n| ((f64::from(n) * 0.17).sin() * 9_000.0) as i16).collect();
    let mut encoder = Encoder::new(SampleRate::HZ_16000, 5).expect("a rate of Opus");
    let mut decoder = Decoder::new(SampleRate::HZ_16000).expect("a rate of Opus");
    let (mut packet, mut decoded) = ([0; MAX_PACKET], [0; 320]);
    let mut len = 0;
    criterion.bench_function("opus encoded at 16 kHz, complexity 5", |bencher| {
        bencher.iter(|| len = encoder.encode(black_box(&samples), &mut packet).expect("room for a packet"));
    });
    criterion.bench_function("opus decoded at 16 kHz", |bencher| {
        bencher.iter(|| decoder.decode(black_box(&packet[..len]), &mut decoded).expect("a good packet"));
    });
}

criterion_group!(benches, mulaw, resampling, opus);
criterion_main!(benches);
