//! `/healthz`, `/readyz` and `/info`.

use std::{process, sync::atomic::Ordering};

use axum::{Json, extract::State};
use serde::Serialize;
use tokio::runtime::Handle;

use crate::{refusal::Refusal, server::SharedGateway};

#[derive(Serialize)]
pub struct Status {
    status: &'static str,
}

pub async fn healthz() -> Json<Status> {
    Json(Status { status: "ok" })
}

pub async fn readyz(State(gateway): SharedGateway) -> Result<Json<Status>, Refusal> {
    if gateway.draining.load(Ordering::Relaxed) {
        return Err(Refusal::Draining);
    }
    Ok(Json(Status { status: "ready" }))
}

#[derive(Serialize)]
pub struct Info {
    gateway: &'static str,
    runtime: &'static str,
    runtime_version: &'static str,
    collector: &'static str,
    workers: usize,
    /// Rust's allocators take no budget.
    heap_limit_bytes: Option<u64>,
    live_set_entries: usize,
    jwt_cache: bool,
    upstream_pool: bool,
    pid: u32,
    flags: &'static [&'static str],
}

pub async fn info(State(gateway): SharedGateway) -> Json<Info> {
    Json(Info {
        gateway: "rust",
        runtime: "rust",
        runtime_version: env!("RUSTC_VERSION"),
        collector: "none",
        workers: Handle::current().metrics().num_workers(),
        heap_limit_bytes: None,
        live_set_entries: gateway.live_set.len(),
        jwt_cache: gateway.verifier.caches(),
        upstream_pool: gateway.upstream_pool,
        pid: process::id(),
        flags: gateway.flags,
    })
}
