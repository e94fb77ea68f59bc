use super::Key;
use super::lru::Lru;
use super::speech::Speech;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a tier of the cache has done and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Clauses that came from it.
    pub hits: u64,
    /// Clauses that were not there.
    pub misses: u64,
    /// Clauses that made room for others.
    pub evictions: u64,
    /// Clauses that could not be read any more, and were dropped.
    pub damaged: u64,
    /// Clauses that are held.
    pub clauses: usize,
    /// Bytes that are held.
    pub bytes: u64,
}

/// The speech that is kept in memory, bounded in bytes; what was not asked for the longest goes first.
///
/// `held` is a lock, since the media cores share it: a lookup changes the order of use, and the bound is over all
/// entries, so neither atomics nor a map a core would do. It is taken once for a clause to look it up, and once to keep
/// it if it was new, never for a frame; and it is held for a few steps in two maps: keys are hashed before, and what
/// goes is freed behind it.
#[derive(Debug)]
pub(super) struct Store {
    capacity: u64,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    speeches: Lru<Arc<Speech>>,
    counters: Counters,
}

impl Store {
    pub(super) fn new(capacity: u64) -> Self {
        Self { capacity, held: Mutex::default() }
    }

    /// The longest clause that is kept, in bytes: one must not drive out all others.
    pub(super) fn most(&self) -> usize {
        longest_of(self.capacity)
    }

    /// The clause, if it is there.
    pub(super) fn get(&self, key: Key) -> Option<Arc<Speech>> {
        self.held().get(key)
    }

    /// Keeps the clause, unless it is there already.
    pub(super) fn keep(&self, key: Key, speech: &Arc<Speech>) {
        if speech.audio().len() > self.most() || speech.bytes() > self.capacity {
            return;
        }
        let evicted = self.held().keep(key, speech.clone(), self.capacity);
        drop(evicted);
    }

    /// Forgets the clause.
    pub(super) fn forget(&self, key: Key) {
        let forgotten = self.held().speeches.remove(key);
        drop(forgotten);
    }

    /// Forgets everything; how many clauses that were.
    pub(super) fn clear(&self) -> usize {
        let speeches = std::mem::take(&mut self.held().speeches);
        speeches.len()
    }

    pub(super) fn counters(&self) -> Counters {
        let held = self.held();
        Counters { clauses: held.speeches.len(), bytes: held.speeches.bytes(), ..held.counters }
    }

    /// The lock is held over map operations only, which leave it whole even where one panics.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn get(&mut self, key: Key) -> Option<Arc<Speech>> {
        let found = self.speeches.get(key).cloned();
        *if found.is_some() { &mut self.counters.hits } else { &mut self.counters.misses } += 1;
        found
    }

    /// What had to go for it, to be freed outside the lock.
    fn keep(&mut self, key: Key, speech: Arc<Speech>, capacity: u64) -> Vec<Arc<Speech>> {
        if self.speeches.contains(key) {
            return vec![speech];
        }
        let bytes = speech.bytes();
        self.speeches.put(key, speech, bytes);
        let mut evicted = Vec::new();
        while self.speeches.bytes() > capacity
            && let Some((_, oldest)) = self.speeches.pop_oldest()
        {
            evicted.push(oldest);
        }
        self.counters.evictions += evicted.len() as u64;
        evicted
    }
}

/// The longest clause of a tier that holds so many bytes.
pub(super) fn longest_of(capacity: u64) -> usize {
    usize::try_from(capacity / LARGEST).unwrap_or(usize::MAX)
}

/// A clause may take this part of all.
const LARGEST: u64 = 8;
