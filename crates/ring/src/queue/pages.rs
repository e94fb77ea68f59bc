//! Memory of whole pages: none is shared with anything else, so that all of it can be given back to the system.

use ringbuf::SharedRb;
use ringbuf::storage::Storage;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
use std::alloc::{Layout, handle_alloc_error};
use std::mem::MaybeUninit;
use std::ptr::{NonNull, null_mut};

/// Places for items, in pages of their own, which come as they are written to.
pub(crate) struct Pages<T> {
    start: NonNull<MaybeUninit<T>>,
    len: usize,
}

/// A queue in pages of its own.
pub(crate) type Paged<T> = SharedRb<Pages<T>>;

/// An empty one of so many places.
pub(super) fn ring<T>(capacity: usize) -> Paged<T> {
    // SAFETY: no place is initialised, and none is said to be between the positions 0 and 0.
    unsafe { SharedRb::from_raw_parts(Pages::new(capacity), 0, 0) }
}

impl<T> Pages<T> {
    /// So many places. No memory for them ends the process, as everywhere.
    pub(super) fn new(len: usize) -> Self {
        let layout = Layout::array::<T>(len).expect("a ring of less than all memory");
        assert!(layout.size() > 0 && layout.align() <= rustix::param::page_size(), "{layout:?}");
        // SAFETY: a new mapping at a place of the system's choice touches no memory that is there already.
        let mapped = unsafe {
            mmap_anonymous(null_mut(), layout.size(), ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)
        };
        let start = mapped.ok().and_then(|start| NonNull::new(start.cast()));
        Self { start: start.unwrap_or_else(|| handle_alloc_error(layout)), len }
    }
}

// SAFETY: the places lie outside of the value itself, `start` and `len` never change, and `len` items fit behind `start`.
unsafe impl<T> Storage for Pages<T> {
    type Item = T;

    fn as_mut_ptr(&self) -> *mut MaybeUninit<T> {
        self.start.as_ptr()
    }

    fn len(&self) -> usize {
        self.len
    }
}

// SAFETY: it owns its places as a box does.
unsafe impl<T: Send> Send for Pages<T> {}

// SAFETY: a shared reference gives raw pointers only; who makes references of them answers for it.
unsafe impl<T: Send> Sync for Pages<T> {}

impl<T> Drop for Pages<T> {
    /// The ring has dropped its items before.
    fn drop(&mut self) {
        let bytes = self.len * size_of::<T>();
        // SAFETY: mapped with this length in `new`, and nobody has it any more.
        let unmapped = unsafe { munmap(self.start.as_ptr().cast(), bytes) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}

/// Gives back the pages that lie whole within `slots`. They come again, zeroed, one by one as they are written to.
///
/// A system that does not want them keeps them as they are.
pub(super) fn release<T>(slots: &mut [MaybeUninit<T>]) {
    let page = rustix::param::page_size();
    let bytes = size_of_val(slots);
    let start: *mut u8 = slots.as_mut_ptr().cast();
    let before = start.addr().next_multiple_of(page) - start.addr();
    let Some(within) = bytes.checked_sub(before) else { return };
    let whole = within / page * page;
    if whole == 0 {
        return;
    }
    // SAFETY: the range is within `slots`, which we borrow alone and which hold nothing that may be read. The mapping is
    // private and has no file behind it, so that it stays writable.
    let _ = unsafe { madvise(start.add(before).cast(), whole, Advice::LinuxDontNeed) };
}

/// Gives back all pages of a [`Paged`] queue that is empty, given its places in one piece or in two: also the one in which
/// the two meet, and the last, whose end nobody uses.
pub(super) fn release_all<T>(older: &mut [MaybeUninit<T>], newer: &mut [MaybeUninit<T>]) {
    let bytes = size_of_val(older) + size_of_val(newer);
    let first = if newer.is_empty() { older } else { newer };
    let start: *mut u8 = first.as_mut_ptr().cast();
    debug_assert!(
        start.addr().is_multiple_of(rustix::param::page_size()),
        "the first place begins the mapping"
    );
    // SAFETY: all places are borrowed alone and hold nothing that may be read, and they are all that is in the mapping,
    // which ends with a whole page.
    let _ = unsafe { madvise(start.cast(), bytes, Advice::LinuxDontNeed) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_pages_go() {
        let page = rustix::param::page_size();
        let mut bytes = vec![MaybeUninit::new(7_u8); 8 * page];
        let edge = bytes.as_ptr().addr().next_multiple_of(page) - bytes.as_ptr().addr() + page;
        let (from, to) = (edge - 1, edge + 2 * page + 1);
        release(&mut bytes[from..to]);
        // SAFETY: all bytes were written above, and pages that came back are zero.
        let now: Vec<u8> = bytes.iter().map(|byte| unsafe { byte.assume_init() }).collect();
        assert!(now[..edge].iter().all(|byte| *byte == 7));
        assert!(now[edge..edge + 2 * page].iter().all(|byte| *byte == 0));
        assert!(now[edge + 2 * page..].iter().all(|byte| *byte == 7));
    }

    #[test]
    fn less_than_a_page_stays() {
        let mut slots = [MaybeUninit::new(7_u8); 100];
        release(&mut slots);
        release(&mut slots[..0]);
        // SAFETY: written above.
        assert!(slots.iter().all(|slot| unsafe { slot.assume_init() } == 7));
    }
}
