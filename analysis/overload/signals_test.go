package overload

import (
	"errors"
	"math"
	"testing"
	"time"

	"fairlead/analysis/distribution"
)

const monday Week = 2960 // 2026-09-21

func TestWeek(t *testing.T) {
	for _, c := range []struct {
		at   string
		want Week
	}{
		{"1969-12-28T23:59:59Z", -1},
		{"1969-12-29T00:00:00Z", 0},
		{"1970-01-04T23:59:59Z", 0},
		{"1970-01-05T00:00:00Z", 1},
		{"2026-09-21T00:00:00Z", monday},
		{"2026-09-27T23:59:59.999Z", monday},
		{"2026-09-21T00:30:00+02:00", monday - 1},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := WeekOf(at); got != c.want {
			t.Errorf("%s is in week %d, want %d", c.at, got, c.want)
		}
	}
	if got := monday.Start(); got.Weekday() != time.Monday || got.Format(time.DateOnly) != "2026-09-21" {
		t.Errorf("week %d starts on %s", monday, got)
	}
}

// tickets is the load of so many that were open all week.
func tickets(n float64) distribution.Weights {
	return distribution.Weights{N: uint64(math.Ceil(n)), Sum: n, Squares: n}
}

// steady is so many weeks of the same before monday, then the weeks given.
func steady(weeks int, usual Record, then ...Record) []Record {
	var list []Record
	for i := range weeks {
		r := usual
		r.Week = monday - Week(weeks-i)
		list = append(list, r)
	}
	for i, r := range then {
		r.Week = monday + Week(i)
		list = append(list, r)
	}
	return list
}

func assess(t *testing.T, c Config, members ...Member) map[string]Assessment {
	t.Helper()
	list, err := c.Assess(members)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]Assessment{}
	for _, a := range list {
		byName[a.Engineer] = a
	}
	return byName
}

func reading(t *testing.T, records []Record, signal Signal) (Reading, State) {
	t.Helper()
	a := assess(t, DefaultConfig(), Member{"ann", records})["ann"]
	s := a.Weeks[len(a.Weeks)-1]
	return s.Reading(signal), s
}

func check(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(want) != math.IsNaN(got) || math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestOwnLoad(t *testing.T) {
	series := func(loads ...float64) []Record {
		list := steady(len(loads)-1, Record{Capacity: 1}, Record{Capacity: 1})
		for i, x := range loads {
			list[i].Load = tickets(x)
		}
		return list
	}
	thirds := func(n float64) distribution.Weights { // n tickets of weight 1/3
		return distribution.Weights{N: uint64(n), Sum: n / 3, Squares: n / 9}
	}
	light := series(0, 0, 0, 0, 0, 0, 0)
	for i := range light {
		light[i].Load = thirds(108) // 36, so that chance is √(36/3) = 3.46
	}
	light[6].Load = thirds(150)
	away := series(9, 9, 9, 4, 4, 4, 4, 4, 4, 12)
	for i := range 3 {
		away[i].Capacity = 0
	}
	older := series(90, 90, 90, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 12)

	for _, c := range []struct {
		name    string
		records []Record
		status  Status
		usual   float64
		spread  float64
		value   float64
	}{
		// Median 4, MAD ½, so 0.7413; chance √4 = 2.
		{"chance is the spread", series(4, 4, 5, 3, 4, 6, 4, 5, 3, 4, 4, 5, 12), Measured, 4, 2, 4},
		// Median 5, deviations 4 4 4 4 4 4: 1.4826 · 4.
		{"the deviations are the spread", series(1, 9, 1, 9, 1, 9, 20), Measured, 5, 5.9304, 15 / 5.9304},
		{"one ticket is the least spread", series(0, 0, 0, 0, 0, 0, 3), Measured, 0, 1, 3},
		{"small weights are less chance", light, Measured, 36, math.Sqrt(12), 14 / math.Sqrt(12)},
		{"weeks away are no baseline", away, Measured, 4, 2, 4},
		{"what lies longer back is none either", older, Measured, 4, 2, 4},
		{"less than usual", series(9, 9, 9, 9, 9, 9, 0), Measured, 9, 3, -3},
		{"five weeks are too few", series(4, 4, 4, 4, 4, 12), Insufficient, math.NaN(), math.NaN(), math.NaN()},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, s := reading(t, c.records, SignalOwnLoad)
			if r.Status != c.status {
				t.Fatalf("status %d, want %d", r.Status, c.status)
			}
			check(t, "usual", s.Parts.UsualLoad, c.usual)
			check(t, "spread", s.Parts.Spread, c.spread)
			check(t, "value", r.Value, c.value)
			check(t, "level", r.Level, max(0, c.value/3.5))
		})
	}
}

