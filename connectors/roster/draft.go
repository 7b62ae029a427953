package roster

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// draft is what files say, before it is put together: entries in the order in
// which they were read, and where.
type draft struct {
	data Data // without Schedules and Shifts
	places
	defaults  *pattern
	bases     []*pattern // of each person
	overrides []override
	shifts    []shift
}

// pattern is how somebody works, as far as one place says.
type pattern struct {
	at       place
	zone     string // "" where not said
	hours    Week   // empty where not said
	holidays []string
	calendar place // of holidays
	says     struct{ holidays, fte bool }
	fte      float64
}

// override is a pattern for some time.
type override struct {
	person string
	Period
	*pattern
}

// shift is a Shift whose times may be local to the person.
type shift struct {
	at       place
	team     string
	person   string
	from, to moment
}

// moment is a time as it was written: of an instant, or of a clock on a wall.
type moment struct {
	instant time.Time
	wall    int64 // seconds since 1970 that the clock shows, when instant is zero
	text    string
}

// Reading of single values. Each error says what to write instead.

func (p place) day(key, s string) (Day, error) {
	if s == "" {
		return 0, nil
	}
	d, ok := ParseDay(s)
	if !ok {
		return 0, p.fail("write a day of the calendar as 2026-12-31", "%s is %q", key, s)
	}
	return d, nil
}

func (p place) number(key, s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, p.fail("write a number such as 0.8", "%s is %q", key, s)
	}
	return x, nil
}

func (p place) fte(s string) (float64, error) {
	x, err := p.number("fte", s)
	if err == nil {
		err = checkFTE(p, x)
	}
	return x, err
}

func (p place) hours(s string) (Week, error) {
	w, err := ParseHours(s)
	if err != nil {
		return Week{}, p.fail("write them as mon-thu 09:00-12:30 13:00-17:30; fri 09:00-14:00", "hours: %v", err)
	}
	return w, nil
}

