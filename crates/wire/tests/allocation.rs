//! What the codecs of audio allocate: once, a known amount, and nothing a frame.

use ringway_frame::SampleRate;
use ringway_wire::opus::{Decoder, Encoder, MAX_PACKET};
use ringway_wire::resample::Resampler;
use ringway_wire::{g711, level::Dbfs};

#[test]
fn a_resampler_is_small_and_allocates_once() {
    let hz = [
        (8_000, 16_000, 32),
        (16_000, 8_000, 32),
        (48_000, 16_000, 80),
        (16_000, 48_000, 80),
        (24_000, 16_000, 64),
    ];
    for (from, to, most_kib) in hz {
        let (from, to) = (SampleRate::new(from).unwrap(), SampleRate::new(to).unwrap());
        let mut made = None;
        let size =
            allocation_counter::measure(|| made = Some(Resampler::new(from, to).unwrap())).bytes_current;
        println!("{from} to {to}: {size} bytes");
        assert!(size <= most_kib * 1_024, "{from} to {to}: {size} bytes");
        let mut resampler = made.unwrap();
        let (samples, mut resampled) = (vec![100; from.frame_samples()], vec![0; to.frame_samples()]);
        let frames =
            allocation_counter::measure(|| (0..10).for_each(|_| resampler.process(&samples, &mut resampled)));
        assert_eq!(frames.count_total, 0, "{from} to {to}");
    }
}

#[test]
fn coding_a_frame_allocates_nothing() {
    let mut encoder = Encoder::new(SampleRate::HZ_16000, 0).unwrap();
    let mut decoder = Decoder::new(SampleRate::HZ_16000).unwrap();
    let (mut samples, mut packet, mut mulaw) = ([0; 320], [0; MAX_PACKET], [0; 320]);
    let frames = allocation_counter::measure(|| {
        let len = encoder.encode(&samples, &mut packet).unwrap();
        decoder.decode(&packet[..len], &mut samples).unwrap();
        g711::encode(&samples, &mut mulaw);
        g711::decode(&mulaw, &mut samples);
        assert!(!Dbfs::of_mulaw(&mulaw).is_loud());
    });
    assert_eq!(frames.count_total, 0);
}
