package main

import (
	"encoding/json"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const samplePeriod = time.Second

var scalarMetrics = []string{
	"/cpu/classes/gc/mark/assist:cpu-seconds",
	"/cpu/classes/gc/mark/dedicated:cpu-seconds",
	"/cpu/classes/gc/mark/idle:cpu-seconds",
	"/cpu/classes/gc/pause:cpu-seconds",
	"/cpu/classes/gc/total:cpu-seconds",
	"/cpu/classes/total:cpu-seconds",
	"/gc/cycles/forced:gc-cycles",
	"/gc/cycles/total:gc-cycles",
	"/gc/limiter/last-enabled:gc-cycle",
	"/memory/classes/heap/objects:bytes",
	"/memory/classes/total:bytes",
	"/sched/gomaxprocs:threads",
}

var histogramMetrics = []string{
	"/sched/pauses/stopping/gc:seconds",
	"/sched/pauses/total/gc:seconds",
	"/sched/pauses/stopping/other:seconds",
	"/sched/pauses/total/other:seconds",
	"/sched/latencies:seconds",
}

// sampler records what the runtime says of itself, once a second, from a goroutine of its own.
// It never calls runtime.ReadMemStats, which stops the world.
type sampler struct {
	file     *os.File
	log      *slog.Logger
	scalars  []metrics.Sample
	hists    []metrics.Sample
	previous [][]uint64 // counts of hists at the last sample
	gc       debug.GCStats
	seenGC   int64 // cycles reported so far
	quit     chan struct{}
	finished chan struct{}
}

type samplerHeader struct {
	Kind            string `json:"kind"`
	PID             int    `json:"pid"`
	GoVersion       string `json:"go_version"`
	GoExperiment    string `json:"goexperiment"`
	GOMAXPROCS      int    `json:"gomaxprocs"`
	GOGC            any    `json:"gogc"`
	GOMEMLIMITBytes *int64 `json:"gomemlimit_bytes"`
	clockReading
}

type sample struct {
	Kind string `json:"kind"`
	clockReading
	NumGC        int64               `json:"num_gc"`
	PauseTotalNS int64               `json:"pause_total_ns"`
	Pauses       []pause             `json:"pauses"`
	PausesLost   int64               `json:"pauses_lost"`
	Metrics      map[string]any      `json:"metrics"`
	Histograms   map[string][]bucket `json:"histograms"`
}

type pause struct {
	EndWallNS int64 `json:"end_wall_ns"`
	PauseNS   int64 `json:"pause_ns"`
}

// bucket is [lo_ns, hi_ns, count]; an unbounded end is nil.
type bucket [3]any

func startSampler(dir string, log *slog.Logger) (*sampler, error) {
	file, err := os.Create(filepath.Join(dir, "go_runtime.jsonl"))
	if err != nil {
		return nil, err
	}
	s := &sampler{
		file:     file,
		log:      log,
		scalars:  samplesOf(scalarMetrics),
		hists:    samplesOf(histogramMetrics),
		previous: make([][]uint64, len(histogramMetrics)),
		quit:     make(chan struct{}),
		finished: make(chan struct{}),
	}
	s.write(samplerHeader{
		Kind:            "header",
		PID:             os.Getpid(),
		GoVersion:       runtime.Version(),
		GoExperiment:    buildSetting("GOEXPERIMENT"),
		GOMAXPROCS:      runtime.GOMAXPROCS(0),
		GOGC:            gogc(),
		GOMEMLIMITBytes: memoryLimit(),
		clockReading:    readClock(),
	})
	go s.run()
	return s, nil
}

func (s *sampler) run() {
	defer close(s.finished)
	ticker := time.NewTicker(samplePeriod)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.write(s.take())
		case <-s.quit:
			s.write(s.take())
			return
		}
	}
}

// stop writes the last sample.
func (s *sampler) stop() {
	close(s.quit)
	<-s.finished
	s.file.Close()
}

// write hands a whole line to the system at once, so that nothing is lost if the process dies.
func (s *sampler) write(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err) // a value of our own making: a defect
	}
	if _, err := s.file.Write(append(text, '\n')); err != nil {
		s.log.Error("a sample is lost: " + err.Error())
	}
}

func (s *sampler) take() sample {
	debug.ReadGCStats(&s.gc)
	metrics.Read(s.scalars)
	metrics.Read(s.hists)
	fresh := s.gc.NumGC - s.seenGC
	s.seenGC = s.gc.NumGC
	held := min(fresh, int64(len(s.gc.Pause)))

	pauses := make([]pause, 0, held)
	for i := held - 1; i >= 0; i-- { // the runtime has the newest first
		pauses = append(pauses, pause{s.gc.PauseEnd[i].UnixNano(), s.gc.Pause[i].Nanoseconds()})
	}
	return sample{
		Kind:         "sample",
		clockReading: readClock(),
		NumGC:        s.gc.NumGC,
		PauseTotalNS: s.gc.PauseTotal.Nanoseconds(),
		Pauses:       pauses,
		PausesLost:   fresh - held,
		Metrics:      values(s.scalars),
		Histograms:   s.differences(),
	}
}

func values(samples []metrics.Sample) map[string]any {
	values := make(map[string]any, len(samples))
	for _, sample := range samples {
		switch sample.Value.Kind() {
		case metrics.KindUint64:
			values[sample.Name] = sample.Value.Uint64()
		case metrics.KindFloat64:
			values[sample.Name] = sample.Value.Float64()
		}
	}
	return values
}

// differences are the non-empty buckets of what happened since the last sample.
func (s *sampler) differences() map[string][]bucket {
	differences := make(map[string][]bucket, len(s.hists))
	for i, sample := range s.hists {
		histogram := sample.Value.Float64Histogram()
		if s.previous[i] == nil {
			s.previous[i] = make([]uint64, len(histogram.Counts))
		}
		buckets := []bucket{}
		for j, count := range histogram.Counts {
			if grown := count - s.previous[i][j]; grown > 0 {
				buckets = append(buckets, bucket{edgeNS(histogram.Buckets[j]), edgeNS(histogram.Buckets[j+1]), grown})
			}
		}
		copy(s.previous[i], histogram.Counts)
		differences[sample.Name] = buckets
	}
	return differences
}

func edgeNS(seconds float64) any {
	if math.IsInf(seconds, 0) {
		return nil
	}
	return int64(math.Round(seconds * 1e9))
}

func samplesOf(names []string) []metrics.Sample {
	samples := make([]metrics.Sample, len(names))
	for i, name := range names {
		samples[i].Name = name
	}
	return samples
}

func buildSetting(key string) string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range build.Settings {
		if setting.Key == key {
			return setting.Value
		}
	}
	return ""
}
