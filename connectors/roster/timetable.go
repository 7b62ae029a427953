package roster

import (
	"math"
	"slices"
	"time"
)

// State is what a person is doing at an instant, as far as the roster tells.
type State string

// The states. The first that applies holds, from the end of the list up.
const (
	Working     State = "working"
	OffHours    State = "off_hours"
	OnHoliday   State = "holiday"
	OnLeave     State = "leave"
	NotEmployed State = "not_employed"
	Unknown     State = "unknown" // no such person
)

// Presence is how much of a person's time in a window they were there.
type Presence struct {
	Nominal time.Duration // what their hours would give if they were never away
	Present time.Duration // the part of it in which they were there
}

// Ratio is Present of Nominal; NaN where no hours are scheduled.
func (p Presence) Ratio() float64 {
	if p.Nominal == 0 {
		return math.NaN()
	}
	return float64(p.Present) / float64(p.Nominal)
}

// Plus is the presence of two windows that do not overlap.
func (p Presence) Plus(q Presence) Presence {
	return Presence{p.Nominal + q.Nominal, p.Present + q.Present}
}

// Timetable is the working time of one person in a range, laid out once so that
// any window within is answered by a search. Instants count to the millisecond.
// It is immutable and safe for concurrent use.
type Timetable struct {
	person   *person
	from, to int64
	spans    []span
	sums     []sum     // before each span, and after the last
	stretch  []stretch // of one schedule each
}

// span is a run of scheduled time, [start, end) in unix milliseconds.
type span struct {
	start, end int64
	percent    int64 // of it that they are there
}

// sum grows along the spans.
type sum struct {
	nominal int64 // milliseconds
	present int64 // hundredths of a millisecond
}

// stretch is where the spans of a schedule begin; they end where the next does.
type stretch struct {
	*schedule
	start int64
}

func (s *sum) add(p *span, millis int64) {
	s.nominal += millis
	s.present += millis * p.percent
}

// Timetable lays out a person's working time in [from, to). For an unknown
// person, and an empty range, it is empty.
func (r *Roster) Timetable(id string, from, to time.Time) *Timetable {
	t := &Timetable{person: r.people[id], from: from.UnixMilli(), to: to.UnixMilli()}
	if t.person != nil {
		for day := clampDay(t.from) - 1; day <= clampDay(t.to)+1; day++ {
			t.lay(max(day, FirstDay))
		}
	}
	t.sums = make([]sum, 1, len(t.spans)+1)
	var all sum
	for i := range t.spans {
		s := &t.spans[i]
		all.add(s, s.end-s.start)
		t.sums = append(t.sums, all)
	}
	return t
}

// lay adds the hours of a day, and what the day before carries over midnight.
func (t *Timetable) lay(day Day) {
	p := t.person
	own, before := p.on(day), p.on(day-1)
	percent := int64(p.there(day, own))
	// A shift that began yesterday goes on by today's clock.
	for _, h := range before.week[(day + 6).Weekday()] {
		if h.To > dayMinutes {
			t.put(p, day, own, Hours{0, h.To - dayMinutes}, percent)
		}
	}
	for _, h := range own.week[day.Weekday()] {
		t.put(p, day, own, Hours{h.From, min(h.To, dayMinutes)}, percent)
	}
}

func (t *Timetable) put(p *person, day Day, s *schedule, h Hours, percent int64) {
	midnight, next := p.start(day), p.start(day+1)
	clock := func(minute int) int64 {
		switch minute {
		case 0:
			return midnight
		case dayMinutes:
			return next
		}
		return min(max(instant(day.seconds()+int64(minute)*60, s.zone), midnight), next)
	}
	start, end := max(clock(h.From), t.from), min(clock(h.To), t.to)
	if n := len(t.spans); n > 0 {
		start = max(start, t.spans[n-1].end)
	}
	if start >= end {
		return
	}
	t.spans = append(t.spans, span{start, end, percent})
	if n := len(t.stretch); n == 0 || t.stretch[n-1].schedule != s {
		t.stretch = append(t.stretch, stretch{s, start})
	}
}

// there is the percentage of a day's hours in which the person is there.
func (p *person) there(day Day, s *schedule) int {
	if !p.Employed.Contains(day) || s.holiday(day) {
		return 0
	}
	return 100 - p.awayOn(day)
}

func (p *person) awayOn(day Day) int {
	i, found := slices.BinarySearchFunc(p.away, day, func(a absence, d Day) int { return int(a.From) - int(d) })
	if !found {
		i--
	}
	if i < 0 || !p.away[i].Contains(day) {
		return 0
	}
	return p.away[i].percent
}

func (s *schedule) holiday(day Day) bool {
	return slices.ContainsFunc(s.holidays, func(days map[Day]bool) bool { return days[day] })
}

// until sums up what lies before an instant.
func (t *Timetable) until(at int64) sum {
	i, _ := slices.BinarySearchFunc(t.spans, at, func(s span, at int64) int {
		if s.end <= at {
			return -1
		}
		return 1
	})
	all := t.sums[i]
	if i < len(t.spans) && at > t.spans[i].start {
		all.add(&t.spans[i], at-t.spans[i].start)
	}
	return all
}

// between is what lies in [from, to).
func (t *Timetable) between(from, to int64) sum {
	if from >= to {
		return sum{}
	}
	a, b := t.until(from), t.until(to)
	return sum{b.nominal - a.nominal, b.present - a.present}
}

