package roster

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDays(t *testing.T) {
	for s, want := range map[string]Day{"1900-01-01": FirstDay, "2299-12-31": LastDay, "1970-01-01": 25_568} {
		d, ok := ParseDay(s)
		if !ok || d != want || d.String() != s {
			t.Errorf("%s is day %d, %s", s, d, d)
		}
	}
	for _, s := range []string{"1899-12-31", "2300-01-01", "2026-2-3", "", "2026-02-29"} {
		if _, ok := ParseDay(s); ok {
			t.Errorf("%q is a day", s)
		}
	}
	for d := FirstDay; d <= LastDay; d += 97 {
		if u := d.UTC(); u.Weekday() != d.Weekday() || DayOf(u) != d || DayOf(u.Add(24*time.Hour-1)) != d {
			t.Fatalf("day %d is %s", d, u)
		}
	}
}

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// TestDaysBeginWhereTheClockDoes: at the first instant that the day's clock shows
// midnight, or jumps over it.
func TestDaysBeginWhereTheClockDoes(t *testing.T) {
	for _, c := range []struct{ zone, day, want string }{
		{"Europe/Berlin", "2026-03-29", "2026-03-28 23:00"},
		{"Europe/Berlin", "2026-03-30", "2026-03-29 22:00"},
		{"Asia/Kolkata", "2026-03-29", "2026-03-28 18:30"},
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04 03:00"}, // the clock jumps from midnight to one
		{"Asia/Beirut", "2026-03-29", "2026-03-28 22:00"},
		{"America/Havana", "2026-11-01", "2026-11-01 04:00"}, // midnight comes twice
		{"Pacific/Apia", "2011-12-30", "2011-12-30 10:00"},   // a day that there never was
		{"Pacific/Apia", "2011-12-31", "2011-12-30 10:00"},
		{"Antarctica/Troll", "2026-03-29", "2026-03-29 00:00"},
	} {
		if got := mustDay(c.day).In(location(t, c.zone)); !got.Equal(utc(c.want)) {
			t.Errorf("%s begins in %s at %s, want %s", c.day, c.zone, got.UTC(), c.want)
		}
	}
	for _, name := range []string{"Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Beirut", "America/Havana", "Asia/Tehran"} {
		zone := location(t, name)
		before := int64(math.MinInt64)
		for d := Date(1975, 1, 1); d < Date(2040, 1, 1); d++ {
			for _, minute := range []int64{0, 30, 60, 90, 120, 150, 180, 720} {
				at := instant(d.seconds()+minute*60, zone)
				if at < before {
					t.Fatalf("%s: %s, minute %d is before what precedes it", name, d, minute)
				}
				before = at
				// Either the clock shows it, or it jumped over it.
				shows := time.UnixMilli(at).In(zone)
				wall := Date(shows.Year(), shows.Month(), shows.Day()).seconds() + int64(shows.Hour()*3600+shows.Minute()*60+shows.Second())
				if wall < d.seconds()+minute*60 {
					t.Fatalf("%s: %s, minute %d is %s", name, d, minute, shows)
				}
				if back := time.UnixMilli(at - 1).In(zone); wall > d.seconds()+minute*60 &&
					Date(back.Year(), back.Month(), back.Day()).seconds()+int64(back.Hour()*3600+back.Minute()*60+back.Second()) >= d.seconds()+minute*60 {
					t.Fatalf("%s: %s, minute %d comes late: %s", name, d, minute, shows)
				}
			}
		}
	}
}

