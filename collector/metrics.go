package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/source"
)

// Metrics says how far the collection of every source is and what it lacks. A
// nil one says nothing.
type Metrics struct {
	cursor      *prometheus.GaugeVec
	success     *prometheus.GaugeVec
	failures    *prometheus.CounterVec
	backfill    *prometheus.GaugeVec
	written     *prometheus.CounterVec
	refetched   *prometheus.CounterVec
	unrecorded  *prometheus.CounterVec
	quarantined *prometheus.GaugeVec
	lease       *prometheus.GaugeVec

	storedTickets *prometheus.GaugeVec
	incomplete    *prometheus.GaugeVec
	deleted       *prometheus.GaugeVec
	unknown       *prometheus.GaugeVec
	sweeps        *prometheus.CounterVec
	lastSweep     *prometheus.GaugeVec
}

// NewMetrics registers the collection metrics of all sources with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "fairlead_source_" + name, Help: help}, append([]string{"source"}, labels...))
		reg.MustRegister(v)
		return v
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "fairlead_source_" + name, Help: help}, append([]string{"source"}, labels...))
		reg.MustRegister(v)
		return v
	}
	return &Metrics{
		cursor: gauge("cursor_timestamp_seconds",
			"When the last ticket that the incremental stream brought was changed, by the source's clock."),
		success: gauge("last_success_timestamp_seconds",
			"When the collection last had everything that the source showed; 0 if it never had since the start."),
		failures: counter("collection_failures_total",
			"Collections that ended with an error."),
		backfill: gauge("backfill_ratio",
			"How much of a stream of the first collection is stored; 0 until it is complete where the source does not say how much there is.", "stream"),
		written: counter("written_tickets_total",
			"Tickets written to the warehouse; one that changes twice is written twice."),
		refetched: counter("refetched_tickets_total",
			"Tickets that a search showed older than they were stored, so that they were fetched again by id."),
		unrecorded: counter("unrecorded_changes_total",
			"Changes that a written ticket's history contradicts or lacks."),
		quarantined: gauge("quarantined_tickets",
			"Tickets seen since the start that the source refused or that could not be stored; the log names them."),
		lease: gauge("lease_held",
			"Whether this process has the right to collect the source; 0 while another has it."),
		storedTickets: gauge("tickets",
			"Tickets in the warehouse, those that are marked as deleted among them."),
		incomplete: gauge("incomplete_histories",
			"Tickets in the warehouse of whose history the source withheld a part."),
		deleted: gauge("deleted_tickets",
			"Tickets in the warehouse that a sweep found gone from the source."),
		unknown: gauge("unstored_tickets",
			"Tickets that the last sweep saw and that are still not stored: those that cannot be, and, where a source does not tell old ones apart, those that were closed before the configured since."),
		sweeps: counter("sweeps_total",
			"Sweeps for deleted tickets since the start; one is refused when it finds too many gone to be true.", "outcome"),
		lastSweep: gauge("last_sweep_timestamp_seconds",
			"When the last sweep for deleted tickets that was completed began; 0 if none was."),
	}
}

// meter is the part of Metrics that concerns one source.
type meter struct {
	m      *Metrics
	source string
}

func (m *Metrics) of(name string) meter {
	if m != nil {
		m.success.WithLabelValues(name)
		m.failures.WithLabelValues(name)
		m.written.WithLabelValues(name)
		m.refetched.WithLabelValues(name)
		m.unrecorded.WithLabelValues(name)
		m.quarantined.WithLabelValues(name)
		m.lease.WithLabelValues(name)
		m.storedTickets.WithLabelValues(name)
		m.incomplete.WithLabelValues(name)
		m.deleted.WithLabelValues(name)
		m.unknown.WithLabelValues(name)
		m.lastSweep.WithLabelValues(name)
		for _, outcome := range []string{sweepCompleted, sweepFailed, sweepRefused} {
			m.sweeps.WithLabelValues(name, outcome)
		}
		for _, stream := range source.Backfill {
			m.backfill.WithLabelValues(name, string(stream))
		}
	}
	return meter{m, name}
}

func (m meter) add(vec func(*Metrics) *prometheus.CounterVec, n int) {
	if m.m != nil {
		vec(m.m).WithLabelValues(m.source).Add(float64(n))
	}
}

func (m meter) failed()     { m.add(func(m *Metrics) *prometheus.CounterVec { return m.failures }, 1) }
func (m meter) wrote(n int) { m.add(func(m *Metrics) *prometheus.CounterVec { return m.written }, n) }
func (m meter) refetched(n int) {
	m.add(func(m *Metrics) *prometheus.CounterVec { return m.refetched }, n)
}
func (m meter) unrecorded(n int) {
	m.add(func(m *Metrics) *prometheus.CounterVec { return m.unrecorded }, n)
}

func (m meter) succeeded(at time.Time) {
	if m.m != nil {
		m.m.success.WithLabelValues(m.source).Set(seconds(at))
	}
}

func (m meter) quarantined(n int) {
	if m.m != nil {
		m.m.quarantined.WithLabelValues(m.source).Set(float64(n))
	}
}

func (m meter) leased(held bool) {
	if m.m == nil {
		return
	}
	v := 0.0
	if held {
		v = 1
	}
	m.m.lease.WithLabelValues(m.source).Set(v)
}

func (m meter) stored(t clickhouse.Tally) {
	if m.m != nil {
		m.m.storedTickets.WithLabelValues(m.source).Set(float64(t.Tickets))
		m.m.incomplete.WithLabelValues(m.source).Set(float64(t.Incomplete))
		m.m.deleted.WithLabelValues(m.source).Set(float64(t.Deleted))
	}
}

func (m meter) unstored(n uint64) {
	if m.m != nil {
		m.m.unknown.WithLabelValues(m.source).Set(float64(n))
	}
}

// The outcomes of a sweep.
const (
	sweepCompleted = "completed"
	sweepFailed    = "failed"
	sweepRefused   = "refused"
)

func (m meter) sweep(outcome string) {
	if m.m != nil {
		m.m.sweeps.WithLabelValues(m.source, outcome).Inc()
	}
}

func (m meter) swept(began time.Time) {
	if m.m != nil {
		m.m.lastSweep.WithLabelValues(m.source).Set(seconds(began))
	}
}

// at says where a stream stands.
func (m meter) at(stream source.Stream, p place, remaining int) {
	switch {
	case m.m == nil:
	case stream == source.StreamIncremental:
		m.m.cursor.WithLabelValues(m.source).Set(seconds(p.cursor.Updated))
	case p.done:
		m.m.backfill.WithLabelValues(m.source, string(stream)).Set(1)
	case remaining >= 0 && p.tickets > 0:
		total := float64(p.tickets) + float64(remaining)
		m.m.backfill.WithLabelValues(m.source, string(stream)).Set(float64(p.tickets) / total)
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
