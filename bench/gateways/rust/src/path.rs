//! A request path as its decoded segments.

use std::borrow::Cow;

use crate::refusal::Refusal;

const BAD_ESCAPE: Refusal = Refusal::InvalidRequest("The path has a malformed percent-escape.");
const NOT_UTF8: Refusal = Refusal::InvalidRequest("A segment of the path is not UTF-8.");
const DOTS: Refusal = Refusal::InvalidRequest("The path has a segment . or ..");

/// Splits what follows the leading slash at every further one, and decodes each segment by itself.
pub fn segments(path: &str) -> Result<Vec<Cow<'_, str>>, Refusal> {
    path.strip_prefix('/')
        .unwrap_or(path)
        .split('/')
        .map(|raw| match decode(raw)? {
            segment if segment == "." || segment == ".." => Err(DOTS),
            segment => Ok(segment),
        })
        .collect()
}

fn decode(raw: &str) -> Result<Cow<'_, str>, Refusal> {
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw));
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || (bytes.next()? as char).to_digit(16);
            let (high, low) = digit().zip(digit()).ok_or(BAD_ESCAPE)?;
            decoded.push(u8::try_from(high << 4 | low).expect("two hexadecimal digits are a byte"));
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| NOT_UTF8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_one_by_one() {
        assert_eq!(segments("/a%2Fb//%c3%A9+").unwrap(), ["a/b", "", "é+"]);
        assert_eq!(segments("/").unwrap(), [""]);
        assert_eq!(segments("/%00").unwrap(), ["\0"]);
    }

    #[test]
    fn what_cannot_be_decoded_is_refused() {
        assert_eq!(segments("/%"), Err(BAD_ESCAPE));
        assert_eq!(segments("/%4"), Err(BAD_ESCAPE));
        assert_eq!(segments("/%+4"), Err(BAD_ESCAPE));
        assert_eq!(segments("/%ff"), Err(NOT_UTF8));
    }

    #[test]
    fn dots_are_refused_however_they_are_written() {
        assert_eq!(segments("/a/../b"), Err(DOTS));
        assert_eq!(segments("/a/%2E"), Err(DOTS));
        assert!(segments("/...").is_ok());
    }
}
