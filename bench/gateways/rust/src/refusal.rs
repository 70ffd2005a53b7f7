//! The answers that are errors: a status, a code for programs and a sentence for people.

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{CONNECTION, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    InvalidJson,
    InvalidRequest(&'static str),
    MissingToken,
    InvalidToken,
    ExpiredToken,
    InsufficientScope,
    NoRoute,
    UnknownService,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    BodyTooLarge,
    UnsupportedMediaType,
    UnknownMethod,
    UpstreamUnreachable,
    UpstreamTimeout,
    Draining,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::InvalidJson | Self::InvalidRequest(_) => StatusCode::BAD_REQUEST,
            Self::MissingToken | Self::InvalidToken | Self::ExpiredToken => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope => StatusCode::FORBIDDEN,
            Self::NoRoute | Self::UnknownService | Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::UnknownMethod => StatusCode::NOT_IMPLEMENTED,
            Self::UpstreamUnreachable => StatusCode::BAD_GATEWAY,
            Self::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Draining => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn code_and_message(self) -> (&'static str, &'static str) {
        match self {
            Self::InvalidJson => ("invalid_json", "The body is not one JSON text in UTF-8."),
            Self::InvalidRequest(message) => ("invalid_request", message),
            Self::MissingToken => ("missing_token", "This needs an Authorization header with a bearer token."),
            Self::InvalidToken => ("invalid_token", "The token does not verify."),
            Self::ExpiredToken => ("expired_token", "The token has expired."),
            Self::InsufficientScope => ("insufficient_scope", "The token lacks the scope that this needs."),
            Self::NoRoute => ("no_route", "No route matches this path and method."),
            Self::UnknownService => ("unknown_service", "The routing table names no such service."),
            Self::NotFound => ("not_found", "There is no such endpoint."),
            Self::MethodNotAllowed => ("method_not_allowed", "This endpoint does not take this method."),
            Self::RequestTimeout => ("request_timeout", "The body did not arrive in time."),
            Self::BodyTooLarge => ("body_too_large", "The body is larger than the limit."),
            Self::UnsupportedMediaType => ("unsupported_media_type", "The body must be application/json."),
            Self::UnknownMethod => ("unknown_method", "The gateway does not know this method."),
            Self::UpstreamUnreachable => ("upstream_unreachable", "The upstream gave no answer."),
            Self::UpstreamTimeout => ("upstream_timeout", "The upstream did not answer in time."),
            Self::Draining => ("draining", "The gateway is going away."),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Answer {
            error: &'static str,
            message: &'static str,
        }

        let (error, message) = self.code_and_message();
        let mut response = (self.status(), Json(Answer { error, message })).into_response();
        let headers = response.headers_mut();
        match self.status() {
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}
