use crate::sync::{AtomicU64, AtomicWaker, Ordering, fence};
use std::task::{Context, Poll};

/// Wakes the one waiting task when the ringer has come far enough; a ring costs a fence and a load when nobody
/// waits.
///
/// How far is a position: frames pushed or popped since the ring began. Both ends count their own, so that the
/// waiter may go on moving its end and still be woken in time.
///
/// A wake is never lost. The waiter stores `wanted`, fences, and looks at the state again; the ringer changes
/// the state, fences, and loads `wanted`. Sequentially consistent fences have one total order: when the
/// ringer's fence is first, the waiter's second look sees the change; otherwise the ringer sees `wanted`.
#[derive(Default)]
pub(crate) struct Doorbell {
    /// The position that the waiter waits for, or [`NOBODY`].
    wanted: AtomicU64,
    waker: AtomicWaker,
}

impl Doorbell {
    /// The answer of `check`, or the task of `cx` is woken once the ringer is at `wanted`, 1 or more.
    ///
    /// Only one task waits at a time: the ends call this through `&mut self`.
    pub(crate) fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        wanted: u64,
        check: impl Fn() -> Option<T>,
    ) -> Poll<T> {
        if let Some(answer) = check() {
            self.stop_waiting();
            return Poll::Ready(answer);
        }
        self.wait(cx, wanted);
        match check() {
            Some(answer) => {
                self.stop_waiting();
                Poll::Ready(answer)
            }
            None => Poll::Pending,
        }
    }

    /// Wakes the waiter if it waits for `position` or less; called after the change has been stored.
    pub(crate) fn ring(&self, position: u64) {
        fence(Ordering::SeqCst);
        let wanted = self.wanted.load(Ordering::Relaxed);
        if wanted != NOBODY && wanted <= position {
            self.wake();
        }
    }

    /// Wakes the waiter, whatever it waits for.
    pub(crate) fn ring_for_all(&self) {
        self.ring(u64::MAX);
    }

    #[cold]
    fn wake(&self) {
        if self.wanted.swap(NOBODY, Ordering::AcqRel) != NOBODY {
            self.waker.wake();
        }
    }

    fn wait(&self, cx: &Context<'_>, wanted: u64) {
        self.waker.register(cx.waker());
        // A swap, as in `wake`: a late wake for an earlier wait cannot be ordered after this one and hide it.
        self.wanted.swap(wanted, Ordering::AcqRel);
        fence(Ordering::SeqCst);
    }

    fn stop_waiting(&self) {
        // Load first: the line stays shared with the ringer as long as nobody waits.
        if self.wanted.load(Ordering::Relaxed) != NOBODY {
            self.wanted.store(NOBODY, Ordering::Relaxed);
        }
    }
}

const NOBODY: u64 = 0;
