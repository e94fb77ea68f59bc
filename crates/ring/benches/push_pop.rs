//! One frame in and out on one thread, beside the bare queues with a slot of the same size.
//!
//! What a ring adds: the copy between frame and compact slot, close, counters and two doorbells.

mod queues;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use queues::{Bare, Queue, Ring, Rtrb};
use std::hint::black_box;

fn push_pop(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("push_pop");
    group.throughput(Throughput::Elements(1));
    group.bench_function("ring", one_in_one_out::<Ring>);
    group.bench_function("ringbuf", one_in_one_out::<Bare>);
    group.bench_function("rtrb", one_in_one_out::<Rtrb>);
    group.finish();
}

fn one_in_one_out<Q: Queue>(bencher: &mut criterion::Bencher<'_>) {
    let (mut input, mut output) = Q::ends();
    let (pushed, mut popped) = (queues::frame(), queues::frame());
    bencher.iter(|| {
        assert!(Q::push(&mut input, black_box(&pushed)));
        assert!(Q::pop(&mut output, black_box(&mut popped)));
    });
}

criterion_group!(benches, push_pop);
criterion_main!(benches);
