//! The routing table: a tree of segments, built once.

use std::{borrow::Cow, collections::HashMap, fs, path::Path};

use serde::Deserialize;

use crate::{
    config::Malformed,
    rewrite::{Parameter, Rewrite},
    transform::Transform,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "GET" => Some(Self::Get),
            "POST" => Some(Self::Post),
            "PUT" => Some(Self::Put),
            "PATCH" => Some(Self::Patch),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    None,
    Jwt,
}

/// What a route or a service asks of a token.
#[derive(Debug, Deserialize)]
pub struct Access {
    pub auth: Auth,
    pub scope: Option<String>,
}

#[derive(Deserialize)]
struct File {
    services: HashMap<String, Access>,
    routes: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    method: Method,
    pattern: String,
    service: String,
    rewrite: String,
    #[serde(flatten)]
    access: Access,
    #[serde(default)]
    transform: Transform,
}

#[derive(Debug)]
pub struct Route {
    pub id: String,
    pub service: String,
    pub access: Access,
    pub parameters: Vec<Parameter>,
    pub rewrite: Rewrite,
    pub transform: Transform,
    method: Method,
}

#[derive(Default)]
struct Node {
    literals: HashMap<String, Node>,
    parameter: Option<Box<Node>>,
    /// Routes whose pattern ends here, in the order of the table.
    ends: Vec<Route>,
    /// Routes whose pattern has `{name...}` here.
    rests: Vec<Route>,
}

pub struct Routes {
    services: HashMap<String, Access>,
    root: Node,
}

impl Routes {
    pub fn read(path: &Path) -> Result<Self, Malformed> {
        let malformed = |reason: String| Malformed::new("GATEWAY_ROUTES", format!("{}: {reason}", path.display()));
        let text = fs::read(path).map_err(|error| malformed(error.to_string()))?;
        Self::parse(&text).map_err(malformed)
    }

    fn parse(text: &[u8]) -> Result<Self, String> {
        let file: File = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let mut root = Node::default();
        for entry in file.routes {
            let id = entry.id.clone();
            root.add(entry).map_err(|reason| format!("route {id}: {reason}"))?;
        }
        Ok(Self { services: file.services, root })
    }

    pub fn service(&self, name: &str) -> Option<&Access> {
        self.services.get(name)
    }

    pub fn find(&self, segments: &[Cow<'_, str>], method: Method) -> Option<&Route> {
        self.root.find(segments, method)
    }
}

impl Node {
    fn add(&mut self, entry: Entry) -> Result<(), String> {
        let pattern = entry.pattern.strip_prefix('/').ok_or("its pattern does not begin with /")?;
        let segments: Vec<_> = pattern.split('/').collect();
        let mut node = self;
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut open = false;
        for (index, &segment) in segments.iter().enumerate() {
            if open {
                return Err("something follows {name...}".to_owned());
            }
            match Parameter::parse(segment, index) {
                Some(parameter) => {
                    open = parameter.takes_rest();
                    if !open {
                        node = node.parameter.get_or_insert_default();
                    }
                    parameters.push(parameter);
                }
                None => node = node.literals.entry(segment.to_owned()).or_default(),
            }
        }
        let route = Route {
            rewrite: Rewrite::parse(&entry.rewrite, &parameters)?,
            id: entry.id,
            service: entry.service,
            access: entry.access,
            parameters,
            transform: entry.transform,
            method: entry.method,
        };
        let ending_here = if open { &mut node.rests } else { &mut node.ends };
        ending_here.push(route);
        Ok(())
    }

    /// The first complete match: literal before `{name}` before `{name...}` at each segment, with backtracking.
    fn find(&self, segments: &[Cow<'_, str>], method: Method) -> Option<&Route> {
        let of_method = |route: &&Route| route.method == method;
        let Some((segment, left)) = segments.split_first() else {
            return self.ends.iter().find(of_method);
        };
        let one = || {
            // An empty segment matches neither a literal nor a parameter.
            if segment.is_empty() {
                return None;
            }
            let literal = || self.literals.get(segment.as_ref())?.find(left, method);
            let parameter = || self.parameter.as_ref()?.find(left, method);
            literal().or_else(parameter)
        };
        one().or_else(|| self.rests.iter().find(of_method))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path;
    use serde_json::json;

    fn found(patterns: &[(&str, &str)], method: &str, path: &str) -> Option<String> {
        let routes: Vec<_> = patterns
            .iter()
            .map(|(method, pattern)| {
                json!({"id": format!("{method} {pattern}"), "method": method, "pattern": pattern, "service": "s",
                       "rewrite": "/", "auth": "none", "scope": null})
            })
            .collect();
        let table = json!({"services": {}, "routes": routes}).to_string();
        let routes = Routes::parse(table.as_bytes()).unwrap();
        let route = routes.find(&path::segments(path).unwrap(), Method::parse(method).unwrap())?;
        Some(route.id.clone())
    }

    #[test]
    fn literal_goes_before_parameter_before_rest() {
        let patterns = [("GET", "/{r...}"), ("GET", "/{a}"), ("GET", "/x")];
        assert_eq!(found(&patterns, "GET", "/x").unwrap(), "GET /x");
        assert_eq!(found(&patterns, "GET", "/y").unwrap(), "GET /{a}");
        assert_eq!(found(&patterns, "GET", "/y/").unwrap(), "GET /{r...}");
        assert_eq!(found(&patterns, "GET", "/").unwrap(), "GET /{r...}");
    }

    #[test]
    fn a_dead_end_is_left_for_the_next_candidate() {
        let patterns = [("GET", "/a/b/c"), ("GET", "/{x}/b/d"), ("GET", "/a/{r...}")];
        assert_eq!(found(&patterns, "GET", "/a/b/d").unwrap(), "GET /a/{r...}");
        assert_eq!(found(&patterns[..2], "GET", "/a/b/d").unwrap(), "GET /{x}/b/d");
    }

    #[test]
    fn another_method_is_a_dead_end_too() {
        let patterns = [("GET", "/a"), ("POST", "/{x}")];
        assert_eq!(found(&patterns, "POST", "/a").unwrap(), "POST /{x}");
        assert_eq!(found(&patterns, "PUT", "/a"), None);
    }

    #[test]
    fn the_rest_is_at_least_one_segment() {
        assert_eq!(found(&[("GET", "/f/{r...}")], "GET", "/f"), None);
        assert!(found(&[("GET", "/f/{r...}")], "GET", "/f/").is_some());
    }
}
