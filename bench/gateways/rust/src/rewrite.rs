//! The upstream path: a template filled with what the pattern captured.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a pattern's `{name}` or `{name...}` captures. Its place in the path is known from the pattern alone.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: String,
    first: usize,
    /// Whether it takes all segments from the first on.
    rest: bool,
}

impl Parameter {
    /// Reads the segment `{name}` or `{name...}` that stands at `first` in a pattern; anything else is a literal.
    pub fn parse(segment: &str, first: usize) -> Option<Self> {
        let inner = segment.strip_prefix('{')?.strip_suffix('}')?;
        let (name, rest) = match inner.strip_suffix("...") {
            Some(name) => (name, true),
            None => (inner, false),
        };
        Some(Self { name: name.to_owned(), first, rest })
    }

    pub fn takes_rest(&self) -> bool {
        self.rest
    }

    pub fn value<'a>(&self, segments: &'a [Cow<'_, str>]) -> Cow<'a, str> {
        if self.rest { Cow::Owned(segments[self.first..].join("/")) } else { Cow::Borrowed(&segments[self.first]) }
    }

    fn encode_into(&self, segments: &[Cow<'_, str>], path: &mut String) {
        let last = if self.rest { segments.len() } else { self.first + 1 };
        for (index, segment) in segments[self.first..last].iter().enumerate() {
            if index > 0 {
                path.push('/');
            }
            path.extend(utf8_percent_encode(segment, RESERVED));
        }
    }
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Value(Parameter),
}

#[derive(Debug)]
pub struct Rewrite {
    pieces: Vec<Piece>,
}

impl Rewrite {
    pub fn parse(template: &str, parameters: &[Parameter]) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut left = template;
        while let Some((text, opened)) = left.split_once('{') {
            let (placeholder, after) = opened.split_once('}').ok_or("a { without its }")?;
            let name = placeholder.strip_suffix("...").unwrap_or(placeholder);
            let parameter = parameters.iter().find(|parameter| parameter.name == name);
            pieces.push(Piece::Text(text.to_owned()));
            pieces.push(Piece::Value(parameter.ok_or_else(|| format!("no parameter {name}"))?.clone()));
            left = after;
        }
        pieces.push(Piece::Text(left.to_owned()));
        Ok(Self { pieces })
    }

    /// Fills the template; `query` is what followed the first `?`, if there was one.
    pub fn fill(&self, segments: &[Cow<'_, str>], query: Option<&str>) -> String {
        let mut path = String::with_capacity(128);
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => path.push_str(text),
                Piece::Value(parameter) => parameter.encode_into(segments, &mut path),
            }
        }
        if let Some(query) = query {
            path.push('?');
            path.push_str(query);
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path;

    fn fill(template: &str, pattern: &str, path: &str, query: Option<&str>) -> String {
        let parameters: Vec<_> = pattern[1..]
            .split('/')
            .enumerate()
            .filter_map(|(index, segment)| Parameter::parse(segment, index))
            .collect();
        let rewrite = Rewrite::parse(template, &parameters).unwrap();
        rewrite.fill(&path::segments(path).unwrap(), query)
    }

    #[test]
    fn a_value_is_encoded_byte_by_byte() {
        assert_eq!(fill("/i/{id}/x", "/u/{id}", "/u/a b%2F~é", None), "/i/a%20b%2F~%C3%A9/x");
    }

    #[test]
    fn the_rest_keeps_its_slashes_and_only_those() {
        assert_eq!(fill("/t/{p...}/of/{b}", "/{b}/{p...}", "/k/a%2Fb//c", None), "/t/a%2Fb//c/of/k");
    }

    #[test]
    fn the_query_is_kept_as_it_was_sent() {
        assert_eq!(fill("/x", "/x", "/x", Some("a=%zz?b")), "/x?a=%zz?b");
        assert_eq!(fill("/x", "/x", "/x", Some("")), "/x?");
    }

    #[test]
    fn a_template_that_names_no_parameter_is_refused() {
        assert!(Rewrite::parse("/x/{id}", &[]).is_err());
        assert!(Rewrite::parse("/x/{id", &[]).is_err());
    }
}
