//! What 20 ms of a telephone call cost between the socket and the decisions, both ways; sockets and actors come on top.

mod path;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use path::{Downlink, Uplink};
use ringway_frame::SampleRate;

/// Frames of one measurement: a second, 31 windows.
const FRAMES: u64 = 50;

fn frame_path(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame path");
    group.throughput(Throughput::Elements(FRAMES));
    for rate in [SampleRate::HZ_16000, SampleRate::HZ_8000] {
        let (fresh, mut vad) = (path::kernel(rate), path::kernel(rate));
        group.bench_function(format!("caller to turn, one call, VAD at {rate}"), |bencher| {
            bencher.iter_batched_ref(
                || Uplink::new(&fresh),
                |call| (0..FRAMES).for_each(|_| call.hear(&mut vad)),
                BatchSize::SmallInput,
            );
        });
    }
    group.bench_function("bot to caller", |bencher| {
        bencher.iter_batched_ref(
            Downlink::new,
            |call| (0..FRAMES).for_each(|_| call.say()),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, frame_path);
criterion_main!(benches);
