//! The one place that chooses between the real primitives and loom's, which explores their interleavings.

#[cfg(not(loom))]
pub(crate) use {
    atomic_waker::AtomicWaker,
    std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence},
    std::sync::{Arc, Mutex, MutexGuard},
};

#[cfg(loom)]
pub(crate) use {
    loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence},
    loom::sync::{Arc, Mutex, MutexGuard},
    stand_in::AtomicWaker,
};

#[cfg(loom)]
mod stand_in {
    use loom::sync::Mutex;
    use std::task::Waker;

    /// What `atomic_waker::AtomicWaker` promises, by a lock that loom can see.
    #[derive(Default)]
    pub(crate) struct AtomicWaker(Mutex<Option<Waker>>);

    impl AtomicWaker {
        pub(crate) fn register(&self, waker: &Waker) {
            *self.0.lock().expect("no holder panics") = Some(waker.clone());
        }

        pub(crate) fn wake(&self) {
            let waker = self.0.lock().expect("no holder panics").take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}
