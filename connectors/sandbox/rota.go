package sandbox

import (
	"math/rand/v2"
	"slices"
	"time"
)

// horizon is how far behind the end of the year calendars reach, so that work
// under way at the end has somewhere to go.
const horizon = 45 * 24 * time.Hour

// holiday gives everyone their leave and lays out when they work.
func (o *Organisation) holiday() {
	r := dice(o.Seed, streamLeave)
	even := map[*Person]int{} // → place within their team, whose leave is spread evenly
	for _, t := range o.Teams {
		for i, m := range t.Members {
			if t.plan.steady {
				even[m.Person] = i
			}
		}
	}
	for _, p := range o.People {
		switch place, steady := even[p]; {
		case p.Role == Bot:
			continue
		case steady:
			o.steadyLeave(p, place)
		case p == o.Truths.Overloaded:
			o.scantLeave(p, r)
		default:
			o.leave(p, r)
		}
		slices.SortFunc(p.Leave, func(a, b Interval) int { return a.From.Compare(b.From) })
		p.timetable(o.start(), o.Now.Add(horizon))
		if p == o.Truths.Overloaded {
			p.workOvertime(o.Truths.OverloadedSince, r)
		}
	}
}

// away takes days of leave from the Monday-to-Sunday week of a day on, unless
// there is leave already.
func (p *Person) away(from time.Time, days int) {
	local := func(t time.Time) time.Time {
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, p.location).UTC()
	}
	off := Interval{local(from), local(from.AddDate(0, 0, days))}
	for _, l := range p.Leave {
		if off.From.Before(l.To) && l.From.Before(off.To) {
			return
		}
	}
	p.Leave = append(p.Leave, off)
}

func monday(t time.Time) time.Time {
	return t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
}

// leave is the usual: two weeks in summer, one at the turn of the year, some
// single weeks and days, and a few days of sickness.
func (o *Organisation) leave(p *Person, r *rand.Rand) {
	for year := o.start().Year(); year <= o.Now.Year()+1; year++ {
		summer := time.Date(year, time.June, 20+r.IntN(60), 0, 0, 0, 0, time.UTC)
		p.away(monday(summer), 14)
		if r.Float64() < 0.6 {
			p.away(time.Date(year, time.December, 22, 0, 0, 0, 0, time.UTC), 11)
		}
		p.away(monday(time.Date(year, time.January, 15+r.IntN(100), 0, 0, 0, 0, time.UTC)), 7)
		p.away(monday(time.Date(year, time.September, 1+r.IntN(75), 0, 0, 0, 0, time.UTC)), 7)
		for range 8 {
			p.away(time.Date(year, time.January, 1+r.IntN(365), 0, 0, 0, 0, time.UTC), 1)
		}
	}
}

// steadyLeave is one week in every quarter of 91 days before the end, the team
// taking turns.
func (o *Organisation) steadyLeave(p *Person, place int) {
	for quarter := -1; quarter < 5; quarter++ {
		p.away(monday(o.daysAgo(91*quarter+83-9*place)), 7)
	}
}

// scantLeave is what is left of it for someone who cannot be spared.
func (o *Organisation) scantLeave(p *Person, r *rand.Rand) {
	p.away(monday(o.daysAgo(290+r.IntN(40))), 7)
	p.away(monday(o.daysAgo(230+r.IntN(20))), 7)
	for range 4 {
		p.away(o.daysAgo(1+r.IntN(overloadDays)), 1)
	}
}

// workOvertime lengthens most working days from an instant on, and adds some
// Saturday mornings.
func (p *Person) workOvertime(since time.Time, r *rand.Rand) {
	usual := p.work
	p.work = workTime{}
	for i, start := range usual.start {
		end := usual.end[i]
		if start >= since.UnixMilli() && r.Float64() < 0.8 {
			end += int64(60+r.IntN(180)) * 60_000
		}
		p.work.add(start, end)
		day := time.UnixMilli(start).In(p.location)
		if start >= since.UnixMilli() && day.Weekday() == time.Friday && r.Float64() < 0.3 {
			saturday := time.Date(day.Year(), day.Month(), day.Day()+1, 9, 30, 0, 0, p.location).UnixMilli()
			p.work.add(saturday, saturday+int64(60+r.IntN(120))*60_000)
		}
	}
}

// rota puts the members of each team with on-call through it, a week at a
// time from Monday 09:00 of the lead's zone. Who is on leave or gone is skipped.
func (o *Organisation) rota() {
	for _, t := range o.Teams {
		if !t.plan.onCall {
			continue
		}
		turn := 0
		for week := monday(o.start()); week.Before(o.Now.Add(horizon)); week = week.AddDate(0, 0, 7) {
			at := func(days int) time.Time {
				d := week.AddDate(0, 0, days)
				return time.Date(d.Year(), d.Month(), d.Day(), 9, 0, 0, 0, t.Lead.location).UTC()
			}
			shift := Interval{at(0), at(7)}
			for range t.Members {
				m := t.Members[turn%len(t.Members)]
				turn++
				if m.covers(shift) && !m.Person.onLeave(shift) {
					t.OnCall = append(t.OnCall, Shift{m.Person, shift})
					break
				}
			}
		}
	}
}

func (m *Membership) covers(i Interval) bool {
	return !m.From.After(i.From) && (m.To.IsZero() || !m.To.Before(i.To))
}

func (p *Person) onLeave(i Interval) bool {
	return slices.ContainsFunc(p.Leave, func(l Interval) bool { return l.From.Before(i.To) && i.From.Before(l.To) })
}

// onCallAt is who is on call for the team at t; nil if nobody.
func (t *Team) onCallAt(at time.Time) *Person {
	i, found := slices.BinarySearchFunc(t.OnCall, at, func(s Shift, at time.Time) int { return s.From.Compare(at) })
	if !found {
		i--
	}
	if i < 0 || !at.Before(t.OnCall[i].To) {
		return nil
	}
	return t.OnCall[i].Person
}
