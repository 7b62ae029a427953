package exporter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"pgregory.net/rapid"

	"fairlead/analysis"
)

func each(list ...*analysis.Snapshot) iter.Seq2[*analysis.Snapshot, error] {
	return func(yield func(*analysis.Snapshot, error) bool) {
		for _, s := range list {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func history(t *testing.T, o HistoryOptions, list ...*analysis.Snapshot) (string, HistorySummary) {
	t.Helper()
	var out bytes.Buffer
	sum, err := WriteHistory(&out, each(list...), o)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), sum
}

func TestHistoryText(t *testing.T) {
	first, second := &analysis.Snapshot{AsOf: made}, &analysis.Snapshot{AsOf: made.Add(1500 * time.Millisecond)}
	first.States = []analysis.TeamState{{Team: "Back\\\"\n", People: 5, Handovers: 3}}
	second.States = []analysis.TeamState{
		{Team: "Back\\\"\n", People: 5, Handovers: 4, Unplanned: of(math.Inf(1)), WorkPeople: 5},
		{Team: "A\xff", People: 5, Handovers: 1e6, Unplanned: of(0.25), WorkPeople: 5},
		{Team: "Pair", People: 2, Handovers: 9, Unplanned: of(0.5), WorkPeople: 2},
	}
	got, sum := history(t, HistoryOptions{Config: DefaultConfig()}, first, second)
	want := `# HELP fairlead_team_handovers Times that a ticket in the team's hands went from one engineer to another.
# TYPE fairlead_team_handovers counter
fairlead_team_handovers_total{team="A` + "\uFFFD" + `"} 1e+06 1795428001.500
fairlead_team_handovers_total{team="Back\\\"\n"} 3 1795428000
fairlead_team_handovers_total{team="Back\\\"\n"} 4 1795428001.500
# HELP fairlead_team_judged_engineers Engineers of a team about whose overload enough is known.
# TYPE fairlead_team_judged_engineers gauge
fairlead_team_judged_engineers{team="A` + "\uFFFD" + `"} 0 1795428001.500
fairlead_team_judged_engineers{team="Back\\\"\n"} 0 1795428000
fairlead_team_judged_engineers{team="Back\\\"\n"} 0 1795428001.500
# HELP fairlead_team_unassigned_growing 1 while open tickets that nobody holds have been piling up over weeks, else 0.
# TYPE fairlead_team_unassigned_growing gauge
fairlead_team_unassigned_growing{team="A` + "\uFFFD" + `"} 0 1795428001.500
fairlead_team_unassigned_growing{team="Back\\\"\n"} 0 1795428000
fairlead_team_unassigned_growing{team="Back\\\"\n"} 0 1795428001.500
fairlead_team_unassigned_growing{team="Pair"} 0 1795428001.500
# HELP fairlead_team_unplanned_ratio Share of the work received in the last four weeks that was unplanned.
# TYPE fairlead_team_unplanned_ratio gauge
# UNIT fairlead_team_unplanned_ratio ratio
fairlead_team_unplanned_ratio{team="A` + "\uFFFD" + `"} 0.25 1795428001.500
fairlead_team_unplanned_ratio{team="Back\\\"\n"} +Inf 1795428001.500
# EOF
`
	if got != want {
		t.Errorf("wrote\n%swant\n%s", got, want)
	}
	if (sum != HistorySummary{Instants: 2, Series: 9, Samples: 12}) {
		t.Errorf("summary %+v", sum)
	}
}

// A history of one instant says what /metrics and /metrics/people say of it.
func TestHistoryIsWhatMetricsSay(t *testing.T) {
	s := judged()
	for _, people := range []bool{false, true} {
		o := HistoryOptions{Config: DefaultConfig()}
		e := New(always(s), at(made))
		reg := prometheus.NewPedanticRegistry()
		reg.MustRegister(e.groups)
		if people {
			o.PeopleFrom = s.AsOf
			reg.MustRegister(e.People())
		}
		got, _ := history(t, o, s)
		got = strings.ReplaceAll(got, " "+fmt.Sprint(s.AsOf.Unix())+"\n", "\n")

		w := httptest.NewRecorder()
		request := httptest.NewRequest("GET", "/metrics", nil)
		request.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
		promhttp.HandlerFor(reg, promhttp.HandlerOpts{EnableOpenMetrics: true}).ServeHTTP(w, request)
		a, b := samplesOf(got), samplesOf(w.Body.String())
		if len(a) < 100 {
			t.Errorf("%d lines", len(a))
		}
		for _, line := range a {
			if !slices.Contains(b, line) {
				t.Errorf("people %v: only in the history: %s", people, line)
			}
		}
		for _, line := range b {
			if !slices.Contains(a, line) {
				t.Errorf("people %v: only in /metrics: %s", people, line)
			}
		}
	}
}

// samplesOf is the lines of an exposition but for its units, with numbers
// written one way.
func samplesOf(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "# UNIT") {
			list = append(list, strings.TrimSuffix(line, ".0"))
		}
	}
	slices.Sort(list)
	return list
}

