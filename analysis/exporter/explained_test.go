package exporter

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fairlead/analysis"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/roster"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/sandbox/sandboxtest"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// noFigures are metrics that carry no figure of the analysis: what a team or an area
// is, by its labels, and how accounts are matched.
var noFigures = []string{"fairlead_team_info", "fairlead_area_info", "fairlead_unmatched_accounts"}

// TestEverySeriesIsExplained: of each metric that carries a figure, a series pasted
// with all its labels is answered with its value, a formula and tickets.
func TestEverySeriesIsExplained(t *testing.T) {
	o := sandbox.Generate(5, time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), sandbox.Options{Tickets: 1_500})
	db := sandboxtest.Organisation(t, o)
	engine := analysis.New(db, analysis.Options{Key: []byte("a key for tests, of enough bytes"), Draws: 99})
	needRoster := []string{
		"fairlead_team_afterhours_ratio", "fairlead_team_afterhours_usual_ratio", "fairlead_team_short_rests", "fairlead_engineer_after_hours_ratio",
		"fairlead_area_sole_holder_absent",
	}
	t.Run("queues", func(t *testing.T) { explainSeries(t, engine, o.Now, needRoster) })
	staff, err := roster.Parse(roster.File{Name: "roster.yaml", Text: o.RosterYAML()})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.WriteRoster(context.Background(), staff); err != nil {
		t.Fatal(err)
	}
	t.Run("teams", func(t *testing.T) { explainSeries(t, engine, o.Now, nil) })
}

// exported is one series as it is scraped.
type exported struct {
	family *family
	labels []string
	value  float64
}

func (s exported) label(name string) string {
	if i := slices.Index(s.family.labels, name); i >= 0 {
		return s.labels[i]
	}
	return ""
}

// String writes the series with labels that Prometheus adds.
func (s exported) String() string {
	parts := []string{`instance="localhost:9464"`, `job="fairlead"`}
	for i, name := range s.family.labels {
		parts = append(parts, name+"="+strconv.Quote(s.labels[i]))
	}
	slices.Sort(parts)
	return s.family.name + "{" + strings.Join(parts, ",") + "}"
}

// gathered is all series of a Snapshot.
func gathered(s *analysis.Snapshot, c Config) []exported {
	e := New(func() *analysis.Snapshot { return s }, WithConfig(c))
	var list []exported
	for _, fill := range []func(*batch, *analysis.Snapshot){e.fillGroups, e.fillPeople} {
		fill(newBatch(c.MaxSeries, func(f *family, _ prometheus.ValueType, value float64, labels []string) {
			list = append(list, exported{f, labels, value})
		}), s)
	}
	return list
}

// chosen are series of as few teams, engineers and areas as possible: for each
// metric, and each kind of its figures, one.
func chosen(list []exported) []exported {
	about := func(s exported) [3]string { return [3]string{s.label("team"), s.label("engineer"), s.label("area")} }
	kinds := map[[3]string]int{}
	for _, s := range list {
		kinds[about(s)]++
	}
	best := map[string]exported{}
	usual := func(s exported) int {
		n := 0
		for name, value := range map[string]string{"window": "90d", "basis": "load", "unit": "tickets"} {
			if s.label(name) == value {
				n++
			}
		}
		return n
	}
	for _, s := range list {
		kind := s.family.name + s.label("signal") + s.label("component") + s.label("verdict")
		old, ok := best[kind]
		if !ok || cmp.Or(cmp.Compare(usual(s), usual(old)), cmp.Compare(kinds[about(s)], kinds[about(old)]), -cmp.Compare(s.String(), old.String())) > 0 {
			best[kind] = s
		}
	}
	return slices.SortedFunc(maps.Values(best), func(a, b exported) int { return cmp.Compare(a.String(), b.String()) })
}

func explainSeries(t *testing.T, engine *analysis.Engine, asOf time.Time, absent []string) {
	s, err := engine.Snapshot(t.Context(), asOf)
	if err != nil {
		t.Fatal(err)
	}
	config := DefaultConfig()
	config.PersonAfterHours = true
	whole := map[string]analysis.Explanation{}
	met := map[string]int{}
	for _, one := range chosen(gathered(s, config)) {
		met[one.family.name]++
		if slices.Contains(noFigures, one.family.name) {
			continue
		}
		series, ok, err := analysis.ParseSeries(one.String())
		if err != nil || !ok {
			t.Errorf("%s: %v, %v", one, ok, err)
			continue
		}
		subject, figure, err := series.Subject()
		if err != nil {
			t.Error(err)
			continue
		}
		q, err := series.Query()
		if err != nil {
			t.Errorf("%s: %v", one, err)
			continue
		}
		// All figures of a subject are told at once, so that they are read once.
		q.AsOf, q.Figure, q.Window = asOf, "", cmp.Or(q.Window, analysis.Days(90))
		all, known := whole[fmt.Sprintf("%+v", q)]
		if !known {
			if all, err = engine.Explain(t.Context(), q); err != nil {
				t.Errorf("%s: %v", one, err)
				continue
			}
			whole[fmt.Sprintf("%+v", q)] = all
		}
		x, err := all.Only(subject, figure)
		if err != nil {
			t.Errorf("%s: %v", one, err)
			continue
		}
		value := series.Value(x)
		if value == nil || math.Abs(*value-one.value) > 1e-9*max(1, math.Abs(one.value)) {
			t.Errorf("%s is %v, explained %v", one, one.value, value)
		}
		told := slices.IndexFunc(x.Figures, func(f analysis.ExplainedFigure) bool { return f.Name == x.Asked })
		if told < 0 || x.Figures[told].Formula == "" || x.Figures[told].Put == "" {
			t.Errorf("%s has no formula: %+v", one, x.Figures)
		}
		tickets := 0
		for _, l := range x.Tickets {
			tickets += len(l.Tickets)
			for _, ticket := range l.Tickets {
				if ticket.Key == "" {
					t.Errorf("%s: a ticket without a key in %q", one, l.Title)
				}
			}
		}
		if len(x.Tickets) == 0 || tickets == 0 && one.value != 0 {
			t.Errorf("no tickets are behind %s = %v", one, one.value)
		}
	}
	for _, f := range append(slices.Clone(groupFamilies), peopleFamilies...) {
		if met[f.name] == 0 && !slices.Contains(absent, f.name) {
			t.Errorf("there is no series of %s to explain", f.name)
		}
	}
	t.Logf("%d metrics, %d explanations", len(met), len(whole))

	// By name, where labels are names.
	config.Engineer = LabelName
	for _, one := range gathered(s, config) {
		if one.family != engineerOpen || one.value == 0 {
			continue
		}
		series, _, err := analysis.ParseSeries(one.String())
		if err != nil {
			t.Fatal(err)
		}
		q, err := series.Query()
		if err != nil {
			t.Fatal(err)
		}
		q.AsOf, q.Window = asOf, analysis.Days(90)
		if _, err := engine.Explain(t.Context(), q); err == nil || !strings.Contains(err.Error(), "there is no engineer") {
			t.Errorf("%s is answered where labels are pseudonyms: %v", one, err)
		}
		q.Named = true
		x, err := engine.Explain(t.Context(), q)
		if err != nil || series.Value(x) == nil || *series.Value(x) != one.value || strings.Contains(one.String(), x.Who) {
			t.Errorf("%s is %v, explained %+v (%v)", one, one.value, x, err)
		}
		return
	}
	t.Error("nobody holds an open ticket")
}
