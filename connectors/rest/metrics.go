package rest

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what all sources are asked for. A nil one counts nothing.
type Metrics struct {
	requests    *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	rateLimited *prometheus.CounterVec
}

// NewMetrics registers the request metrics of all sources with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_source_requests_total",
			Help: "Requests sent to a source, every attempt by itself, by the status code of the answer; code is \"error\" where none came whole.",
		}, []string{"source", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                            "fairlead_source_request_duration_seconds",
			Help:                            "Time from sending a request to a source to the end of its answer.",
			Buckets:                         []float64{.025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"source"}),
		rateLimited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_source_rate_limited_total",
			Help: "Requests that a source refused because there were too many (429).",
		}, []string{"source"}),
	}
	reg.MustRegister(m.requests, m.duration, m.rateLimited)
	return m
}

// ready makes a source's series exist before its first request, so that a rate
// over them begins at zero.
func (m *Metrics) ready(source string) {
	if m == nil {
		return
	}
	m.requests.WithLabelValues(source, "200")
	m.duration.WithLabelValues(source)
	m.rateLimited.WithLabelValues(source)
}

// observe counts one attempt; code is 0 where no answer came whole.
func (m *Metrics) observe(source string, code int, took time.Duration) {
	if m == nil {
		return
	}
	label := "error"
	if code != 0 {
		label = strconv.Itoa(code)
	}
	m.requests.WithLabelValues(source, label).Inc()
	m.duration.WithLabelValues(source).Observe(took.Seconds())
	if code == 429 {
		m.rateLimited.WithLabelValues(source).Inc()
	}
}