func TestHoursAreReadAndWritten(t *testing.T) {
	nine := Hours{540, 1020}
	for text, want := range map[string]Week{
		"mon-fri 09:00-17:00":                     DefaultWeek(),
		"Mon-Thu 9:00-17:00;FRI 09:00-17:00":      DefaultWeek(),
		"fri-mon 09:00-17:00":                     {5: {nine}, 6: {nine}, 0: {nine}, 1: {nine}},
		"mon,wed 13:00-17:30 09:00-12:30":         {1: {{540, 750}, {780, 1050}}, 3: {{540, 750}, {780, 1050}}},
		"sat 22:00-06:00; sun 06:00-07:00":        {6: {{1320, 1800}}, 0: {{360, 420}}},
		"mon-sun 00:00-24:00":                     {{{0, 1440}}, {{0, 1440}}, {{0, 1440}}, {{0, 1440}}, {{0, 1440}}, {{0, 1440}}, {{0, 1440}}},
		"tue 08:00-08:00":                         {2: {{480, 1920}}},
		"mon 09:00-12:00 12:00-13:00":             {1: {{540, 720}, {720, 780}}},
		"mon-tue 20:00-04:00; wed 04:00-05:00":    {1: {{1200, 1680}}, 2: {{1200, 1680}}, 3: {{240, 300}}},
		" mon   09:00-17:00 ;tue-fri 09:00-17:00": DefaultWeek(),
	} {
		w, err := ParseHours(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if fmt.Sprint(w) != fmt.Sprint(want) || w.Length() != want.Length() {
			t.Errorf("%q is %s, want %s", text, w, want)
		}
		if again, err := ParseHours(w.String()); err != nil || again.String() != w.String() {
			t.Errorf("%q written is %q, read again %q: %v", text, w, again, err)
		}
	}
	for _, text := range []string{
		"", "mon", "09:00-17:00", "mon 09:00", "mon 09-17", "mon 25:00-26:00", "mon 24:00-02:00", "mon 09:60-10:00", "mon 24:01-24:02",
		"mond 09:00-17:00", "mon- 09:00-17:00", "mon,mon 09:00-10:00", "mon 09:00-10:00; mon-tue 11:00-12:00", "mon 09:00-17:00;",
		"mon 09:00-12:00 11:59-13:00", "mon 22:00-06:00; tue 05:00-09:00", "sun 22:00-06:00; mon 05:00-09:00", "mon 09:00-17:00 09:00-17:00",
		"mon -1:00-17:00", "mon 9:0-17:00", "mon 009:00-17:00", "mon 09:00-17:00-18:00",
	} {
		if w, err := ParseHours(text); err == nil {
			t.Errorf("%q is %s", text, w)
		}
	}
}

// one is a roster of ann, with more lines about her.
func one(t testing.TB, about string) *Roster {
	t.Helper()
	return parseSmall(t, "holidays: {X: [2026-05-01, 2026-05-14]}\npeople: {ann: {"+about+"}}\nteams: {T: {members: ann}}")
}

const berlin = "zone: Europe/Berlin, hours: mon-fri 09:00-17:00"

func TestPresence(t *testing.T) {
	// 2026-05-04 is a Monday.
	for _, c := range []struct {
		name, about      string
		from, to         string // UTC
		nominal, present float64
		capacity         float64
	}{
		{"a week", berlin, "2026-05-04", "2026-05-11", 40, 40, 1},
		{"nothing on a weekend", berlin, "2026-05-09", "2026-05-11", 0, 0, 0},
		{"a part of a day", berlin, "2026-05-04 08:30", "2026-05-04 10:00", 1.5, 1.5, 1},
		{"before and after hours", berlin, "2026-05-04 00:00", "2026-05-04 07:00", 0, 0, 0},
		{"a window turned round", berlin, "2026-05-11", "2026-05-04", 0, 0, 0},
		{"holidays are absence", berlin + ", holidays: X", "2026-05-11", "2026-05-18", 40, 32, 0.8},
		{"leave", berlin + ", leave: {from: 2026-05-05, to: 2026-05-07}", "2026-05-04", "2026-05-11", 40, 24, 0.6},
		{"leave over a holiday counts once", berlin + ", holidays: X, leave: {from: 2026-05-14, to: 2026-05-16}", "2026-05-11", "2026-05-18", 40, 24, 0.6},
		{"leave that does not end", berlin + ", leave: {from: 2026-05-08}", "2026-05-04", "2026-05-18", 80, 32, 0.4},
		{"half a day", berlin + ", leave: {from: 2026-05-04, to: 2026-05-05, part: 0.5}", "2026-05-04", "2026-05-09", 40, 36, 0.9},
		{"halves add up", berlin + ", leave: [{from: 2026-05-04, to: 2026-05-06, part: 0.5}, {from: 2026-05-05, to: 2026-05-06, part: 0.7}]", "2026-05-04", "2026-05-09", 40, 28, 0.7},
		{"a joiner", berlin + ", joined: 2026-05-07", "2026-05-04", "2026-05-11", 40, 16, 0.4},
		{"a leaver", berlin + ", left: 2026-05-07", "2026-05-04", "2026-05-11", 40, 24, 0.6},
		{"part time", "zone: Europe/Berlin, hours: mon-thu 09:00-17:00, fte: 0.8", "2026-05-04", "2026-05-11", 32, 32, 0.8},
		{"no hours known", "zone: Europe/Berlin", "2026-05-04", "2026-05-11", 40, 40, 1},
		// Half of the time full, half of it with half the hours: three quarters, whatever the hours weigh.
		{"part time in mid-window", berlin + ", schedules: {from: 2026-05-11, hours: mon-fri 09:00-13:00, fte: 0.5}", "2026-05-04", "2026-05-18", 60, 60, 0.75},
		{"part time and away in mid-window", berlin + ", schedules: {from: 2026-05-11, hours: mon-fri 09:00-13:00, fte: 0.5}, leave: {from: 2026-05-11, to: 2026-05-18}", "2026-05-04", "2026-05-18", 60, 40, 0.5},
		{"the week the clock goes ahead, at night", "zone: Europe/Berlin, hours: mon-sun 22:00-06:00", "2026-03-28 11:00", "2026-03-29 11:00", 7, 7, 1},
		{"the week the clock goes back, at night", "zone: Europe/Berlin, hours: mon-sun 22:00-06:00", "2026-10-24 11:00", "2026-10-25 11:00", 9, 9, 1},
		{"by day no week is shorter", berlin, "2026-03-23", "2026-04-06", 80, 80, 1},
		{"hours that the clock skips", "zone: Europe/Berlin, hours: sun 02:15-02:45", "2026-03-28", "2026-03-30", 0, 0, 0},
		{"hours half skipped", "zone: Europe/Berlin, hours: sun 01:30-02:30", "2026-03-28", "2026-03-30", 0.5, 0.5, 1},
		{"hours that the clock repeats", "zone: Europe/Berlin, hours: sun 01:00-02:30 02:30-04:00", "2026-10-24", "2026-10-26", 4, 4, 1},
		{"a night into leave", "zone: Europe/Berlin, hours: mon 22:00-06:00, leave: {from: 2026-05-05, to: 2026-05-06}", "2026-05-04", "2026-05-07", 8, 2, 0.25},
		{"a night into employment", "zone: Europe/Berlin, hours: mon 22:00-06:00, joined: 2026-05-05", "2026-05-04", "2026-05-07", 8, 6, 0.75},
		{"another zone from a day on", "zone: America/New_York, hours: mon-fri 09:00-17:00, schedules: {from: 2026-05-06, zone: Asia/Kolkata}", "2026-05-05 12:00", "2026-05-06 12:00", 13.5, 13.5, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := one(t, c.about)
			p := r.Presence("ann", utc(c.from), utc(c.to))
			if p.Nominal.Hours() != c.nominal || p.Present.Hours() != c.present {
				t.Errorf("%v of %v hours, want %v of %v", p.Present.Hours(), p.Nominal.Hours(), c.present, c.nominal)
			}
			if got := r.Capacity("T", "ann", utc(c.from), utc(c.to)); got != c.capacity {
				t.Errorf("capacity %v, want %v", got, c.capacity)
			}
			if ratio := p.Ratio(); c.nominal == 0 && !math.IsNaN(ratio) || c.nominal > 0 && math.Abs(ratio-c.present/c.nominal) > 1e-12 {
				t.Errorf("ratio is %v", ratio)
			}
		})
	}
	r := one(t, berlin)
	if p := r.Presence("eve", utc("2026-05-04"), utc("2026-05-11")); p != (Presence{}) || r.Capacity("T", "eve", utc("2026-05-04"), utc("2026-05-11")) != 0 {
		t.Error("who is not there is present")
	}
	if c := r.Capacity("U", "ann", utc("2026-05-04"), utc("2026-05-11")); c != 0 {
		t.Errorf("a team that she is not in has %v of her", c)
	}
}