// binomialTail is P(X ≥ k), summed.
func binomialTail(k, n int, p float64) float64 {
	sum := 0.0
	for i := k; i <= n; i++ {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(i + 1))
		c, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}

func TestTeamLoad(t *testing.T) {
	team := func(capacity []float64, loads ...distribution.Weights) []Member {
		var list []Member
		for i, l := range loads {
			c := 1.0
			if capacity != nil {
				c = capacity[i]
			}
			list = append(list, Member{string(rune('a' + i)), []Record{{Week: monday, Capacity: c, Load: l}}})
		}
		return list
	}
	ten := func(first float64, rest ...float64) []Member {
		loads := []distribution.Weights{tickets(first)}
		for _, x := range rest {
			loads = append(loads, tickets(x))
		}
		return team(nil, loads...)
	}
	nan := math.NaN()
	for _, c := range []struct {
		name            string
		members         []Member
		status          Status
		relative, tail  float64
		z               float64
		holds           bool
		people          int
		effectiveNumber float64
	}{
		// The case where z alone is wrong: 4 of 10 tickets among 8 people.
		{"four of ten among eight", ten(4, 1, 1, 1, 1, 1, 1, 0), Measured, 3.2, binomialTail(4, 10, 0.125), 0.275 / math.Sqrt(0.1*0.125*0.875), false, 8, 10},
		{"five of ten among eight", ten(5, 1, 1, 1, 1, 1, 0, 0), Measured, 4, binomialTail(5, 10, 0.125), 0.375 / math.Sqrt(0.1*0.125*0.875), true, 8, 10},
		{"far from chance, but not by much", ten(1200, 1000, 1000, 1000), Measured, 1200. * 4 / 4200, binomialTail(1200, 4200, 0.25), (1200./4200 - 0.25) / math.Sqrt(0.25*0.75/4200), false, 4, 4200},
		{"far from chance, and by much", ten(1400, 1000, 1000, 1000), Measured, 1400. * 4 / 4400, binomialTail(1400, 4400, 0.25), (1400./4400 - 0.25) / math.Sqrt(0.25*0.75/4400), true, 4, 4400},
		{"half time, half the work", team([]float64{0.5, 1, 1}, tickets(10), tickets(20), tickets(20)), Measured, 1, binomialTail(10, 50, 0.2), 0, false, 3, 50},
		{"half time, all the work", team([]float64{0.5, 1, 1}, tickets(24), tickets(13), tickets(13)), Measured, 2.4, binomialTail(24, 50, 0.2), 0.28 / math.Sqrt(0.2*0.8/50), true, 3, 50},
		{"all of the work", ten(10, 0), Measured, 2, math.Pow(0.5, 10), 0.5 / math.Sqrt(0.25/10), true, 2, 10},
		{"none of the work", ten(0, 10), Measured, 0, 1, -0.5 / math.Sqrt(0.25/10), false, 2, 10},
		{"who is away is not of the team", team([]float64{1, 1, 0}, tickets(10), tickets(10), tickets(80)), Measured, 1, binomialTail(10, 20, 0.5), 0, false, 2, 20},
		{"nobody has any work", ten(0, 0), Insufficient, nan, nan, nan, false, 2, nan},
		{"a team of one", ten(10), Absent, nan, nan, nan, false, 1, nan},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := assess(t, DefaultConfig(), c.members...)["a"].Weeks[0]
			r := s.Reading(SignalTeamLoad)
			if r.Status != c.status || r.Holds() != c.holds || s.Parts.TeamPeople != c.people {
				t.Errorf("status %d holds %v among %d, want %d %v %d", r.Status, r.Holds(), s.Parts.TeamPeople, c.status, c.holds, c.people)
			}
			check(t, "r", r.Value, c.relative)
			check(t, "tail", s.Parts.TeamTail, c.tail)
			check(t, "z", s.Parts.TeamZ, c.z)
			check(t, "1/h", s.Parts.TeamTickets, c.effectiveNumber)
		})
	}
}

