//! `/proxy/{service}` and what is below it: forwarded to the upstream.

use std::net::IpAddr;

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Response,
        header::{CONNECTION, CONTENT_LENGTH, HOST, TE, TRANSFER_ENCODING, UPGRADE},
        request,
    },
};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::Full;

use crate::{
    body,
    refusal::Refusal,
    server::SharedGateway,
    trace::{TRACEPARENT, TRACESTATE, Trace},
    upstream::Upstream,
};

const PREFIX: &str = "/proxy";
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// RFC 9110, §7.6.1; beside those that `Connection` names.
const HOP_BY_HOP: [HeaderName; 6] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The address at the other end of the connection.
#[derive(Clone, Copy)]
pub struct Client(pub IpAddr);

pub async fn proxy(
    State(gateway): SharedGateway,
    Extension(client): Extension<Client>,
    Extension(trace): Extension<Trace>,
    request: Request,
) -> Result<Response<Body>, Refusal> {
    let (head, body) = request.into_parts();
    let access = gateway.routes.service(service(head.uri.path())).ok_or(Refusal::UnknownService)?;
    gateway.verifier.admit(access, &head.headers)?;
    let body = body::read(body, gateway.body_limit, gateway.read_timeout).await?;
    let upstream = gateway.upstream.as_ref().ok_or(Refusal::UpstreamUnreachable)?;
    let answer = upstream.send(forwarded(upstream, head, body, client, trace)?).await?;
    Ok(returned(answer))
}

/// The segment after `/proxy/`, as it was sent.
fn service(path: &str) -> &str {
    let below = path.strip_prefix("/proxy/").unwrap_or_default();
    below.split_once('/').map_or(below, |(service, _rest)| service)
}

fn forwarded(
    upstream: &Upstream,
    head: request::Parts,
    body: Bytes,
    Client(address): Client,
    trace: Trace,
) -> Result<Request<Full<Bytes>>, Refusal> {
    let target = head.uri.path_and_query().map_or("", |target| target.as_str());
    let uri = upstream.uri(target.strip_prefix(PREFIX).unwrap_or(target))?;
    let mut headers = head.headers;
    remove_hop_by_hop(&mut headers);
    headers.remove(HOST);
    append_client(&mut headers, address);
    headers.insert(TRACEPARENT, trace.header());
    if !trace.continued {
        headers.remove(TRACESTATE);
    }
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = head.method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}

fn returned(answer: Response<Bytes>) -> Response<Body> {
    let (mut head, body) = answer.into_parts();
    remove_hop_by_hop(&mut head.headers);
    // Without a length of the upstream's, an answer that has no body must not be given the length 0: it is that of
    // what a GET would give. A stream has no length.
    let body = if body.is_empty() && !head.headers.contains_key(CONTENT_LENGTH) {
        Body::from_stream(stream::empty::<Result<Bytes, std::convert::Infallible>>())
    } else {
        Body::from(body)
    };
    Response::from_parts(head, body)
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

fn append_client(headers: &mut HeaderMap, client: IpAddr) {
    let mut list = Vec::new();
    for value in headers.get_all(X_FORWARDED_FOR) {
        list.extend_from_slice(value.as_bytes());
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(client.to_string().as_bytes());
    let value = HeaderValue::from_bytes(&list).expect("valid values, joined by valid bytes");
    headers.insert(X_FORWARDED_FOR, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_one_segment_as_it_was_sent() {
        assert_eq!(service("/proxy/orders"), "orders");
        assert_eq!(service("/proxy/orders/a/b"), "orders");
        assert_eq!(service("/proxy/"), "");
        assert_eq!(service("/proxy//orders"), "");
        assert_eq!(service("/proxy/%6frders/"), "%6frders");
    }

    #[test]
    fn headers_that_connection_names_go_with_it() {
        let mut headers = HeaderMap::new();
        headers.insert(CONNECTION, HeaderValue::from_static("close, X-Mine"));
        headers.insert("x-mine", HeaderValue::from_static("1"));
        headers.insert("x-other", HeaderValue::from_static("1"));
        remove_hop_by_hop(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["x-other"]);
    }

    #[test]
    fn the_client_is_appended_to_those_before_it() {
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_FOR, HeaderValue::from_static("10.0.0.1, 10.0.0.2"));
        headers.append(X_FORWARDED_FOR, HeaderValue::from_static("10.0.0.3"));
        append_client(&mut headers, IpAddr::from([127, 0, 0, 1]));
        let values: Vec<_> = headers.get_all(X_FORWARDED_FOR).iter().collect();
        assert_eq!(values, ["10.0.0.1, 10.0.0.2, 10.0.0.3, 127.0.0.1"]);
    }
}
