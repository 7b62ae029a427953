package roster

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Roster is who works here. It is immutable and safe for concurrent use.
type Roster struct {
	data     Data
	hash     string
	people   map[string]*person
	teams    map[string]*team
	accounts map[AccountRef]string
	emails   map[string]string
	bots     map[AccountRef]bool
	queues   map[AccountRef][]Queue // the ID is the queue
}

type team struct {
	Team
	leads   []Lead
	members []string // ids, sorted, without repeats
	shifts  []Shift
}

type person struct {
	Person
	schedules   []schedule
	away        []absence
	memberships []Membership // by team, then From
	shifts      []Shift      // by From
	accounts    []AccountRef // in the roster's order
}

// schedule is a Schedule made ready.
type schedule struct {
	from     Day
	zone     *time.Location
	week     Week
	known    bool
	perMilli float64 // weeks of these hours in a millisecond of them
	fte      float64
	holidays []map[Day]bool
}

// absence is the share, in percent, of the working time of some days.
type absence struct {
	Period
	percent int
}

// New makes a Roster, or says in an *Error why not. It keeps nothing of d.
func New(d Data) (*Roster, error) { return build(d.clone(), &places{}) }

// build takes d over.
func build(d Data, p *places) (*Roster, error) {
	for i := range d.Shifts {
		s := &d.Shifts[i]
		s.From, s.To = s.From.UTC().Truncate(time.Millisecond), s.To.UTC().Truncate(time.Millisecond)
	}
	if err := d.check(p); err != nil {
		return nil, err
	}
	d.canonical()
	r := &Roster{
		data: d, hash: d.hash(),
		people: make(map[string]*person, len(d.People)), teams: make(map[string]*team, len(d.Teams)),
		accounts: map[AccountRef]string{}, emails: map[string]string{}, bots: map[AccountRef]bool{}, queues: map[AccountRef][]Queue{},
	}
	for _, p := range d.People {
		r.people[p.ID] = &person{Person: p}
		for _, email := range p.Emails {
			r.emails[email] = p.ID
		}
	}
	r.schedule()
	for _, a := range d.Accounts {
		r.accounts[a.AccountRef] = a.Person
		r.people[a.Person].accounts = append(r.people[a.Person].accounts, a.AccountRef)
	}
	for _, b := range d.Bots {
		r.bots[b] = true
	}
	leave := map[string][]Leave{}
	for _, l := range d.Leave {
		leave[l.Person] = append(leave[l.Person], l)
	}
	for id, list := range leave {
		r.people[id].away = absences(list)
	}
	for _, t := range d.Teams {
		r.teams[t.Name] = &team{Team: t}
	}
	for _, l := range d.Leads {
		r.teams[l.Team].leads = append(r.teams[l.Team].leads, l)
	}
	for _, q := range d.Queues {
		key := AccountRef{q.Source, q.Queue}
		r.queues[key] = append(r.queues[key], q)
	}
	for _, m := range d.Memberships {
		r.people[m.Person].memberships = append(r.people[m.Person].memberships, m)
		t := r.teams[m.Team]
		if n := len(t.members); n == 0 || t.members[n-1] != m.Person {
			t.members = append(t.members, m.Person)
		}
	}
	for _, s := range d.Shifts {
		r.people[s.Person].shifts = append(r.people[s.Person].shifts, s)
		r.teams[s.Team].shifts = append(r.teams[s.Team].shifts, s)
	}
	return r, nil
}

func (r *Roster) schedule() {
	zones := map[string]*time.Location{}
	calendars := map[string]map[Day]bool{}
	for _, h := range r.data.Holidays {
		if calendars[h.Calendar] == nil {
			calendars[h.Calendar] = map[Day]bool{}
		}
		calendars[h.Calendar][h.Day] = true
	}
	for _, s := range r.data.Schedules {
		zone := zones[s.Zone]
		if zone == nil {
			zone, _ = time.LoadLocation(s.Zone) // check has loaded it
			zones[s.Zone] = zone
		}
		ready := schedule{from: s.From, zone: zone, week: s.Hours, known: true, fte: s.FTE}
		if s.Hours.Length() == 0 {
			ready.week, ready.known = DefaultWeek(), false
		}
		ready.perMilli = 1 / float64(ready.week.Length().Milliseconds())
		for _, name := range s.Holidays {
			ready.holidays = append(ready.holidays, calendars[name])
		}
		p := r.people[s.Person]
		p.schedules = append(p.schedules, ready)
	}
}

// absences lays leave that may overlap out into periods that do not.
func absences(list []Leave) []absence {
	change := map[Day]int{}
	for _, l := range list {
		percent := max(1, int(l.Part*100+0.5))
		change[l.From] += percent
		if l.To != 0 {
			change[l.To] -= percent
		}
	}
	days := make([]Day, 0, len(change))
	for day := range change {
		days = append(days, day)
	}
	slices.Sort(days)
	var out []absence
	sum := 0
	for i, day := range days {
		sum += change[day]
		if sum == 0 {
			continue
		}
		a := absence{Period: Period{From: day}, percent: min(100, sum)}
		if i+1 < len(days) {
			a.To = days[i+1]
		}
		out = append(out, a)
	}
	return out
}

