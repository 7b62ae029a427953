package collector

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

// TestObserve: whatever is seen of a ticket, one look after the other, its spells
// are what each look saw from its last update on, nothing is recorded twice however
// often it is looked at, and what the source records itself stays as it says.
func TestObserve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		observed := []ticket.Field{ticket.FieldAssignee, ticket.FieldStatus, ticket.FieldArea, ticket.FieldEffort}
		look := ticket.Ticket{Source: "s", ID: "1", Created: start, Updated: start, Status: "new", Group: "g1", Observed: observed}
		var told []ticket.Change // of the group, by the source
		stored := ticket.Ticket{}
		type seen struct {
			at                     time.Time
			holder, status, effort string
			areas                  []string
		}
		var looks []seen
		for n := range rapid.IntRange(1, 12).Draw(t, "looks") {
			if n > 0 && rapid.Bool().Draw(t, "changed") {
				look.Updated = look.Updated.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "seconds")) * time.Second)
				look.Assignee = rapid.SampledFrom([]string{"", "ann", "bob"}).Draw(t, "assignee")
				look.Status = rapid.SampledFrom([]string{"new", "working", "done"}).Draw(t, "status")
				look.Areas = rapid.SampledFrom([][]string{nil, {"a"}, {"b"}, {"a", "b"}, {"a", "b", "c"}}).Draw(t, "areas")
				look.Effort = nil
				if e := rapid.IntRange(0, 2).Draw(t, "effort"); e > 0 {
					v := float64(e)
					look.Effort = &v
				}
				if g := rapid.SampledFrom([]string{"g1", "g2"}).Draw(t, "group"); g != look.Group {
					told = append(told, ticket.Change{At: look.Updated, Field: ticket.FieldGroup, From: look.Group, To: g, Actor: "cyd"})
					look.Group = g
				}
			}
			look.Changes = slices.Clone(told)
			if n == 0 {
				stored = look
			} else {
				stored = observe(stored, look)
			}
			if again := observe(stored, look); fmt.Sprint(again.Changes) != fmt.Sprint(stored.Changes) {
				t.Fatalf("a second look at the same gives\n%v, before\n%v", again.Changes, stored.Changes)
			}
			looks = append(looks, seen{at: look.Updated, holder: look.Assignee, status: look.Status, areas: look.Areas, effort: values(look, ticket.FieldEffort)[0]})
		}
		r := timeline.Derive(stored)
		if r.Unrecorded != 0 {
			t.Fatalf("%d changes are missing of %v", r.Unrecorded, stored.Changes)
		}
		value := func(f ticket.Field, at time.Time) (out []string) {
			for _, s := range r.Spells {
				if s.Field == f && !s.From.After(at) && (s.To.IsZero() || at.Before(s.To)) {
					out = append(out, s.Value)
				}
			}
			slices.Sort(out)
			return out
		}
		for i, l := range looks {
			if i+1 < len(looks) && looks[i+1].at.Equal(l.at) {
				continue // it changed again within the second
			}
			if got := value(ticket.FieldStatus, l.at); !slices.Equal(got, []string{l.status}) {
				t.Fatalf("at %v the status is %v, it was seen as %s: %v", l.at, got, l.status, r.Changes)
			}
			if got := value(ticket.FieldArea, l.at); !slices.Equal(got, l.areas) {
				t.Fatalf("at %v the areas are %v, they were seen as %v: %v", l.at, got, l.areas, r.Changes)
			}
			if got := value(ticket.FieldEffort, l.at); !slices.Equal(got, []string{l.effort}) {
				t.Fatalf("at %v the effort is %v, it was seen as %s: %v", l.at, got, l.effort, r.Changes)
			}
			holder := ""
			for _, a := range r.Assignments {
				if !a.From.After(l.at) && (a.To.IsZero() || l.at.Before(a.To)) {
					holder += a.Actor
				}
			}
			if holder != l.holder {
				t.Fatalf("at %v %q holds it, it was seen with %q: %v", l.at, holder, l.holder, r.Changes)
			}
		}
		groups := 0
		for _, c := range r.Changes {
			if c.Field == ticket.FieldGroup {
				groups++
			}
		}
		if groups != len(told) {
			t.Fatalf("%d changes of the group, the source told %d", groups, len(told))
		}
	})
}

// TestObservedTimes: a change is dated by what the ticket tells of it, where that is
// later than what is known.
func TestObservedTimes(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 3, n, 9, 0, 0, 0, time.UTC) }
	closing := func(n int) []ticket.Change {
		return []ticket.Change{{At: day(n), Seq: 1, Field: ticket.FieldStatus, From: "?", To: "closed"}}
	}
	open := ticket.Ticket{Created: day(1), Updated: day(2), Status: "open"}
	for name, c := range map[string]struct {
		before ticket.Ticket
		now    ticket.Ticket
		want   time.Time
		from   string
	}{
		"as the ticket tells":   {open, ticket.Ticket{Created: day(1), Updated: day(9), Status: "closed", Changes: closing(5)}, day(5), "open"},
		"nothing told":          {open, ticket.Ticket{Created: day(1), Updated: day(9), Status: "closed"}, day(9), "open"},
		"told of another value": {open, ticket.Ticket{Created: day(1), Updated: day(9), Status: "reopened", Changes: closing(5)}, day(9), "open"},
		"told of before what is known": {
			ticket.Ticket{Created: day(1), Updated: day(6), Status: "reopened", Changes: []ticket.Change{{At: day(6), Field: ticket.FieldStatus, From: "closed", To: "reopened"}}},
			ticket.Ticket{Created: day(1), Updated: day(9), Status: "closed", Changes: closing(5)}, day(9), "reopened"},
	} {
		c.now.Observed = []ticket.Field{ticket.FieldStatus}
		got := observe(c.before, c.now)
		last := got.Changes[len(got.Changes)-1]
		if !last.At.Equal(c.want) || last.From != c.from || last.To != c.now.Status {
			t.Errorf("%s: %+v, want one at %v from %s", name, last, c.want, c.from)
		}
	}
}