// With unequal weights the tail is that of the effective number of tickets: it
// lies between those of the whole numbers around.
func TestTeamLoadOfUnequalWeights(t *testing.T) {
	members := []Member{
		{"a", []Record{{Week: monday, Capacity: 1, Load: distribution.Weights{N: 6, Sum: 7, Squares: 9}}}}, // 1·5 + 2
		{"b", []Record{{Week: monday, Capacity: 1, Load: distribution.Weights{N: 3, Sum: 3, Squares: 3}}}},
	}
	s := assess(t, DefaultConfig(), members...)["a"].Weeks[0]
	effective := 100. / 12
	k := 0.7 * effective // 5.83
	check(t, "1/h", s.Parts.TeamTickets, effective)
	if tail := s.Parts.TeamTail; !(tail < binomialTail(5, 8, 0.5) && tail > binomialTail(7, 9, 0.5)) {
		t.Errorf("the tail of %v in %v is %v", k, effective, tail)
	}
}

func TestFlow(t *testing.T) {
	weeks := func(pairs ...[2]uint64) []Record {
		list := steady(len(pairs)-1, Record{Capacity: 1}, Record{Capacity: 1})
		for i, p := range pairs {
			list[i].Arrivals, list[i].Completions = p[0], p[1]
		}
		return list
	}
	nan := math.NaN()
	gap := weeks([2]uint64{9, 0}, [2]uint64{9, 0}, [2]uint64{9, 0}, [2]uint64{9, 0}, [2]uint64{9, 0})
	gap = append(gap[:2:2], gap[3:]...)
	onLeave := weeks([2]uint64{0, 0}, [2]uint64{9, 0}, [2]uint64{4, 4}, [2]uint64{3, 0})
	onLeave[1].Capacity = 0
	for _, c := range []struct {
		name    string
		records []Record
		status  Status
		want    float64
		says    string
	}{
		{"sixteen in, none out", weeks([2]uint64{99, 99}, [2]uint64{4, 0}, [2]uint64{4, 0}, [2]uint64{4, 0}, [2]uint64{4, 0}), Measured, 4, "16 came in and 0 were done in 4 weeks"},
		{"as many out as in", weeks([2]uint64{4, 1}, [2]uint64{0, 3}, [2]uint64{2, 2}, [2]uint64{1, 1}), Measured, 0, ""},
		{"more out than in", weeks([2]uint64{0, 1}, [2]uint64{0, 3}, [2]uint64{0, 0}, [2]uint64{0, 0}), Measured, -2, ""},
		{"what came while away counts", onLeave, Measured, 12 / math.Sqrt(20), "16 came in and 4 were done in 4 weeks"},
		{"nothing in, nothing out", weeks([2]uint64{0, 0}, [2]uint64{0, 0}, [2]uint64{0, 0}, [2]uint64{0, 0}), Insufficient, nan, ""},
		{"three weeks are too few", weeks([2]uint64{9, 0}, [2]uint64{9, 0}, [2]uint64{9, 0}), Insufficient, nan, ""},
		{"a week that is not known", gap, Insufficient, nan, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, s := reading(t, c.records, SignalFlow)
			if r.Status != c.status {
				t.Fatalf("status %d, want %d", r.Status, c.status)
			}
			check(t, "value", r.Value, c.want)
			if got := s.Parts.says(DefaultConfig(), r); c.says != "" && got != c.says {
				t.Errorf("says %q, want %q", got, c.says)
			}
		})
	}
}

