package main

import (
	"fmt"
	"math"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

func (g *gateway) serveHealth(w http.ResponseWriter, _ *http.Request, _ traceContext) int {
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (g *gateway) serveReadiness(w http.ResponseWriter, _ *http.Request, _ traceContext) int {
	if g.draining.Load() {
		return writeProblem(w, problemDraining)
	}
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

type info struct {
	Gateway        string   `json:"gateway"`
	Runtime        string   `json:"runtime"`
	RuntimeVersion string   `json:"runtime_version"`
	Collector      string   `json:"collector"`
	Workers        int      `json:"workers"`
	HeapLimitBytes *int64   `json:"heap_limit_bytes"`
	LiveSetEntries int      `json:"live_set_entries"`
	JWTCache       bool     `json:"jwt_cache"`
	UpstreamPool   bool     `json:"upstream_pool"`
	PID            int      `json:"pid"`
	Flags          []string `json:"flags"`
}

func (g *gateway) serveInfo(w http.ResponseWriter, _ *http.Request, _ traceContext) int {
	return writeJSON(w, http.StatusOK, info{
		Gateway:        "go",
		Runtime:        "go",
		RuntimeVersion: runtime.Version(),
		Collector:      "go", // it has one, without a name
		Workers:        runtime.GOMAXPROCS(0),
		HeapLimitBytes: memoryLimit(),
		LiveSetEntries: len(g.liveSet.entries),
		JWTCache:       g.tokens.cache != nil,
		UpstreamPool:   g.config.upstreamPool,
		PID:            os.Getpid(),
		Flags:          runtimeFlags(),
	})
}

// memoryLimit is GOMEMLIMIT in bytes, nil if there is none.
func memoryLimit() *int64 {
	limit := debug.SetMemoryLimit(-1) // a negative limit only reads
	if limit == math.MaxInt64 {
		return nil
	}
	return &limit
}

// gogc is GOGC as a number, or the text "off".
func gogc() any {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	percent := sample[0].Value.Uint64()
	if percent > math.MaxInt32 {
		return "off"
	}
	return percent
}

// runtimeFlags are the settings in force, not what the environment asked for.
func runtimeFlags() []string {
	flags := []string{
		fmt.Sprintf("GOGC=%v", gogc()),
		fmt.Sprintf("GOMAXPROCS=%d", runtime.GOMAXPROCS(0)),
	}
	if limit := memoryLimit(); limit != nil {
		flags = append(flags, fmt.Sprintf("GOMEMLIMIT=%d", *limit))
	}
	if value := os.Getenv("GODEBUG"); value != "" {
		flags = append(flags, "GODEBUG="+value)
	}
	return flags
}
