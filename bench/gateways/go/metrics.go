package main

import (
	"bytes"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// meters are the gateway's own metrics. The registry holds nothing else: the collectors that come with
// client_golang would make /metrics dearer than the contract asks.
type meters struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newMeters() *meters {
	m := &meters{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_server_requests_total",
			Help: "Requests answered.",
		}, []string{"endpoint", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "http_server_request_duration_seconds",
			Help:    "Time from a request's header to its answer.",
			Buckets: []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2.5},
		}, []string{"endpoint"}),
	}
	m.registry.MustRegister(m.requests, m.duration)
	return m
}

// endpointMeter has the labels of one endpoint resolved.
type endpointMeter struct {
	requests *prometheus.CounterVec
	duration prometheus.Observer
	byStatus [1000]atomic.Pointer[prometheus.Counter]
}

func (m *meters) endpoint(name string) *endpointMeter {
	return &endpointMeter{
		requests: m.requests.MustCurryWith(prometheus.Labels{"endpoint": name}),
		duration: m.duration.WithLabelValues(name),
	}
}

func (m *endpointMeter) observe(status int, elapsed time.Duration) {
	counter := m.byStatus[status].Load()
	if counter == nil {
		resolved := m.requests.WithLabelValues(strconv.Itoa(status))
		counter = &resolved
		m.byStatus[status].Store(counter)
	}
	(*counter).Inc()
	m.duration.Observe(elapsed.Seconds())
}

var metricsType = []string{string(expfmt.NewFormat(expfmt.TypeTextPlain))}

// serve renders into a buffer, unlike promhttp, so that the answer states its length.
func (m *meters) serve(w http.ResponseWriter, _ *http.Request, _ traceContext) int {
	families, err := m.registry.Gather()
	if err != nil {
		panic(err) // only inconsistent collectors fail, and there are none
	}
	var text bytes.Buffer
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			panic(err)
		}
	}
	return writeBody(w, http.StatusOK, metricsType, text.Bytes())
}
