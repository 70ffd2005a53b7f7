//! An allocator whose large frees are timed: those by which memory goes back to the system.

use std::alloc::{GlobalAlloc, Layout};

use crate::drops::{What, time};

/// In bytes.
const LARGE: usize = 1 << 20;

/// Passes everything on, and times what frees 1 MiB or more in one call.
pub struct TimedFrees<A>(pub A);

// SAFETY: each call goes to the allocator inside as it came, and exactly once.
unsafe impl<A: GlobalAlloc> GlobalAlloc for TimedFrees<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that the allocator inside needs; likewise below.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        let free = || unsafe { self.0.dealloc(pointer, layout) };
        if layout.size() < LARGE { free() } else { time(What::Free, Some(layout.size()), free) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as above.
        let resize = || unsafe { self.0.realloc(pointer, layout, new_size) };
        let freed = layout.size().saturating_sub(new_size);
        if freed < LARGE { resize() } else { time(What::Free, Some(freed), resize) }
    }
}