// parts calls each for the parts of [from, to) that have one schedule.
func (t *Timetable) parts(from, to int64, each func(*schedule, sum)) {
	for i, s := range t.stretch {
		end := to
		if i+1 < len(t.stretch) {
			end = min(to, t.stretch[i+1].start)
		}
		if part := t.between(max(from, s.start), end); part.nominal > 0 {
			each(s.schedule, part)
		}
	}
}

// Presence is that in the part of [from, to) that lies in the timetable's range.
// It adds up over adjacent windows, exactly.
func (t *Timetable) Presence(from, to time.Time) Presence {
	all := t.between(from.UnixMilli(), to.UnixMilli())
	return Presence{
		Nominal: time.Duration(all.nominal) * time.Millisecond,
		Present: time.Duration(all.present) * (time.Millisecond / 100),
	}
}

// Working is the time in [from, to) during which the person was at work.
func (t *Timetable) Working(from, to time.Time) time.Duration { return t.Presence(from, to).Present }

// Capacity is the FTE that a team actually had of the person in [from, to), all
// of which must lie in the timetable's range: see the package's words on
// presence. It is rounded to 1e-9.
func (t *Timetable) Capacity(team string, from, to time.Time) float64 {
	a, b := from.UnixMilli(), to.UnixMilli()
	if t.person == nil {
		return 0
	}
	weeks := 0.0
	t.parts(a, b, func(s *schedule, part sum) { weeks += float64(part.nominal) * s.perMilli })
	if weeks == 0 {
		return 0
	}
	given, most := 0.0, 0.0
	for _, m := range t.person.memberships {
		if m.Team != team {
			continue
		}
		first, last := a, b
		if m.From != 0 {
			first = max(a, t.person.start(m.From))
		}
		if m.To != 0 {
			last = min(b, t.person.start(m.To))
		}
		t.parts(first, last, func(s *schedule, part sum) {
			fte := m.FTE
			if fte == Whole {
				fte = s.fte
			}
			given += fte * float64(part.present) / 100 * s.perMilli
			most = max(most, fte)
		})
	}
	return min(math.Round(given/weeks*1e9)/1e9, most)
}

// Presence is how much of their time a person was there in [from, to). For an
// unknown person it is zero.
func (r *Roster) Presence(person string, from, to time.Time) Presence {
	return r.Timetable(person, from, to).Presence(from, to)
}

// Capacity is the FTE that a team actually had of a person in [from, to).
func (r *Roster) Capacity(team, person string, from, to time.Time) float64 {
	return r.Timetable(person, from, to).Capacity(team, from, to)
}

// Member is what a team had of a person in a window.
type Member struct {
	Person   string
	Capacity float64 // FTE actually present, c_i
	Presence Presence
}

// Members lists who was in a team at some time in [from, to), by id, among them
// those with no capacity: they were away, or take no tickets.
func (r *Roster) Members(team string, from, to time.Time) []Member {
	t, ok := r.teams[team]
	if !ok || !from.Before(to) {
		return nil
	}
	var list []Member
	for _, id := range t.members {
		p := r.people[id]
		last := to.Add(-time.Millisecond)
		window := Period{From: p.day(from), To: p.day(last) + 1}
		here := slices.ContainsFunc(p.memberships, func(m Membership) bool {
			both := Period{From: max(m.From, window.From), To: window.To}
			if m.To != 0 {
				both.To = min(both.To, m.To)
			}
			return m.Team == team && both.From < both.To && p.Employed.Overlaps(both)
		})
		if here {
			tt := r.Timetable(id, from, to)
			list = append(list, Member{id, tt.Capacity(team, from, to), tt.Presence(from, to)})
		}
	}
	return list
}

// MembersAt lists who is in a team at an instant, by id, with the FTE that the
// team has of them by agreement, whether or not they are at work.
func (r *Roster) MembersAt(team string, at time.Time) []Membership {
	t, ok := r.teams[team]
	if !ok {
		return nil
	}
	var list []Membership
	for _, id := range t.members {
		for _, m := range r.Memberships(id, at) {
			if m.Team == team {
				list = append(list, m)
			}
		}
	}
	return list
}

// StateAt is what a person is doing at an instant. Who is on leave for a part of
// the day counts as working in their hours.
func (r *Roster) StateAt(person string, at time.Time) State {
	p, ok := r.people[person]
	if !ok {
		return Unknown
	}
	day := p.day(at)
	s := p.on(day)
	switch {
	case !p.Employed.Contains(day):
		return NotEmployed
	case p.awayOn(day) == 100:
		return OnLeave
	case s.holiday(day):
		return OnHoliday
	case len(r.Timetable(person, at, at.Add(time.Millisecond)).spans) == 0:
		return OffHours
	}
	return Working
}

// WorkingAt reports whether a person is at work at an instant: within their
// hours, employed, and neither on leave nor on a holiday.
func (r *Roster) WorkingAt(person string, at time.Time) bool { return r.StateAt(person, at) == Working }

// HoursKnown reports whether the roster tells a person's working hours at an
// instant. Where it does not, nothing may be concluded from a time of day.
func (r *Roster) HoursKnown(person string, at time.Time) bool {
	p, ok := r.people[person]
	return ok && p.on(p.day(at)).known
}

// Zone is the zone that a person is in at an instant; nil for an unknown person.
func (r *Roster) Zone(person string, at time.Time) *time.Location {
	p, ok := r.people[person]
	if !ok {
		return nil
	}
	return p.on(p.day(at)).zone
}
