package main

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// node is one position in the tree of patterns: what may come next, and the routes that end here, by method.
type node struct {
	literals map[string]*node
	param    *node
	ends     map[string]*route
	tails    map[string]*route // of {name...}
}

func newNode() *node {
	return &node{literals: make(map[string]*node), ends: make(map[string]*route), tails: make(map[string]*route)}
}

// match is a route with what its parameters stand for.
type match struct {
	route  *route
	values []string // of {name}, decoded
	tail   []string // segments of {name...}, decoded
}

// find walks the tree depth first: a literal before {name} before {name...}. The zero match means none.
func (n *node) find(method string, segments, values []string) match {
	if len(segments) == 0 {
		return match{route: n.ends[method], values: values}
	}
	if segment := segments[0]; segment != "" {
		if next := n.literals[segment]; next != nil {
			if m := next.find(method, segments[1:], values); m.route != nil {
				return m
			}
		}
		if n.param != nil {
			if m := n.param.find(method, segments[1:], append(values, segment)); m.route != nil {
				return m
			}
		}
	}
	return match{route: n.tails[method], values: values, tail: segments}
}

// params names the values; a tail is joined with slashes.
func (m match) params() map[string]string {
	params := make(map[string]string, len(m.route.params))
	for i, value := range m.values {
		params[m.route.params[i]] = value
	}
	if m.route.hasTail {
		params[m.route.params[len(m.values)]] = strings.Join(m.tail, "/")
	}
	return params
}

// upstreamPath is the rewritten path, with the query (question mark included) as it was sent.
func (m match) upstreamPath(query string) string {
	path := make([]byte, 0, 128)
	for _, part := range m.route.rewrite {
		path = append(path, part.literal...)
		switch {
		case part.param < 0:
		case part.isTail:
			for i, segment := range m.tail {
				if i > 0 {
					path = append(path, '/')
				}
				path = appendEscaped(path, segment)
			}
		default:
			path = appendEscaped(path, m.values[part.param])
		}
	}
	return string(append(path, query...))
}

// appendEscaped percent-encodes all but the unreserved characters of RFC 3986. url.PathEscape leaves more as they are.
func appendEscaped(buffer []byte, text string) []byte {
	const upperHex = "0123456789ABCDEF"
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~' {
			buffer = append(buffer, c)
		} else {
			buffer = append(buffer, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return buffer
}

// splitPath returns the decoded segments of a path that begins with a slash; ok is false for a bad escape, for what
// is not UTF-8, and for dot segments.
func splitPath(path string) (segments []string, ok bool) {
	segments = make([]string, 0, 8)
	for segment := range strings.SplitSeq(path[1:], "/") {
		if strings.Contains(segment, "%") {
			decoded, err := url.PathUnescape(segment)
			if err != nil || !utf8.ValidString(decoded) {
				return nil, false
			}
			segment = decoded
		}
		if segment == "." || segment == ".." {
			return nil, false
		}
		segments = append(segments, segment)
	}
	return segments, true
}
