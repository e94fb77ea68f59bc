use super::key::Key;
use super::speech::Speech;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a cache of speech has done and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Clauses that were played from memory.
    pub hits: u64,
    /// Clauses that had to be made.
    pub misses: u64,
    /// Clauses that made room for others.
    pub evictions: u64,
    /// Clauses that are held.
    pub clauses: usize,
    /// Bytes that are held.
    pub bytes: usize,
}

/// The speech that is kept, bounded in bytes; what was not asked for the longest goes first.
///
/// `held` is a lock, since the media cores share it: a lookup changes the order of use, and the bound is over all
/// entries, so neither atomics nor a map a core would do. It is taken once for a clause to look it up, and once to keep
/// it if it was new, never for a frame; and it is held for a few steps in two maps: keys are hashed before, and what
/// goes is freed behind it.
#[derive(Debug)]
pub(super) struct Store {
    capacity: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    entries: HashMap<Key, Entry>,
    /// By use, the oldest first.
    order: BTreeMap<u64, Key>,
    /// Counts the uses.
    clock: u64,
    counters: Counters,
}

#[derive(Debug)]
struct Entry {
    speech: Arc<Speech>,
    used: u64,
}

impl Store {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, held: Mutex::default() }
    }

    /// The longest clause that is kept, in bytes: one must not drive out all others.
    pub(super) fn most(&self) -> usize {
        self.capacity / LARGEST
    }

    /// The clause, if it is there.
    pub(super) fn get(&self, key: Key) -> Option<Arc<Speech>> {
        self.held().get(key)
    }

    /// Keeps the clause, unless it is there already.
    pub(super) fn keep(&self, key: Key, speech: Speech) {
        if speech.bytes() > self.capacity {
            return;
        }
        let speech = Arc::new(speech);
        let evicted = self.held().keep(key, speech, self.capacity);
        drop(evicted);
    }

    pub(super) fn counters(&self) -> Counters {
        self.held().counters
    }

    /// The lock is held over map operations only, which leave it whole even where one panics.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn get(&mut self, key: Key) -> Option<Arc<Speech>> {
        self.clock += 1;
        let Some(entry) = self.entries.get_mut(&key) else {
            self.counters.misses += 1;
            return None;
        };
        self.order.remove(&entry.used);
        entry.used = self.clock;
        self.order.insert(self.clock, key);
        self.counters.hits += 1;
        Some(entry.speech.clone())
    }

    /// What had to go for it, to be freed outside the lock.
    fn keep(&mut self, key: Key, speech: Arc<Speech>, capacity: usize) -> Vec<Arc<Speech>> {
        if self.entries.contains_key(&key) {
            return vec![speech];
        }
        self.clock += 1;
        self.counters.bytes += speech.bytes();
        self.order.insert(self.clock, key);
        self.entries.insert(key, Entry { speech, used: self.clock });
        let mut evicted = Vec::new();
        while self.counters.bytes > capacity
            && let Some(oldest) = self.evict()
        {
            evicted.push(oldest);
        }
        self.counters.evictions += evicted.len() as u64;
        self.counters.clauses = self.entries.len();
        evicted
    }

    fn evict(&mut self) -> Option<Arc<Speech>> {
        let (_, oldest) = self.order.pop_first()?;
        let speech = self.entries.remove(&oldest)?.speech;
        self.counters.bytes -= speech.bytes();
        Some(speech)
    }
}

/// A clause may take this part of all.
const LARGEST: usize = 8;
