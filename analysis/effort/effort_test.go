package effort

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func points(x float64) *float64 { return &x }

var (
	incident = Class{Source: "snow", Kind: "incident", Priority: "3", Areas: "network"}
	change   = Class{Source: "snow", Kind: "change", Priority: "3", Areas: "network"}
	story    = Class{Source: "jira", Kind: "task", Priority: "m", Areas: "web"}
	bug      = Class{Source: "jira", Kind: "bug", Priority: "m", Areas: "web"}
)

func finished(class Class, n int, points, days float64) []Sample {
	samples := make([]Sample, n)
	for i := range samples {
		samples[i] = Sample{class, true, points, days}
	}
	return samples
}

func TestOf(t *testing.T) {
	var samples []Sample
	// 30 incidents of 2 days and 10 changes of 8: the source's median is 2.
	samples = append(samples, finished(incident, 30, 0, 2)...)
	samples = append(samples, finished(change, 10, 0, 8)...)
	// 20 stories of 3 points and 30 days; 5 bugs without points, of 10 days.
	// All points known: 3, so 3 points are a typical ticket. Median days: 30.
	samples = append(samples, finished(story, 20, 3, 30)...)
	samples = append(samples, finished(bug, 5, 0, 10)...)
	m := Fit(Summarise(samples))

	kindOfChanges := (10*math.Log(8) + 10*math.Log(2)) / 20
	classOfChanges := (10*math.Log(8) + 10*kindOfChanges) / 20
	kindOfBugs := (5*math.Log(10) + 10*math.Log(30)) / 15
	classOfBugs := (5*math.Log(10) + 10*kindOfBugs) / 15
	rareChange := Class{Source: "snow", Kind: "change", Priority: "1", Areas: "mail"}
	cases := []struct {
		name   string
		class  Class
		points *float64
		want   float64
		basis  Basis
	}{
		{"points over the median of points", story, points(6), 2, FromPoints},
		{"no points at all are points", story, points(0), 0, FromPoints},
		{"negative points are none", story, points(-1), 1, ExpectedByPoints},
		{"without points, like the others of its kind", story, nil, 1, ExpectedByPoints},
		{"a kind without points, by days", bug, nil, math.Exp(classOfBugs) / 30, ExpectedByDays},
		{"the usual incident", incident, nil, 1, ExpectedByDays},
		{"a change, shrunk twice", change, nil, math.Exp(classOfChanges) / 2, ExpectedByDays},
		{"a class never seen is its kind", rareChange, nil, math.Exp(kindOfChanges) / 2, ExpectedByDays},
		{"a kind never seen is typical", Class{Source: "snow", Kind: "problem"}, nil, 1, ExpectedByDays},
		{"a source never seen is typical", Class{Source: "asana", Kind: "task"}, nil, 1, ExpectedAsTypical},
		{"points in a source without a scale", Class{Source: "asana"}, points(5), 1, ExpectedAsTypical},
	}
	for _, c := range cases {
		got, basis := m.Of(c.class, c.points)
		if math.Abs(got-c.want) > 1e-12 || basis != c.basis {
			t.Errorf("%s: %v by %v, want %v by %v", c.name, got, basis, c.want, c.basis)
		}
	}
}

func TestFewPointsAreNotTaken(t *testing.T) {
	samples := append(finished(story, MinPointed-1, 3, 0), finished(bug, 50, 0, 4)...)
	m := Fit(Summarise(samples))
	if _, basis := m.Of(story, nil); basis != ExpectedByDays {
		t.Errorf("%d stories with points decide: %v", MinPointed-1, basis)
	}
	m = Fit(Summarise(append(samples, finished(story, 1, 3, 0)...)))
	if _, basis := m.Of(story, nil); basis != ExpectedByPoints {
		t.Errorf("%d stories with points do not decide: %v", MinPointed, basis)
	}
}

func TestOpenTicketsTellOnlyTheScale(t *testing.T) {
	open := []Sample{{Class: story, Points: 5}, {Class: story, Points: 1}}
	statistics := Summarise(open)
	if len(statistics) != 1 || statistics[0].Measure != Scale || statistics[0].Median != 3 || statistics[0].N != 2 {
		t.Fatalf("got %+v", statistics)
	}
	if got, basis := Fit(statistics).Of(story, points(6)); got != 2 || basis != FromPoints {
		t.Errorf("got %v by %v, want 2 points by points", got, basis)
	}
}

func TestZeroModel(t *testing.T) {
	if got, basis := (Model{}).Of(story, nil); got != 1 || basis != ExpectedAsTypical {
		t.Errorf("got %v by %v", got, basis)
	}
}

func drawSamples(t *rapid.T) []Sample {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Sample {
		return Sample{
			Class: Class{
				Source:   rapid.SampledFrom([]string{"snow", "jira"}).Draw(t, "source"),
				Kind:     rapid.SampledFrom([]string{"incident", "bug"}).Draw(t, "kind"),
				Priority: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "priority"),
				Areas:    rapid.SampledFrom([]string{"", "a", "b", "a\x1fb"}).Draw(t, "areas"),
			},
			Finished: rapid.Bool().Draw(t, "finished"),
			Points:   rapid.SampledFrom([]float64{0, 0, 1, 2, 3, 5, 8}).Draw(t, "points"),
			Days:     rapid.SampledFrom([]float64{0, 0.01, 0.5, 3, 400}).Draw(t, "days"),
		}
	}), 0, 80).Draw(t, "samples")
}

// TestProperty: an effort is positive and finite, lies within what was seen,
// does not depend on order, and does not change when the unit of time does.
func TestProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		samples := drawSamples(t)
		m := Fit(Summarise(samples))
		order := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)).Perm(len(samples))
		shuffled := make([]Sample, len(samples))
		hours := make([]Sample, len(samples))
		for i, j := range order {
			shuffled[i] = samples[j]
		}
		for i := range hours {
			hours[i] = samples[i]
			hours[i].Days *= 24
		}
		again, byHours := Fit(Summarise(shuffled)), Fit(Summarise(hours))
		for _, s := range samples {
			e, basis := m.Of(s.Class, nil)
			if !(e > 0) || math.IsInf(e, 0) {
				t.Fatalf("effort of %+v is %v", s.Class, e)
			}
			if f, _ := again.Of(s.Class, nil); f != e {
				t.Fatalf("effort of %+v is %v or %v, by order", s.Class, e, f)
			}
			if f, _ := byHours.Of(s.Class, nil); math.Abs(f-e) > 1e-9*e {
				t.Fatalf("effort of %+v is %v in days and %v in hours", s.Class, e, f)
			}
			if basis == ExpectedByDays && (e > 400/0.01 || e < 0.01/400) {
				t.Fatalf("effort of %+v is %v, beyond all days seen", s.Class, e)
			}
		}
	})
}

func BenchmarkOf(b *testing.B) {
	m := Fit(Summarise(append(finished(incident, 30, 0, 2), finished(change, 10, 0, 8)...)))
	for b.Loop() {
		m.Of(change, nil)
	}
}
