//! The gateway's state, its endpoints, and its life: accept, answer, drain.

use std::{
    convert::Infallible,
    net::SocketAddr,
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Method, Request, Version, header::HOST},
    response::{IntoResponse, Response},
    routing::{MethodFilter, get, on, post},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown};
use serde::Serialize;
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
    time::{sleep, timeout},
};
use tower_service::Service;

use crate::{
    body::RequestBody,
    config::{Config, Malformed},
    faults,
    header_deadline::{HeaderDeadline, Turn},
    live_set::LiveSet,
    log::{Level, Log},
    metrics::{self, Endpoint, Metrics},
    probes,
    proxy::{self, Client},
    refusal::Refusal,
    route,
    routes::Routes,
    tokens::Verifier,
    trace::{TRACERESPONSE, Trace},
    upstream::Upstream,
};

const MAX_HEADER_BYTES: usize = 64 * 1024;
/// hyper allows 100 unless told otherwise, and reserves the memory for this many on every request.
const MAX_HEADER_FIELDS: usize = 512;
/// How long accepting rests when it failed, most likely for want of file descriptors.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(50);

const DRAINED: i32 = 0;
const FAILED: i32 = 1;

/// All that requests share.
pub struct Gateway {
    pub routes: Routes,
    pub verifier: Verifier,
    pub live_set: LiveSet,
    pub metrics: Metrics,
    pub upstream: Option<Upstream>,
    pub upstream_pool: bool,
    /// In bytes.
    pub body_limit: usize,
    /// For a request's header, and for its body.
    pub read_timeout: Duration,
    pub draining: AtomicBool,
    /// What the build changed from the runtime's defaults.
    pub flags: &'static [&'static str],
    drain_delay: Duration,
    drain_timeout: Duration,
    faults: bool,
    log: Log,
}

pub type SharedGateway = State<Arc<Gateway>>;

impl Gateway {
    pub fn new(config: &Config, flags: &'static [&'static str]) -> Result<Self, Malformed> {
        Ok(Self {
            routes: Routes::read(&config.routes)?,
            verifier: Verifier::new(config),
            live_set: LiveSet::new(config.live_set_mib),
            metrics: Metrics::new(),
            upstream: config.upstream.as_ref().map(|uri| Upstream::new(config, uri)).transpose()?,
            upstream_pool: config.upstream_pool,
            body_limit: config.body_limit,
            read_timeout: config.read_timeout,
            draining: AtomicBool::new(false),
            flags,
            drain_delay: config.drain_delay,
            drain_timeout: config.drain_timeout,
            faults: config.faults,
            log: Log::new(config.log_level),
        })
    }
}

fn router(gateway: Arc<Gateway>) -> Router {
    let proxied = || {
        let reading = MethodFilter::GET.or(MethodFilter::HEAD);
        let writing = MethodFilter::POST.or(MethodFilter::PUT).or(MethodFilter::PATCH).or(MethodFilter::DELETE);
        on(reading.or(writing), proxy::proxy)
    };
    let faults = if gateway.faults { faults::router() } else { Router::new() };
    Router::new()
        .route("/route", post(route::route))
        .route("/proxy/", proxied())
        .route("/proxy/{*path}", proxied())
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz))
        .route("/info", get(probes::info))
        .route("/metrics", get(metrics::metrics))
        .merge(faults)
        .fallback(async || Refusal::NotFound)
        .method_not_allowed_fallback(async || Refusal::MethodNotAllowed)
        .with_state(gateway)
}

