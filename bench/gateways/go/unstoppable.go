package main

import (
	"math"
	"net/http"
	"runtime"
	"sync"
	"time"
)

// unstoppable says when a loop ran that the runtime cannot stop, when a collection was asked for meanwhile, and when it
// came back. Without GODEBUG=asyncpreemptoff=1 the runtime can stop it.
type unstoppable struct {
	Applicable  bool     `json:"applicable"`
	Loop        interval `json:"loop"`
	AskedNS     int64    `json:"asked_ns"`
	CollectedNS int64    `json:"collected_ns"`
}

func serveUnstoppable(w http.ResponseWriter, r *http.Request, _ traceContext) int {
	milliseconds, ok := numberParameter(r, "ms", 0, math.MaxInt32)
	if !ok {
		return writeProblem(w, problemInvalidNumber)
	}
	iterations := int64(milliseconds * iterationsPerMillisecond())
	began, ended := make(chan int64, 1), make(chan interval, 1)
	go func() {
		start := monotonicNS()
		began <- start
		loopWithoutCalls(iterations)
		ended <- interval{start, monotonicNS()}
	}()

	askAt := <-began + int64(milliseconds*float64(time.Millisecond)/4)
	time.Sleep(time.Duration(askAt - monotonicNS()))
	asked := monotonicNS()
	runtime.GC()
	collected := monotonicNS()
	return writeJSON(w, http.StatusOK, unstoppable{true, <-ended, asked, collected})
}

// iterationsPerMillisecond takes the fastest of some runs: the slower ones were disturbed.
var iterationsPerMillisecond = sync.OnceValue(func() float64 {
	const runs, iterations = 8, 2_000_000
	fastest := int64(math.MaxInt64)
	for range runs {
		start := monotonicNS()
		loopWithoutCalls(iterations)
		fastest = min(fastest, monotonicNS()-start)
	}
	return iterations * float64(time.Millisecond) / float64(fastest)
})

// loopWithoutCalls has no call in which it could be stopped. Each step needs the one before, so that the compiler has
// nothing to fold and the time is that of the iterations.
//
//go:noinline
func loopWithoutCalls(iterations int64) uint64 {
	state := uint64(iterations)
	for range iterations {
		state = state*6364136223846793005 + 1442695040888963407
	}
	return state
}
