package sandbox

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// sim plays the year: what is raised, who gets it, what becomes of it. Events
// that need to see the state of things (who is free, who has how much) come
// from a queue in order of time; what follows from them alone is written ahead
// and cut off again when someone else takes over.
type sim struct {
	o   *Organisation
	r   *rand.Rand
	now int64

	hours            float64 // sum of hourly
	resting          map[string]map[int64]bool
	surges           map[*Queue][]surge
	staff, jiraStaff []int32

	jobs   []*job
	agenda agenda
	held   [][]*job         // by person: what they hold that is not done
	stamp  map[[2]int]int64 // (area or none, person) → when last given something in turn
	turn   int64
	knack  []float64 // by area and person: how readily work on it falls to them
	habit  float64   // what is due to the go-to person
}

// job is a ticket in play.
type job struct {
	t        *Ticket
	queue    *Queue
	dest     arrival // where it belongs, if that is not yet where it is
	holder   *Person
	before   []*Person // earlier holders
	phase    Phase
	pickup   int64 // when the holder begins
	until    int64 // when the holder is due to be done with it
	left     float64
	gen      uint32 // of what is written ahead: a step of an older one is void
	alarm    bool
	major    bool
	asked    bool // has been broken down into sub-tasks, or never will be
	reopened int
	toDesk   bool // still has to be sent on by the service desk
}

type step uint8

const (
	stepCreate step = iota
	stepTriage
	stepRoute
	stepHandOver
	stepResolve
	stepReopen
	stepAway
	stepLeave
)

// live fills the organisation's tickets.
func (o *Organisation) live(tickets int) {
	scale := float64(tickets) / DefaultTickets
	var most []*Team
	var all []*Ticket
	for _, t := range o.Teams {
		if t.policy == lot {
			all = append(all, o.byLot(t, scale)...)
		} else {
			most = append(most, t)
		}
	}
	s := newSim(o, dice(o.Seed, streamLife))
	s.planSurges()
	all = append(all, s.run(most, scale)...)
	slices.SortStableFunc(all, func(a, b *Ticket) int { return a.Created.Compare(b.Created) })
	o.Tickets = all
}

// byLot plays a team whose tickets are given out by lot, again until the luck
// was neither freakish nor suspiciously even: the middle four fifths of what
// chance does, by the usual chi-squared statistic, and nobody much above. Else some seed would plant
// an inequality that no test could tell from a real one.
func (o *Organisation) byLot(t *Team, scale float64) []*Ticket {
	for attempt := uint64(0); ; attempt++ {
		s := newSim(o, dice(o.Seed, streamLot+attempt))
		tickets := s.run([]*Team{t}, scale)
		if attempt == 100 || o.ordinaryLuck(t, tickets) {
			return tickets
		}
	}
}

func (o *Organisation) ordinaryLuck(t *Team, tickets []*Ticket) bool {
	n := float64(len(t.Members))
	for _, window := range []int{365, 182, 91} {
		from := o.daysAgo(window)
		given, load := map[*Person]float64{}, map[*Person]float64{}
		total, loads := 0.0, 0.0
		for _, tk := range tickets {
			for _, h := range o.Holdings(tk) {
				if !h.From.Before(from) {
					given[h.Person]++
					total++
				}
			}
			for p, d := range o.loads(tk, from) {
				load[p] += d
				loads += d
			}
		}
		chi := 0.0
		for _, m := range t.Members {
			d := given[m.Person] - total/n
			chi += d * d * n / total
			if load[m.Person]*n/loads > 1.6 || given[m.Person]*n/total > 1.6 {
				return false
			}
		}
		// The tenth and ninetieth percentile of chi-squared with 7 degrees.
		if chi < 2.83 || chi > 12.02 {
			return false
		}
	}
	return true
}

