//! What freeing costs on the request path: each drop is timed, the long ones are written down.

use std::{
    fs::File,
    io::{self, Write},
    mem,
    ops::{Deref, DerefMut},
    path::Path,
    process,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    thread,
    time::Duration,
};

use serde::Serialize;
use serde_json::json;

use crate::{
    clock::monotonic_ns,
    config::Malformed,
    log::{Level, Log},
};

const LONG_NS: i64 = 20_000;
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// Long drops for which there is room without an allocation.
const ROOM: usize = 1024;

/// Of the process and not of a gateway, because the allocator reaches it too. Unset: nothing is timed.
static DROPS: OnceLock<Drops> = OnceLock::new();

/// What was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    Request,
    Answer,
    Entry,
    Free,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Dropped {
    what: What,
    start_ns: i64,
    end_ns: i64,
    bytes: Option<usize>,
}

/// Times the drop of what it holds, on whichever path it is dropped.
pub struct Timed<T> {
    what: What,
    bytes: Option<usize>,
    /// Always there until it is dropped.
    value: Option<T>,
}

impl<T> Timed<T> {
    pub fn new(what: What, bytes: Option<usize>, value: T) -> Self {
        Self { what, bytes, value: Some(value) }
    }
}

impl<T> Deref for Timed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is there until it is dropped")
    }
}

impl<T> DerefMut for Timed<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it is there until it is dropped")
    }
}

impl<T> Drop for Timed<T> {
    fn drop(&mut self) {
        let value = self.value.take();
        time(self.what, self.bytes, || mem::drop(value));
    }
}

/// Does `freeing`, and notes how long it took if drops are recorded. Called by the allocator: it must not free.
pub fn time<R>(what: What, bytes: Option<usize>, freeing: impl FnOnce() -> R) -> R {
    let Some(drops) = DROPS.get() else {
        return freeing();
    };
    let start_ns = monotonic_ns();
    let result = freeing();
    drops.note(Dropped { what, start_ns, end_ns: monotonic_ns(), bytes });
    result
}

#[derive(Default)]
struct Drops {
    count: AtomicI64,
    total_ns: AtomicI64,
    /// Those with a line of their own, since the last sample.
    lines: Mutex<Vec<Dropped>>,
}

impl Drops {
    fn note(&self, drop: Dropped) {
        let duration_ns = drop.end_ns - drop.start_ns;
        if duration_ns < LONG_NS && drop.what != What::Free {
            return self.count(duration_ns);
        }
        // Counted under the lock, so that a sample counts exactly the lines before it. The vector may grow here, which
        // the allocator does not time; it is never freed here.
        let mut lines = self.lines();
        self.count(duration_ns);
        lines.push(drop);
    }