var momentLayouts = []string{"2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly}

func (p place) moment(key, s string) (moment, error) {
	text := strings.Replace(s, " ", "T", 1)
	for _, layout := range momentLayouts {
		if t, err := time.Parse(layout, text); err == nil && DayOf(t) != 0 {
			return moment{wall: t.Unix(), text: s}, nil
		}
		if t, err := time.Parse(layout+"Z07:00", text); err == nil && layout != time.DateOnly && DayOf(t.UTC()) != 0 {
			return moment{instant: t.UTC(), text: s}, nil
		}
	}
	return moment{}, p.fail("write a time as 2026-05-04T09:00, or with a zone as 2026-05-04T09:00+02:00", "%s is %q", key, s)
}

// email is in lower case; that it is one is checked later.
func email(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// The adding of entries.

func (d *draft) person(p place, person Person, base *pattern) {
	d.data.People, d.people = append(d.data.People, person), append(d.people, p)
	base.at = p
	d.bases = append(d.bases, base)
}

func (d *draft) account(p place, person, source, id string) {
	d.data.Accounts, d.accounts = append(d.data.Accounts, Mapping{person, AccountRef{source, id}}), append(d.accounts, p)
}

func (d *draft) bot(p place, source, id string) {
	d.data.Bots, d.bots = append(d.data.Bots, AccountRef{source, id}), append(d.bots, p)
}

func (d *draft) absence(p place, l Leave) {
	d.data.Leave, d.leave = append(d.data.Leave, l), append(d.leave, p)
}

func (d *draft) holiday(p place, calendar string, day Day) {
	d.data.Holidays, d.holidays = append(d.data.Holidays, Holiday{calendar, day}), append(d.holidays, p)
}

func (d *draft) team(p place, t Team) {
	d.data.Teams, d.teams = append(d.data.Teams, t), append(d.teams, p)
}

func (d *draft) lead(p place, l Lead) {
	d.data.Leads, d.leads = append(d.data.Leads, l), append(d.leads, p)
}

func (d *draft) queue(p place, q Queue) {
	d.data.Queues, d.queues = append(d.data.Queues, q), append(d.queues, p)
}

func (d *draft) member(p place, m Membership) {
	d.data.Memberships, d.memberships = append(d.data.Memberships, m), append(d.memberships, p)
}

// roster puts the entries together and checks them.
func (d *draft) roster() (*Roster, error) {
	if err := d.schedules(); err != nil {
		return nil, err
	}
	if err := d.onCall(); err != nil {
		return nil, err
	}
	return build(d.data, &d.places)
}

// over is what q says, and p where q does not.
func (p pattern) over(q *pattern) pattern {
	if q == nil {
		return p
	}
	p.at = q.at
	p.zone = cmp.Or(q.zone, p.zone)
	if q.hours.Length() != 0 {
		p.hours = q.hours
	}
	if q.says.holidays {
		p.holidays, p.calendar, p.says.holidays = q.holidays, q.calendar, true
	}
	if q.says.fte {
		p.fte, p.says.fte = q.fte, true
	}
	return p
}

// schedules lays each person's base, and what overrides it for some time, into a
// sequence without gaps.
func (d *draft) schedules() error {
	of := map[string][]int{}
	known := map[string]bool{}
	ids := make([]string, len(d.data.People))
	for i, p := range d.data.People {
		known[p.ID], ids[i] = true, p.ID
	}
	for i, o := range d.overrides {
		switch {
		case !known[o.person]:
			return o.at.fail(orNearest("add them to the people, or correct the id", o.person, ids), "person %q is not in the roster", o.person)
		case o.Period == Period{}:
			return o.at.fail("give it a from or a to, or say it of the person", "a schedule of %s has no days", o.person)
		}
		if err := ordered(o.at, "a schedule of "+o.person, o.Period); err != nil {
			return err
		}
		of[o.person] = append(of[o.person], i)
	}
	i, j, found := overlapping(len(d.overrides), func(i int) (string, Period) { return d.overrides[i].person, d.overrides[i].Period })
	if found {
		o := d.overrides[j]
		return o.at.fail("end one before the other begins", "two schedules of %s hold at once, %s and by %s", o.person, o.Period, d.overrides[i].at.here())
	}
	done := map[string]bool{}
	for i, person := range d.data.People {
		if done[person.ID] {
			continue // there twice, which check refuses
		}
		done[person.ID] = true
		base := pattern{fte: 1}.over(d.defaults).over(d.bases[i])
		if base.zone == "" {
			return base.at.fail("give them one, or give all one under defaults:, such as Europe/Berlin", "%s has no zone", person.ID)
		}
		list := of[person.ID]
		slices.SortFunc(list, func(a, b int) int { return cmp.Compare(d.overrides[a].From, d.overrides[b].From) })
		next := Day(0) // from which the base holds again
		open := true
		for _, at := range list {
			o := d.overrides[at]
			if next < o.From {
				d.add(person.ID, next, base)
			}
			d.add(person.ID, o.From, base.over(o.pattern))
			next, open = o.To, o.To != 0
		}
		if open {
			d.add(person.ID, next, base)
		}
	}
	return nil
}

func (d *draft) add(person string, from Day, p pattern) {
	d.data.Schedules = append(d.data.Schedules, Schedule{Person: person, From: from, Zone: p.zone, Hours: p.hours, Holidays: p.holidays, FTE: p.fte})
	where := p.at
	if p.calendar.line != 0 {
		where = p.calendar // all else was checked where it was read
	}
	d.places.schedules = append(d.places.schedules, where)
}

// onCall finds the instants of shifts by the zone of the person.
func (d *draft) onCall() error {
	schedules := map[string][]Schedule{}
	for _, s := range d.data.Schedules {
		schedules[s.Person] = append(schedules[s.Person], s)
	}
	resolve := func(person string, m moment) time.Time {
		if !m.instant.IsZero() {
			return m.instant
		}
		day := DayOf(time.Unix(m.wall, 0).UTC())
		zone := time.UTC // of a person who is not there, which check refuses
		for _, s := range schedules[person] {
			if s.From <= day {
				zone, _ = time.LoadLocation(s.Zone) // checked where it was read
			}
		}
		return time.UnixMilli(instant(m.wall, zone)).UTC()
	}
	for _, s := range d.shifts {
		from, to := resolve(s.person, s.from), resolve(s.person, s.to)
		if !from.Before(to) {
			return s.at.fail("make to the time at which it is over", "a shift of %s ends at %s, not after it begins at %s", s.person, s.to.text, s.from.text)
		}
		d.data.Shifts = append(d.data.Shifts, Shift{Team: s.team, Person: s.person, From: from, To: to})
		d.places.shifts = append(d.places.shifts, s.at)
	}
	return nil
}
