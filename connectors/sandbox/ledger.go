package sandbox

import (
	"slices"
	"time"
)

// Holding is a time in which a ticket was with one person; a zero To is open.
// Queue is the one that the ticket was in when it was given.
type Holding struct {
	Person *Person
	Queue  *Queue
	Interval
}

// Spell is a time in which a ticket was in one phase, as one type.
type Spell struct {
	Phase Phase
	Type  Type
	Interval
}

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// updates calls fn for each update with the values before and after it.
func (t *Ticket) updates(fn func(at int64, before, after values)) {
	now := t.first
	for i := 0; i < len(t.changes); {
		before, at := now, t.changes[i].at
		for first := true; i < len(t.changes) && (first || t.changes[i].together); i++ {
			now.apply(t.changes[i])
			first = false
		}
		fn(at, before, now)
	}
}

// Holdings is who held the ticket, in order, those of no length among them.
func (o *Organisation) Holdings(t *Ticket) []Holding {
	var list []Holding
	begin := func(v values, at time.Time) {
		if v.assignee != none {
			list = append(list, Holding{o.People[v.assignee], o.Queues[v.queue], Interval{From: at}})
		}
	}
	begin(t.first, t.Created)
	t.updates(func(at int64, before, after values) {
		if before.assignee == after.assignee {
			return
		}
		if before.assignee != none {
			list[len(list)-1].To = instant(at)
		}
		begin(after, instant(at))
	})
	return list
}

// Phases is the phases that the ticket went through, in order.
func (t *Ticket) Phases() []Spell {
	list := []Spell{{t.first.phase, t.first.kind, Interval{From: t.Created}}}
	t.updates(func(at int64, before, after values) {
		if before.phase != after.phase {
			list[len(list)-1].To = instant(at)
			list = append(list, Spell{after.phase, after.kind, Interval{From: instant(at)}})
		}
	})
	return list
}

// loads is for how many hours each person held the ticket open between from
// and the end of the year.
func (o *Organisation) loads(t *Ticket, from time.Time) map[*Person]float64 {
	sum := map[*Person]float64{}
	for _, h := range o.Holdings(t) {
		for _, s := range t.Phases() {
			if s.Phase.Done() {
				continue
			}
			a, b := later(h.From, s.From), o.Now
			if a.Before(from) {
				a = from
			}
			for _, end := range []time.Time{h.To, s.To} {
				if !end.IsZero() && end.Before(b) {
					b = end
				}
			}
			if b.After(a) {
				sum[h.Person] += b.Sub(a).Hours()
			}
		}
	}
	return sum
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Recorded says that every change of the ticket, and of the one that it is a part
// of, left a trace.
func (t *Ticket) Recorded() bool {
	return !slices.ContainsFunc(t.changes, func(c change) bool { return c.silent }) && (t.Parent == nil || t.Parent.Recorded())
}

// Assignee is who holds the ticket at the end; nil is nobody.
func (o *Organisation) Assignee(t *Ticket) *Person {
	if t.last.assignee == none {
		return nil
	}
	return o.People[t.last.assignee]
}

// Area is what the ticket is about at the end; nil if it does not say.
func (o *Organisation) Area(t *Ticket) *Area {
	if t.last.area == none {
		return nil
	}
	return o.Areas[t.last.area]
}

// Queue is where the ticket is at the end.
func (o *Organisation) Queue(t *Ticket) *Queue { return o.Queues[t.last.queue] }

// Phase is the ticket's phase at the end.
func (t *Ticket) Phase() Phase { return t.last.phase }

// Points is the ticket's story points at the end, 0 where not estimated.
func (t *Ticket) Points() float64 { return float64(t.last.points) / 2 }

// State is what a ticket was from an instant on, in the ids of its system.
type State struct {
	At       time.Time
	Queue    *Queue
	Area     *Area // nil is none
	Category string
	Phase    Phase
	Status   string // in ServiceNow with the table before it: incident:2
	TypeID   string // table, or id of the issue type
	Priority int
	Points   float64
}

// States is what the ticket was at its creation and after each update.
func (o *Organisation) States(t *Ticket) []State {
	list := []State{o.state(t.Created, t.first)}
	t.updates(func(at int64, _, after values) { list = append(list, o.state(instant(at), after)) })
	return list
}

func (o *Organisation) state(at time.Time, v values) State {
	s := State{
		At: at, Queue: o.Queues[v.queue], Phase: v.phase, Priority: int(v.priority), Points: float64(v.points) / 2,
		Category: o.category(v),
	}
	if v.area != none {
		s.Area = o.Areas[v.area]
	}
	if v.kind.System() == Jira {
		s.TypeID, s.Status = v.kind.issueType(), v.kind.status(v.phase)
	} else {
		s.TypeID, s.Status = v.kind.table(), v.kind.table()+":"+states[v.kind][v.phase]
	}
	return s
}

// category is what stands in the category column, where the table has one.
func (o *Organisation) category(v values) string {
	switch {
	case v.kind != Incident && v.kind != Problem:
		return ""
	case v.area != none:
		return o.Areas[v.area].Category
	default:
		return o.Queues[v.queue].Areas[0].Category
	}
}

// Silent is how many changes of the ticket left no trace in its history.
func (t *Ticket) Silent() int {
	n := 0
	for _, c := range t.changes {
		if c.silent {
			n++
		}
	}
	return n
}

// Acts is how many comments and worklogs the ticket has.
func (t *Ticket) Acts() (comments, worklogs int) {
	for _, a := range t.acts {
		if a.worklog {
			worklogs++
		} else {
			comments++
		}
	}
	return comments, worklogs
}

// CalledOut is when somebody changed a ticket while they were neither at work nor on
// call for any team, in order: the one who is always asked is called, whatever the
// rota says.
func (o *Organisation) CalledOut(p *Person) []time.Time {
	var list []time.Time
	for _, t := range o.Tickets {
		for _, c := range t.changes {
			if c.actor != int32(p.index) || p.work.next(c.at) == c.at {
				continue
			}
			at := instant(c.at)
			if !slices.ContainsFunc(o.Teams, func(t *Team) bool { return t.onCallAt(at) == p }) {
				list = append(list, at)
			}
		}
	}
	slices.SortFunc(list, time.Time.Compare)
	return list
}
