//! What one window of the caller's audio costs: 31 a second and call.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ringway_frame::{MediaTime, Skew};
use ringway_turn::{After, Command, Config, Input, Memo, Output, RequestId, Turn, Window};
use std::hint::black_box;

/// A call whose greeting is asked for; with `speech`, the caller is speaking.
fn call(speech: bool) -> (Turn, u64) {
    let mut turn = Turn::new(Config::default());
    turn.handle(Input::Started, MediaTime::ZERO);
    let request = RequestId::default();
    turn.handle(Input::ReplyEnd { request, after: After::Nothing, memo: Memo::default() }, MediaTime::ZERO);
    let mut until = 0;
    for _ in 0..40 {
        until = step(&mut turn, until, if speech { 0.9 } else { 0.0 });
    }
    assert_eq!(turn.caller_has_the_floor(), speech);
    (turn, until)
}

fn step(turn: &mut Turn, until: u64, probability: f32) -> u64 {
    let until = until + 32;
    let end = MediaTime::from_millis(until);
    turn.handle(Input::Window(Window { until: end, probability, loud_until: end, skew: Skew::ZERO }), end);
    while let Output::Command(command) = black_box(turn.poll()) {
        drop::<Command>(command);
    }
    until
}

fn windows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("turn_step");
    group.throughput(criterion::Throughput::Elements(WINDOWS));
    for (name, speech, probability) in [("silence", false, 0.0), ("speech", true, 0.9)] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || call(speech),
                |(turn, until)| {
                    for _ in 0..WINDOWS {
                        *until = step(turn, *until, probability);
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// Less than the silence after which the caller is asked whether they are there.
const WINDOWS: u64 = 100;

criterion_group!(benches, windows);
criterion_main!(benches);
