//! The engine pool, with engines that do what the tests tell them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crossbeam::channel::{Sender, bounded};
use ringway_stages::pool::{Cancelled, Config, Control, EnginePool, JobError, SubmitError, Ticket};
use ringway_stages::stt::Urgency;
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Knows the how-manieth engine of its pool it is.
struct Numbered(usize);

const FOREVER: Duration = Duration::from_secs(3_600);

fn pool(threads: usize, queue: usize) -> EnginePool<Numbered> {
    let threads = NonZeroUsize::new(threads).unwrap();
    let config = Config { threads, queue, stuck_after: FOREVER, max_quarantined: 1 };
    let built = AtomicUsize::new(0);
    EnginePool::start("numbered", config, move || Ok(Numbered(built.fetch_add(1, Ordering::Relaxed))))
        .unwrap()
}

/// A job that has begun, and ends when it is released.
struct Blocker {
    ticket: Ticket<usize>,
    release: Sender<()>,
}

fn block(pool: &EnginePool<Numbered>, urgency: Urgency) -> Blocker {
    let (began, begun) = bounded(1);
    let (release, released) = bounded::<()>(1);
    let ticket = pool.submit(urgency, move |engine, _| {
        began.send(()).unwrap();
        released.recv().ok();
        Ok(engine.0)
    });
    begun.recv().unwrap();
    Blocker { ticket: ticket.unwrap(), release }
}

fn number(engine: &mut Numbered, _: &Control) -> Result<usize, Cancelled> {
    Ok(engine.0)
}

async fn end<R>(ticket: &mut Ticket<R>) -> Result<R, JobError> {
    poll_fn(|cx| ticket.poll(cx)).await
}

#[tokio::test]
async fn each_thread_works_with_an_engine_of_its_own() {
    let pool = pool(2, 1);
    let (mut one, mut other) = (block(&pool, Urgency::Turn), block(&pool, Urgency::Turn));
    drop((one.release, other.release));
    let mut engines = [end(&mut one.ticket).await.unwrap(), end(&mut other.ticket).await.unwrap()];
    engines.sort_unstable();
    assert_eq!(engines, [0, 1]);
}

#[tokio::test]
async fn the_urgent_go_first() {
    let pool = pool(1, 4);
    let blocker = block(&pool, Urgency::Turn);
    let order = Arc::new(AtomicUsize::new(0));
    let take = |urgency| {
        let order = order.clone();
        pool.submit(urgency, move |_, _| Ok(order.fetch_add(1, Ordering::Relaxed))).unwrap()
    };
    let (mut later, mut sooner) = (take(Urgency::Speculation), take(Urgency::Turn));
    assert!(later.is_queued());
    drop(blocker.release);
    assert_eq!((end(&mut later).await, end(&mut sooner).await), (Ok(1), Ok(0)));
}

#[tokio::test]
async fn a_full_queue_refuses_and_counts() {
    let pool = pool(1, 2);
    let blocker = block(&pool, Urgency::Turn);
    let waiting = [pool.submit(Urgency::Turn, number).unwrap(), pool.submit(Urgency::Turn, number).unwrap()];
    assert_eq!(pool.submit(Urgency::Turn, number).unwrap_err(), SubmitError::Overloaded { queued: 2 });
    let counters = pool.counters();
    assert_eq!((counters.queued, counters.running, counters.overloads), (2, 1, 1));
    drop(blocker.release);
    for mut ticket in waiting {
        assert_eq!(end(&mut ticket).await, Ok(0));
    }
    assert_eq!(pool.counters().queued, 0);
}

#[tokio::test]
async fn a_guess_is_taken_only_by_a_free_engine() {
    let pool = pool(1, 4);
    let blocker = block(&pool, Urgency::Turn);
    assert_eq!(pool.submit(Urgency::Partial, number).unwrap_err(), SubmitError::Overloaded { queued: 0 });
    drop(blocker);
}

