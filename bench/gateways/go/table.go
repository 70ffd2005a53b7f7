package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// table is routes.json, made ready for matching.
type table struct {
	services map[string]access
	root     *node
}

// access is what a route or a service asks of a token.
type access struct {
	token bool
	scope string // empty: any
}

type route struct {
	id        string
	service   string
	access    access
	params    []string // names, in the order of the pattern
	hasTail   bool     // the last of params is {name...}
	rewrite   rewrite
	transform transform
}

var routeMethods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

type accessSpec struct {
	Auth  string  `json:"auth"`
	Scope *string `json:"scope"`
}

type tableSpec struct {
	Services map[string]accessSpec `json:"services"`
	Routes   []routeSpec           `json:"routes"`
}

type routeSpec struct {
	accessSpec
	ID        string        `json:"id"`
	Method    string        `json:"method"`
	Pattern   string        `json:"pattern"`
	Service   string        `json:"service"`
	Rewrite   string        `json:"rewrite"`
	Transform transformSpec `json:"transform"`
}

func loadTable(path string) (*table, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var spec tableSpec
	if err := json.Unmarshal(text, &spec); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	t := &table{services: make(map[string]access), root: newNode()}
	for name, service := range spec.Services {
		if t.services[name], err = service.access(); err != nil {
			return nil, fmt.Errorf("%s: service %q: %w", path, name, err)
		}
	}
	for _, route := range spec.Routes {
		if err := t.add(route); err != nil {
			return nil, fmt.Errorf("%s: route %q: %w", path, route.ID, err)
		}
	}
	return t, nil
}

func (s accessSpec) access() (access, error) {
	if s.Auth != "none" && s.Auth != "jwt" {
		return access{}, fmt.Errorf("auth %q is neither none nor jwt", s.Auth)
	}
	a := access{token: s.Auth == "jwt"}
	if s.Scope != nil {
		a.scope = *s.Scope
	}
	return a, nil
}

func (t *table) add(spec routeSpec) error {
	if !slices.Contains(routeMethods, spec.Method) {
		return fmt.Errorf("method %q is not one of %v", spec.Method, routeMethods)
	}
	access, err := spec.access()
	if err != nil {
		return err
	}
	r := &route{id: spec.ID, service: spec.Service, access: access, transform: newTransform(spec.Transform)}
	end, err := t.root.grow(spec.Pattern, r)
	if err != nil {
		return err
	}
	if r.rewrite, err = newRewrite(spec.Rewrite, r.params, r.hasTail); err != nil {
		return err
	}
	if end[spec.Method] != nil {
		return fmt.Errorf("matches the same requests as route %q", end[spec.Method].id)
	}
	end[spec.Method] = r
	return nil
}

// grow adds the nodes of a pattern, notes its parameters in r, and returns the map of methods at its end.
func (n *node) grow(pattern string, r *route) (map[string]*route, error) {
	path, rooted := strings.CutPrefix(pattern, "/")
	if !rooted {
		return nil, fmt.Errorf("pattern %q does not begin with a slash", pattern)
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		name, isParam := paramName(segment)
		if !isParam {
			if n.literals[segment] == nil {
				n.literals[segment] = newNode()
			}
			n = n.literals[segment]
			continue
		}
		name, isTail := strings.CutSuffix(name, "...")
		if name == "" || slices.Contains(r.params, name) {
			return nil, fmt.Errorf("pattern %q has a parameter without a name of its own", pattern)
		}
		r.params = append(r.params, name)
		if isTail {
			if i != len(segments)-1 {
				return nil, fmt.Errorf("pattern %q goes on after {%s...}", pattern, name)
			}
			r.hasTail = true
			return n.tails, nil
		}
		if n.param == nil {
			n.param = newNode()
		}
		n = n.param
	}
	return n.ends, nil
}

func paramName(segment string) (name string, ok bool) {
	if len(segment) < 2 || segment[0] != '{' || segment[len(segment)-1] != '}' {
		return "", false
	}
	return segment[1 : len(segment)-1], true
}

// rewrite is the template of an upstream path.
type rewrite []rewritePart

// rewritePart is literal text followed by the value of one parameter, or by nothing if param is negative.
type rewritePart struct {
	literal string
	param   int
	isTail  bool
}

func newRewrite(template string, params []string, hasTail bool) (rewrite, error) {
	var parts rewrite
	for {
		literal, rest, found := strings.Cut(template, "{")
		if !found {
			return append(parts, rewritePart{literal: literal, param: -1}), nil
		}
		name, rest, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, errors.New("rewrite has an open brace")
		}
		name = strings.TrimSuffix(name, "...")
		param := slices.Index(params, name)
		if param < 0 {
			return nil, fmt.Errorf("rewrite names {%s}, which the pattern does not", name)
		}
		parts = append(parts, rewritePart{literal, param, hasTail && param == len(params)-1})
		template = rest
	}
}
