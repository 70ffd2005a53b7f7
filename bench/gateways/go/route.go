package main

import (
	"net/http"
	"slices"
	"strings"
)

// routeRequest is the body of POST /route, checked.
type routeRequest struct {
	path    string
	query   string // with its question mark
	method  string
	payload map[string]any // nil: null
}

// routeAnswer is the body of its answer.
type routeAnswer struct {
	Route        string            `json:"route"`
	Service      string            `json:"service"`
	UpstreamPath string            `json:"upstream_path"`
	Params       map[string]string `json:"params"`
	Subject      *string           `json:"subject"`
	Payload      map[string]any    `json:"payload"`
}

func (g *gateway) serveRoute(w http.ResponseWriter, r *http.Request, _ traceContext) int {
	answer, problem := g.route(w, r)
	if problem != nil {
		return writeProblem(w, problem)
	}
	status := writeJSON(w, http.StatusOK, answer)
	g.liveSet.replaceOne()
	return status
}

func (g *gateway) route(w http.ResponseWriter, r *http.Request) (*routeAnswer, *problem) {
	if !isJSON(r.Header.Get("Content-Type")) {
		return nil, problemMediaType
	}
	body := borrowBuffer()
	defer returnBuffer(body)
	if problem := readBody(w, r, g.config.bodyLimit, body); problem != nil {
		return nil, problem
	}
	value, ok := parseJSON(body.Bytes())
	if !ok {
		return nil, problemInvalidJSON
	}
	request, problem := newRouteRequest(value)
	if problem != nil {
		return nil, problem
	}
	segments, ok := splitPath(request.path)
	if !ok {
		return nil, problemInvalidEscape
	}
	match := g.table.root.find(request.method, segments, nil)
	if match.route == nil {
		return nil, problemNoRoute
	}
	claims, problem := g.tokens.authorize(r, match.route.access)
	if problem != nil {
		return nil, problem
	}
	answer := &routeAnswer{
		Route:        match.route.id,
		Service:      match.route.service,
		UpstreamPath: match.upstreamPath(request.query),
		Params:       match.params(),
	}
	if claims != nil {
		answer.Subject = claims.subject
	}
	if request.payload != nil {
		match.route.transform.apply(request.payload)
		answer.Payload = request.payload
	}
	return answer, nil
}

func isJSON(contentType string) bool {
	mediaType, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), "application/json")
}

func newRouteRequest(value any) (*routeRequest, *problem) {
	members, ok := value.(map[string]any)
	if !ok {
		return nil, problemNotAnObject
	}
	path, ok := members["path"].(string)
	if !ok || !strings.HasPrefix(path, "/") {
		return nil, problemInvalidPath
	}
	request := &routeRequest{method: http.MethodGet}
	request.path, request.query = splitQuery(path)
	if value, present := members["method"]; present {
		method, ok := value.(string)
		if !ok || !slices.Contains(routeMethods, method) {
			return nil, problemInvalidMethod
		}
		request.method = method
	}
	if value := members["payload"]; value != nil {
		payload, ok := value.(map[string]any)
		if !ok {
			return nil, problemInvalidPayload
		}
		request.payload = payload
	}
	return request, nil
}
