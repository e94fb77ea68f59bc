//! Instructions of the hot paths, counted by Callgrind: `make bench-instructions` compares them with
//! `actors/benches/instructions.json`.
//!
//! Callgrind knows no AVX-512 and its CPU says so, so that the kernel runs with AVX2 here. What is built up beforehand
//! and dropped afterwards is not counted.
#![allow(missing_docs, reason = "the macros make public items")]

mod path;

use gungraun::{library_benchmark, library_benchmark_group, main};
use path::{Downlink, Uplink};
use ringway_frame::{Format, Frame, MediaTime, SampleRate, Skew};
use ringway_ring::{Reader, Writer};
use ringway_stages::level::LoudTracker;
use ringway_stages::silero::{SileroKernel, WindowCutter};
use ringway_stages::vad::{Vad, VadJob, VadState};
use ringway_turn::{Turn, Window};
use ringway_wire::g711;
use ringway_wire::resample::Resampler;
use ringway_wire::twilio::{Dialect, FromCarrier, ServerWriter, ToCarrier};
use ringway_wire::voice_ws;
use std::hint::black_box;

/// Frames of a count: a second.
const FRAMES: usize = 50;

fn ring() -> (Writer, Reader, Frame) {
    let (writer, reader) = ringway_ring::ring(Format::Mulaw8k, 64);
    (writer, reader, Frame::new(Format::Mulaw8k, &path::voice()).expect("20 ms"))
}

#[library_benchmark]
#[bench::frames_50(ring())]
fn ring_push_pop(ends: (Writer, Reader, Frame)) -> (Writer, Reader, Frame) {
    let (mut writer, mut reader, mut frame) = ends;
    for _ in 0..FRAMES {
        writer.push(black_box(&frame)).expect("there is room");
        reader.pop(black_box(&mut frame)).expect("it was pushed");
    }
    (writer, reader, frame)
}

fn media() -> (String, Vec<u8>) {
    (path::media_text(), Vec::with_capacity(640))
}

#[library_benchmark]
#[bench::frames_50(media())]
fn twilio_media_scanned(message: (String, Vec<u8>)) -> (String, Vec<u8>) {
    let (text, mut audio) = message;
    for _ in 0..FRAMES {
        let parsed = FromCarrier::parse(&Dialect::TWILIO, black_box(&text), &mut audio);
        assert!(matches!(parsed, Ok(FromCarrier::Media(_))));
    }
    (text, audio)
}

fn server_writer() -> (ServerWriter, Vec<u8>, Vec<u8>) {
    (ServerWriter::new(&Dialect::TWILIO, &path::start().stream), path::voice(), Vec::with_capacity(1_024))
}

#[library_benchmark]
#[bench::frames_50(server_writer())]
fn twilio_media_written(parts: (ServerWriter, Vec<u8>, Vec<u8>)) -> (ServerWriter, Vec<u8>, Vec<u8>) {
    let (writer, voice, mut out) = parts;
    for _ in 0..FRAMES {
        out.clear();
        writer.media(&mut out, black_box(&voice));
    }
    (writer, voice, out)
}

/// What the server writes, as a caller's side reads it.
fn written() -> (String, Vec<u8>) {
    let (writer, voice, mut out) = server_writer();
    writer.media(&mut out, &voice);
    (String::from_utf8(out).expect("JSON is UTF-8"), Vec::with_capacity(640))
}

#[library_benchmark]
#[bench::frames_50(written())]
fn twilio_answer_scanned(message: (String, Vec<u8>)) -> (String, Vec<u8>) {
    let (text, mut audio) = message;
    for _ in 0..FRAMES {
        assert!(ToCarrier::parse(&Dialect::TWILIO, black_box(&text), &mut audio).is_ok());
    }
    (text, audio)
}

fn browser() -> (voice_ws::Session, Vec<u8>) {
    let mut session = voice_ws::Session::new();
    let start = r#"{"type":"start","codec":"pcm16","sampleRate":16000}"#;
    session.text(start).expect("a session begins so");
    (session, vec![0x55; 640])
}

#[library_benchmark]
#[bench::frames_50(browser())]
fn voice_ws_audio(parts: (voice_ws::Session, Vec<u8>)) -> (voice_ws::Session, Vec<u8>) {
    let (mut session, message) = parts;
    for _ in 0..FRAMES {
        assert!(session.binary(black_box(&message)).is_ok_and(|event| event.is_some()));
    }
    (session, message)
}

#[library_benchmark]
#[bench::frames_50(path::voice())]
fn mulaw_decoded_and_encoded(mut mulaw: Vec<u8>) -> Vec<u8> {
    let mut samples = [0; 160];
    for _ in 0..FRAMES {
        g711::decode(black_box(&mulaw), &mut samples);
        g711::encode(black_box(&samples), &mut mulaw);
    }
    mulaw
}

