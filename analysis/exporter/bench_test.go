package exporter

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"fairlead/analysis"
)

// crowd is a Snapshot of so many engineers, in teams of ten, with the two series
// each of one window and unit, and one open count: three series an engineer.
func crowd(engineers int) *analysis.Snapshot {
	s := &analysis.Snapshot{AsOf: made.Add(-time.Hour), Computed: made, Windows: []analysis.Window{analysis.Days(90)}, Teams: map[analysis.TeamsKey][]analysis.Group{}}
	key := analysis.TeamsKey{Window: s.Windows[0], Basis: analysis.Load, Unit: analysis.Tickets}
	for i := range engineers {
		if i%10 == 0 {
			s.Teams[key] = append(s.Teams[key], analysis.Group{By: analysis.Team, Name: fmt.Sprintf("Team %04d", i/10), People: 10, Total: 900})
		}
		g := &s.Teams[key][i/10]
		g.Engineers = append(g.Engineers, analysis.Part{Pseudonym: fmt.Sprintf("amber-otter-%05d", i), Value: float64(i), Relative: of(float64(i) / 7)})
	}
	return s
}

// bare are the same series as constant metrics, made for each scrape.
type bare struct{ s *analysis.Snapshot }

func (b bare) Describe(into chan<- *prometheus.Desc) {
	into <- engineerOpen.desc
	into <- engineerLoad.desc
	into <- engineerRelative.desc
}

func (b bare) Collect(into chan<- prometheus.Metric) {
	for _, g := range b.s.Teams[analysis.TeamsKey{Window: b.s.Windows[0], Basis: analysis.Load, Unit: analysis.Tickets}] {
		for _, p := range g.Engineers {
			into <- prometheus.MustNewConstMetric(engineerOpen.desc, prometheus.GaugeValue, 0, p.Pseudonym, g.Name)
			into <- prometheus.MustNewConstMetric(engineerLoad.desc, prometheus.GaugeValue, p.Value/90, p.Pseudonym, g.Name, "90d", "tickets")
			into <- prometheus.MustNewConstMetric(engineerRelative.desc, prometheus.GaugeValue, *p.Relative, p.Pseudonym, g.Name, "90d", "tickets")
		}
	}
}

// BenchmarkScrape scrapes a Snapshot over and over beside a registry that makes
// the same constant metrics for each scrape, and once after each new Snapshot:
// all with the text in the answer.
func BenchmarkScrape(b *testing.B) {
	for _, series := range []int{2_000, 20_000, 200_000} {
		s := crowd(series / 3)
		config := DefaultConfig()
		config.MaxSeries = series
		var latest *analysis.Snapshot
		e := New(func() *analysis.Snapshot { return latest }, WithConfig(config), at(made))
		latest = s
		for _, c := range []struct {
			name      string
			collector prometheus.Collector
			before    func()
		}{
			{"bare", bare{s}, func() {}},
			{"again", e.People(), func() {}},
			{"new", e.People(), func() { again := *s; latest = &again }},
		} {
			b.Run(fmt.Sprintf("series=%d/%s", series, c.name), func(b *testing.B) {
				reg := prometheus.NewRegistry()
				reg.MustRegister(c.collector)
				handler := promhttp.HandlerFor(reg, promhttp.HandlerOpts{DisableCompression: true})
				b.ReportAllocs()
				for b.Loop() {
					c.before()
					w := httptest.NewRecorder()
					handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics/people", nil))
					if w.Code != http.StatusOK {
						b.Fatal(w.Code)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(series), "ns/series")
			})
		}
	}
}
