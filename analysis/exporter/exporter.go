// Package exporter publishes a Snapshot as Prometheus metrics.
//
// A scrape reads memory and never runs a query. Series are made once for each
// Snapshot and carry no timestamps; what vanished from the Snapshot is no longer
// exported, an undefined figure is absent and never 0, and past a configured age
// all series of the Snapshot stop, so that only those about the service remain.
//
// There are two collectors, to be served apart and under different rights:
// [Exporter.Groups] for teams, areas and the service itself, and
// [Exporter.People] for single engineers. Figures that describe fewer people
// than Config.MinPeople are left out of the former, since they would tell of
// single persons: inequality and ownership, and the work of a team. So are those
// of a larger team that are known of fewer of its members: how many are
// overloaded of those who could be judged, when they worked of those whose hours
// are known. What is left out could still be guessed by subtraction where only one
// team of several is small and the sum over all is known elsewhere; no sum over
// teams is exported.
package exporter

import (
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fairlead/analysis"
)

// Exporter makes the metrics of whatever Snapshot is the latest. It is safe for
// concurrent use.
type Exporter struct {
	latest func() *analysis.Snapshot
	config Config
	now    func() time.Time

	groups *collector
	people *collector
}

// Option changes an Exporter from its default.
type Option func(*Exporter)

// WithConfig sets what is exposed.
func WithConfig(c Config) Option { return func(e *Exporter) { e.config = c } }

// WithClock sets the clock by which the age of a Snapshot is told.
func WithClock(now func() time.Time) Option { return func(e *Exporter) { e.now = now } }

// New makes an exporter of the Snapshot that latest returns; nil means that
// there is none yet. A Snapshot is recognised by its pointer.
func New(latest func() *analysis.Snapshot, options ...Option) *Exporter {
	e := &Exporter{latest: latest, config: DefaultConfig(), now: time.Now}
	for _, o := range options {
		o(e)
	}
	e.groups = &collector{exporter: e, families: groupFamilies, fill: e.fillGroups}
	e.people = &collector{exporter: e, families: peopleFamilies, fill: e.fillPeople}
	return e
}

// Groups collects what is about teams, areas and the service: for /metrics.
func (e *Exporter) Groups() prometheus.Collector { return serviceCollector{e} }

// People collects what is about single engineers: for /metrics/people.
func (e *Exporter) People() prometheus.Collector { return e.people }

// fresh is the latest Snapshot unless it is too old.
func (e *Exporter) fresh() *analysis.Snapshot {
	s := e.latest()
	if s == nil || e.now().Sub(s.Computed) > e.config.MaxAge {
		return nil
	}
	return s
}

// collector makes the series of each Snapshot once and keeps them until the
// next.
type collector struct {
	exporter *Exporter
	families []*family
	fill     func(*batch, *analysis.Snapshot)

	mu      sync.Mutex
	of      *analysis.Snapshot
	metrics []prometheus.Metric
	dropped float64
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(into chan<- *prometheus.Desc) {
	for _, f := range c.families {
		into <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(into chan<- prometheus.Metric) {
	for _, m := range c.current() {
		into <- m
	}
}

func (c *collector) current() []prometheus.Metric {
	s := c.exporter.fresh()
	c.mu.Lock()
	defer c.mu.Unlock()
	if s == nil {
		c.of, c.metrics = nil, nil
		return nil
	}
	if c.of != s {
		var made []prometheus.Metric
		b := newBatch(c.exporter.config.MaxSeries, func(f *family, kind prometheus.ValueType, value float64, labels []string) {
			made = append(made, prometheus.MustNewConstMetric(f.desc, kind, value, labels...))
		})
		c.fill(b, s)
		c.of, c.metrics = s, made
		c.dropped += float64(b.dropped)
	}
	return c.metrics
}

func (c *collector) droppedTotal() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropped
}

// family is a metric with its labels.
type family struct {
	name, help string
	labels     []string
	desc       *prometheus.Desc
}

func newFamily(name, help string, labels ...string) *family {
	return &family{name, help, labels, prometheus.NewDesc(name, help, labels, nil)}
}

// batch is the series of one Snapshot while they are made.
type batch struct {
	put     func(f *family, kind prometheus.ValueType, value float64, labels []string)
	seen    map[string]struct{}
	most    int
	dropped int
	key     []byte
}

func newBatch(most int, put func(*family, prometheus.ValueType, float64, []string)) *batch {
	return &batch{put: put, most: most, seen: map[string]struct{}{}}
}

// add puts a series unless its value is undefined (nil), the cap is reached
// or the same series is there: names that differ only in bytes that are no
// UTF-8 must not fail the whole scrape.
func (b *batch) add(f *family, value *float64, labels ...string) {
	b.append(f, prometheus.GaugeValue, value, labels)
}

// total puts a counter.
func (b *batch) total(f *family, n uint64, labels ...string) {
	value := float64(n)
	b.append(f, prometheus.CounterValue, &value, labels)
}

func (b *batch) append(f *family, kind prometheus.ValueType, value *float64, labels []string) {
	if value == nil {
		return
	}
	b.key = append(b.key[:0], f.name...)
	for i, l := range labels {
		labels[i] = strings.ToValidUTF8(l, "\uFFFD")
		b.key = append(append(b.key, 0xff), labels[i]...)
	}
	_, again := b.seen[string(b.key)]
	if again || len(b.seen) >= b.most {
		b.dropped++
		return
	}
	b.seen[string(b.key)] = struct{}{}
	b.put(f, kind, *value, labels)
}

func (b *batch) count(f *family, n uint64, labels ...string) {
	value := float64(n)
	b.add(f, &value, labels...)
}
