package effort

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestWeekdays(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		hours          float64
	}{
		{"a Wednesday", "2026-09-23 00:00", "2026-09-24 00:00", 8},
		{"from noon to noon", "2026-09-23 12:00", "2026-09-24 12:00", 8},
		{"a weekend", "2026-09-26 00:00", "2026-09-28 00:00", 0},
		{"over a weekend", "2026-09-25 12:00", "2026-09-28 12:00", 8},
		{"a week", "2026-09-23 15:00", "2026-09-30 15:00", 40},
		{"a year", "2026-01-01 00:00", "2027-01-01 00:00", 261 * 8},
		{"three hours", "2026-09-23 10:00", "2026-09-23 13:00", 1},
		{"no time", "2026-09-23 10:00", "2026-09-23 10:00", 0},
		{"backwards", "2026-09-24 10:00", "2026-09-23 10:00", 0},
		{"before 1970", "1969-12-26 00:00", "1969-12-30 00:00", 16},
	} {
		if got := (Weekdays{}).Working(at(c.from), at(c.to)).Hours(); math.Abs(got-c.hours) > 1e-9 {
			t.Errorf("%s: %v hours, want %v", c.name, got, c.hours)
		}
	}
}

// TestPropertyWeekdays: the closed form counts what a walk over the hours does,
// and adds up.
func TestPropertyWeekdays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := at("1969-11-03 00:00").Add(time.Duration(rapid.IntRange(0, 500_000).Draw(t, "start")) * time.Hour)
		n := rapid.IntRange(0, 400).Draw(t, "hours")
		end := start.Add(time.Duration(n) * time.Hour)
		weekday := 0
		for h := range n {
			if d := start.Add(time.Duration(h) * time.Hour).Weekday(); d != time.Saturday && d != time.Sunday {
				weekday++
			}
		}
		got := Weekdays{}.Working(start, end)
		if math.Abs(got.Hours()-float64(weekday)/3) > 1e-9 {
			t.Fatalf("%v for %d hours from %v, %d of them on weekdays", got, n, start, weekday)
		}
		middle := start.Add(time.Duration(rapid.Int64Range(0, int64(end.Sub(start)/time.Millisecond)).Draw(t, "middle")) * time.Millisecond)
		if parts := (Weekdays{}).Working(start, middle) + (Weekdays{}).Working(middle, end); (got - parts).Abs() > time.Nanosecond {
			t.Fatalf("%v in one, %v in two", got, parts)
		}
	})
}

// officeHours is a calendar of one shift a day, every day.
type officeHours struct{ from, to int }

func (o officeHours) Working(from, to time.Time) time.Duration {
	var sum time.Duration
	for day := from.Truncate(24 * time.Hour); day.Before(to); day = day.Add(24 * time.Hour) {
		a, b := latest(from, day.Add(time.Duration(o.from)*time.Hour)), earliest(to, day.Add(time.Duration(o.to)*time.Hour))
		sum += max(0, b.Sub(a))
	}
	return sum
}

func TestWorkingDays(t *testing.T) {
	span := func(from, to string) Span {
		s := Span{From: at(from)}
		if to != "" {
			s.To = at(to)
		}
		return s
	}
	ann := officeHours{9, 17}
	always := []Span{span("2020-01-01 00:00", "")}
	asOf := at("2026-10-01 00:00") // a Thursday
	for _, c := range []struct {
		name   string
		holds  []Hold
		active []Span
		want   float64
	}{
		{"never held", nil, always, 0},
		{"never worked on", []Hold{{span("2026-09-21 00:00", ""), nil}}, nil, 0},
		{"a weekday, calendar unknown", []Hold{{span("2026-09-21 00:00", "2026-09-22 00:00"), nil}}, always, 1},
		{"over night, by the calendar", []Hold{{span("2026-09-21 16:00", "2026-09-22 10:00"), ann}}, always, 0.25},
		{"waiting is left out", []Hold{{span("2026-09-21 09:00", "2026-09-21 17:00"), ann}},
			[]Span{span("2026-09-21 08:00", "2026-09-21 10:00"), span("2026-09-21 15:00", "2026-09-21 16:00")}, 0.25},
		{"two holders", []Hold{{span("2026-09-21 09:00", "2026-09-21 13:00"), ann}, {span("2026-09-21 13:00", "2026-09-23 00:00"), nil}},
			always, 0.5 + 35./24},
		{"still open", []Hold{{span("2026-09-29 00:00", ""), ann}}, always, 2},
		{"what comes later is not known", []Hold{{span("2026-09-30 00:00", "2026-10-09 00:00"), ann}, {span("2026-10-02 00:00", ""), ann}}, always, 1},
		{"spells that overlap count once", []Hold{{span("2026-09-21 00:00", "2026-09-22 00:00"), ann}},
			[]Span{span("2026-09-21 12:00", "2026-09-21 17:00"), span("2026-09-21 09:00", "2026-09-21 13:00"), span("2026-09-21 13:00", "2026-09-21 13:00")}, 1},
		{"who got it last holds it", []Hold{{span("2026-09-22 00:00", "2026-09-23 00:00"), officeHours{9, 13}}, {span("2026-09-21 00:00", ""), ann}}, always, 1.5},
	} {
		if got := WorkingDays(c.holds, c.active, asOf); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v days, want %v", c.name, got, c.want)
		}
	}
}

