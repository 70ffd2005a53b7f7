package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
)

// problem is an error as the client sees it, encoded once.
type problem struct {
	status int
	body   []byte
	// closes says that the connection cannot be used after it.
	closes bool
}

func newProblem(status int, code, message string) *problem {
	body, err := json.Marshal(map[string]string{"error": code, "message": message})
	if err != nil {
		panic(err)
	}
	return &problem{status: status, body: body}
}

func newClosingProblem(status int, code, message string) *problem {
	p := newProblem(status, code, message)
	p.closes = true
	return p
}

func invalidRequest(message string) *problem {
	return newProblem(http.StatusBadRequest, "invalid_request", message)
}

var (
	problemInvalidJSON      = newProblem(http.StatusBadRequest, "invalid_json", "The body is not one JSON text in UTF-8.")
	problemNotAnObject      = invalidRequest("The body must be a JSON object.")
	problemInvalidPath      = invalidRequest("The member \"path\" must be a string that begins with a slash.")
	problemInvalidEscape    = invalidRequest("A segment of \"path\" does not decode to text, or is a dot segment.")
	problemInvalidMethod    = invalidRequest("The member \"method\" must be GET, POST, PUT, PATCH or DELETE.")
	problemInvalidPayload   = invalidRequest("The member \"payload\" must be an object or null.")
	problemInvalidNumber    = invalidRequest("A parameter is missing or is not a number in range.")
	problemMissingToken     = newProblem(http.StatusUnauthorized, "missing_token", "A bearer token is required.")
	problemInvalidToken     = newProblem(http.StatusUnauthorized, "invalid_token", "The bearer token does not verify.")
	problemExpiredToken     = newProblem(http.StatusUnauthorized, "expired_token", "The bearer token has expired.")
	problemScope            = newProblem(http.StatusForbidden, "insufficient_scope", "The bearer token lacks the required scope.")
	problemNoRoute          = newProblem(http.StatusNotFound, "no_route", "No route matches this path and method.")
	problemUnknownService   = newProblem(http.StatusNotFound, "unknown_service", "There is no such service.")
	problemNotFound         = newProblem(http.StatusNotFound, "not_found", "There is no such endpoint.")
	problemMethodNotAllowed = newProblem(http.StatusMethodNotAllowed, "method_not_allowed", "The endpoint does not allow this method.")
	problemRequestTimeout   = newClosingProblem(http.StatusRequestTimeout, "request_timeout", "The body did not arrive in time.")
	problemBodyTooLarge     = newClosingProblem(http.StatusRequestEntityTooLarge, "body_too_large", "The body is too large.")
	problemMediaType        = newProblem(http.StatusUnsupportedMediaType, "unsupported_media_type", "The Content-Type must be application/json.")
	problemUnknownMethod    = newProblem(http.StatusNotImplemented, "unknown_method", "The gateway does not know this method.")
	problemUnreachable      = newProblem(http.StatusBadGateway, "upstream_unreachable", "The upstream gave no answer.")
	problemUpstreamTimeout  = newProblem(http.StatusGatewayTimeout, "upstream_timeout", "The upstream did not answer in time.")
	problemDraining         = newProblem(http.StatusServiceUnavailable, "draining", "The gateway is shutting down.")
)

var (
	jsonType  = []string{"application/json"}
	bearer    = []string{"Bearer"}
	closeConn = []string{"close"}
)

// buffers hold bodies while they are read or written. Large ones are left to the collector.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const largestPooledBuffer = 64 << 10

func borrowBuffer() *bytes.Buffer {
	return buffers.Get().(*bytes.Buffer)
}

func returnBuffer(buffer *bytes.Buffer) {
	if buffer.Cap() <= largestPooledBuffer {
		buffer.Reset()
		buffers.Put(buffer)
	}
}

// writeJSON answers with value and returns the status, as every handler does.
func writeJSON(w http.ResponseWriter, status int, value any) int {
	buffer := borrowBuffer()
	defer returnBuffer(buffer)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // a value of our own making: a defect
	}
	return writeBody(w, status, jsonType, buffer.Bytes())
}

func writeProblem(w http.ResponseWriter, p *problem) int {
	if p.status == http.StatusUnauthorized {
		w.Header()["Www-Authenticate"] = bearer
	}
	if p.closes {
		w.Header()["Connection"] = closeConn
	}
	return writeBody(w, p.status, jsonType, p.body)
}

// writeBody states the length, which net/http does by itself only for small bodies.
func writeBody(w http.ResponseWriter, status int, contentType []string, body []byte) int {
	header := w.Header()
	header["Content-Type"] = contentType
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	w.Write(body)
	return status
}
