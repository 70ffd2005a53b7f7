//! The machine's monotonic clock, beside its wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// `CLOCK_MONOTONIC` in nanoseconds.
pub fn monotonic_ns() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// When something began and ended, in `CLOCK_MONOTONIC` nanoseconds.
#[derive(Serialize)]
pub struct Interval {
    pub start_ns: i64,
    pub end_ns: i64,
}

/// Both clocks at one instant of the monotonic one, known up to `uncertainty_ns`.
#[derive(Serialize)]
pub struct Reading {
    monotonic_ns: i64,
    wall_ns: u128,
    uncertainty_ns: i64,
}

impl Reading {
    pub fn take() -> Self {
        let before = monotonic_ns();
        let wall = SystemTime::now();
        let after = monotonic_ns();
        Self {
            monotonic_ns: before + (after - before) / 2,
            wall_ns: wall.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos(),
            uncertainty_ns: (after - before + 1) / 2,
        }
    }
}