/// Accepts until SIGTERM, drains, and gives the process's exit code.
pub async fn run(gateway: Arc<Gateway>, address: SocketAddr) -> i32 {
    let log = gateway.log;
    let (host, port) = (address.ip(), address.port());
    let (listener, port) = match listen(address).await {
        Ok(listening) => listening,
        Err(reason) => {
            log.write(Level::Error, &format!("cannot listen on {host}:{port}: {reason}"), json!({}));
            return FAILED;
        }
    };
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be caught");
    let connections = GracefulShutdown::new();
    log.write(Level::Info, "listening", json!({"host": host, "port": port, "pid": process::id(), "gateway": "rust"}));
    tokio::select! {
        () = accept(listener, &gateway, &connections) => unreachable!("accepting goes on until it is dropped"),
        () = async {
            terminate.recv().await;
            gateway.draining.store(true, Ordering::Relaxed);
            sleep(gateway.drain_delay).await;
        } => {}
    }
    // The listener is closed now. Shutting down closes idle connections, and ends the others after their answer.
    if timeout(gateway.drain_timeout, connections.shutdown()).await.is_err() {
        log.write(Level::Error, "the drain timeout passed with requests in flight", json!({}));
        return FAILED;
    }
    DRAINED
}

async fn listen(address: SocketAddr) -> std::io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind(address).await?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

async fn accept(listener: TcpListener, gateway: &Arc<Gateway>, connections: &GracefulShutdown) {
    let router = router(Arc::clone(gateway));
    loop {
        match listener.accept().await {
            Ok((stream, client)) => serve(stream, client, gateway, &router, connections),
            Err(error) => {
                gateway.log.write(Level::Error, &format!("cannot accept: {error}"), json!({}));
                sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
}

fn serve(
    stream: TcpStream,
    client: SocketAddr,
    gateway: &Arc<Gateway>,
    router: &Router,
    connections: &GracefulShutdown,
) {
    // Small answers go out at once. A connection on which this fails is broken, and ends at its first read.
    let _ = stream.set_nodelay(true);
    let turn = Turn::default();
    let stream = HeaderDeadline::new(stream, gateway.read_timeout, turn.clone());
    let gateway = Arc::clone(gateway);
    let router = router.clone();
    let service = service_fn(move |request| {
        let (gateway, router, turn) = (Arc::clone(&gateway), router.clone(), turn.clone());
        async move {
            turn.next();
            let response = answer(&gateway, router, Client(client.ip()), request).await;
            turn.next();
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_header_size(MAX_HEADER_BYTES)
        .max_headers(MAX_HEADER_FIELDS)
        // A client may close its sending side and still wait for the answer.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        // What breaks a connection is the client's affair: hyper has answered it or there is nobody to answer.
        let _ = connection.await;
    });
}

async fn answer(gateway: &Gateway, mut router: Router, client: Client, request: Request<Incoming>) -> Response {
    let began = Instant::now();
    let (mut head, body) = request.into_parts();
    let body = RequestBody::new(body, &head.headers);
    let trace = Trace::of(&head.headers);
    let endpoint = Endpoint::of(head.uri.path());
    let logged = gateway.log.enabled(Level::Info).then(|| (head.method.clone(), head.uri.path().to_owned()));
    let mut response = if !is_known(&head.method) {
        Refusal::UnknownMethod.into_response()
    } else if head.version == Version::HTTP_11 && !head.headers.contains_key(HOST) {
        Refusal::InvalidRequest("HTTP/1.1 needs a Host header.").into_response()
    } else {
        head.extensions.insert(client);
        head.extensions.insert(trace);
        let Ok(response) = router.call(Request::from_parts(head, Body::new(body))).await;
        response
    };
    response.headers_mut().insert(TRACERESPONSE, trace.header());
    let duration = began.elapsed();
    gateway.metrics.observe(endpoint, response.status(), duration);
    if let Some((method, path)) = logged {
        let line = RequestLine {
            method: method.as_str(),
            path: &path,
            status: response.status().as_u16(),
            duration_us: duration.as_micros(),
            trace_id: trace.trace_id(),
            span_id: trace.span_id(),
        };
        gateway.log.write(Level::Info, "request", line);
    }
    response
}

#[derive(Serialize)]
struct RequestLine<'a> {
    method: &'a str,
    path: &'a str,
    status: u16,
    duration_us: u128,
    trace_id: String,
    span_id: String,
}

fn is_known(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE | Method::OPTIONS
    )
}
