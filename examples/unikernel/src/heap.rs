//! Memory that is given out and never taken back.

use core::alloc::{GlobalAlloc, Layout};
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};

struct Heap {
    /// First byte that nobody has.
    next: AtomicUsize,
    end: AtomicUsize,
}

#[global_allocator]
static HEAP: Heap = Heap { next: AtomicUsize::new(0), end: AtomicUsize::new(0) };

/// Makes a range of memory the heap: call it once, before anything is allocated. Nobody else uses the range.
pub fn give(free: Range<usize>) {
    HEAP.next.store(free.start, Ordering::Relaxed);
    HEAP.end.store(free.end, Ordering::Relaxed);
}

impl Heap {
    fn take(&self, layout: Layout) -> Option<usize> {
        let start = self.next.load(Ordering::Relaxed).checked_next_multiple_of(layout.align())?;
        let end = start.checked_add(layout.size())?;
        if end > self.end.load(Ordering::Relaxed) {
            return None;
        }
        self.next.store(end, Ordering::Relaxed);
        Some(start)
    }
}

// SAFETY: `take` gives out each byte of the heap at most once (there is one thread and no interrupt), aligned as
// asked and inside of memory that nobody else has; nothing is ever taken back.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.take(layout).map_or(core::ptr::null_mut(), core::ptr::with_exposed_provenance_mut)
    }

    unsafe fn dealloc(&self, _start: *mut u8, _layout: Layout) {}

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let old_end = start.addr() + layout.size();
        // The last one grows where it is: mostly an array that is being filled.
        if old_end == self.next.load(Ordering::Relaxed) {
            let end = start.addr().checked_add(size).filter(|&end| end <= self.end.load(Ordering::Relaxed));
            return end.map_or(core::ptr::null_mut(), |end| {
                self.next.store(end, Ordering::Relaxed);
                start
            });
        }
        if size <= layout.size() {
            return start;
        }
        let Ok(wanted) = Layout::from_size_align(size, layout.align()) else { return core::ptr::null_mut() };
        // SAFETY: the size of a reallocation is not 0.
        let new = unsafe { self.alloc(wanted) };
        if !new.is_null() {
            // SAFETY: `start` has as many bytes, and the new ones are another allocation's.
            unsafe { start.copy_to_nonoverlapping(new, layout.size()) };
        }
        new
    }
}
