//! Memory that holds nothing, given back to the system.

use rustix::mm::{Advice, madvise};
use std::mem::MaybeUninit;

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
    // SAFETY: the range is within `slots`, which we borrow alone and which hold nothing that may be read. Memory of the
    // allocator is private and has no file behind it, so that it stays writable.
    let _ = unsafe { madvise(start.add(before).cast(), whole, Advice::LinuxDontNeed) };
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
