//! Request bodies: read within a limit and a time, and what is left of them discarded.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody},
    http::{HeaderMap, header::EXPECT},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::timeout;

use crate::refusal::Refusal;

/// How long a body that nobody wanted may still arrive.
const DISCARD_FOR: Duration = Duration::from_millis(500);
const BROKEN: Refusal = Refusal::InvalidRequest("The body broke off.");

/// Reads a whole body.
pub async fn read(body: Body, limit: usize, within: Duration) -> Result<Bytes, Refusal> {
    if body.size_hint().lower() > limit as u64 {
        return Err(Refusal::BodyTooLarge);
    }
    match timeout(within, Limited::new(body, limit).collect()).await {
        Err(_) => Err(Refusal::RequestTimeout),
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::BodyTooLarge),
        Ok(Err(_)) => Err(BROKEN),
    }
}

/// A body that is answered before it is read goes on being received for a while: closing a connection while its
/// client still sends makes the kernel reset it, and the client would lose the answer.
pub struct RequestBody {
    incoming: Option<Incoming>,
    /// A client that waits for `100 Continue` has sent nothing yet, and must not be asked for what nobody reads.
    awaits_continue: bool,
}

impl RequestBody {
    pub fn new(incoming: Incoming, headers: &HeaderMap) -> Self {
        Self { incoming: Some(incoming), awaits_continue: headers.contains_key(EXPECT) }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(incoming) = &mut self.incoming else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(incoming).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = frame {
            self.incoming = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let Some(mut incoming) = self.incoming.take() else { return };
        if self.awaits_continue || incoming.is_end_stream() {
            return;
        }
        tokio::spawn(timeout(DISCARD_FOR, async move { while let Some(Ok(_)) = incoming.frame().await {} }));
    }
}
