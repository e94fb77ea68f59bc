//! How often the same thing is logged: what a peer can bring about again and again must not fill a disk.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::{self, Debug, Write};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

/// How many lines at once, and how often one more.
#[derive(Clone, Copy, Debug)]
struct Rate {
    burst: u32,
    every: Duration,
}

/// Of one kind in one call.
const IN_A_CALL: Rate = Rate { burst: 10, every: Duration::from_secs(10) };

/// Of one kind outside of calls.
const ELSEWHERE: Rate = Rate { burst: 100, every: Duration::from_secs(1) };

/// Kinds that are remembered by a thread.
const KINDS: usize = 1_024;

/// Which call a line is of, and which of the errors that are logged at one place it tells.
const KEYS: [&str; 2] = ["callId", "code"];

static SUPPRESSED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// A call lives on one thread, so each thread has a table of its own, and no lock is held.
    static LIMIT: RefCell<Limit> = RefCell::default();
}

/// Lines that were not logged because there were too many of their kind.
pub fn suppressed() -> u64 {
    SUPPRESSED.load(Ordering::Relaxed)
}

/// Whether this event is to be logged; then with how many of its kind were not before it. Who asks for debugging gets all
/// of it.
pub fn permits(event: &Event<'_>) -> Option<u64> {
    if *event.metadata().level() > Level::INFO {
        return Some(0);
    }
    let kind = Kind::of(event);
    // The table may be in use, by what a value does when it is displayed, or gone with its thread's other locals.
    let take =
        |limit: &RefCell<Limit>| limit.try_borrow_mut().map(|mut limit| limit.take(kind, Instant::now()));
    let permitted = LIMIT.try_with(take).ok().and_then(Result::ok).unwrap_or(Some(0));
    if permitted.is_none() {
        SUPPRESSED.fetch_add(1, Ordering::Relaxed);
    }
    permitted
}

/// What counts as the same thing.
#[derive(Clone, Copy, Debug)]
struct Kind {
    hash: u64,
    rate: Rate,
    /// Told even when no more kinds can be remembered: the process tells it of itself, once or twice a call.
    must_pass: bool,
}

impl Kind {
    fn of(event: &Event<'_>) -> Self {
        let metadata = event.metadata();
        let mut key = KeyReader { hasher: DefaultHasher::new(), in_a_call: false };
        metadata.callsite().hash(&mut key.hasher);
        if KEYS.into_iter().any(|name| metadata.fields().field(name).is_some()) {
            event.record(&mut key);
        }
        let rate = if key.in_a_call { IN_A_CALL } else { ELSEWHERE };
        Self { hash: key.hasher.finish(), rate, must_pass: *metadata.level() == Level::INFO }
    }
}

struct KeyReader {
    hasher: DefaultHasher,
    in_a_call: bool,
}

impl Visit for KeyReader {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if KEYS.contains(&field.name()) {
            self.in_a_call |= field.name() == "callId";
            let _ = write!(self, "{}={value:?};", field.name());
        }
    }
}

impl Write for KeyReader {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.hasher.write(text.as_bytes());
        Ok(())
    }
}

/// The buckets of one thread.
#[derive(Debug, Default)]
struct Limit {
    buckets: HashMap<u64, Bucket>,
}

/// Lines that may still be logged.
#[derive(Debug)]
struct Bucket {
    rate: Rate,
    tokens: u32,
    filled: Instant,
    suppressed: u64,
}

impl Limit {
    fn take(&mut self, kind: Kind, now: Instant) -> Option<u64> {
        if self.buckets.len() >= KINDS && !self.buckets.contains_key(&kind.hash) {
            self.buckets.retain(|_, bucket| !bucket.is_full(now));
            if self.buckets.len() >= KINDS {
                return if kind.must_pass { Some(0) } else { self.take_of(0, ELSEWHERE, now) };
            }
        }
        self.take_of(kind.hash, kind.rate, now)
    }

    fn take_of(&mut self, hash: u64, rate: Rate, now: Instant) -> Option<u64> {
        self.buckets.entry(hash).or_insert_with(|| Bucket::full(rate, now)).take(now)
    }
}

impl Bucket {
    fn full(rate: Rate, now: Instant) -> Self {
        Self { rate, tokens: rate.burst, filled: now, suppressed: 0 }
    }

    fn take(&mut self, now: Instant) -> Option<u64> {
        self.refill(now);
        match self.tokens.checked_sub(1) {
            Some(left) => {
                self.tokens = left;
                Some(std::mem::take(&mut self.suppressed))
            }
            None => {
                self.suppressed += 1;
                None
            }
        }
    }

    fn refill(&mut self, now: Instant) {
        let due = now.saturating_duration_since(self.filled).as_nanos() / self.rate.every.as_nanos();
        let due = u32::try_from(due).unwrap_or(u32::MAX).min(self.rate.burst);
        if self.tokens + due >= self.rate.burst {
            self.tokens = self.rate.burst;
            self.filled = now;
        } else {
            self.tokens += due;
            self.filled += self.rate.every * due;
        }
    }

    fn is_full(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.tokens == self.rate.burst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WARNING: Kind = Kind { hash: 7, rate: IN_A_CALL, must_pass: false };

    fn passed(limit: &mut Limit, kind: Kind, now: Instant, times: u32) -> usize {
        (0..times).filter(|_| limit.take(kind, now).is_some()).count()
    }

    #[test]
    fn a_kind_of_line_is_logged_ten_times_at_once_then_every_ten_seconds_with_the_number_left_out() {
        let (mut limit, began) = (Limit::default(), Instant::now());
        assert_eq!(passed(&mut limit, WARNING, began, 100_000), 10);
        assert_eq!(limit.take(WARNING, began + Duration::from_secs(9)), None);
        assert_eq!(limit.take(WARNING, began + Duration::from_secs(10)), Some(99_991));
        assert_eq!(limit.take(WARNING, began + Duration::from_secs(10)), None);
        assert_eq!(limit.take(WARNING, began + Duration::from_secs(20)), Some(1));
        assert_eq!(passed(&mut limit, WARNING, began + Duration::from_secs(3_600), 50), 10);
    }

    #[test]
    fn another_call_and_another_kind_have_a_bucket_of_their_own() {
        let (mut limit, now) = (Limit::default(), Instant::now());
        assert_eq!(passed(&mut limit, WARNING, now, 20), 10);
        assert_eq!(passed(&mut limit, Kind { hash: 8, ..WARNING }, now, 20), 10);
    }

    #[test]
    fn more_kinds_than_are_remembered_share_a_bucket_and_the_begin_of_a_call_passes() {
        let (mut limit, now) = (Limit::default(), Instant::now());
        for hash in 1..=KINDS as u64 {
            assert!(limit.take(Kind { hash, ..WARNING }, now).is_some());
        }
        let others = KINDS as u64 + 1..KINDS as u64 + 1_001;
        let warnings =
            others.clone().filter(|hash| limit.take(Kind { hash: *hash, ..WARNING }, now).is_some());
        assert_eq!(warnings.count(), 100);
        let begun =
            others.filter(|hash| limit.take(Kind { hash: *hash, must_pass: true, ..WARNING }, now).is_some());
        assert_eq!(begun.count(), 1_000);
        assert!(limit.buckets.len() <= KINDS + 1);
        assert!(limit.take(Kind { hash: 1 << 40, ..WARNING }, now + Duration::from_secs(60)).is_some());
        assert!(limit.buckets.len() < 10, "those that are full again are forgotten");
    }
}
