package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// serveProxy answers /proxy/{service} and /proxy/{service}/{rest}.
//
// It is not an httputil.ReverseProxy: that one keeps upgrades and "TE: trailers", drops forwarding headers and parts
// of the query, and streams, so that a late failure of the upstream could not be a 502 or 504 any more.
func (g *gateway) serveProxy(w http.ResponseWriter, r *http.Request, trace traceContext) int {
	path, query := splitTarget(r.RequestURI)
	upstreamPath := strings.TrimPrefix(path, "/proxy")
	service, _, _ := strings.Cut(upstreamPath[1:], "/")
	access, known := g.table.services[service]
	if !known {
		return writeProblem(w, problemUnknownService)
	}
	if _, problem := g.tokens.authorize(r, access); problem != nil {
		return writeProblem(w, problem)
	}
	// Not a pooled buffer: the transport may still read it when the upstream answers early.
	var body bytes.Buffer
	if problem := readBody(w, r, g.config.bodyLimit, &body); problem != nil {
		return writeProblem(w, problem)
	}
	if g.upstream == nil {
		return writeProblem(w, problemUnreachable)
	}
	return g.upstream.forward(w, r, upstreamPath+query, body.Bytes(), trace)
}

// upstream is where /proxy sends requests.
type upstream struct {
	origin    string // scheme and authority
	prefix    string // path of the base URL, without its last slash
	timeout   time.Duration
	transport *http.Transport
}

func newUpstream(config config) *upstream {
	if config.upstream == nil {
		return nil
	}
	transport := &http.Transport{
		DialContext:        (&net.Dialer{Timeout: config.upstreamTimeout}).DialContext,
		DisableCompression: true, // encodings are between client and upstream
		DisableKeepAlives:  !config.upstreamPool,
	}
	if config.upstreamPool {
		transport.MaxConnsPerHost = config.upstreamPoolSize
		transport.MaxIdleConnsPerHost = config.upstreamPoolSize
	}
	return &upstream{
		origin:    "http://" + config.upstream.Host,
		prefix:    strings.TrimSuffix(config.upstream.EscapedPath(), "/"),
		timeout:   config.upstreamTimeout,
		transport: transport,
	}
}

var errUpstreamTimeout = errors.New("upstream timeout")

// mostHeldBytes bounds the memory of one answer. An answer up to this size is given back only when all of it has
// come, a larger one is streamed and breaks off if the upstream does.
const mostHeldBytes = 1 << 20

func (u *upstream) forward(w http.ResponseWriter, r *http.Request, target string, body []byte, trace traceContext) int {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	var timer *time.Timer
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// The time in the queue for a connection is not the upstream's. A retry does not start the clock again.
		GotConn: func(httptrace.GotConnInfo) {
			if timer == nil {
				timer = time.AfterFunc(u.timeout, func() { cancel(errUpstreamTimeout) })
			}
		},
	})
	response, err := u.transport.RoundTrip(u.request(ctx, r, target, body, trace))
	if timer != nil {
		defer timer.Stop()
	}
	if err != nil {
		return writeProblem(w, upstreamProblem(ctx, err))
	}
	defer response.Body.Close()
	if response.StatusCode < 200 { // a switch of protocols that nobody asked for, or no status at all
		return writeProblem(w, problemUnreachable)
	}
	held := borrowBuffer()
	defer returnBuffer(held)
	_, err = io.CopyN(held, response.Body, mostHeldBytes)
	if err != nil && err != io.EOF {
		return writeProblem(w, upstreamProblem(ctx, err))
	}
	complete := err == io.EOF

	header := w.Header()
	removeHopByHop(response.Header)
	for name, values := range response.Header {
		header[name] = values
	}
	header["Traceresponse"] = []string{trace.header}
	if response.Header["Content-Type"] == nil {
		header["Content-Type"] = nil // net/http would guess one
	}
	if complete && r.Method != http.MethodHead {
		header["Content-Length"] = []string{strconv.Itoa(held.Len())}
	}
	w.WriteHeader(response.StatusCode)
	w.Write(held.Bytes())
	if !complete {
		if _, err := io.Copy(w, response.Body); err != nil {
			panic(http.ErrAbortHandler) // the client sees that the answer is not whole
		}
	}
	return response.StatusCode
}

func (u *upstream) request(ctx context.Context, r *http.Request, target string, body []byte, trace traceContext) *http.Request {
	request, err := http.NewRequestWithContext(ctx, r.Method, u.origin, bytes.NewReader(body))
	if err != nil {
		panic(err) // origin and method have been checked
	}
	// An opaque URL is sent as it is; a path would be decoded and encoded again.
	request.URL = &url.URL{Scheme: "http", Host: request.URL.Host, Opaque: u.prefix + target}

	header := r.Header.Clone()
	removeHopByHop(header)
	if _, present := header["User-Agent"]; !present {
		header["User-Agent"] = nil // net/http would send its own
	}
	client, _, _ := net.SplitHostPort(r.RemoteAddr)
	header["X-Forwarded-For"] = []string{strings.Join(append(header["X-Forwarded-For"], client), ", ")}
	header["Traceparent"] = []string{trace.header}
	if !trace.continued {
		delete(header, "Tracestate")
	}
	request.Header = header
	return request
}

func upstreamProblem(ctx context.Context, err error) *problem {
	if context.Cause(ctx) == errUpstreamTimeout {
		return problemUpstreamTimeout
	}
	if ctx.Err() != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return problemUpstreamTimeout // it did not even accept the connection
	}
	return problemUnreachable
}

// hopByHop are the headers of RFC 9110 §7.6.1 that concern one connection only.
var hopByHop = []string{"Connection", "Proxy-Connection", "Keep-Alive", "Te", "Transfer-Encoding", "Upgrade"}

func removeHopByHop(header http.Header) {
	for _, value := range header["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			header.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop {
		delete(header, name)
	}
}
