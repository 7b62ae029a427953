package sandbox

import (
	"testing"
	"time"
)

// Dates of Easter from the tables of the U.S. Census Bureau; the earliest and
// latest possible among them.
func TestEasterSunday(t *testing.T) {
	for _, want := range []string{
		"1818-03-22", "1943-04-25", "1961-04-02", "2000-04-23", "2008-03-23", "2011-04-24", "2024-03-31", "2025-04-20", "2026-04-05", "2038-04-25",
	} {
		day, err := time.Parse(time.DateOnly, want)
		if err != nil {
			t.Fatal(err)
		}
		if got := easterSunday(day.Year()); !got.Equal(day) {
			t.Errorf("Easter of %d is %s, want %s", day.Year(), got.Format(time.DateOnly), want)
		}
	}
}

func TestPublicHolidays(t *testing.T) {
	for _, c := range []struct {
		country string
		on, off []string
	}{
		{"DE", []string{"2026-04-03", "2026-04-06", "2026-05-14", "2026-10-03", "2026-12-26"}, []string{"2026-04-07", "2026-01-06"}},
		{"GB", []string{"2026-05-04", "2026-05-25", "2026-08-31"}, []string{"2026-05-01"}},
		{"US", []string{"2026-01-19", "2026-05-25", "2026-09-07", "2026-11-26", "2026-11-27"}, []string{"2026-12-26"}},
		{"PL", []string{"2026-06-04", "2026-11-11"}, []string{"2026-11-12"}},
		{"ES", []string{"2026-01-06", "2026-12-08"}, []string{"2026-12-26"}},
		{"IN", []string{"2026-01-26", "2026-10-02"}, []string{"2026-01-01"}},
	} {
		days := map[string]bool{}
		year := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, d := range PublicHolidays(c.country, year, year.AddDate(1, 0, 0)) {
			days[d.Format(time.DateOnly)] = true
		}
		for _, d := range c.on {
			if !days[d] {
				t.Errorf("%s works on %s", c.country, d)
			}
		}
		for _, d := range c.off {
			if days[d] {
				t.Errorf("%s rests on %s", c.country, d)
			}
		}
	}
}

func TestWorkTime(t *testing.T) {
	var w workTime
	w.add(100, 200)
	w.add(150, 180) // within the first: nothing
	w.add(300, 400)
	w.add(390, 450) // overlaps: only the rest
	for _, c := range []struct{ at, want int64 }{
		{0, 100}, {100, 100}, {199, 199}, {200, 300}, {250, 300}, {399, 399}, {400, 400}, {449, 449}, {450, never},
	} {
		if got := w.next(c.at); got != c.want {
			t.Errorf("next(%d) = %d, want %d", c.at, got, c.want)
		}
	}
	for _, c := range []struct{ at, work, want int64 }{
		{0, 0, 100}, {0, 50, 150}, {0, 100, 200}, {0, 101, 301}, {150, 50, 200}, {150, 60, 310}, {200, 10, 310},
		{350, 100, 450}, {350, 101, never}, {450, 0, never},
	} {
		if got := w.after(c.at, c.work); got != c.want {
			t.Errorf("after(%d, %d) = %d, want %d", c.at, c.work, got, c.want)
		}
	}
}

// Hours are local: they move in UTC when the clocks are set, and nobody works
// on leave, on holidays or outside their employment.
func TestTimetable(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	p := &Person{Country: "DE", Zone: "Europe/Berlin", location: zone}
	p.workFrom(9 * 60)
	p.Joined = time.Date(2026, 3, 24, 0, 0, 0, 0, time.UTC)
	p.Left = time.Date(2026, 4, 9, 17, 0, 0, 0, time.UTC)
	p.away(time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), 1)
	p.away(time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), 3) // overlaps: refused
	p.timetable(time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 20, 0, 0, 0, 0, time.UTC))
	var days []string
	for i, start := range p.work.start {
		days = append(days, instant(start).Format("01-02 15:04"))
		if got := p.work.end[i] - start; got != 8*hour {
			t.Errorf("a day of %d hours", got/hour)
		}
	}
	want := []string{
		"03-24 08:00", "03-25 08:00", "03-26 08:00", "03-27 08:00", // summer time begins on the 29th
		"03-30 07:00", "03-31 07:00", "04-02 07:00", // leave on the 1st; Good Friday; Easter Monday
		"04-07 07:00", "04-08 07:00", "04-09 07:00",
	}
	if len(days) != len(want) {
		t.Fatalf("works on %v, want %v", days, want)
	}
	for i := range want {
		if days[i] != want[i] {
			t.Errorf("works on %s, want %s", days[i], want[i])
		}
	}
}

func TestOnCallHasNoGapsAndNobodyAway(t *testing.T) {
	o := Generate(3, testNow, Options{Tickets: 1_000})
	for _, team := range o.Teams {
		if !team.plan.onCall {
			if len(team.OnCall) > 0 {
				t.Errorf("%s has on-call", team.Name)
			}
			continue
		}
		turns := map[*Person]int{}
		for i, s := range team.OnCall {
			if i > 0 && !s.From.Equal(team.OnCall[i-1].To) {
				t.Errorf("%s: nobody on call from %s to %s", team.Name, team.OnCall[i-1].To, s.From)
			}
			if s.Person.onLeave(s.Interval) || !s.Person.Left.IsZero() && s.Person.Left.Before(s.To) {
				t.Errorf("%s: %s is on call on %s and not there", team.Name, s.Person.Email, s.From)
			}
			turns[s.Person]++
		}
		if len(turns) < len(team.plan.sites) {
			t.Errorf("%s: only %d people are ever on call", team.Name, len(turns))
		}
	}
}
