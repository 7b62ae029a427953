package sandbox

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// blemish does to the histories what reality does: fields that go back and
// forth within a second, changes by nobody, changes that left no trace. Teams
// whose way of giving out is a planted truth keep theirs.
func (o *Organisation) blemish() {
	r := dice(o.Seed, streamBlemish)
	silent := map[System]int{ServiceNow: 3, Jira: 4}
	for _, t := range o.Tickets {
		ordinary := o.Queues[t.first.queue].Team.policy == balanced && o.Queues[t.last.queue].Team.policy == balanced
		if ordinary && r.Float64() < 0.006 {
			o.waver(t, r)
		}
		if t.System() == Jira {
			for i := range t.changes {
				if !t.changes[i].together && r.Float64() < 0.002 {
					for n := i; n == i || n < len(t.changes) && t.changes[n].together; n++ {
						t.changes[n].actor = none
					}
				}
			}
		}
		if ordinary && silent[t.System()] > 0 && r.Float64() < 0.02 && o.forget(t) {
			silent[t.System()]--
		}
	}
}

// waver makes somebody change a field and take it back at once.
func (o *Organisation) waver(t *Ticket, r *rand.Rand) {
	for i, c := range t.changes {
		last := i+1 == len(t.changes)
		if c.field != fieldAssignee && c.field != fieldPhase || c.to == none || !last && t.changes[i+1].at < c.at+second {
			continue
		}
		step := 300 + r.Int64N(150)
		if t.System() == ServiceNow {
			step = 0
		}
		if c.at+2*step >= o.Now.UnixMilli() {
			return
		}
		other := int32(OnHold)
		if c.field == fieldAssignee {
			members := o.Queues[t.first.queue].Team.Members
			other = int32(members[r.IntN(2)].Person.index)
		}
		if other == c.to {
			continue
		}
		there := change{at: c.at + step, from: c.to, to: other, actor: c.actor, field: c.field}
		back := change{at: c.at + 2*step, from: other, to: c.to, actor: c.actor, field: c.field}
		t.changes = slices.Insert(t.changes, i+1, there, back)
		if last && t.Updated.UnixMilli() < back.at {
			t.Updated = instant(back.at)
		}
		return
	}
}

// forget makes a finished ticket lose its assignee without a trace, as the
// last thing that happens to it. That it ever had one must be on record: else
// nothing would tell, and nobody could find it.
func (o *Organisation) forget(t *Ticket) bool {
	at := t.Updated.Add(26 * time.Hour)
	given := slices.ContainsFunc(t.changes, func(c change) bool { return c.field == fieldAssignee })
	if !t.Phase().Done() || t.last.assignee == none || !given || !at.Before(o.Now) {
		return false
	}
	t.changes = append(t.changes, change{
		at: at.UnixMilli(), field: fieldAssignee, from: t.last.assignee, to: none, actor: none, silent: true,
	})
	t.last.assignee = none
	t.Updated = at
	return true
}

var numberPrefix = map[Type]string{Incident: "INC", CatalogTask: "SCTASK", ChangeRequest: "CHG", Problem: "PRB"}

// number gives every ticket its id and number or key. A project counts what is
// created in it and what is moved to it alike.
func (o *Organisation) number() {
	ids := dice(o.Seed, streamID+500)
	count := map[string]int{}
	next := func(series string) int {
		count[series]++
		return count[series]
	}
	type arrival struct {
		at     int64
		ticket *Ticket
		queue  int32
	}
	var arrivals []arrival
	for i, t := range o.Tickets {
		if t.System() == ServiceNow {
			t.ID = sysID(ids)
			t.Key = fmt.Sprintf("%s%07d", numberPrefix[t.Type], 10_000+next(numberPrefix[t.Type]))
			continue
		}
		t.ID = fmt.Sprint(20_000 + i)
		arrivals = append(arrivals, arrival{t.Created.UnixMilli(), t, t.first.queue})
		for _, c := range t.changes {
			if c.field == fieldQueue {
				arrivals = append(arrivals, arrival{c.at, t, c.to})
			}
		}
	}
	slices.SortStableFunc(arrivals, func(a, b arrival) int { return int(min(1, max(-1, a.at-b.at))) })
	for _, a := range arrivals {
		key := o.Queues[a.queue].Key
		a.ticket.Key = fmt.Sprintf("%s-%d", key, next(key))
		a.ticket.keys = append(a.ticket.keys, a.ticket.Key)
	}
}
