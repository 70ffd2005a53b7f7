//! `POST /route`: parse, match, transform, answer.

use std::{borrow::Cow, mem};

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

use crate::{
    body,
    drops::{Timed, What},
    path,
    refusal::Refusal,
    rewrite::Parameter,
    routes::Method,
    server::{Gateway, SharedGateway},
};

const NO_OBJECT: Refusal = Refusal::InvalidRequest("The body is not an object.");
const BAD_PATH: Refusal = Refusal::InvalidRequest("path must be a string that begins with a slash.");
const BAD_METHOD: Refusal = Refusal::InvalidRequest("method must be one of GET, POST, PUT, PATCH and DELETE.");
const BAD_PAYLOAD: Refusal = Refusal::InvalidRequest("payload must be an object or null.");

struct RouteRequest {
    path: String,
    method: Method,
    payload: Option<Map<String, Value>>,
    /// The tree that the others were taken out of: it is freed when the answer is made, not before.
    _tree: Timed<Value>,
}

impl RouteRequest {
    /// Parsed to a whole tree first, because the ignored members count for validity and depth too, and of duplicate
    /// members the last one counts.
    fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let tree = serde_json::from_slice(body).map_err(|_| Refusal::InvalidJson)?;
        let mut tree = Timed::new(What::Request, None, tree);
        let Value::Object(members) = &mut *tree else {
            return Err(NO_OBJECT);
        };
        let path = match members.get_mut("path") {
            Some(Value::String(path)) if path.starts_with('/') => mem::take(path),
            _ => return Err(BAD_PATH),
        };
        let method = match members.get("method") {
            None => Method::Get,
            Some(Value::String(name)) => Method::parse(name).ok_or(BAD_METHOD)?,
            Some(_) => return Err(BAD_METHOD),
        };
        let payload = match members.get_mut("payload") {
            None | Some(Value::Null) => None,
            Some(Value::Object(payload)) => Some(mem::take(payload)),
            Some(_) => return Err(BAD_PAYLOAD),
        };
        Ok(Self { path, method, payload, _tree: tree })
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    route: &'a str,
    service: &'a str,
    upstream_path: String,
    params: Params<'a>,
    subject: Option<&'a str>,
    payload: Option<Map<String, Value>>,
}

struct Params<'a> {
    parameters: &'a [Parameter],
    segments: &'a [Cow<'a, str>],
}

impl Serialize for Params<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.parameters.len()))?;
        for parameter in self.parameters {
            map.serialize_entry(&parameter.name, &parameter.value(self.segments))?;
        }
        map.end()
    }
}

pub async fn route(State(gateway): SharedGateway, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    if !is_json(&headers) {
        return Err(Refusal::UnsupportedMediaType);
    }
    let body = body::read(body, gateway.body_limit, gateway.read_timeout).await?;
    answer(&gateway, &headers, RouteRequest::parse(&body)?)
}

fn answer(gateway: &Gateway, headers: &HeaderMap, request: RouteRequest) -> Result<Response, Refusal> {
    let (path, query) = match request.path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (request.path.as_str(), None),
    };
    let segments = path::segments(path)?;
    let route = gateway.routes.find(&segments, request.method).ok_or(Refusal::NoRoute)?;
    let token = gateway.verifier.admit(&route.access, headers)?;
    let answer = Answer {
        route: &route.id,
        service: &route.service,
        upstream_path: route.rewrite.fill(&segments, query),
        params: Params { parameters: &route.parameters, segments: &segments },
        subject: token.as_ref().and_then(|token| token.subject.as_deref()),
        payload: request.payload.map(|payload| route.transform.apply(payload)),
    };
    let answer = Timed::new(What::Answer, None, answer);
    let response = Json(&*answer).into_response();
    gateway.live_set.replace_one();
    Ok(response)
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let essence = value.split_once(';').map_or(value, |(essence, _parameters)| essence);
    essence.trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> Option<Refusal> {
        RouteRequest::parse(body.as_bytes()).err()
    }

    fn nested(levels: usize) -> String {
        let inner = levels - 1;
        format!(r#"{{"path": "/", "x": {}{}}}"#, "[".repeat(inner), "]".repeat(inner))
    }

    #[test]
    fn a_body_may_be_nested_127_levels_deep_even_where_it_is_ignored() {
        assert_eq!(refusal(&nested(127)), None);
        assert_eq!(refusal(&nested(128)), Some(Refusal::InvalidJson));
    }

    #[test]
    fn of_duplicate_members_the_last_one_counts() {
        let body = r#"{"path": 1, "path": "/a", "method": null, "method": "PUT", "payload": 1, "payload": null}"#;
        let request = RouteRequest::parse(body.as_bytes()).unwrap();
        assert_eq!((request.path.as_str(), request.method), ("/a", Method::Put));
        assert_eq!(refusal(r#"{"path": "/a", "path": null}"#), Some(BAD_PATH));
    }

    #[test]
    fn what_is_not_one_json_text_is_invalid_json() {
        for body in ["", " ", "{", "{} {}", "nul", r#"{"path": "/",}"#, "\u{feff}{}"] {
            assert_eq!(refusal(body), Some(Refusal::InvalidJson), "{body}");
        }
        assert!(matches!(RouteRequest::parse(b"\"\xff\""), Err(Refusal::InvalidJson)));
    }

    #[test]
    fn what_is_json_but_no_request_is_an_invalid_request() {
        assert_eq!(refusal("[]"), Some(NO_OBJECT));
        assert_eq!(refusal("{}"), Some(BAD_PATH));
        assert_eq!(refusal(r#"{"path": "a"}"#), Some(BAD_PATH));
        assert_eq!(refusal(r#"{"path": "/", "method": "get"}"#), Some(BAD_METHOD));
        assert_eq!(refusal(r#"{"path": "/", "method": null}"#), Some(BAD_METHOD));
        assert_eq!(refusal(r#"{"path": "/", "payload": []}"#), Some(BAD_PAYLOAD));
    }
}
