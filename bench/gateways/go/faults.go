package main

import (
	"math"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// faultEndpoints exist only with ENABLE_FAULTS=1: the suite's proofs inject faults of known size through them.
func faultEndpoints() map[string]*endpoint {
	post := func(serve func(http.ResponseWriter, *http.Request, traceContext) int) *endpoint {
		return &endpoint{allow: "POST", methods: []string{"POST"}, serve: serve}
	}
	return map[string]*endpoint{
		"/__fault/block":       post(serveBlock),
		"/__fault/leak":        post(serveLeak),
		"/__fault/exit":        post(serveExit),
		"/__truth/gc":          post(serveForcedGC),
		"/__truth/unstoppable": post(serveUnstoppable),
		"/__truth/drop":        post(serveDrop),
		"/__truth/clock":       {allow: "GET, HEAD", methods: []string{"GET", "HEAD"}, serve: serveClock},
	}
}

// interval is on CLOCK_MONOTONIC.
type interval struct {
	StartNS int64 `json:"start_ns"`
	EndNS   int64 `json:"end_ns"`
}

func serveBlock(w http.ResponseWriter, r *http.Request, _ traceContext) int {
	milliseconds, ok := numberParameter(r, "ms", 0, math.MaxInt32)
	workers := 1.0
	if ok && r.URL.Query().Has("workers") {
		workers, ok = wholeParameter(r, "workers", 1, 1024)
	}
	if !ok {
		return writeProblem(w, problemInvalidNumber)
	}
	blocked := make([]interval, int(workers))
	var spinning sync.WaitGroup
	for i := range blocked {
		spinning.Go(func() { blocked[i] = spin(time.Duration(milliseconds * float64(time.Millisecond))) })
	}
	spinning.Wait()
	return writeJSON(w, http.StatusOK, map[string]any{"blocked": blocked})
}

// spin asks the time without a system call, so that the scheduler does not take its processor away.
func spin(duration time.Duration) interval {
	start := monotonicNS()
	for begin := time.Now(); time.Since(begin) < duration; {
	}
	return interval{start, monotonicNS()}
}

func serveLeak(w http.ResponseWriter, r *http.Request, _ traceContext) int {
	rate, ok := numberParameter(r, "mib_per_s", 0, math.MaxInt32)
	if !ok {
		return writeProblem(w, problemInvalidNumber)
	}
	go leak(rate * (1 << 20))
	return writeJSON(w, http.StatusAccepted, map[string]float64{"leaking_mib_per_s": rate})
}

// leak retains memory at a rate that does not drift, until the process ends.
func leak(bytesPerSecond float64) {
	const step, pageBytes = 20 * time.Millisecond, 4096
	var retained [][]byte
	total := 0.0
	start := time.Now()
	for range time.Tick(step) {
		due := time.Since(start).Seconds()*bytesPerSecond - total
		chunk := make([]byte, int(due))
		for i := 0; i < len(chunk); i += pageBytes {
			chunk[i] = 1
		}
		retained = append(retained, chunk)
		total += float64(len(chunk))
	}
	runtime.KeepAlive(retained)
}

func serveExit(w http.ResponseWriter, r *http.Request, _ traceContext) int {
	code, ok := wholeParameter(r, "code", 0, 255)
	if !ok {
		return writeProblem(w, problemInvalidNumber)
	}
	os.Exit(int(code))
	return 0 // never
}

func serveForcedGC(w http.ResponseWriter, r *http.Request, _ traceContext) int {
	n, ok := wholeParameter(r, "n", 0, math.MaxInt32)
	if !ok {
		return writeProblem(w, problemInvalidNumber)
	}
	collections := make([]interval, 0, min(int(n), 1024))
	for range int(n) {
		start := monotonicNS()
		runtime.GC()
		collections = append(collections, interval{start, monotonicNS()})
	}
	return writeJSON(w, http.StatusOK, map[string]any{"applicable": true, "collections": collections})
}

// serveDrop has nothing to time: a collector frees what was dropped.
func serveDrop(w http.ResponseWriter, r *http.Request, _ traceContext) int {
	if _, ok := numberParameter(r, "mib", 0, math.MaxInt32); !ok {
		return writeProblem(w, problemInvalidNumber)
	}
	return writeJSON(w, http.StatusOK, map[string]bool{"applicable": false})
}

func serveClock(w http.ResponseWriter, _ *http.Request, _ traceContext) int {
	return writeJSON(w, http.StatusOK, readClock())
}

func numberParameter(r *http.Request, name string, least, most float64) (float64, bool) {
	number, err := strconv.ParseFloat(r.URL.Query().Get(name), 64)
	return number, err == nil && least <= number && number <= most // NaN is neither
}

func wholeParameter(r *http.Request, name string, least, most float64) (float64, bool) {
	number, ok := numberParameter(r, name, least, most)
	return number, ok && number == math.Trunc(number)
}