func TestCapacityFollowsMemberships(t *testing.T) {
	r := parseSmall(t, `
defaults: {zone: Europe/Berlin, hours: mon-fri 09:00-17:00}
people: {ann: {name: A}, bob: {leave: {from: 2026-05-01, to: 2026-06-01}}, cyd: {fte: 0.5}, dee: {name: D}, eve: {left: 2026-05-01}}
teams:
  T:
    members:
      - {person: ann, to: 2026-05-07}
      - bob
      - cyd
      - {person: dee, fte: 0, from: 2026-05-06}
      - eve
  U:
    members:
      - {person: ann, from: 2026-05-07, fte: 0.5}
`)
	from, to := utc("2026-05-03 22:00"), utc("2026-05-10 22:00")
	want := map[string]float64{"ann": 0.6, "bob": 0, "cyd": 0.5, "dee": 0}
	got := r.Members("T", from, to)
	if len(got) != len(want) {
		t.Errorf("members are %+v", got)
	}
	for _, m := range got {
		if c, ok := want[m.Person]; !ok || c != m.Capacity {
			t.Errorf("%s has capacity %v, want %v", m.Person, m.Capacity, c)
		}
	}
	if got := r.Members("U", from, to); len(got) != 1 || got[0].Capacity != 0.2 {
		t.Errorf("members of U are %+v, want ann with 0.2", got)
	}
	if got := r.Members("U", from, utc("2026-05-06 22:00")); len(got) != 0 {
		t.Errorf("before the first day there are %+v", got)
	}
	if got := r.Members("T", utc("2026-05-06 22:00"), to); len(got) != 3 {
		t.Errorf("after ann's last day there are %+v, want bob, cyd and dee", got)
	}
	if got := r.Members("T", to, from); got != nil {
		t.Errorf("in a window turned round there are %+v", got)
	}
}