fn resampler(from: SampleRate, to: SampleRate) -> (Resampler, Vec<i16>, Vec<i16>) {
    let resampler = Resampler::new(from, to).expect("whole frames");
    (resampler, vec![100; from.frame_samples()], vec![0; to.frame_samples()])
}

#[library_benchmark]
#[bench::from_8_to_16_khz_frames_50(resampler(SampleRate::HZ_8000, SampleRate::HZ_16000))]
#[bench::from_48_to_16_khz_frames_50(resampler(SampleRate::HZ_48000, SampleRate::HZ_16000))]
fn resampled(parts: (Resampler, Vec<i16>, Vec<i16>)) -> (Resampler, Vec<i16>, Vec<i16>) {
    let (mut resampler, from, mut to) = parts;
    for _ in 0..FRAMES {
        resampler.process(black_box(&from), &mut to);
    }
    (resampler, from, to)
}

fn windows(rate: SampleRate) -> (WindowCutter, LoudTracker, Frame) {
    let (format, loud) = (Format::Mulaw8k, LoudTracker::new(SampleRate::HZ_8000));
    let cutter = WindowCutter::new(format, rate).expect("a rate of the network");
    (cutter, loud, Frame::new(format, &path::voice()).expect("20 ms"))
}

#[library_benchmark]
#[bench::at_16_khz_frames_50(windows(SampleRate::HZ_16000))]
#[bench::at_8_khz_frames_50(windows(SampleRate::HZ_8000))]
fn windows_cut(parts: (WindowCutter, LoudTracker, Frame)) -> (WindowCutter, LoudTracker, Frame) {
    let (mut cutter, mut loud, frame) = parts;
    for _ in 0..FRAMES {
        loud.hear(black_box(&frame));
        cutter.hear(black_box(&frame));
        black_box(cutter.next_window());
    }
    (cutter, loud, frame)
}

fn batch(rate: SampleRate, calls: usize) -> (SileroKernel, Vec<VadState>, Vec<f32>) {
    let kernel = path::kernel(rate);
    let states = (0..calls).map(|_| kernel.state()).collect();
    let samples = (0..kernel.window()).map(|n| 0.2 - 0.4 * (n % 80) as f32 / 80.0).collect();
    (kernel, states, samples)
}

#[library_benchmark]
#[bench::at_16_khz_calls_1(batch(SampleRate::HZ_16000, 1))]
#[bench::at_16_khz_calls_24(batch(SampleRate::HZ_16000, 24))]
#[bench::at_8_khz_calls_1(batch(SampleRate::HZ_8000, 1))]
#[bench::at_8_khz_calls_24(batch(SampleRate::HZ_8000, 24))]
fn vad_window(parts: (SileroKernel, Vec<VadState>, Vec<f32>)) -> (SileroKernel, Vec<VadState>, Vec<f32>) {
    let (mut kernel, mut states, samples) = parts;
    let jobs = states.iter_mut().map(|state| VadJob { state, samples: &samples, probability: 0.0 });
    kernel.infer(black_box(&mut jobs.collect::<Vec<_>>())).expect("windows of its rate");
    (kernel, states, samples)
}

fn turn(probability: f32) -> (Turn, f32) {
    (path::listening(), probability)
}

#[library_benchmark]
#[bench::silence_windows_100(turn(0.0))]
#[bench::speech_windows_100(turn(0.9))]
fn turn_step((mut turn, probability): (Turn, f32)) -> Turn {
    for n in 1..=100 {
        let until = MediaTime::from_millis(32 * n);
        path::decide(
            &mut turn,
            black_box(Window { until, probability, loud_until: until, skew: Skew::ZERO }),
        );
    }
    turn
}

fn uplink(rate: SampleRate) -> (SileroKernel, Uplink) {
    let kernel = path::kernel(rate);
    let uplink = Uplink::new(&kernel);
    (kernel, uplink)
}

#[library_benchmark]
#[bench::at_16_khz_frames_50(uplink(SampleRate::HZ_16000))]
#[bench::at_8_khz_frames_50(uplink(SampleRate::HZ_8000))]
fn caller_to_turn(parts: (SileroKernel, Uplink)) -> (SileroKernel, Uplink) {
    let (mut kernel, mut call) = parts;
    for _ in 0..FRAMES {
        call.hear(&mut kernel);
    }
    (kernel, call)
}

#[library_benchmark]
#[bench::frames_50(Downlink::new())]
fn bot_to_caller(mut call: Downlink) -> Downlink {
    for _ in 0..FRAMES {
        call.say();
    }
    call
}

library_benchmark_group!(
    name = paths,
    benchmarks = [
        ring_push_pop,
        twilio_media_scanned,
        twilio_media_written,
        twilio_answer_scanned,
        voice_ws_audio,
        mulaw_decoded_and_encoded,
        resampled,
        windows_cut,
        vad_window,
        turn_step,
        caller_to_turn,
        bot_to_caller,
    ]
);

main!(library_benchmark_groups = paths);
