package main

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// gateway answers every request. It dispatches by hand: http.ServeMux would redirect paths that are not clean.
type gateway struct {
	config   config
	table    *table
	tokens   *verifier
	liveSet  *liveSet
	upstream *upstream // nil: none configured
	log      *slog.Logger

	endpoints map[string]*endpoint // by path
	proxy     *endpoint
	other     *endpoint

	draining atomic.Bool
}

// endpoint is one entry of the contract. serve writes the answer and returns its status.
type endpoint struct {
	allow   string   // value of the Allow header
	methods []string // nil: all
	serve   func(http.ResponseWriter, *http.Request, traceContext) int
	meter   *endpointMeter
}

var knownMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

func newGateway(config config, table *table, log *slog.Logger) *gateway {
	g := &gateway{
		config:   config,
		table:    table,
		tokens:   &verifier{secret: config.jwtSecret, publicKey: config.jwtPublicKey},
		liveSet:  newLiveSet(config.liveSetMiB),
		upstream: newUpstream(config),
		log:      log,
	}
	if config.jwtCache {
		g.tokens.cache = newTokenCache()
	}
	meters := newMeters()
	named := func(path string, serve func(http.ResponseWriter, *http.Request, traceContext) int, methods ...string) *endpoint {
		return &endpoint{strings.Join(methods, ", "), methods, serve, meters.endpoint(path)}
	}
	g.endpoints = map[string]*endpoint{
		"/route":   named("/route", g.serveRoute, "POST"),
		"/healthz": named("/healthz", g.serveHealth, "GET", "HEAD"),
		"/readyz":  named("/readyz", g.serveReadiness, "GET", "HEAD"),
		"/info":    named("/info", g.serveInfo, "GET", "HEAD"),
		"/metrics": named("/metrics", meters.serve, "GET", "HEAD"),
	}
	g.proxy = named("/proxy", g.serveProxy, "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
	g.other = named("other", serveNotFound)
	if config.faults {
		for path, fault := range faultEndpoints() {
			fault.meter = g.other.meter
			g.endpoints[path] = fault
		}
	}
	return g
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	trace := startTrace(r.Header)
	w.Header()["Traceresponse"] = []string{trace.header}
	awaitBody(w, r, g.config.readTimeout)

	path, _ := splitTarget(r.RequestURI)
	endpoint := g.find(path)
	status := endpoint.answer(w, r, trace)

	elapsed := time.Since(start)
	endpoint.meter.observe(status, elapsed)
	if ctx := r.Context(); g.log.Enabled(ctx, slog.LevelInfo) {
		g.log.LogAttrs(ctx, slog.LevelInfo, "request",
			slog.String("method", r.Method),
			slog.String("path", path),
			slog.Int("status", status),
			slog.Int64("duration_us", elapsed.Microseconds()),
			slog.String("trace_id", trace.traceID()),
			slog.String("span_id", trace.spanID()))
	}
}

func (g *gateway) find(path string) *endpoint {
	if endpoint := g.endpoints[path]; endpoint != nil {
		return endpoint
	}
	if strings.HasPrefix(path, "/proxy/") {
		return g.proxy
	}
	return g.other
}

func (e *endpoint) answer(w http.ResponseWriter, r *http.Request, trace traceContext) int {
	if !slices.Contains(knownMethods, r.Method) {
		return writeProblem(w, problemUnknownMethod)
	}
	if e.methods != nil && !slices.Contains(e.methods, r.Method) {
		w.Header()["Allow"] = []string{e.allow}
		return writeProblem(w, problemMethodNotAllowed)
	}
	return e.serve(w, r, trace)
}

// splitTarget returns path and query as they were sent. A target in absolute form loses scheme and host.
func splitTarget(target string) (path, query string) {
	if !strings.HasPrefix(target, "/") {
		if _, rest, absolute := strings.Cut(target, "://"); absolute {
			_, rest, _ = strings.Cut(rest, "/")
			target = "/" + rest
		}
	}
	return splitQuery(target)
}

// splitQuery leaves the question mark with the query: "/a?" has one, "/a" has none.
func splitQuery(target string) (path, query string) {
	if i := strings.IndexByte(target, '?'); i >= 0 {
		return target[:i], target[i:]
	}
	return target, ""
}

func serveNotFound(w http.ResponseWriter, _ *http.Request, _ traceContext) int {
	return writeProblem(w, problemNotFound)
}
