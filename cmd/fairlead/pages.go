package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"fairlead/analysis/web"
)

// pages are what people look at, over the published snapshot.
func (s *service) pages() (*web.Pages, error) {
	p, err := web.New(web.Options{
		Snapshot:         s.snapshot.Load,
		Engine:           s.engine,
		Journal:          web.NewJournal(accessLog(s.house.dir)),
		Access:           s.cfg.Web.Access,
		Listen:           s.listener.Addr().String(),
		MinPeople:        s.cfg.Metrics.MinPeople,
		People:           s.cfg.people(),
		Reports:          archive{s.house.db},
		PersonAfterHours: s.cfg.Metrics.PersonAfterHours,
		Contact:          s.cfg.Report.Contact,
		Sources:          s.sourceStates,
		Logger:           s.log,
	})
	if err != nil {
		return nil, fmt.Errorf("web.access.%w", err)
	}
	return p, nil
}

// sourceStates says besides how far back each source is collected; a demonstration is
// as far as there is anything.
func (s *service) sourceStates() ([]web.SourceState, error) {
	states, err := sourceStates(s.groups)
	if err != nil || s.house.replay != nil {
		return states, err
	}
	for i := range states {
		if name := states[i].Name; s.cfg.Sources[name] != nil {
			states[i].Reach = s.cfg.reachSays(name, time.Now())
		}
	}
	return states, nil
}

// sourceStates reads from the metrics how collection stands: one truth for the
// page and for Prometheus.
func sourceStates(metrics prometheus.Gatherer) ([]web.SourceState, error) {
	families, err := metrics.Gather()
	if err != nil {
		return nil, fmt.Errorf("reading the metrics of collection: %w", err)
	}
	states := map[string]*web.SourceState{}
	for _, f := range families {
		name, ok := strings.CutPrefix(f.GetName(), "fairlead_source_")
		if !ok {
			continue
		}
		for _, m := range f.GetMetric() {
			source := ""
			for _, l := range m.GetLabel() {
				if l.GetName() == "source" {
					source = l.GetValue()
				}
			}
			if source == "" {
				continue
			}
			state := states[source]
			if state == nil {
				state = &web.SourceState{Name: source}
				states[source] = state
			}
			fill(state, name, metricValue(m))
		}
	}
	list := make([]web.SourceState, 0, len(states))
	for _, name := range keysOf(states) {
		list = append(list, *states[name])
	}
	return slices.Clip(list), nil
}

func fill(s *web.SourceState, name string, x float64) {
	switch name {
	case "tickets":
		s.Tickets = x
	case "cursor_timestamp_seconds":
		s.Cursor = instant(x)
	case "last_success_timestamp_seconds":
		s.LastSuccess = instant(x)
	case "backfill_ratio":
		// All streams of the first collection: the one that is least far.
		if s.Backfilled == nil || x < *s.Backfilled {
			s.Backfilled = &x
		}
	case "incomplete_histories":
		s.Incomplete = x
	case "quarantined_tickets":
		s.Quarantined = x
	case "requests_total":
		s.Requests += x
	case "rate_limited_total":
		s.RateLimited += x
	}
}

func metricValue(m *dto.Metric) float64 {
	if g := m.GetGauge(); g != nil {
		return g.GetValue()
	}
	return m.GetCounter().GetValue()
}

func instant(seconds float64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).UTC()
}