func TestInterruption(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name   string
		record Record
		signal Signal
		status Status
		want   float64
		holds  bool
	}{
		{"a week on call, two a shift", Record{OnCall: &OnCall{7 * 24 * time.Hour, 28}}, SignalOnCall, Measured, 2, false},
		{"one more", Record{OnCall: &OnCall{7 * 24 * time.Hour, 29}}, SignalOnCall, Measured, 29. / 14, true},
		{"one shift", Record{OnCall: &OnCall{12 * time.Hour, 3}}, SignalOnCall, Measured, 3, true},
		{"an hour on call", Record{OnCall: &OnCall{time.Hour, 3}}, SignalOnCall, Insufficient, nan, false},
		{"off call", Record{OnCall: &OnCall{}}, SignalOnCall, Insufficient, nan, false},
		{"no roster", Record{}, SignalOnCall, Absent, nan, false},
		{"half is unplanned", Record{Received: &Received{6, 8, 4}}, SignalUnplanned, Measured, 0.5, false},
		{"more than half is", Record{Received: &Received{6, 8, 5}}, SignalUnplanned, Measured, 0.625, true},
		{"nothing is", Record{Received: &Received{6, 8, 0}}, SignalUnplanned, Measured, 0, false},
		{"four tickets", Record{Received: &Received{4, 4, 4}}, SignalUnplanned, Insufficient, nan, false},
		{"tickets without effort", Record{Received: &Received{9, 0, 0}}, SignalUnplanned, Insufficient, nan, false},
		{"kinds are not known", Record{}, SignalUnplanned, Absent, nan, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.record.Week, c.record.Capacity = monday, 1
			r, _ := reading(t, []Record{c.record}, c.signal)
			if r.Status != c.status || r.Holds() != c.holds {
				t.Errorf("status %d holds %v, want %d %v", r.Status, r.Holds(), c.status, c.holds)
			}
			check(t, "value", r.Value, c.want)
		})
	}
}

func TestWilson(t *testing.T) {
	z := normalScore(0.05)
	check(t, "z", math.Round(z*1e6)/1e6, 1.644854)
	check(t, "none of ten", wilsonLower(0, 10, z), 0)
	check(t, "all of ten", wilsonLower(10, 10, z), 10/(10+z*z))
	// By the definition: the bound is the p of which k lies z deviations above.
	for _, k := range []float64{1, 5, 17, 39} {
		n := 40.
		p := wilsonLower(k, n, z)
		check(t, "deviations", (k/n-p)/math.Sqrt(p*(1-p)/n), z)
	}
}

func TestAfterHours(t *testing.T) {
	nan := math.NaN()
	usual := func(off uint64) Record { return Record{Capacity: 1, Acts: &Acts{N: 50, Off: off}} }
	week := func(n, off uint64) Record { return Record{Capacity: 1, Acts: &Acts{N: n, Off: off}} }
	for _, c := range []struct {
		name        string
		records     []Record
		status      Status
		value, over float64
		holds       bool
	}{
		{"as usual", steady(12, usual(10), week(50, 10)), Measured, 0.2, 0.2, false},
		{"surely more", steady(12, usual(10), week(50, 20)), Measured, 0.4, 0.2, true},
		{"more, but it may be chance", steady(12, usual(10), week(10, 4)), Measured, 0.4, 0.2, false},
		{"one comment at night", steady(12, usual(0), week(10, 1)), Measured, 0.1, 0.05, false},
		{"many comments at night", steady(12, usual(0), week(50, 15)), Measured, 0.3, 0.05, true},
		{"who always works at night", steady(12, usual(45), week(50, 45)), Measured, 0.9, 0.9, false},
		{"no acts", steady(12, usual(10), week(0, 0)), Insufficient, nan, nan, false},
		{"nothing is usual yet", steady(5, usual(10), week(50, 20)), Insufficient, nan, nan, false},
		{"hours are not known", steady(12, usual(10), Record{Capacity: 1}), Absent, nan, nan, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := reading(t, c.records, SignalAfterHours)
			if r.Status != c.status || r.Holds() != c.holds {
				t.Errorf("status %d holds %v at level %v, want %d %v", r.Status, r.Holds(), r.Level, c.status, c.holds)
			}
			check(t, "value", r.Value, c.value)
			check(t, "threshold", r.Threshold, c.over)
		})
	}
}

