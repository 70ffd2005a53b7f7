//! `/__fault/*` and `/__truth/*`: what the suite's proofs inject, and what they compare with.

use std::{
    process,
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::{Query, rejection::QueryRejection},
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time};

use crate::{
    clock::{Interval, Reading, monotonic_ns},
    live_set,
    refusal::Refusal,
};

const BAD_NUMBER: Refusal = Refusal::InvalidRequest("A number is missing or malformed.");
const LEAK_STEP: Duration = Duration::from_millis(100);
const STEPS_PER_SECOND: f64 = 10.0;
const MIB: f64 = 1_048_576.0;

type Parameters<T> = Result<Query<T>, QueryRejection>;

pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/__fault/block", post(block))
        .route("/__fault/leak", post(leak))
        .route("/__fault/exit", post(exit))
        .route("/__truth/gc", post(collect))
        .route("/__truth/unstoppable", post(unstoppable))
        .route("/__truth/drop", post(drop_entries))
        .route("/__truth/clock", get(clock))
}

fn given<T>(parameters: Parameters<T>) -> Result<T, Refusal> {
    parameters.map(|Query(given)| given).map_err(|_| BAD_NUMBER)
}

#[derive(Deserialize)]
struct Block {
    ms: u64,
    workers: Option<usize>,
}

#[derive(Serialize)]
struct Blocked {
    blocked: Vec<Interval>,
}

async fn block(parameters: Parameters<Block>) -> Result<Json<Blocked>, Refusal> {
    let Block { ms, workers } = given(parameters)?;
    let workers = workers.unwrap_or(1);
    if workers == 0 {
        return Err(BAD_NUMBER);
    }
    let mut spinning = JoinSet::new();
    for _ in 0..workers {
        spinning.spawn(async move { spin(Duration::from_millis(ms)) });
    }
    Ok(Json(Blocked { blocked: spinning.join_all().await }))
}

fn spin(duration: Duration) -> Interval {
    let start_ns = monotonic_ns();
    let started = Instant::now();
    while started.elapsed() < duration {
        std::hint::spin_loop();
    }
    Interval { start_ns, end_ns: monotonic_ns() }
}

#[derive(Deserialize)]
struct Leak {
    mib_per_s: f64,
}

async fn leak(parameters: Parameters<Leak>) -> Result<(StatusCode, Json<Value>), Refusal> {
    let Leak { mib_per_s } = given(parameters)?;
    if !mib_per_s.is_finite() || mib_per_s <= 0.0 {
        return Err(BAD_NUMBER);
    }
    tokio::spawn(retain(mib_per_s));
    Ok((StatusCode::ACCEPTED, Json(json!({"leaking_mib_per_s": mib_per_s}))))
}

async fn retain(mib_per_s: f64) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is positive, and saturates")]
    let step = (mib_per_s * MIB / STEPS_PER_SECOND) as usize;
    let mut retained = Vec::new();
    let mut ticks = time::interval(LEAK_STEP);
    loop {
        ticks.tick().await;
        // Not zero: zeroed memory is not touched until it is written.
        retained.push(vec![1_u8; step]);
    }
}

#[derive(Deserialize)]
struct Exit {
    code: u8,
}

async fn exit(parameters: Parameters<Exit>) -> Result<(), Refusal> {
    process::exit(given(parameters)?.code.into())
}

#[derive(Deserialize)]
struct Collect {
    #[serde(rename = "n")]
    _times: u32,
}

#[derive(Serialize)]
struct Collected {
    applicable: bool,
    collections: [Interval; 0],
}

async fn collect(parameters: Parameters<Collect>) -> Result<Json<Collected>, Refusal> {
    given(parameters)?;
    Ok(Json(Collected { applicable: false, collections: [] }))
}

#[derive(Deserialize)]
struct Unstoppable {
    #[serde(rename = "ms")]
    _ms: u64,
}

/// Nothing stops threads here, so there is no loop that could not be stopped.
async fn unstoppable(parameters: Parameters<Unstoppable>) -> Result<Json<Value>, Refusal> {
    given(parameters)?;
    Ok(Json(json!({"applicable": false})))
}

#[derive(Deserialize)]
struct DropEntries {
    mib: u32,
}

async fn drop_entries(parameters: Parameters<DropEntries>) -> Result<Json<Value>, Refusal> {
    let DropEntries { mib } = given(parameters)?;
    let entries = live_set::unretained(mib);
    let start_ns = monotonic_ns();
    drop(entries);
    Ok(Json(json!({"applicable": true, "drop": Interval { start_ns, end_ns: monotonic_ns() }})))
}

async fn clock() -> Json<Reading> {
    Json(Reading::take())
}
