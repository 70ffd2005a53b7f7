package main

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"time"
)

// awaitBody limits how long the body of a request may take. That holds also for a body that no handler wants:
// net/http reads it before it sends the answer, to keep the connection.
func awaitBody(w http.ResponseWriter, r *http.Request, timeout time.Duration) {
	if r.ContentLength != 0 {
		http.NewResponseController(w).SetReadDeadline(time.Now().Add(timeout))
	}
}

// readBody reads the whole body, at most limit bytes of it.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, body *bytes.Buffer) *problem {
	if r.ContentLength == 0 {
		return nil
	}
	if r.ContentLength > limit {
		return problemBodyTooLarge
	}
	if r.ContentLength > 0 {
		body.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
	if err == nil {
		return nil
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return problemBodyTooLarge
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return problemRequestTimeout
	}
	// It broke off, or is not HTTP: there is nobody to answer.
	panic(http.ErrAbortHandler)
}