// Single engineers are written from an instant on, and not before.
func TestHistoryOfPeople(t *testing.T) {
	early, late := judged(), judged()
	early.AsOf = early.AsOf.Add(-time.Hour)
	got, _ := history(t, HistoryOptions{Config: DefaultConfig(), PeopleFrom: late.AsOf}, early, late)
	n := 0
	for line := range strings.Lines(got) {
		if strings.Contains(line, `engineer="`) {
			n++
			if !strings.HasSuffix(line, fmt.Sprintf(" %d\n", late.AsOf.Unix())) {
				t.Errorf("too early: %s", line)
			}
		}
	}
	if n == 0 {
		t.Error("no engineer")
	}
	if got, _ := history(t, HistoryOptions{Config: DefaultConfig()}, late); strings.Contains(got, "engineer=") || !strings.Contains(got, "fairlead_team_load_gini{") {
		t.Errorf("without people:\n%s", got)
	}
}

func TestHistoryCap(t *testing.T) {
	o := HistoryOptions{Config: DefaultConfig()}
	o.Config.MaxSeries = 3
	if _, sum := history(t, o, judged(), judged()); sum.Series != 3 || sum.Samples != 6 || sum.Dropped < 20 {
		t.Errorf("%+v", sum)
	}
}

// A history that fails has no end, and leaves no file.
func TestHistoryFails(t *testing.T) {
	broken := errors.New("the warehouse is down")
	var out bytes.Buffer
	_, err := WriteHistory(&out, func(yield func(*analysis.Snapshot, error) bool) {
		if yield(judged(), nil) {
			yield(nil, broken)
		}
	}, HistoryOptions{Config: DefaultConfig()})
	if !errors.Is(err, broken) || strings.Contains(out.String(), "# EOF") {
		t.Errorf("%v, wrote %q", err, out.String())
	}
	full := errors.New("disk full")
	if _, err := WriteHistory(failing{full}, each(judged()), HistoryOptions{Config: DefaultConfig()}); !errors.Is(err, full) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// A spool gives what was put in, however small its memory.
func TestPropertySpool(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		s := spool{dir: dir, most: rapid.IntRange(1, 9).Draw(t, "most")}
		want := map[uint32][]sample{}
		for i := range rapid.IntRange(0, 60).Draw(t, "n") {
			id := rapid.Uint32Range(0, 7).Draw(t, "series")
			one := sample{int64(i) - 5, float64(i) / 3}
			want[id] = append(want[id], one)
			if err := s.add(id, one); err != nil {
				t.Fatal(err)
			}
		}
		s.seal()
		for id := range uint32(9) {
			var got []sample
			for one, err := range s.of(id) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, one)
			}
			if !slices.Equal(got, want[id]) {
				t.Fatalf("series %d: %v, want %v", id, got, want[id])
			}
		}
		s.close()
	})
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	s := spool{dir: filepath.Join(dir, "missing"), most: 1}
	if err := s.add(0, sample{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// BenchmarkHistory writes a year of hours of 40 series: 350,000 samples.
func BenchmarkHistory(b *testing.B) {
	base := judged()
	const hours = 365 * 24
	for _, memory := range []string{"memory", "file"} {
		b.Run(memory, func(b *testing.B) {
			b.ReportAllocs()
			var sum HistorySummary
			for b.Loop() {
				h := 0
				one := func(yield func(*analysis.Snapshot, error) bool) {
					for h = range hours {
						s := *base
						s.AsOf = base.AsOf.Add(time.Duration(h) * time.Hour)
						if !yield(&s, nil) {
							return
						}
					}
				}
				most := spoolRecords
				if memory == "file" {
					most = 1 << 15
				}
				var err error
				if sum, err = writeHistory(io.Discard, one, HistoryOptions{Config: DefaultConfig()}, most); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(sum.Samples)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}