    fn count(&self, duration_ns: i64) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.total_ns.fetch_add(duration_ns, Ordering::Relaxed);
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Dropped>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Exchanges the lines for the empty `spare`, and counts.
    fn sample(&self, spare: &mut Vec<Dropped>) -> Sample {
        let mut lines = self.lines();
        mem::swap(&mut *lines, spare);
        Sample {
            monotonic_ns: monotonic_ns(),
            drops: self.count.load(Ordering::Relaxed),
            drop_ns: self.total_ns.load(Ordering::Relaxed),
        }
    }
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Sample {
    monotonic_ns: i64,
    drops: i64,
    drop_ns: i64,
}

#[derive(Serialize)]
struct Header {
    pid: u32,
    monotonic_ns: i64,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line {
    Header(Header),
    Drop(Dropped),
    Sample(Sample),
}

/// The record of this process' drops, `rust_drops.jsonl`.
pub struct DropRecord(&'static Mutex<Option<Writer>>);

impl DropRecord {
    /// Begins to time drops; they are written once a second. To be called once in a process.
    pub fn start(folder: &Path) -> Result<Self, Malformed> {
        static WRITER: Mutex<Option<Writer>> = Mutex::new(None);
        let path = folder.join("rust_drops.jsonl");
        let refused = |reason: io::Error| Malformed::new("GATEWAY_METERS_DIR", format!("{}: {reason}", path.display()));
        let writer = File::create(&path).and_then(Writer::begin).map_err(refused)?;
        *lock(&WRITER) = Some(writer);
        DROPS.get_or_init(|| Drops { lines: Mutex::new(Vec::with_capacity(ROOM)), ..Drops::default() });
        let repeatedly = || {
            loop {
                thread::sleep(SAMPLE_EVERY);
                write(&WRITER);
            }
        };
        thread::Builder::new().name("drops".into()).spawn(repeatedly).map_err(refused)?;
        Ok(Self(&WRITER))
    }

    /// Writes the last sample.
    pub fn close(&self) {
        write(self.0);
        *lock(self.0) = None;
    }
}

fn lock(writer: &Mutex<Option<Writer>>) -> MutexGuard<'_, Option<Writer>> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes a sample; where that fails once, it is the last.
fn write(writer: &Mutex<Option<Writer>>) {
    let mut writer = lock(writer);
    let Some((open, drops)) = writer.as_mut().zip(DROPS.get()) else { return };
    if let Err(reason) = open.sample(drops) {
        Log::new(Level::Error).write(Level::Error, &format!("drops cannot be written: {reason}"), json!({}));
        *writer = None;
    }
}

struct Writer {
    file: File,
    spare: Vec<Dropped>,
    text: Vec<u8>,
}

impl Writer {
    fn begin(file: File) -> io::Result<Self> {
        let mut writer = Self { file, spare: Vec::with_capacity(ROOM), text: Vec::new() };
        writer.add(&Line::Header(Header { pid: process::id(), monotonic_ns: monotonic_ns() }));
        writer.flush()?;
        Ok(writer)
    }

    fn sample(&mut self, drops: &Drops) -> io::Result<()> {
        let sample = drops.sample(&mut self.spare);
        let mut lines = mem::take(&mut self.spare);
        for drop in lines.drain(..) {
            self.add(&Line::Drop(drop));
        }
        self.spare = lines;
        self.add(&Line::Sample(sample));
        self.flush()
    }

    fn add(&mut self, line: &Line) {
        serde_json::to_writer(&mut self.text, line).expect("a line is plain data");
        self.text.push(b'\n');
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.text)?;
        self.text.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(what: What, duration_ns: i64) -> Dropped {
        Dropped { what, start_ns: 1_000, end_ns: 1_000 + duration_ns, bytes: None }
    }

    #[test]
    fn long_drops_and_all_large_frees_are_kept_and_everything_is_counted() {
        let drops = Drops::default();
        drops.note(dropped(What::Request, 19_999));
        drops.note(dropped(What::Answer, 20_000));
        drops.note(dropped(What::Free, 1));
        let mut lines = Vec::new();
        let sample = drops.sample(&mut lines);
        assert_eq!(lines, [dropped(What::Answer, 20_000), dropped(What::Free, 1)]);
        assert_eq!((sample.drops, sample.drop_ns), (3, 40_000));
        lines.clear();
        let sample = drops.sample(&mut lines);
        assert_eq!((lines.len(), sample.drops), (0, 3));
    }

    #[test]
    fn a_line_is_what_the_contract_says() {
        let line = serde_json::to_value(Line::Drop(dropped(What::Entry, 5))).unwrap();
        let said = json!({"kind": "drop", "what": "entry", "start_ns": 1000, "end_ns": 1005, "bytes": null});
        assert_eq!(line, said);
        let line = serde_json::to_value(Line::Sample(Sample { monotonic_ns: 1, drops: 2, drop_ns: 3 })).unwrap();
        assert_eq!(line, json!({"kind": "sample", "monotonic_ns": 1, "drops": 2, "drop_ns": 3}));
    }
}
