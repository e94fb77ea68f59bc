use std::time::Duration;

/// Counts of `N` kinds of things within a sliding window, forgotten a tenth of the window at a time.
#[derive(Clone, Debug)]
pub(super) struct Sliding<const N: usize> {
    slot: Duration,
    /// Number of the newest slot since time began.
    newest: u64,
    slots: [[u32; N]; SLOTS],
}

const SLOTS: usize = 10;

impl<const N: usize> Sliding<N> {
    pub(super) fn new(window: Duration) -> Self {
        let slot = (window / SLOTS as u32).max(Duration::from_millis(1));
        Self { slot, newest: 0, slots: [[0; N]; SLOTS] }
    }

    /// One more of this kind.
    pub(super) fn add(&mut self, kind: usize, now: Duration) {
        self.forget(now);
        let count = &mut self.slots[self.newest as usize % SLOTS][kind];
        *count = count.saturating_add(1);
    }

    /// How many of each kind there were within the window.
    pub(super) fn counts(&mut self, now: Duration) -> [u64; N] {
        self.forget(now);
        let mut counts = [0; N];
        for slot in &self.slots {
            for (count, of_slot) in counts.iter_mut().zip(slot) {
                *count += u64::from(*of_slot);
            }
        }
        counts
    }

    pub(super) fn clear(&mut self) {
        self.slots = [[0; N]; SLOTS];
    }

    /// Time that goes back, as it may between two threads, counts as the newest.
    fn forget(&mut self, now: Duration) {
        let slot = (now.as_nanos() / self.slot.as_nanos()) as u64;
        let passed = slot.saturating_sub(self.newest).min(SLOTS as u64);
        for number in 0..passed {
            self.slots[(slot - number) as usize % SLOTS] = [0; N];
        }
        self.newest = self.newest.max(slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WINDOW: Duration = Duration::from_secs(10);

    proptest! {
        #[test]
        fn what_is_older_than_the_window_is_forgotten_and_what_is_newer_than_nine_tenths_is_not(
            mut times in proptest::collection::vec(0..60_000u64, 1..50),
        ) {
            times.sort_unstable();
            let mut sliding = Sliding::<1>::new(WINDOW);
            for time in &times {
                sliding.add(0, Duration::from_millis(*time));
            }
            let now = *times.last().unwrap();
            let [count] = sliding.counts(Duration::from_millis(now));
            let within = |span: u64| times.iter().filter(|time| now - **time < span).count() as u64;
            prop_assert!(within(9_000) <= count && count <= within(10_000), "{} {count}", within(9_000));
        }
    }
}