func newSim(o *Organisation, r *rand.Rand) *sim {
	s := &sim{o: o, r: r, now: o.Now.UnixMilli(), stamp: map[[2]int]int64{}, held: make([][]*job, len(o.People))}
	for _, h := range hourly {
		s.hours += h
	}
	s.resting = map[string]map[int64]bool{}
	for _, p := range o.People {
		if s.resting[p.Country] == nil {
			s.resting[p.Country] = map[int64]bool{}
			for _, d := range PublicHolidays(p.Country, o.start(), o.Now) {
				s.resting[p.Country][d.Unix()] = true
			}
		}
		if p.Role == Staff {
			s.staff = append(s.staff, int32(p.index))
			if p.JiraName != "" {
				s.jiraStaff = append(s.jiraStaff, int32(p.index))
			}
		}
	}
	s.knack = make([]float64, len(o.Areas)*len(o.People))
	for i := range s.knack {
		s.knack[i] = 0.6 + 0.8*r.Float64()
	}
	return s
}

func (s *sim) run(teams []*Team, scale float64) []*Ticket {
	var arrivals []arrival
	for _, t := range teams {
		arrivals = append(arrivals, s.demand(t, scale)...)
	}
	slices.SortStableFunc(arrivals, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	s.agenda.grow(2 * len(arrivals))
	s.jobs = make([]*job, 0, len(arrivals)*11/10)
	for _, a := range arrivals {
		if a.at < s.now {
			s.enter(a, nil)
		}
	}
	for _, t := range teams {
		for _, m := range t.Members {
			if !m.To.IsZero() {
				s.agenda.push(entry{at: m.To.UnixMilli(), what: stepLeave, person: m.Person, team: t})
			}
			if t.policy == lot {
				continue
			}
			for _, l := range m.Person.Leave {
				if l.To.Sub(l.From) >= 7*24*time.Hour {
					s.agenda.push(entry{at: l.From.Add(-8 * time.Hour).UnixMilli(), what: stepAway, person: m.Person})
				}
			}
		}
	}
	for s.agenda.len() > 0 {
		e := s.agenda.pop()
		if e.at >= s.now {
			break
		}
		if e.job != nil && e.gen != e.job.gen {
			continue
		}
		switch e.what {
		case stepCreate:
			s.create(e.job)
		case stepTriage:
			s.triage(e.job, e.at)
		case stepRoute:
			s.route(e.job, e.at)
		case stepHandOver:
			s.handOver(e.job, e.at)
		case stepResolve:
			s.resolve(e.job, e.at)
		case stepReopen:
			s.reopen(e.job, e.at)
		case stepAway:
			s.away(e.person, e.at)
		case stepLeave:
			s.leave(e.person, e.team, e.at)
		}
	}
	return s.harvest()
}

// enter puts a ticket onto the agenda.
func (s *sim) enter(a arrival, parent *Ticket) *job {
	q, area := a.queue, a.area
	t := &Ticket{Type: a.kind, Parent: parent, Reporter: s.o.People[a.reporter]}
	j := &job{t: t, queue: q, dest: a, alarm: a.alarm, major: a.major}
	if a.viaDesk {
		desk := s.o.Queues[0]
		j.queue, area, j.toDesk = desk, s.pickArea(desk), true
	}
	hours := q.plan.hours
	if a.kind == ChangeRequest || a.kind == Problem || a.kind == Story {
		hours *= 1.5
	}
	if a.kind == Subtask || a.kind == ServiceRequest {
		hours *= 0.5
	}
	t.HandsOn = s.lognormal(hours, q.plan.spread, 4*hours)
	j.left = t.HandsOn
	if q.System == ServiceNow {
		a.at -= a.at % second
	}
	t.Created = time.UnixMilli(a.at).UTC()
	t.first = values{
		queue: int32(j.queue.index), area: int32(area.index), assignee: none,
		kind: a.kind, priority: a.priority,
	}
	if s.chance(0.03) && area != s.o.Truths.Hoarded {
		t.first.area = none
	}
	if (a.kind == Story || a.kind == Task || a.kind == Bug) && s.chance(0.55) {
		t.first.points = pointsOf(t.HandsOn * s.lognormal(1, 0.3, 3))
	}
	t.last = t.first
	s.jobs = append(s.jobs, j)
	s.agenda.push(entry{at: a.at, what: stepCreate, job: j})
	return j
}

// pointsOf is the estimate for a number of hands-on hours, in halves.
func pointsOf(hours float64) uint8 {
	for _, p := range []uint8{1, 2, 4, 6, 10, 16, 26} {
		if hours <= 2*float64(p) {
			return p
		}
	}
	return 40
}

// harvest keeps what was open at some time of the year, without what would
// happen after it.
func (s *sim) harvest() []*Ticket {
	from := s.o.From.UnixMilli()
	keep := map[*Ticket]bool{}
	var out []*Ticket
	for i := len(s.jobs) - 1; i >= 0; i-- { // children before parents
		t := s.jobs[i].t
		if t.Created.UnixMilli() >= s.now {
			continue
		}
		n, _ := slices.BinarySearchFunc(t.changes, s.now, func(c change, at int64) int { return cmp.Compare(c.at, at) })
		t.changes = slices.Clip(t.changes[:n])
		slices.SortStableFunc(t.acts, func(a, b act) int { return cmp.Compare(a.at, b.at) })
		n, _ = slices.BinarySearchFunc(t.acts, s.now, func(a act, at int64) int { return cmp.Compare(a.at, at) })
		t.acts = slices.Clip(t.acts[:n])
		at := t.Created.UnixMilli()
		over := int64(0) // when it was over
		t.last = t.first
		for _, c := range t.changes {
			t.last.apply(c)
			at = c.at
			if c.field == fieldPhase {
				switch done := Phase(c.to).Done(); {
				case !done:
					over = 0
				case over == 0:
					over = c.at
				}
			}
		}
		if n := len(t.acts); n > 0 {
			at = max(at, t.acts[n-1].at)
		}
		t.Updated = time.UnixMilli(at).UTC()
		t.Type = t.last.kind
		if over != 0 && over < from && !keep[t] {
			continue
		}
		if t.Parent != nil {
			keep[t.Parent] = true
		}
		out = append(out, t)
	}
	slices.Reverse(out)
	return out
}

func (v *values) apply(c change) {
	switch c.field {
	case fieldAssignee:
		v.assignee = c.to
	case fieldQueue:
		v.queue = c.to
	case fieldArea:
		v.area = c.to
	case fieldPhase:
		v.phase = Phase(c.to)
	case fieldKind:
		v.kind = Type(c.to)
	case fieldPriority:
		v.priority = uint8(c.to)
	case fieldPoints:
		v.points = uint8(c.to)
	}
}

// get reads a field as the index that a change holds.
func (v *values) get(f field) int32 {
	switch f {
	case fieldAssignee:
		return v.assignee
	case fieldQueue:
		return v.queue
	case fieldArea:
		return v.area
	case fieldPhase:
		return int32(v.phase)
	case fieldKind:
		return int32(v.kind)
	case fieldPriority:
		return int32(v.priority)
	default:
		return int32(v.points)
	}
}

// entry is something due.
type entry struct {
	at     int64
	seq    uint32
	gen    uint32
	what   step
	job    *job
	person *Person
	team   *Team
}

// agenda is a heap of what is due, the earliest first and in the order in which
// it was put there.
type agenda struct {
	heap []entry
	seq  uint32
}

func (a *agenda) len() int   { return len(a.heap) }
func (a *agenda) grow(n int) { a.heap = slices.Grow(a.heap, n) }

func (a *agenda) push(e entry) {
	a.seq++
	e.seq = a.seq
	if e.job != nil {
		e.gen = e.job.gen
	}
	a.heap = append(a.heap, e)
	i := len(a.heap) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !a.heap[i].before(&a.heap[up]) {
			break
		}
		a.heap[i], a.heap[up] = a.heap[up], a.heap[i]
		i = up
	}
}

func (a *agenda) pop() entry {
	top := a.heap[0]
	n := len(a.heap) - 1
	a.heap[0], a.heap[n] = a.heap[n], entry{}
	a.heap = a.heap[:n]
	for i := 0; ; {
		least := i
		for _, c := range [2]int{2*i + 1, 2*i + 2} {
			if c < n && a.heap[c].before(&a.heap[least]) {
				least = c
			}
		}
		if least == i {
			return top
		}
		a.heap[i], a.heap[least] = a.heap[least], a.heap[i]
		i = least
	}
}

func (e *entry) before(o *entry) bool {
	if e.at != o.at {
		return e.at < o.at
	}
	return e.seq < o.seq
}
