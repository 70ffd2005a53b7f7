//! W3C trace context, level 1.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
pub const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

const SAMPLED: u8 = 1;
const LENGTH: usize = 55;

/// The span of one request.
#[derive(Clone, Copy, Debug)]
pub struct Trace {
    trace_id: u128,
    span_id: u64,
    flags: u8,
    /// Whether the client's trace goes on, and with it its `tracestate`.
    pub continued: bool,
}

impl Trace {
    /// Continues the trace of a request's header, or begins one.
    pub fn of(headers: &HeaderMap) -> Self {
        let span_id = fastrand::u64(1..);
        match parent(headers) {
            Some((trace_id, flags)) => Self { trace_id, span_id, flags, continued: true },
            None => Self { trace_id: fastrand::u128(1..), span_id, flags: SAMPLED, continued: false },
        }
    }

    pub fn header(&self) -> HeaderValue {
        let Self { trace_id, span_id, flags, .. } = self;
        HeaderValue::try_from(format!("00-{trace_id:032x}-{span_id:016x}-{flags:02x}")).expect("hex is visible ASCII")
    }

    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }

    pub fn span_id(&self) -> String {
        format!("{:016x}", self.span_id)
    }
}

/// Trace-id and flags of a valid `traceparent`. More than one is as good as none.
fn parent(headers: &HeaderMap) -> Option<(u128, u8)> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => parse(value.to_str().ok()?),
        _ => None,
    }
}

fn parse(value: &str) -> Option<(u128, u8)> {
    let (known, beyond) = value.split_at_checked(LENGTH)?;
    let mut fields = known.split('-');
    let version = hex(fields.next()?, 2)?;
    let trace_id = hex(fields.next()?, 32)?;
    let parent_id = hex(fields.next()?, 16)?;
    let flags = hex(fields.next()?, 2)?;
    let well_ended = beyond.is_empty() || (version != 0 && beyond.starts_with('-'));
    let valid = version != 0xff && trace_id != 0 && parent_id != 0 && well_ended;
    valid.then_some((trace_id, u8::try_from(flags).ok()?))
}

fn hex(digits: &str, length: usize) -> Option<u128> {
    let lower = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (digits.len() == length && digits.bytes().all(lower)).then(|| u128::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    fn with(version: &str, flags: &str) -> String {
        format!("{version}-{TRACE}-b7ad6b7169203331-{flags}")
    }

    #[test]
    fn a_valid_parent_gives_its_trace_and_flags() {
        let trace_id = u128::from_str_radix(TRACE, 16).unwrap();
        assert_eq!(parse(&with("00", "00")), Some((trace_id, 0)));
        assert_eq!(parse(&with("00", "03")), Some((trace_id, 3)));
    }

    #[test]
    fn a_later_version_is_read_as_the_first_one() {
        assert!(parse(&with("cc", "01")).is_some());
        assert!(parse(&with("cc", "01-what-the-future-holds")).is_some());
        assert!(parse(&with("cc", "01.")).is_none());
    }

    #[test]
    fn what_is_not_valid_begins_a_new_trace() {
        assert!(parse(&with("00", "01-more")).is_none());
        assert!(parse(&with("ff", "01")).is_none());
        assert!(parse(&with("00", "0A")).is_none());
        assert!(parse(&with("00", "01").replace(TRACE, &TRACE.to_uppercase())).is_none());
        assert!(parse(&with("00", "01").replace(TRACE, &"0".repeat(32))).is_none());
        assert!(parse(&with("00", "01").replace("b7ad6b7169203331", &"0".repeat(16))).is_none());
        assert!(parse("").is_none());
    }
}
