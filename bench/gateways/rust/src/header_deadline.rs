//! A connection that fails when a request's header is late.
//!
//! hyper's own `header_read_timeout` also runs while a connection is idle between requests, and so would close
//! connections that a client keeps. Here it begins with a header's first bytes.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

/// Where a connection is: even while it awaits a request, odd while one is being answered.
#[derive(Clone, Default)]
pub struct Turn(Arc<AtomicUsize>);

impl Turn {
    /// To be called when a request's header is there, and again when it is answered.
    pub fn next(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn current(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

pub struct HeaderDeadline {
    stream: TcpStream,
    within: Duration,
    turn: Turn,
    /// The turn that `begun` and `deadline` belong to.
    seen: usize,
    begun: Option<Instant>,
    /// Made only when a header does not arrive in one piece.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl HeaderDeadline {
    pub fn new(stream: TcpStream, within: Duration, turn: Turn) -> Self {
        Self { stream, within, turn, seen: 0, begun: None, deadline: None }
    }

    fn poll_deadline(&mut self, context: &mut Context<'_>, begun: Instant) -> Poll<()> {
        let at = begun + self.within;
        self.deadline.get_or_insert_with(|| Box::pin(sleep_until(at))).as_mut().poll(context)
    }
}

impl AsyncRead for HeaderDeadline {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let turn = self.turn.current();
        if turn != self.seen {
            self.seen = turn;
            self.begun = None;
            self.deadline = None;
        }
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let awaits_request = turn % 2 == 0;
        match (read, self.begun) {
            (Poll::Ready(read), begun) => {
                if awaits_request {
                    self.begun = begun.or_else(|| Some(Instant::now()));
                }
                Poll::Ready(read)
            }
            (Poll::Pending, Some(begun)) if awaits_request => {
                ready!(self.poll_deadline(context, begun));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            (Poll::Pending, _) => Poll::Pending,
        }
    }
}

impl AsyncWrite for HeaderDeadline {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
