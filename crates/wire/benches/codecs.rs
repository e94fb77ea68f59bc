//! What a frame of 20 ms costs in each codec.

use criterion::{Criterion, criterion_group, criterion_main};
use ringway_frame::{Format, SampleRate};
use ringway_wire::opus::{Decoder, Encoder, MAX_PACKET};
use ringway_wire::resample::Resampler;
use ringway_wire::twilio::{CarrierWriter, Dialect, FromCarrier, ServerWriter, Start};
use ringway_wire::{g711, level::Dbfs};
use std::collections::BTreeMap;
use std::hint::black_box;

fn twilio(criterion: &mut Criterion) {
    let start = Start {
        stream: "MZ0123456789abcdef0123456789abcdef".to_owned(),
        call: "CA0123456789abcdef0123456789abcdef".to_owned(),
        account: "AC0123456789abcdef0123456789abcdef".to_owned(),
        format: Format::Mulaw8k,
        custom_parameters: BTreeMap::new(),
    };
    let server = ServerWriter::new(&Dialect::TWILIO, &start.stream);
    let (mut text, mut audio, mut out) = (Vec::new(), Vec::new(), Vec::new());
    CarrierWriter::new(&Dialect::TWILIO, start).media(&mut text, &[0x55; 160]);
    let scanned = String::from_utf8(text).expect("JSON is UTF-8");
    // One escape is enough to send it through the tree.
    let parsed = scanned.replace("inbound", r"inb\u006fund");
    for (name, text) in [("scanned", &scanned), ("by serde", &parsed)] {
        criterion.bench_function(&format!("twilio media, {name}"), |bencher| {
            bencher.iter(|| FromCarrier::parse(&Dialect::TWILIO, black_box(text), &mut audio).is_ok());
        });
    }
    criterion.bench_function("twilio media, written", |bencher| {
        bencher.iter(|| {
            out.clear();
            server.media(&mut out, black_box(&[0x55; 160]));
        });
    });
}

fn audio(criterion: &mut Criterion) {
    let (mut samples, mulaw) = ([0; 160], [0x55; 160]);
    criterion.bench_function("g711 decode", |bencher| {
        bencher.iter(|| g711::decode(black_box(&mulaw), &mut samples))
    });
    criterion.bench_function("level of mu-law", |bencher| bencher.iter(|| Dbfs::of_mulaw(black_box(&mulaw))));
    let hz = [(8_000, 16_000), (16_000, 8_000), (48_000, 16_000), (16_000, 48_000), (22_050, 16_000)];
    for (from, to) in hz {
        let [from, to] = [from, to].map(|hz| SampleRate::new(hz).expect("not zero"));
        let mut resampler = Resampler::new(from, to).expect("whole frames");
        let (samples, mut resampled) = (vec![100; from.frame_samples()], vec![0; to.frame_samples()]);
        criterion.bench_function(&format!("resample {from} to {to}"), |bencher| {
            bencher.iter(|| resampler.process(black_box(&samples), &mut resampled));
        });
    }
}

fn opus(criterion: &mut Criterion) {
    let samples: Vec<i16> = (0..320).map(|n| ((f64::from(n) * 0.17).sin() * 9_000.0) as i16).collect();
    let mut encoder = Encoder::new(SampleRate::HZ_16000, 5).expect("a rate of Opus");
    let mut decoder = Decoder::new(SampleRate::HZ_16000).expect("a rate of Opus");
    let (mut packet, mut decoded) = ([0; MAX_PACKET], [0; 320]);
    let mut len = 0;
    criterion.bench_function("opus encode 16 kHz, complexity 5", |bencher| {
        bencher.iter(|| len = encoder.encode(black_box(&samples), &mut packet).expect("room for a packet"));
    });
    criterion.bench_function("opus decode 16 kHz", |bencher| {
        bencher.iter(|| decoder.decode(black_box(&packet[..len]), &mut decoded).expect("a good packet"));
    });
}

criterion_group!(benches, twilio, audio, opus);
criterion_main!(benches);