func TestActs(t *testing.T) {
	act := func(s string) Act {
		at, err := time.Parse("2006-01-02 15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		a := Act{At: at}
		if h := at.Hour(); h < 9 || h >= 17 {
			a.Place = OffHours
		}
		return a
	}
	acts := func(list ...string) []Act {
		var out []Act
		for _, s := range list {
			out = append(out, act(s))
		}
		return out
	}
	onCall := act("2026-09-22 02:00")
	onCall.Place = OnCallShift
	h := func(hours, minutes int) time.Duration {
		return time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	}
	for _, c := range []struct {
		name string
		acts []Act
		want []WeekActs
	}{
		{"nothing", nil, nil},
		{"one act", acts("2026-09-21 10:00"), []WeekActs{{monday, Acts{1, 0, 0, 0}}}},
		{"two days", acts("2026-09-22 09:10", "2026-09-21 10:00", "2026-09-21 16:40"), []WeekActs{{monday, Acts{3, 0, h(16, 30), 0}}}},
		{"a late evening", acts("2026-09-21 10:00", "2026-09-21 16:30", "2026-09-21 23:00", "2026-09-22 09:00", "2026-09-22 12:00", "2026-09-23 11:00"),
			[]WeekActs{{monday, Acts{6, 1, h(10, 0), 0}}}},
		{"an act at night", acts("2026-09-21 10:00", "2026-09-21 16:30", "2026-09-22 02:00", "2026-09-22 09:00", "2026-09-22 12:00", "2026-09-23 11:00"),
			[]WeekActs{{monday, Acts{6, 1, h(9, 30), 0}}}},
		{"on call at night", append(acts("2026-09-21 10:00", "2026-09-21 16:30", "2026-09-22 09:00"), onCall), []WeekActs{{monday, Acts{3, 0, h(16, 30), 1}}}},
		{"nights at work", acts("2026-09-21 22:00", "2026-09-22 01:00", "2026-09-22 05:30", "2026-09-22 22:10", "2026-09-23 05:00", "2026-09-23 22:00"),
			[]WeekActs{{monday, Acts{6, 6, h(16, 40), 0}}}},
		{"the rest ends in the next week", acts("2026-09-27 18:00", "2026-09-28 09:00"), []WeekActs{{monday, Acts{1, 1, 0, 0}}, {monday + 1, Acts{1, 0, h(15, 0), 0}}}},
		{"two nights without rest", acts("2026-09-21 10:00", "2026-09-21 20:00", "2026-09-22 06:00", "2026-09-22 12:00", "2026-09-22 21:00", "2026-09-23 05:00", "2026-09-23 13:00"),
			[]WeekActs{{monday, Acts{7, 4, h(9, 0), 0}}}},
		{"a day that is not over", acts("2026-09-21 10:00", "2026-09-21 16:00", "2026-09-22 01:00"), []WeekActs{{monday, Acts{3, 1, 0, 0}}}},
		{"all at once", acts("2026-09-21 10:00", "2026-09-21 10:00"), []WeekActs{{monday, Acts{2, 0, 0, 0}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := SummariseActs(c.acts, 11*time.Hour)
			if len(got) != len(c.want) {
				t.Fatalf("got %+v, want %+v", got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("got %+v, want %+v", got[i], c.want[i])
				}
			}
		})
	}
}

func TestRest(t *testing.T) {
	for _, c := range []struct {
		rest   time.Duration
		status Status
		level  float64
		holds  bool
	}{
		{11 * time.Hour, Measured, 1, false},
		{10*time.Hour + 59*time.Minute, Measured, 660. / 659, true},
		{22 * time.Hour, Measured, 0.5, false},
		{0, Insufficient, math.NaN(), false},
	} {
		r, _ := reading(t, []Record{{Week: monday, Capacity: 1, Acts: &Acts{N: 9, ShortestRest: c.rest}}}, SignalRest)
		if r.Status != c.status || r.Holds() != c.holds {
			t.Errorf("%s: status %d holds %v", c.rest, r.Status, r.Holds())
		}
		check(t, "level", r.Level, c.level)
	}
}

func TestContexts(t *testing.T) {
	for _, c := range []struct {
		areas []float64
		want  float64
	}{
		{nil, math.NaN()}, {[]float64{0}, math.NaN()}, {[]float64{5}, 1}, {[]float64{2, 2, 0, 2}, 3},
		{[]float64{1, 3}, math.Exp(-0.25*math.Log(0.25) - 0.75*math.Log(0.75))},
	} {
		_, s := reading(t, []Record{{Week: monday, Capacity: 1, Areas: c.areas}}, SignalOwnLoad)
		check(t, "contexts", s.Parts.Contexts, c.want)
	}
}

func TestRefusals(t *testing.T) {
	one := func(r Record) []Member { r.Week = monday; return []Member{{"a", []Record{r}}} }
	for name, members := range map[string][]Member{
		"twice":               {{"a", nil}, {"a", nil}},
		"out of order":        {{"a", []Record{{Week: 2}, {Week: 1}}}},
		"the same week":       {{"a", []Record{{Week: 2}, {Week: 2}}}},
		"negative capacity":   one(Record{Capacity: -1}),
		"no number":           one(Record{Capacity: math.NaN()}),
		"infinite load":       one(Record{Load: distribution.Weights{Sum: math.Inf(1), Squares: 1}}),
		"impossible squares":  one(Record{Load: distribution.Weights{N: 1, Sum: 1, Squares: 2}}),
		"squares are missing": one(Record{Load: distribution.Weights{N: 1, Sum: 1}}),
		"more unplanned":      one(Record{Received: &Received{1, 1, 2}}),
		"more than a week":    one(Record{OnCall: &OnCall{Duration: 169 * time.Hour}}),
		"more off than acts":  one(Record{Acts: &Acts{N: 1, Off: 2}}),
		"a negative area":     one(Record{Areas: []float64{-1}}),
	} {
		if _, err := DefaultConfig().Assess(members); !errors.Is(err, distribution.ErrInput) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestValidate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	for key, change := range map[string]func(*Config){
		"baseline_weeks":         func(c *Config) { c.BaselineWeeks = 1 },
		"least_baseline_weeks":   func(c *Config) { c.LeastBaseline = 13 },
		"flow_weeks":             func(c *Config) { c.FlowWeeks = 0 },
		"families":               func(c *Config) { c.Families = 4 },
		"demand_signals":         func(c *Config) { c.DemandSignals = 0 },
		"window_weeks":           func(c *Config) { c.Window = 0 },
		"hot_weeks":              func(c *Config) { c.Hot = 5 },
		"cool_weeks":             func(c *Config) { c.Cool = 0 },
		"own_load":               func(c *Config) { c.OwnLoad = 0 },
		"team_load":              func(c *Config) { c.TeamLoad = math.NaN() },
		"flow":                   func(c *Config) { c.Flow = math.Inf(1) },
		"on_call":                func(c *Config) { c.OnCall = -1 },
		"unplanned":              func(c *Config) { c.Unplanned = 1.1 },
		"after_hours":            func(c *Config) { c.AfterHours = 0 },
		"after_hours_floor":      func(c *Config) { c.AfterHoursFloor = 0 },
		"release":                func(c *Config) { c.Release = 1.01 },
		"team_load_tail":         func(c *Config) { c.TeamLoadTail = 0.5 },
		"after_hours_confidence": func(c *Config) { c.AfterHoursConfidence = 1 },
		"shift":                  func(c *Config) { c.Shift = time.Minute },
		"rest":                   func(c *Config) { c.Rest = 24 * time.Hour },
		"unplanned_least_items":  func(c *Config) { c.UnplannedLeast = 0 },
	} {
		c := DefaultConfig()
		change(&c)
		err := c.Validate()
		if err == nil || len(err.Error()) < len(key)+8 || err.Error()[:len(key)+4] != key+" is " {
			t.Errorf("%s: got %v", key, err)
		}
		if _, err := c.Assess(nil); err == nil {
			t.Errorf("%s: assessed", key)
		}
	}
}
