use super::Key;
use std::collections::{BTreeMap, HashMap};

/// Entries that take bytes; which was not asked for the longest is known.
#[derive(Debug)]
pub(super) struct Lru<T> {
    entries: HashMap<Key, Entry<T>>,
    /// By use, the oldest first.
    order: BTreeMap<u64, Key>,
    /// Counts the uses.
    clock: u64,
    bytes: u64,
}

#[derive(Debug)]
struct Entry<T> {
    value: T,
    bytes: u64,
    used: u64,
}

impl<T> Default for Lru<T> {
    fn default() -> Self {
        Self { entries: HashMap::new(), order: BTreeMap::new(), clock: 0, bytes: 0 }
    }
}

impl<T> Lru<T> {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What all of them take.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether it is there; not a use.
    pub(super) fn contains(&self, key: Key) -> bool {
        self.entries.contains_key(&key)
    }

    /// The value, which has been used now.
    pub(super) fn get(&mut self, key: Key) -> Option<&T> {
        self.clock += 1;
        let entry = self.entries.get_mut(&key)?;
        self.order.remove(&entry.used);
        entry.used = self.clock;
        self.order.insert(self.clock, key);
        Some(&entry.value)
    }

    /// Keeps the value, in place of one of the same key.
    pub(super) fn put(&mut self, key: Key, value: T, bytes: u64) -> Option<T> {
        let replaced = self.remove(key);
        self.clock += 1;
        self.bytes += bytes;
        self.order.insert(self.clock, key);
        self.entries.insert(key, Entry { value, bytes, used: self.clock });
        replaced
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        let entry = self.entries.remove(&key)?;
        self.order.remove(&entry.used);
        self.bytes -= entry.bytes;
        Some(entry.value)
    }

    /// Takes out what was not used for the longest.
    pub(super) fn pop_oldest(&mut self) -> Option<(Key, T)> {
        let (_, oldest) = self.order.first_key_value()?;
        let oldest = *oldest;
        self.remove(oldest).map(|value| (oldest, value))
    }
}