#[tokio::test]
async fn a_guess_gives_way_to_the_end_of_a_turn() {
    let pool = pool(1, 4);
    let (began, begun) = bounded(1);
    let mut guess =
        pool.submit(Urgency::Partial, move |_, control| loop_until_cancelled(&began, control)).unwrap();
    begun.recv().unwrap();
    let mut turn = pool.submit(Urgency::Turn, number).unwrap();
    assert_eq!(end(&mut guess).await, Err(JobError::Cancelled));
    assert_eq!(end(&mut turn).await, Ok(0));
}

fn loop_until_cancelled(began: &Sender<()>, control: &Control) -> Result<(), Cancelled> {
    began.send(()).unwrap();
    loop {
        control.checkpoint()?;
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn dropping_the_ticket_cancels_the_job_between_two_slices() {
    let pool = pool(1, 1);
    let (began, begun) = bounded(1);
    let (ended, end) = bounded(1);
    let ticket = pool.submit(Urgency::Turn, move |_, control| {
        let outcome = loop_until_cancelled(&began, control);
        ended.send(outcome).unwrap();
        outcome
    });
    begun.recv().unwrap();
    drop(ticket);
    assert_eq!(end.recv().unwrap(), Err(Cancelled));
}

#[tokio::test]
async fn a_panic_costs_the_engine_and_it_is_rebuilt() {
    let pool = pool(1, 1);
    let mut broken = pool.submit(Urgency::Turn, |_, _| -> Result<(), _> { panic!("on purpose") }).unwrap();
    assert_eq!(end(&mut broken).await, Err(JobError::Panicked));
    let mut next = pool.submit(Urgency::Turn, number).unwrap();
    assert_eq!(end(&mut next).await, Ok(1));
    assert_eq!(pool.counters().panics, 1);
}

#[tokio::test]
async fn a_stuck_thread_is_abandoned_and_replaced() {
    let pool = pool(1, 4);
    let mut stuck = block(&pool, Urgency::Turn);
    let mut waiting = pool.submit(Urgency::Turn, number).unwrap();
    assert_eq!(pool.quarantine_stuck(Instant::now()), 0, "not yet");
    assert_eq!(pool.quarantine_stuck(Instant::now() + 2 * FOREVER), 1);
    assert_eq!(end(&mut stuck.ticket).await, Err(JobError::Stuck));
    assert_eq!(end(&mut waiting).await, Ok(1), "another engine serves those who wait");
    let counters = pool.counters();
    assert_eq!((counters.quarantined, counters.abandoned, counters.engines), (1, 1, 1));
}

#[tokio::test]
async fn when_no_engine_is_left_jobs_are_refused_and_none_waits() {
    let pool = pool(1, 4);
    let first = block(&pool, Urgency::Turn);
    pool.quarantine_stuck(Instant::now() + 2 * FOREVER);
    let second = block(&pool, Urgency::Turn);
    let mut waiting = pool.submit(Urgency::Turn, number).unwrap();
    pool.quarantine_stuck(Instant::now() + 2 * FOREVER);
    assert_eq!(
        end(&mut waiting).await,
        Err(JobError::Refused),
        "one abandoned thread is all that is allowed"
    );
    assert_eq!(pool.submit(Urgency::Turn, number).unwrap_err(), SubmitError::NoEngine);
    drop((first, second));
}

#[tokio::test]
async fn a_thread_that_comes_back_makes_room_for_a_new_one() {
    let (built, engines) = bounded(8);
    let config = Config { threads: NonZeroUsize::MIN, queue: 4, stuck_after: FOREVER, max_quarantined: 0 };
    let pool: EnginePool<Numbered> = EnginePool::start("returning", config, move || {
        built.send(()).unwrap();
        Ok(Numbered(0))
    })
    .unwrap();
    engines.recv().unwrap();
    let stuck = block(&pool, Urgency::Turn);
    pool.quarantine_stuck(Instant::now() + 2 * FOREVER);
    assert_eq!(pool.submit(Urgency::Turn, number).unwrap_err(), SubmitError::NoEngine);
    drop(stuck.release);
    engines.recv().unwrap();
    assert_eq!(end(&mut pool.submit(Urgency::Turn, number).unwrap()).await, Ok(0));
}

#[tokio::test]
async fn an_engine_that_cannot_be_rebuilt_is_tried_again_and_serves_again() {
    // What each attempt to build comes to; the factory waits for it.
    let (outcome, outcomes) = bounded::<Result<usize, &'static str>>(1);
    let config = Config { threads: NonZeroUsize::MIN, queue: 4, stuck_after: FOREVER, max_quarantined: 0 };
    outcome.send(Ok(0)).unwrap();
    let pool: EnginePool<Numbered> = EnginePool::start("coming back", config, move || {
        outcomes.recv().unwrap().map(Numbered).map_err(Into::into)
    })
    .unwrap();
    let mut broken =
        pool.submit(Urgency::Turn, |_, _| -> Result<(), Cancelled> { panic!("broken") }).unwrap();
    assert_eq!(end(&mut broken).await, Err(JobError::Panicked));
    let mut waiting = pool.submit(Urgency::Turn, number).unwrap();
    outcome.send(Err("no memory")).unwrap();
    assert_eq!(
        end(&mut waiting).await,
        Err(JobError::Refused),
        "nobody waits for an engine that may not come"
    );
    assert_eq!(pool.submit(Urgency::Turn, number).unwrap_err(), SubmitError::NoEngine);
    assert_eq!((pool.engines(), pool.counters().engines), (0, 0));
    for outcomes in [Err("no memory"), Err("no memory"), Ok(7)] {
        outcome.send(outcomes).unwrap();
    }
    while pool.engines() == 0 {
        std::thread::yield_now();
    }
    assert_eq!(end(&mut pool.submit(Urgency::Turn, number).unwrap()).await, Ok(7));
}

#[test]
fn a_pool_that_closes_does_not_wait_for_an_engine_that_cannot_be_built() {
    let first = AtomicUsize::new(0);
    let config = Config { threads: NonZeroUsize::MIN, queue: 4, stuck_after: FOREVER, max_quarantined: 0 };
    let pool: EnginePool<Numbered> =
        EnginePool::start("closing", config, move || match first.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(Numbered(0)),
            _ => Err("no model".into()),
        })
        .unwrap();
    let _panics = pool.submit(Urgency::Turn, |_, _| -> Result<(), Cancelled> { panic!("broken") }).unwrap();
    while pool.engines() > 0 {
        std::thread::yield_now();
    }
    assert!(pool.shut_down(FOREVER));
}

#[test]
fn a_factory_that_fails_is_a_typed_error() {
    let error =
        EnginePool::<Numbered>::start("broken", Config::default(), || Err("no model".into())).unwrap_err();
    assert_eq!(error.to_string(), "the engine cannot be built: no model");
}

#[tokio::test]
async fn shutting_down_refuses_what_waits_and_joins_the_threads() {
    let pool = pool(2, 4);
    let (blockers, releases): (Vec<_>, Vec<_>) =
        (0..2).map(|_| block(&pool, Urgency::Turn)).map(|blocker| (blocker.ticket, blocker.release)).unzip();
    let mut waiting = pool.submit(Urgency::Turn, number).unwrap();
    assert!(!pool.shut_down(Duration::ZERO), "two jobs run");
    assert_eq!(end(&mut waiting).await, Err(JobError::Refused));
    drop(releases);
    assert!(pool.shut_down(FOREVER));
    drop(blockers);
}

#[tokio::test]
async fn a_job_gets_its_audio_through_a_ring_of_its_own() {
    use ringway_frame::{Format, Frame};
    let pool = pool(1, 1);
    let (mut writer, mut reader) = ringway_ring::ring(Format::Mulaw8k, 2);
    let said = Frame::new(Format::Mulaw8k, &[7; 160]).unwrap();
    writer.push(&said).unwrap();
    drop(writer);
    let mut ticket = pool
        .submit(Urgency::Turn, move |_, _| {
            let mut frame = Frame::silence(Format::Mulaw8k);
            reader.pop(&mut frame).unwrap();
            Ok(frame)
        })
        .unwrap();
    assert_eq!(end(&mut ticket).await, Ok(said));
}
