//! The hiccup meter: how late a thread wakes that asks to be woken once a period.

use std::{
    fs::File,
    io::{self, Write},
    num::NonZeroU64,
    os::unix::fs::FileExt,
    path::PathBuf,
    str,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use rustix::thread::{ClockId, clock_nanosleep_absolute, set_current_timer_slack};
use rustix::time::Timespec;
use serde_json::json;

use crate::{
    clock::monotonic_ns,
    config::Malformed,
    log::{Level, Log},
};

const SECOND_NS: i64 = 1_000_000_000;
const HICCUP_NS: i64 = 50_000;
const RECORD_BYTES: usize = 24;
/// Where a record has its lateness, this says that it is none of a hiccup; where its run delay, that nobody tells.
const NONE: i64 = -1;
const SMALLEST_TIMER_SLACK: NonZeroU64 = NonZeroU64::MIN;

/// Where the meter writes, and how often it wakes.
#[derive(Debug)]
pub struct HiccupSettings {
    pub folder: PathBuf,
    /// Positive.
    pub period_ns: i64,
}

/// The running meter. Its thread ends with the process.
pub struct HiccupMeter(Arc<Mutex<Record>>);

impl HiccupMeter {
    /// Writes that the meter begins, and lets it begin.
    pub fn start(settings: &HiccupSettings) -> Result<Self, Malformed> {
        let path = settings.folder.join("hiccups.bin");
        let refused = |reason: io::Error| Malformed::new("GATEWAY_METERS_DIR", format!("{}: {reason}", path.display()));
        let file = File::create(&path).map_err(refused)?;
        let record = Record::begin(file, settings.period_ns).map_err(refused)?;
        let record = Arc::new(Mutex::new(record));
        let (shared, period_ns) = (Arc::clone(&record), settings.period_ns);
        thread::Builder::new().name("hiccups".into()).spawn(move || watch(period_ns, &shared)).map_err(refused)?;
        Ok(Self(record))
    }

    /// Writes the last record. It does not wait for the meter's thread, which may sleep for a whole period.
    pub fn close(&self) {
        let mut record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !record.closed {
            record.closed = true;
            if let Err(reason) = record.tally(monotonic_ns()) {
                lost(&reason);
            }
        }
    }
}

fn watch(period_ns: i64, record: &Mutex<Record>) {
    // Where the kernel refuses, the usual slack of 50 µs remains: still a meter, of less precision.
    let _ = set_current_timer_slack(Some(SMALLEST_TIMER_SLACK));
    let mut run_delay = RunDelay::open();
    let mut due_ns = monotonic_ns() + period_ns;
    loop {
        sleep_until(due_ns);
        let woke_ns = monotonic_ns();
        let run_delay_ns = run_delay.growth_ns().unwrap_or(NONE);
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        if record.closed {
            return;
        }
        if let Err(reason) = record.note(due_ns, woke_ns, run_delay_ns) {
            record.closed = true;
            lost(&reason);
            return;
        }
        due_ns = next_due_ns(due_ns, woke_ns, period_ns);
    }
}

fn lost(reason: &io::Error) {
    Log::new(Level::Error).write(Level::Error, &format!("the hiccup meter cannot write: {reason}"), json!({}));
}

fn sleep_until(due_ns: i64) {
    let due = Timespec { tv_sec: due_ns / SECOND_NS, tv_nsec: due_ns % SECOND_NS };
    // A signal interrupts the sleep, not the deadline.
    while clock_nanosleep_absolute(ClockId::Monotonic, &due) == Err(rustix::io::Errno::INTR) {}
}

/// The first deadline that is still to come; those that passed are skipped.
fn next_due_ns(due_ns: i64, woke_ns: i64, period_ns: i64) -> i64 {
    due_ns + ((woke_ns - due_ns) / period_ns + 1) * period_ns
}

/// What is to be written with the next tally, in memory that is never moved or enlarged.
struct Record {
    file: File,
    bytes: Vec<u8>,
    wakes: i64,
    tally_due_ns: i64,
    closed: bool,
}

impl Record {
    fn begin(file: File, period_ns: i64) -> io::Result<Self> {
        // From one hiccup to the next pass the period and HICCUP_NS at least; one more may stand at either end.
        let hiccups = SECOND_NS / period_ns.max(HICCUP_NS) + 2;
        let records = usize::try_from(hiccups + 1).expect("a second has not that many");
        let bytes = Vec::with_capacity(records * RECORD_BYTES);
        let mut record = Self { file, bytes, wakes: 0, tally_due_ns: 0, closed: false };
        record.tally(monotonic_ns())?;
        Ok(record)
    }

    fn note(&mut self, due_ns: i64, woke_ns: i64, run_delay_ns: i64) -> io::Result<()> {
        self.wakes += 1;
        let late_ns = woke_ns - due_ns;
        if late_ns >= HICCUP_NS {
            self.push([due_ns, late_ns, run_delay_ns]);
        }
        if woke_ns >= self.tally_due_ns { self.tally(woke_ns) } else { Ok(()) }
    }

    /// Counts the wakes since the last tally, and hands everything to the system.
    fn tally(&mut self, now_ns: i64) -> io::Result<()> {
        self.push([now_ns, NONE, self.wakes]);
        self.wakes = 0;
        self.tally_due_ns = now_ns + SECOND_NS;
        self.file.write_all(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }

    fn push(&mut self, fields: [i64; 3]) {
        for field in fields {
            self.bytes.extend_from_slice(&field.to_le_bytes());
        }
    }
}

/// How long the thread that opened it was ready to run and waited for a processor.
struct RunDelay {
    schedstat: Option<File>,
    last_ns: Option<i64>,
}

impl RunDelay {
    fn open() -> Self {
        let mut run_delay = Self { schedstat: File::open("/proc/thread-self/schedstat").ok(), last_ns: None };
        run_delay.last_ns = run_delay.total_ns();
        run_delay
    }

    /// Since the last call.
    fn growth_ns(&mut self) -> Option<i64> {
        let total_ns = self.total_ns();
        let last_ns = std::mem::replace(&mut self.last_ns, total_ns);
        Some(total_ns? - last_ns?)
    }

    fn total_ns(&self) -> Option<i64> {
        let mut text = [0; 96];
        let length = self.schedstat.as_ref()?.read_at(&mut text, 0).ok()?;
        second_field(&text[..length])
    }
}

fn second_field(text: &[u8]) -> Option<i64> {
    str::from_utf8(text).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_deadline_is_the_first_multiple_still_to_come() {
        assert_eq!(next_due_ns(1_000, 1_000, 100), 1_100);
        assert_eq!(next_due_ns(1_000, 1_099, 100), 1_100);
        assert_eq!(next_due_ns(1_000, 1_100, 100), 1_200);
        assert_eq!(next_due_ns(1_000, 1_350, 100), 1_400);
    }

    #[test]
    fn the_run_delay_is_the_second_field() {
        assert_eq!(second_field(b"123 456 7\n"), Some(456));
        assert_eq!(second_field(b"123"), None);
        assert_eq!(second_field(b""), None);
    }

    fn fields(bytes: &[u8]) -> Vec<[i64; 3]> {
        let field = |bytes: &[u8]| i64::from_le_bytes(bytes.try_into().unwrap());
        bytes.chunks(RECORD_BYTES).map(|r| [field(&r[..8]), field(&r[8..16]), field(&r[16..])]).collect()
    }

    #[test]
    fn a_deadline_is_noted_from_50_microseconds_on_and_every_wake_is_counted() {
        let mut record = Record {
            file: File::options().write(true).open("/dev/null").unwrap(),
            bytes: Vec::new(),
            wakes: 0,
            tally_due_ns: i64::MAX,
            closed: false,
        };
        record.note(1_000_000, 1_049_999, 5).unwrap();
        record.note(2_000_000, 2_050_000, NONE).unwrap();
        assert_eq!(fields(&record.bytes), [[2_000_000, 50_000, NONE]]);
        assert_eq!(record.wakes, 2);
        record.tally(3_000_000).unwrap();
        assert_eq!((record.bytes.len(), record.wakes, record.tally_due_ns), (0, 0, 3_000_000 + SECOND_NS));
    }
}