func TestStates(t *testing.T) {
	r := one(t, "zone: Asia/Kolkata, hours: mon-fri 09:00-12:00 13:00-17:00, holidays: X, joined: 2026-04-20, left: 2026-06-01, leave: [{from: 2026-05-11, to: 2026-05-13}, {from: 2026-05-15, to: 2026-05-16, part: 0.5}]")
	for at, want := range map[string]State{
		"2026-04-19 18:29": NotEmployed,
		"2026-04-19 18:30": OffHours,
		"2026-05-04 03:29": OffHours,
		"2026-05-04 03:30": Working,
		"2026-05-04 06:29": Working,
		"2026-05-04 06:30": OffHours,
		"2026-05-04 07:30": Working,
		"2026-05-04 11:30": OffHours,
		"2026-05-09 06:00": OffHours,
		"2026-05-01 06:00": OnHoliday,
		"2026-05-12 06:00": OnLeave,
		"2026-05-15 05:00": Working, // half of it
		"2026-05-31 18:30": NotEmployed,
	} {
		if got := r.StateAt("ann", utc(at)); got != want {
			t.Errorf("at %s she is %s, want %s", at, got, want)
		}
		if r.WorkingAt("ann", utc(at)) != (want == Working) {
			t.Errorf("at %s working is wrong", at)
		}
	}
	if got := r.StateAt("eve", utc("2026-05-04")); got != Unknown {
		t.Errorf("a stranger is %s", got)
	}
	if !r.HoursKnown("ann", utc("2026-05-04")) || r.HoursKnown("eve", utc("2026-05-04")) || one(t, "zone: UTC").HoursKnown("ann", utc("2026-05-04")) {
		t.Error("hours known is wrong")
	}
	if z := r.Zone("ann", utc("2026-05-04")); z.String() != "Asia/Kolkata" || r.Zone("eve", utc("2026-05-04")) != nil {
		t.Errorf("zone is %v", z)
	}
}