// TestPropertyAsOf: what comes after the instant changes nothing, and days only
// grow with it.
func TestPropertyAsOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := func(name string) []Span {
			var list []Span
			from := at("2026-09-21 00:00")
			for range rapid.IntRange(0, 5).Draw(t, name) {
				from = from.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "gap")) * time.Hour)
				to := from.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "length")) * time.Hour)
				list = append(list, Span{from, to})
				from = to
			}
			if n := len(list); n > 0 && rapid.Bool().Draw(t, "open") {
				list[n-1].To = time.Time{}
			}
			return list
		}
		var holds []Hold
		for i, s := range spans("holds") {
			h := Hold{Span: s}
			if i%2 == 0 {
				h.Calendar = officeHours{9, 17}
			}
			holds = append(holds, h)
		}
		active := spans("active")
		asOf := at("2026-09-21 00:00").Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "as of")) * time.Hour)
		cut := func(s Span) Span {
			if s.To.IsZero() || s.To.After(asOf) {
				s.To = asOf.Add(time.Duration(rapid.IntRange(1, 99).Draw(t, "later")) * time.Hour)
			}
			return s
		}
		var knownHolds []Hold
		for _, h := range holds {
			if h.From.Before(asOf) {
				knownHolds = append(knownHolds, Hold{cut(h.Span), h.Calendar})
			}
		}
		var knownActive []Span
		for _, s := range active {
			if s.From.Before(asOf) {
				knownActive = append(knownActive, cut(s))
			}
		}
		got := WorkingDays(holds, active, asOf)
		if again := WorkingDays(knownHolds, knownActive, asOf); got != again {
			t.Fatalf("%v days, and %v by what was known then", got, again)
		}
		if later := WorkingDays(holds, active, asOf.Add(time.Hour)); later < got-1e-9 {
			t.Fatalf("%v days became %v", got, later)
		}
	})
}

func TestWaits(t *testing.T) {
	c := DefaultConfig()
	for name, want := range map[string]bool{
		"On Hold": true, "Awaiting Vendor": true, "Awaiting User Info": true, "Waiting for customer": true, "Pending Approval": true,
		"In progress - waiting": true, "BLOCKED": true, "Work (suspended)": true, "Held": true,
		"In Progress": false, "Work in Progress": false, "Active": false, "Unblocked": false, "Impending": false, "": false, "Household": false, "upheld / held": true,
	} {
		if got := c.Waits(name); got != want {
			t.Errorf("%q waits: %v", name, got)
		}
	}
	c.Waiting = []string{" Wartet ", "Übergabe"}
	for name, want := range map[string]bool{"wartet auf Kunden": true, "vor ÜBERGABE": true, "Erwartet": false, "On Hold": false} {
		if got := c.Waits(name); got != want {
			t.Errorf("%q waits: %v", name, got)
		}
	}
}

func TestConfig(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	for key, change := range map[string]func(*Config){
		"prior":       func(c *Config) { c.Prior = -1 },
		"prior ":      func(c *Config) { c.Prior = math.NaN() },
		"min_pointed": func(c *Config) { c.MinPointed = 0 },
		"waiting[1]":  func(c *Config) { c.Waiting = []string{"hold", " "} },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), strings.TrimSpace(key)+" is ") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestVersion(t *testing.T) {
	c := DefaultConfig()
	if got := c.Version(Elapsed); got != Version {
		t.Errorf("the default is %s", got)
	}
	if got := c.Version(WeekdayHours); got != Version+"+weekdays" {
		t.Errorf("by weekdays it is %s", got)
	}
	seen := map[string]bool{}
	for _, other := range []Config{c, {Prior: 5, MinPointed: 20, Waiting: c.Waiting}, {Prior: 10, MinPointed: 5, Waiting: c.Waiting}, {Prior: 10, MinPointed: 20}} {
		for _, h := range []Hours{Elapsed, WeekdayHours, CalendarsHours} {
			seen[other.Version(h)] = true
		}
	}
	if len(seen) != 12 {
		t.Errorf("12 different ways have %d versions: %v", len(seen), seen)
	}
}

