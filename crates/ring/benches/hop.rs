//! A frame to another thread and back, beside the bare queues with a slot of the same size.
//!
//! Both threads spin, so that the queues are compared and not the scheduler, and yield only when they have spun
//! for long. Where two cores are not free the figures mean little.

mod queues;

use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use queues::{Bare, Queue, Ring, Rtrb};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

fn hop(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("round_trip");
    group.bench_function("ring", round_trips::<Ring>);
    group.bench_function("ringbuf", round_trips::<Bare>);
    group.bench_function("rtrb", round_trips::<Rtrb>);
    group.finish();
}

fn round_trips<Q: Queue>(bencher: &mut Bencher<'_>) {
    bencher.iter_custom(|count| {
        let (mut there, mut inbox) = Q::ends();
        let (mut back, mut outbox) = Q::ends();
        let start_together = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                start_together.wait();
                echo::<Q>(&mut inbox, &mut back, count);
            });
            start_together.wait();
            ask::<Q>(&mut there, &mut outbox, count)
        })
    });
}

fn ask<Q: Queue>(there: &mut Q::Input, outbox: &mut Q::Output, count: u64) -> Duration {
    let mut frame = queues::frame();
    let start = Instant::now();
    for _ in 0..count {
        assert!(Q::push(there, &frame));
        spin_until(|| Q::pop(outbox, &mut frame));
    }
    start.elapsed()
}

fn echo<Q: Queue>(inbox: &mut Q::Output, back: &mut Q::Input, count: u64) {
    let mut frame = queues::frame();
    for _ in 0..count {
        spin_until(|| Q::pop(inbox, &mut frame));
        assert!(Q::push(back, &frame));
    }
}

fn spin_until(mut done: impl FnMut() -> bool) {
    let mut spins = 0_u32;
    while !done() {
        spins += 1;
        if spins.is_multiple_of(SPINS_BEFORE_YIELD) {
            thread::yield_now();
        }
        std::hint::spin_loop();
    }
}

const SPINS_BEFORE_YIELD: u32 = 1_000;

criterion_group!(benches, hop);
criterion_main!(benches);
