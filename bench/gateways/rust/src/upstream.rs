//! Connections to the upstream: kept in a pool of bounded size, or opened for each request.

use std::{
    future::Future,
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::http::{
    HeaderValue, Request, Response, Uri,
    header::{CONNECTION, HOST},
    uri::PathAndQuery,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::Semaphore, time::timeout};

use crate::{
    config::{Config, Malformed},
    refusal::Refusal,
};

type Connection = SendRequest<Full<Bytes>>;

pub struct Upstream {
    host: String,
    port: u16,
    /// What the `Host` header says.
    authority: HeaderValue,
    /// Without a slash at its end.
    base_path: String,
    /// From the first byte sent to the last byte received.
    timeout: Duration,
    pool: Option<Pool>,
}

/// As a connection is opened only when none is idle, there are never more of them than permits.
struct Pool {
    permits: Semaphore,
    /// The one used last is on top.
    idle: Mutex<Vec<Connection>>,
}

/// Why an exchange gave no answer.
enum Failure {
    /// The connection was closed before the request went out: it may go out on another one.
    Unsent(Box<Request<Full<Bytes>>>),
    Refused(Refusal),
}

impl Upstream {
    pub fn new(config: &Config, uri: &Uri) -> Result<Self, Malformed> {
        let malformed = |reason: &str| Malformed::new("GATEWAY_UPSTREAM", reason);
        let authority = uri.authority().ok_or_else(|| malformed("names no host"))?;
        Ok(Self {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            authority: HeaderValue::from_str(authority.as_str()).map_err(|_| malformed("names no valid host"))?,
            base_path: uri.path().trim_end_matches('/').to_owned(),
            timeout: config.upstream_timeout,
            pool: config.upstream_pool.then(|| Pool {
                permits: Semaphore::new(config.upstream_pool_size.min(Semaphore::MAX_PERMITS)),
                idle: Mutex::default(),
            }),
        })
    }

    /// Where `path_and_query` is at the upstream.
    pub fn uri(&self, path_and_query: &str) -> Result<Uri, Refusal> {
        PathAndQuery::try_from(format!("{}{path_and_query}", self.base_path))
            .map(Uri::from)
            .map_err(|_| Refusal::InvalidRequest("The path cannot be sent upstream."))
    }

    /// Sends a request and receives the whole of its answer.
    pub async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Response<Bytes>, Refusal> {
        request.headers_mut().insert(HOST, self.authority.clone());
        let Some(pool) = &self.pool else {
            request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            return self.exchange(&mut self.connect().await?, request).await.map_err(Failure::refusal);
        };
        let _permit = pool.permits.acquire().await.expect("the semaphore is never closed");
        while let Some(mut connection) = pool.take() {
            match self.exchange(&mut connection, request).await {
                Err(Failure::Unsent(unsent)) => request = *unsent,
                answered => return pool.keep(connection, answered),
            }
        }
        let mut connection = self.connect().await?;
        let answered = self.exchange(&mut connection, request).await;
        pool.keep(connection, answered)
    }

    async fn connect(&self) -> Result<Connection, Refusal> {
        let opened = within(self.timeout, async {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            stream.set_nodelay(true)?;
            http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)
        });
        let (connection, driver) = opened.await?.map_err(|_| Refusal::UpstreamUnreachable)?;
        // Its errors come out of the exchange that they break.
        tokio::spawn(driver);
        Ok(connection)
    }

    async fn exchange(
        &self,
        connection: &mut Connection,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, Failure> {
        let exchanged = within(self.timeout, async {
            if connection.ready().await.is_err() {
                return Err(Failure::Unsent(request.into()));
            }
            let answer =
                connection.try_send_request(request).await.map_err(|mut error| match error.take_message() {
                    Some(unsent) => Failure::Unsent(unsent.into()),
                    None => Failure::Refused(Refusal::UpstreamUnreachable),
                })?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await.map_err(|_| Failure::Refused(Refusal::UpstreamUnreachable))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        });
        exchanged.await.map_err(Failure::Refused)?
    }
}

impl Pool {
    fn take(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Puts a connection back whose exchange was completed.
    fn keep(
        &self,
        connection: Connection,
        answered: Result<Response<Bytes>, Failure>,
    ) -> Result<Response<Bytes>, Refusal> {
        if answered.is_ok() && !connection.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
        answered.map_err(Failure::refusal)
    }
}

impl Failure {
    fn refusal(self) -> Refusal {
        match self {
            Self::Unsent(_) => Refusal::UpstreamUnreachable,
            Self::Refused(refusal) => refusal,
        }
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, Refusal> {
    timeout(limit, work).await.map_err(|_| Refusal::UpstreamTimeout)
}
