//! Reference gateway on axum, hyper and tokio. The contract beside it says what it answers.

#![forbid(unsafe_code)]

mod body;
mod clock;
mod config;
mod faults;
mod header_deadline;
mod live_set;
mod log;
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

use std::{process::ExitCode, sync::Arc};

use serde_json::json;
use tokio::runtime;

use crate::{
    config::{Config, Malformed},
    log::{Level, Log},
    server::Gateway,
};

const MALFORMED_SETTING: u8 = 2;

/// Runs the gateway until SIGTERM. `flags` are what its build changed from the runtime's defaults.
#[must_use]
pub fn main(flags: &'static [&'static str]) -> ExitCode {
    let (config, gateway) = match prepare(flags) {
        Ok(prepared) => prepared,
        Err(malformed) => {
            let fields = json!({"variable": malformed.variable});
            Log::new(Level::Error).write(Level::Error, &malformed.to_string(), fields);
            return ExitCode::from(MALFORMED_SETTING);
        }
    };
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(config.workers)
        .enable_all()
        .build()
        .expect("the system gives threads and an epoll");
    // Spawned, so that accepting is done by a worker and not by this thread, which would be one more.
    let code = runtime.block_on(async { tokio::spawn(server::run(gateway, config.address)).await });
    // Ends here, because freeing a large live set entry by entry would take longer than the drain.
    std::process::exit(code.unwrap_or(1))
}

fn prepare(flags: &'static [&'static str]) -> Result<(Config, Arc<Gateway>), Malformed> {
    let config = Config::from_environment()?;
    let gateway = Gateway::new(&config, flags)?;
    Ok((config, Arc::new(gateway)))
}