var zones = []string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "UTC", "Pacific/Kiritimati", "Pacific/Niue"}

// drawWeek is some hours that do not overlap.
func drawWeek(t *rapid.T) Week {
	for {
		var w Week
		for day := range w {
			from := 0
			for range rapid.IntRange(0, 2).Draw(t, "spans") {
				from += rapid.IntRange(0, 900).Draw(t, "gap")
				to := from + rapid.IntRange(1, 700).Draw(t, "length")
				if from >= dayMinutes {
					break
				}
				w[day] = append(w[day], Hours{from, to})
				from = to
			}
		}
		if w.check() == nil {
			return w
		}
		if rapid.Bool().Draw(t, "give up") {
			return DefaultWeek()
		}
	}
}

// drawRoster is some valid roster of one to three people in teams T and U, whose
// days are around the changes of clocks in 2026.
func drawRoster(t *rapid.T) *Roster {
	day := func(label string) Day { return Date(2026, 1, rapid.IntRange(1, 365).Draw(t, label)) }
	period := func() Period {
		p := Period{}
		if rapid.Bool().Draw(t, "from?") {
			p.From = day("from")
		}
		if rapid.Bool().Draw(t, "to?") {
			p.To = max(p.From, Date(2026, 1, 1)) + Day(rapid.IntRange(1, 200).Draw(t, "length"))
		}
		return p
	}
	d := Data{Teams: []Team{{Name: "T"}, {Name: "U"}}, Holidays: []Holiday{{"X", Date(2026, 1, 1)}}}
	for range rapid.IntRange(0, 20).Draw(t, "holidays") {
		d.Holidays = append(d.Holidays, Holiday{"X", day("holiday")})
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "people") {
		id := string(rune('a' + i))
		p := Person{ID: id, Emails: []string{id + "@example.org"}}
		if rapid.Bool().Draw(t, "employed") {
			p.Employed = period()
		}
		d.People = append(d.People, p)
		from := Day(0)
		for range rapid.IntRange(1, 3).Draw(t, "schedules") {
			s := Schedule{Person: id, From: from, Zone: rapid.SampledFrom(zones).Draw(t, "zone"), FTE: float64(rapid.IntRange(0, 10).Draw(t, "fte")) / 10}
			if rapid.Bool().Draw(t, "hours?") {
				s.Hours = drawWeek(t)
			}
			if rapid.Bool().Draw(t, "keeps") {
				s.Holidays = []string{"X"}
			}
			d.Schedules = append(d.Schedules, s)
			from = max(from, Date(2026, 1, 1)) + Day(rapid.IntRange(1, 150).Draw(t, "until"))
		}
		for range rapid.IntRange(0, 3).Draw(t, "leaves") {
			l := Leave{Person: id, Period: period(), Part: float64(rapid.IntRange(1, 100).Draw(t, "part")) / 100}
			l.From = max(l.From, Date(2026, 1, 1))
			d.Leave = append(d.Leave, l)
		}
		for _, team := range []string{"T", "U"} {
			m := Membership{Team: team, Person: id, Period: period(), FTE: Whole}
			if rapid.Bool().Draw(t, "some") {
				m.FTE = float64(rapid.IntRange(0, 10).Draw(t, "share")) / 10
			}
			d.Memberships = append(d.Memberships, m)
			if rapid.Bool().Draw(t, "once only") {
				break
			}
		}
	}
	r, err := New(d)
	if err != nil {
		t.Skip(err) // more given away than there is, or after they left
	}
	return r
}

