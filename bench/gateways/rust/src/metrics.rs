//! What `/metrics` gives: counts and durations by endpoint, their labels resolved ahead of the requests.

use std::{sync::OnceLock, time::Duration};

use axum::{
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
};
use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry, TextEncoder,
};

use crate::server::SharedGateway;

/// Upper bounds in seconds.
const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5];
const FIRST_STATUS: usize = 100;
const STATUSES: usize = 900;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Route,
    Proxy,
    Healthz,
    Readyz,
    Info,
    Metrics,
    Other,
}

impl Endpoint {
    const ALL: [Self; 7] =
        [Self::Route, Self::Proxy, Self::Healthz, Self::Readyz, Self::Info, Self::Metrics, Self::Other];

    pub fn of(path: &str) -> Self {
        match path {
            "/route" => Self::Route,
            "/healthz" => Self::Healthz,
            "/readyz" => Self::Readyz,
            "/info" => Self::Info,
            "/metrics" => Self::Metrics,
            _ if path.starts_with("/proxy/") => Self::Proxy,
            _ => Self::Other,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Route => "/route",
            Self::Proxy => "/proxy",
            Self::Healthz => "/healthz",
            Self::Readyz => "/readyz",
            Self::Info => "/info",
            Self::Metrics => "/metrics",
            Self::Other => "other",
        }
    }
}

pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    resolved: [Vec<OnceLock<IntCounter>>; Endpoint::ALL.len()],
    durations: [Histogram; Endpoint::ALL.len()],
}

impl Metrics {
    pub fn new() -> Self {
        let requests =
            IntCounterVec::new(Opts::new("http_server_requests_total", "Requests answered."), &["endpoint", "status"])
                .expect("the name and the labels are valid");
        let durations = HistogramVec::new(
            HistogramOpts::new("http_server_request_duration_seconds", "From a request's header to its answer.")
                .buckets(BUCKETS.to_vec()),
            &["endpoint"],
        )
        .expect("the name, the labels and the buckets are valid");
        let registry = Registry::new();
        registry.register(Box::new(requests.clone())).expect("nothing else has its name");
        registry.register(Box::new(durations.clone())).expect("nothing else has its name");
        Self {
            registry,
            requests,
            resolved: Endpoint::ALL.map(|_| vec![OnceLock::new(); STATUSES]),
            durations: Endpoint::ALL.map(|endpoint| durations.with_label_values(&[endpoint.label()])),
        }
    }

    /// Counts a request whose answer is now handed to the connection.
    pub fn observe(&self, endpoint: Endpoint, status: StatusCode, duration: Duration) {
        self.resolved[endpoint as usize][usize::from(status.as_u16()) - FIRST_STATUS]
            .get_or_init(|| self.requests.with_label_values(&[endpoint.label(), status.as_str()]))
            .inc();
        self.durations[endpoint as usize].observe(duration.as_secs_f64());
    }

    fn render(&self) -> Vec<u8> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text).expect("writing to memory does not fail");
        text
    }
}

pub async fn metrics(State(gateway): SharedGateway) -> impl IntoResponse {
    ([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], gateway.metrics.render())
}