func TestExplain(t *testing.T) {
	samples := append(finished(incident, 30, 0, 2), finished(change, 10, 0, 8)...)
	samples = append(samples, finished(story, 20, 3, 30)...)
	m := Fit(Summarise(samples))
	for _, c := range []struct {
		class  Class
		points *float64
		want   string
	}{
		{story, points(6), "6 story points / 3 of a typical ticket = 2"},
		{story, points(0), "0 story points are no effort"},
		{story, nil, "median 3 of 20 finished of its kind, shrunk to 3; median 3 of 20 finished of its kind, priority and areas, shrunk to 3; 3 story points / 3 of a typical ticket = 1"},
		{change, nil, "median 8 of 10 finished of its kind, shrunk to 4; median 8 of 10 finished of its kind, priority and areas, shrunk to 5.657; 5.657 days / 2 of a typical ticket = 2.828"},
		{Class{Source: "snow", Kind: "change"}, nil, "median 8 of 10 finished of its kind, shrunk to 4; no finished tickets of its kind, priority and areas; 4 days / 2 of a typical ticket = 2"},
		{Class{Source: "asana"}, nil, "nothing is known of its source yet: a typical ticket, 1"},
	} {
		e := m.Explain(c.class, c.points)
		if got := e.String(); got != c.want {
			t.Errorf("%+v:\n%s, want\n%s", c.class, got, c.want)
		}
		if effort, basis := m.Of(c.class, c.points); e.Effort != effort || e.Basis != basis {
			t.Errorf("%+v: %v by %v is explained as %v by %v", c.class, effort, basis, e.Effort, e.Basis)
		}
	}
}

// Statistics that contradict each other, as no tickets give, still give efforts.
func TestOddStatistics(t *testing.T) {
	kind := Class{Source: "jira", Kind: "bug"}
	for _, c := range []Config{DefaultConfig(), {MinPointed: 1}, {}} {
		m := c.Fit([]Statistic{
			{LevelKind, Points, kind, 50, 3}, {LevelSource, Days, Class{Source: "jira"}, 10, math.Inf(1)},
			{LevelSource, Days, Class{Source: "jira"}, 10, math.NaN()}, {LevelClass, Days, kind, 0, 3},
		})
		if got, basis := m.Of(kind, nil); got != 1 || basis != ExpectedAsTypical {
			t.Errorf("%v by %v", got, basis)
		}
	}
}

// FuzzOf: an effort is 0 only for 0 story points, and finite where medians are
// within reason.
func FuzzOf(f *testing.F) {
	f.Add(uint64(10), 3.0, uint64(2), 0.5, uint64(1), 8.0, 5.0)
	f.Fuzz(func(t *testing.T, n1 uint64, m1 float64, n2 uint64, m2 float64, n3 uint64, m3, set float64) {
		source, kind := Class{Source: "jira"}, Class{Source: "jira", Kind: "bug"}
		m := Fit([]Statistic{
			{LevelSource, Scale, source, n1, m1}, {LevelSource, Points, source, n2, m2}, {LevelKind, Points, kind, n3, m3},
			{LevelSource, Days, source, n2, m1}, {LevelKind, Days, kind, n1, m2}, {LevelClass, Days, bug, n3, m3},
		})
		for _, p := range []*float64{nil, &set} {
			e, _ := m.Of(bug, p)
			reason := func(x float64) bool { return !(x > 0) || x > 1e-100 && x < 1e100 || math.IsInf(x, 1) }
			if math.IsNaN(e) || e < 0 || (e == 0 || math.IsInf(e, 0)) && reason(m1) && reason(m2) && reason(m3) && (p == nil || set != 0 && reason(set)) {
				t.Fatalf("%v", e)
			}
			if m.Explain(bug, p).String() == "" {
				t.Fatal("nothing is explained")
			}
		}
	})
}
