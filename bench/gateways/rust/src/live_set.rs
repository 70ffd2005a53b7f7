//! The retained live set: what a collector would have to trace, and here the allocator has to hold.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use crate::drops::{Timed, What};

const ENTRIES_PER_MIB: usize = 1024;
const LABELS: usize = 4;
const NODE_BYTES: usize = 768;
const TEXT_BYTES: usize = 16;
const ENTRY_BYTES: usize = size_of::<Entry>() + (1 + LABELS) * TEXT_BYTES + size_of::<Node>() + NODE_BYTES;

/// Nominally 1 KiB. Each box and string is an allocation by itself.
#[expect(dead_code, reason = "it is there to be retained, nobody reads it")]
struct Entry {
    number: u64,
    key: Box<str>,
    labels: [Box<str>; LABELS],
    node: Box<Node>,
}

#[expect(dead_code, reason = "it is there to be retained, nobody reads it")]
struct Node {
    bytes: Box<[u8]>,
}

impl Entry {
    fn new(counter: usize) -> Box<Self> {
        let number = counter as u64;
        Box::new(Self {
            number,
            key: hexadecimal(number),
            labels: [1, 2, 3, 4].map(|label| hexadecimal(number.wrapping_add(label))),
            node: Box::new(Node { bytes: vec![number.to_le_bytes()[0]; NODE_BYTES].into() }),
        })
    }
}

fn hexadecimal(number: u64) -> Box<str> {
    format!("{number:016x}").into()
}

pub struct LiveSet {
    entries: Vec<Mutex<Box<Entry>>>,
    counter: AtomicUsize,
}

impl LiveSet {
    pub fn new(mib: usize) -> Self {
        let size = mib * ENTRIES_PER_MIB;
        Self {
            entries: (0..size).map(|counter| Mutex::new(Entry::new(counter))).collect(),
            counter: AtomicUsize::new(size),
        }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Replaces the entry whose turn it is.
    pub fn replace_one(&self) {
        if self.entries.is_empty() {
            return;
        }
        let counter = self.counter.fetch_add(1, Ordering::Relaxed);
        let mut entry = Entry::new(counter);
        {
            let slot = &self.entries[counter % self.entries.len()];
            let mut retained = slot.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut *retained, &mut entry);
        }
        // The old entry is freed here, outside of the lock.
        drop(Timed::new(What::Entry, Some(ENTRY_BYTES), entry));
    }
}

/// Entries that nobody retains: what their drop takes is to be seen.
pub fn unretained(mib: u32) -> Timed<impl Sized> {
    let size = mib as usize * ENTRIES_PER_MIB;
    let entries: Vec<_> = (0..size).map(Entry::new).collect();
    Timed::new(What::Entry, Some(size * ENTRY_BYTES), entries)
}