// Data is a copy of what the roster says, in canonical order.
func (r *Roster) Data() Data { return r.data.clone() }

// Hash names the content: two rosters that say the same, whatever their files
// look like, have the same.
func (r *Roster) Hash() string { return r.hash }

// People lists everybody, by id. The result is not to be changed.
func (r *Roster) People() []Person { return r.data.People }

// Person is the one with an id.
func (r *Roster) Person(id string) (Person, bool) {
	p, ok := r.people[id]
	if !ok {
		return Person{}, false
	}
	return p.Person, true
}

// DayStart is when a person's day begins, in the zone that they are in on it; the
// zero time for an unknown person and for no day.
func (r *Roster) DayStart(person string, day Day) time.Time {
	p, ok := r.people[person]
	if !ok || day == 0 {
		return time.Time{}
	}
	return time.UnixMilli(p.start(day)).UTC()
}

// AccountsOf lists the accounts that are explicitly the person's, in the
// roster's order.
func (r *Roster) AccountsOf(person string) []AccountRef {
	if p, ok := r.people[person]; ok {
		return p.accounts
	}
	return nil
}

// Teams lists the teams, by name. The result is not to be changed.
func (r *Roster) Teams() []Team { return r.data.Teams }

// Team is the one with a name.
func (r *Roster) Team(name string) (Team, bool) {
	t, ok := r.teams[name]
	if !ok {
		return Team{}, false
	}
	return t.Team, true
}

// Lead is the id of who leads a team at an instant; "" for nobody.
func (r *Roster) Lead(team string, at time.Time) string {
	t, ok := r.teams[team]
	if !ok {
		return ""
	}
	for _, l := range t.leads {
		if l.Contains(r.people[l.Person].day(at)) {
			return l.Person
		}
	}
	return ""
}

// Memberships lists those of a person at an instant at which they work here, by
// team.
func (r *Roster) Memberships(person string, at time.Time) []Membership {
	p, ok := r.people[person]
	if !ok {
		return nil
	}
	day := p.day(at)
	if !p.Employed.Contains(day) {
		return nil
	}
	var list []Membership
	for _, m := range p.memberships {
		if m.Contains(day) {
			if m.FTE == Whole {
				m.FTE = p.on(day).fte
			}
			list = append(list, m)
		}
	}
	return list
}

// QueueTeam is the team whose a queue is at an instant, asked for by any of its
// names, key or id; "" if it is nobody's.
func (r *Roster) QueueTeam(source string, at time.Time, names ...string) string {
	day := DayOf(at.UTC())
	for _, name := range names {
		for _, q := range r.queues[AccountRef{source, name}] {
			if q.Contains(day) {
				return q.Team
			}
		}
	}
	return ""
}

// OnCall reports whether a person is on call, for any team, at an instant.
func (r *Roster) OnCall(person string, at time.Time) bool {
	p, ok := r.people[person]
	return ok && slices.ContainsFunc(p.shifts, func(s Shift) bool { return s.covers(at) })
}

// OnCallFor lists who is on call for a team at an instant, by when their shifts
// began.
func (r *Roster) OnCallFor(team string, at time.Time) []string {
	t, ok := r.teams[team]
	if !ok {
		return nil
	}
	var ids []string
	for _, s := range t.shifts {
		if s.covers(at) {
			ids = append(ids, s.Person)
		}
	}
	return ids
}

// Shifts lists the shifts of a person that touch [from, to), whole, by when they
// began.
func (r *Roster) Shifts(person string, from, to time.Time) []Shift {
	p, ok := r.people[person]
	if !ok {
		return nil
	}
	var list []Shift
	for _, s := range p.shifts {
		if s.From.Before(to) && from.Before(s.To) {
			list = append(list, s)
		}
	}
	return list
}

func (s Shift) covers(at time.Time) bool { return !at.Before(s.From) && at.Before(s.To) }

// Address is an e-mail address as it is compared: in lower case, without
// surrounding space; "" if it is none.
func Address(email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	if at := strings.LastIndexByte(email, '@'); at < 1 || at == len(email)-1 {
		return ""
	}
	return email
}

// on is the schedule of a day.
func (p *person) on(day Day) *schedule {
	i, found := slices.BinarySearchFunc(p.schedules, day, func(s schedule, d Day) int { return cmp.Compare(s.from, d) })
	if !found {
		i--
	}
	return &p.schedules[max(i, 0)]
}

// start is the unix millisecond at which a person's day begins. Days past the
// last are as long as days are.
func (p *person) start(day Day) int64 {
	return instant(day.seconds(), p.on(day).zone)
}

// day is the person's day at an instant.
func (p *person) day(at time.Time) Day {
	ms := at.UnixMilli()
	guess := clampDay(ms)
	for day := guess + 1; day > guess-2; day-- {
		if p.start(day) <= ms {
			return min(max(day, FirstDay), LastDay)
		}
	}
	return max(guess-2, FirstDay)
}

// clampDay is the UTC day of a unix millisecond, as near as there is one.
func clampDay(ms int64) Day {
	days := ms / 86_400_000
	if ms%86_400_000 < 0 {
		days--
	}
	return Day(min(max(days-beforeFirst, int64(FirstDay)), int64(LastDay)))
}