func drawInstant(t *rapid.T, label string) time.Time {
	return time.UnixMilli(utc("2025-12-20").UnixMilli() + rapid.Int64Range(0, 400*86_400_000).Draw(t, label)).UTC()
}

// TestPropertyPresence: presence adds up over adjacent windows, exactly, and does
// not depend on how far the timetable reaches; capacity is between 0 and the
// greatest FTE, and all teams together have no more of a person than there is.
func TestPropertyPresence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRoster(t)
		a, b, c := drawInstant(t, "a"), drawInstant(t, "b"), drawInstant(t, "c")
		if a.After(b) {
			a, b = b, a
		}
		if b.After(c) {
			b, c = c, b
		}
		if a.After(b) {
			a, b = b, a
		}
		for _, p := range r.People() {
			whole := r.Presence(p.ID, a, c)
			if parts := r.Presence(p.ID, a, b).Plus(r.Presence(p.ID, b, c)); parts != whole {
				t.Fatalf("%s: %v in parts, %v at once", p.ID, parts, whole)
			}
			wide := r.Timetable(p.ID, a.AddDate(0, -1, 0), c.AddDate(0, 1, 0))
			if got := wide.Presence(a, c); got != whole {
				t.Fatalf("%s: %v by a wider timetable, %v", p.ID, got, whole)
			}
			if whole.Present < 0 || whole.Present > whole.Nominal || whole.Nominal > c.Sub(a) {
				t.Fatalf("%s: %v in %v", p.ID, whole, c.Sub(a))
			}
			most := 0.0
			for _, s := range r.Data().Schedules {
				if s.Person == p.ID {
					most = max(most, s.FTE)
				}
			}
			sum := 0.0
			for _, team := range []string{"T", "U"} {
				got := r.Capacity(team, p.ID, a, c)
				if got < 0 || got > most || math.IsNaN(got) {
					t.Fatalf("%s has %v of %s, who has at most %v", team, got, p.ID, most)
				}
				if other := wide.Capacity(team, a, c); other != got {
					t.Fatalf("%s: capacity is %v by a wider timetable, %v", p.ID, other, got)
				}
				sum += got
			}
			if ratio := whole.Ratio(); sum > most+1e-8 || whole.Present == 0 && sum != 0 {
				t.Fatalf("%s: teams have %v of %v, present %v", p.ID, sum, most, ratio)
			}
		}
	})
}

// TestPropertyPresenceAddsUpFromStates: asked minute by minute, the states give
// the same time.
func TestPropertyPresenceAddsUpFromStates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRoster(t)
		from := drawInstant(t, "from").Truncate(time.Minute)
		to := from.Add(36 * time.Hour)
		for _, p := range r.People() {
			partly := false
			for _, l := range r.Data().Leave {
				partly = partly || l.Person == p.ID && l.Part < 1
			}
			if partly {
				continue // a state knows no halves
			}
			sum := time.Duration(0)
			for at := from; at.Before(to); at = at.Add(time.Minute) {
				if r.WorkingAt(p.ID, at) {
					sum += time.Minute
				}
			}
			if got := r.Presence(p.ID, from, to).Present; got != sum {
				t.Fatalf("%s from %s: present for %v, at work for %v", p.ID, from, got, sum)
			}
		}
	})
}

func BenchmarkTimetableYear(b *testing.B) {
	r := one(b, berlin+", holidays: X, leave: {from: 2026-05-05, to: 2026-05-07}")
	from, to := utc("2026-01-01"), utc("2027-01-01")
	for b.Loop() {
		r.Timetable("ann", from, to)
	}
}
