//! The control: the same program with its hiccup meter and nothing else. What it sees, the machine did.

use serde_json::json;
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};

use crate::{
    config::Malformed,
    hiccups::{HiccupMeter, HiccupSettings},
    log::{Level, Log},
};

/// Runs the meter until SIGTERM.
pub fn run(settings: &HiccupSettings) -> Result<(), Malformed> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build().expect("the system gives an epoll");
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be caught");
        let meter = HiccupMeter::start(settings)?;
        Log::new(Level::Info).write(Level::Info, "control", json!({}));
        terminate.recv().await;
        meter.close();
        Ok(())
    })
}
