//! What a message costs in each protocol: 20 ms of audio, or an event of a browser session.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use criterion::{Criterion, criterion_group, criterion_main};
use ringway_frame::Format;
use ringway_wire::twilio::{CarrierWriter, Dialect, FromCarrier, ServerWriter, Start};
use ringway_wire::voice_ws::{Down, Session, Up};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::hint::black_box;

/// 20 ms of mu-law.
const AUDIO: [u8; 160] = [0x55; 160];

fn start() -> Start {
    Start {
        stream: "MZ0123456789abcdef0123456789abcdef".to_owned(),
        call: "CA0123456789abcdef0123456789abcdef".to_owned(),
        account: "AC0123456789abcdef0123456789abcdef".to_owned(),
        format: Format::Mulaw8k,
        custom_parameters: BTreeMap::new(),
    }
}

fn media() -> String {
    let mut text = Vec::new();
    CarrierWriter::new(&Dialect::TWILIO, start()).media(&mut text, &AUDIO);
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// The fields of a media message that count, for serde_json alone.
#[derive(Deserialize)]
struct Message<'a> {
    event: &'a str,
    #[serde(borrow)]
    media: Media<'a>,
}

#[derive(Deserialize)]
struct Media<'a> {
    track: &'a str,
    timestamp: &'a str,
    payload: &'a str,
}

fn twilio_read(criterion: &mut Criterion) {
    let scanned = media();
    // One escape is enough to send it through the tree.
    let escaped = scanned.replace("inbound", r"inb\u006fund");
    let mut audio = Vec::with_capacity(640);
    let mut group = criterion.benchmark_group("twilio media read");
    for (name, text) in [("scanner", &scanned), ("our tree, where it gives up", &escaped)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| FromCarrier::parse(&Dialect::TWILIO, black_box(text), &mut audio).is_ok());
        });
    }
    group.bench_function("serde_json, a struct", |bencher| {
        bencher.iter(|| {
            let message: Message<'_> = serde_json::from_str(black_box(&scanned)).expect("it is JSON");
            black_box((message.event, message.media.track, message.media.timestamp));
            audio.clear();
            STANDARD.decode_vec(message.media.payload, &mut audio)
        });
    });
    group.bench_function("serde_json, a Value", |bencher| {
        bencher.iter(|| {
            let message: Value = serde_json::from_str(black_box(&scanned)).expect("it is JSON");
            audio.clear();
            STANDARD.decode_vec(message["media"]["payload"].as_str().unwrap_or_default(), &mut audio)
        });
    });
    group.finish();
}

fn twilio_written(criterion: &mut Criterion) {
    let writer = ServerWriter::new(&Dialect::TWILIO, &start().stream);
    let mut out = Vec::with_capacity(1_024);
    let mut group = criterion.benchmark_group("twilio media written");
    group.bench_function("writer", |bencher| {
        bencher.iter(|| {
            out.clear();
            writer.media(&mut out, black_box(&AUDIO));
        });
    });
    group.bench_function("serde_json", |bencher| {
        bencher.iter(|| {
            let payload = STANDARD.encode(black_box(&AUDIO));
            let message = serde_json::json!({"event": "media", "streamSid": start().stream, "media": {"payload": payload}});
            out.clear();
            serde_json::to_writer(&mut out, &message)
        });
    });
    group.finish();
}

fn base64(criterion: &mut Criterion) {
    let (coded, mut bytes, mut text) = (STANDARD.encode(AUDIO), Vec::with_capacity(640), String::new());
    let mut group = criterion.benchmark_group("base64 of 20 ms");
    group.bench_function("read", |bencher| {
        bencher.iter(|| {
            bytes.clear();
            STANDARD.decode_vec(black_box(&coded), &mut bytes)
        });
    });
    group.bench_function("written", |bencher| {
        bencher.iter(|| {
            text.clear();
            STANDARD.encode_string(black_box(&AUDIO), &mut text);
        });
    });
    group.finish();
}

fn voice_ws(criterion: &mut Criterion) {
    let mut session = Session::new();
    session.text(r#"{"type":"start","codec":"pcm16","sampleRate":16000}"#).expect("a session begins so");
    let mut group = criterion.benchmark_group("voice-ws");
    group.bench_function("20 ms of PCM read", |bencher| {
        let audio = [0x55; 640];
        bencher.iter(|| session.binary(black_box(&audio)).is_ok());
    });
    group.bench_function("key read", |bencher| {
        bencher.iter(|| Up::parse(black_box(r#"{"type":"dtmf","digit":"5"}"#)).is_ok());
    });
    group.bench_function("transcript written", |bencher| {
        let text = "I would like to know when you are open".to_owned();
        let transcript = Down::Transcript { turn: 7, text, is_final: false };
        bencher.iter(|| black_box(&transcript).to_text());
    });
    group.finish();
}

criterion_group!(benches, twilio_read, twilio_written, base64, voice_ws);
criterion_main!(benches);
