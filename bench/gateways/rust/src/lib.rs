//! Reference gateway on axum, hyper and tokio. The contract beside it says what it answers.

#![deny(unsafe_code)]

#[expect(unsafe_code, reason = "an allocator cannot be written without")]
mod allocator;
mod body;
mod clock;
mod config;
mod control;
mod drops;
mod faults;
mod header_deadline;
mod hiccups;
mod live_set;
mod log;
mod meters;
mod metrics;
mod path;
mod probes;
mod proxy;
mod refusal;
mod rewrite;
mod route;
mod routes;
mod server;
mod tokens;
mod trace;
mod transform;
mod upstream;

pub use crate::allocator::TimedFrees;

use std::{process::ExitCode, sync::Arc};

use serde_json::json;
use tokio::runtime;

use crate::{
    config::{Config, Malformed},
    log::{Level, Log},
    meters::Meters,
    server::Gateway,
};

const MALFORMED_SETTING: u8 = 2;

/// Runs the gateway until SIGTERM. `flags` are what its build changed from the runtime's defaults.
#[must_use]
pub fn main(flags: &'static [&'static str]) -> ExitCode {
    let Err(malformed) = run(flags) else {
        return ExitCode::SUCCESS;
    };
    let fields = json!({"variable": malformed.variable});
    Log::new(Level::Error).write(Level::Error, &malformed.to_string(), fields);
    ExitCode::from(MALFORMED_SETTING)
}

fn run(flags: &'static [&'static str]) -> Result<(), Malformed> {
    if let Some(settings) = config::control()? {
        return control::run(&settings);
    }
    let config = Config::from_environment()?;
    let meters = Meters::start(&config)?;
    let gateway = Arc::new(Gateway::new(&config, flags)?);
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(config.workers)
        .enable_all()
        .build()
        .expect("the system gives threads and an epoll");
    // Spawned, so that accepting is done by a worker and not by this thread, which would be one more.
    let code = runtime.block_on(async { tokio::spawn(server::run(Arc::clone(&gateway), config.address)).await });
    meters.close();
    // Ends here with the gateway still held, because freeing a large live set entry by entry would take longer than the drain.
    std::process::exit(code.unwrap_or(1))
}
