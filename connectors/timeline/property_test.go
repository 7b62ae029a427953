package timeline_test

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

var singleFields = []ticket.Field{ticket.FieldStatus, ticket.FieldGroup, ticket.FieldEffort, ticket.FieldKind,
	ticket.FieldPriority, ticket.FieldProject}

// contradictory draws a ticket whose history need not fit together at all.
func contradictory(t *rapid.T) ticket.Ticket {
	value := rapid.SampledFrom([]string{"", "1", "2", "3"})
	fields := append(slices.Clone(singleFields), ticket.FieldAssignee, ticket.FieldArea, ticket.FieldParent, "summary")
	in := ticket.Ticket{
		Created:  created,
		Updated:  at(rapid.IntRange(-3, 12).Draw(t, "updated")),
		Assignee: value.Draw(t, "assignee"), Status: value.Draw(t, "status"), Group: value.Draw(t, "group"),
		Kind: value.Draw(t, "kind"), Priority: value.Draw(t, "priority"), Project: value.Draw(t, "project"), Parent: value.Draw(t, "parent"),
	}
	if rapid.Bool().Draw(t, "estimated") {
		in.Effort = number(float64(rapid.IntRange(1, 3).Draw(t, "effort")))
	}
	for _, area := range []string{"1", "2", "3"} {
		if rapid.Bool().Draw(t, "in area") {
			in.Areas = append(in.Areas, area)
		}
	}
	for range rapid.IntRange(0, 12).Draw(t, "changes") {
		in.Changes = append(in.Changes, ticket.Change{
			At:    at(rapid.IntRange(-3, 12).Draw(t, "at")),
			Seq:   uint32(rapid.IntRange(1, 4).Draw(t, "seq")),
			Field: rapid.SampledFrom(fields).Draw(t, "field"),
			From:  value.Draw(t, "from"), To: value.Draw(t, "to"), Actor: value.Draw(t, "actor"),
		})
	}
	return in
}

func presentValue(in ticket.Ticket, field ticket.Field) string {
	switch field {
	case ticket.FieldAssignee:
		return in.Assignee
	case ticket.FieldStatus:
		return in.Status
	case ticket.FieldGroup:
		return in.Group
	case ticket.FieldKind:
		return in.Kind
	case ticket.FieldPriority:
		return in.Priority
	case ticket.FieldProject:
		return in.Project
	case ticket.FieldEffort:
		if in.Effort == nil {
			return ""
		}
		return fmt.Sprint(*in.Effort)
	}
	panic("no such field: " + field)
}

func spellsIn(r ticket.Record, field ticket.Field) []ticket.Spell {
	return slices.DeleteFunc(slices.Clone(r.Spells), func(s ticket.Spell) bool { return s.Field != field })
}

// checkInvariants says what must hold of every record, whatever the history.
func checkInvariants(t interface {
	Helper()
	Fatalf(string, ...any)
}, in ticket.Ticket, r ticket.Record) {
	t.Helper()
	for _, field := range singleFields {
		spells := spellsIn(r, field)
		next := in.Created
		for i, s := range spells {
			if !s.From.Equal(next) {
				t.Fatalf("%s: spell %d begins at %v, the one before ends at %v", field, i, s.From, next)
			}
			if last := i == len(spells)-1; s.To.IsZero() != last {
				t.Fatalf("%s: spell %d of %d open %v", field, i, len(spells), s.To.IsZero())
			}
			if !s.To.IsZero() && s.To.Before(s.From) {
				t.Fatalf("%s: spell %d ends before it begins", field, i)
			}
			if i > 0 && spells[i-1].Value == s.Value {
				t.Fatalf("%s: spells %d and %d have one value", field, i-1, i)
			}
			next = s.To
		}
		if len(spells) == 0 || spells[len(spells)-1].Value != presentValue(in, field) {
			t.Fatalf("%s: spells %v do not end at the present value %q", field, spells, presentValue(in, field))
		}
	}

	var openAreas []string
	byArea := map[string]time.Time{}
	var before time.Time
	for _, s := range spellsIn(r, ticket.FieldArea) {
		if s.Value == "" || s.From.Before(in.Created) || s.From.Before(before) || (!s.To.IsZero() && s.To.Before(s.From)) {
			t.Fatalf("area: bad spell %v after %v", s, before)
		}
		before = s.From
		if end, seen := byArea[s.Value]; seen && (end.IsZero() || s.From.Before(end)) {
			t.Fatalf("area %q overlaps itself at %v", s.Value, s.From)
		}
		byArea[s.Value] = s.To
		if s.To.IsZero() {
			openAreas = append(openAreas, s.Value)
		}
	}
	slices.Sort(openAreas)
	if !slices.Equal(openAreas, in.Areas) {
		t.Fatalf("open areas %v, present %v", openAreas, in.Areas)
	}

	// The assignee follows the rules of a status, and nobody is not an
	// assignment.
	twin := in
	twin.Status, twin.Changes = in.Assignee, nil
	for _, c := range in.Changes {
		if c.Field == ticket.FieldAssignee {
			c.Field = ticket.FieldStatus
			twin.Changes = append(twin.Changes, c)
		}
	}
	var want []ticket.Assignment
	for _, s := range spellsIn(timeline.Derive(twin), ticket.FieldStatus) {
		if s.Value != "" {
			want = append(want, ticket.Assignment{Actor: s.Value, From: s.From, To: s.To})
		}
	}
	groups := map[string]bool{in.Group: true}
	for _, c := range in.Changes {
		if c.Field == ticket.FieldGroup {
			groups[c.From], groups[c.To] = true, true
		}
	}
	got := slices.Clone(r.Assignments)
	for i := range got {
		if !groups[got[i].Group] {
			t.Fatalf("assignment %d in group %q, which the ticket never had", i, got[i].Group)
		}
		got[i].Group = ""
	}
	if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Fatalf("assignments %v\nassignee spells %v", got, want)
	}
	if len(got) > 0 && in.Assignee != "" && r.Assignments[len(got)-1].Actor != in.Assignee {
		t.Fatalf("last assignment is not the present assignee's")
	}
	if !slices.IsSortedFunc(r.Changes, func(a, b ticket.Change) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Seq, b.Seq)) }) {
		t.Fatalf("changes not in order: %v", r.Changes)
	}
}

func TestEveryHistoryIsTiled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := contradictory(t)
		checkInvariants(t, in, timeline.Derive(in))
	})
}

// A history is made by playing updates forward from a first state, as a source
// that records everything would have it.
func TestARecordedHistoryIsReplayedExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SampledFrom([]string{"", "1", "2", "3"})
		now := map[ticket.Field]string{}
		fields := append(slices.Clone(singleFields), ticket.FieldAssignee)
		for _, field := range fields {
			now[field] = value.Draw(t, "first value")
		}
		areas := map[string]bool{"1": rapid.Bool().Draw(t, "first area")}
		var changes []ticket.Change
		minute := 0
		for seq := range uint32(rapid.IntRange(0, 8).Draw(t, "updates")) {
			minute += rapid.IntRange(0, 3).Draw(t, "minutes")
			for _, field := range fields {
				if rapid.IntRange(0, 3).Draw(t, "touch") != 0 {
					continue
				}
				to := value.Draw(t, "to")
				changes = append(changes, change(minute, seq+1, field, now[field], to))
				now[field] = to
			}
			if area := value.Draw(t, "area"); area != "" {
				c := change(minute, seq+1, ticket.FieldArea, "", area)
				if areas[area] {
					c.From, c.To = c.To, c.From
				}
				changes = append(changes, c)
				areas[area] = !areas[area]
			}
		}
		in := ticket.Ticket{Created: created, Updated: at(minute), Changes: changes, Assignee: now[ticket.FieldAssignee],
			Status: now[ticket.FieldStatus], Group: now[ticket.FieldGroup], Kind: now[ticket.FieldKind],
			Priority: now[ticket.FieldPriority], Project: now[ticket.FieldProject]}
		if e := now[ticket.FieldEffort]; e != "" {
			in.Effort = number(float64(e[0] - '0'))
		}
		for area, is := range areas {
			if is {
				in.Areas = append(in.Areas, area)
			}
		}
		slices.Sort(in.Areas)

		r := timeline.Derive(in)
		checkInvariants(t, in, r)
		if r.Unrecorded != 0 {
			t.Fatalf("%d unrecorded changes in a history that records all", r.Unrecorded)
		}

		// The group of an assignment is what replaying says.
		group, holder := in.Group, in.Assignee
		for i := len(changes) - 1; i >= 0; i-- {
			switch changes[i].Field {
			case ticket.FieldGroup:
				group = changes[i].From
			case ticket.FieldAssignee:
				holder = changes[i].From
			}
		}
		var want []held
		note := func(minute int) {
			if holder != "" {
				want = append(want, held{holder, group, minute, open})
			}
		}
		note(0)
		for i := 0; i < len(changes); {
			before, minute := holder, int(changes[i].At.Sub(created).Minutes())
			for seq := changes[i].Seq; i < len(changes) && changes[i].Seq == seq; i++ {
				switch changes[i].Field {
				case ticket.FieldGroup:
					group = changes[i].To
				case ticket.FieldAssignee:
					holder = changes[i].To
				}
			}
			if holder == before {
				continue
			}
			if before != "" {
				want[len(want)-1].to = minute
			}
			note(minute)
		}
		if got := assignmentsOf(r); !slices.Equal(got, want) {
			t.Fatalf("assignments\n got %v\nwant %v", got, want)
		}
	})
}

func TestTheOrderOfChangesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := contradictory(t)
		for i := range in.Changes {
			in.Changes[i].Seq = uint32(i + 1) // (At, Seq) is then distinct
		}
		want := timeline.Derive(in)
		in.Changes = rapid.Permutation(in.Changes).Draw(t, "order")
		if got := timeline.Derive(in); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v\nwant %v", got, want)
		}
	})
}

func TestDerivingAgainChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := timeline.Derive(contradictory(t))
		if again := timeline.Derive(once.Ticket); !reflect.DeepEqual(again, once) {
			t.Fatalf("got %v\nwant %v", again, once)
		}
	})
}

func FuzzDerive(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		in := contradictory(t)
		checkInvariants(t, in, timeline.Derive(in))
	}))
}

// FuzzEffort looks for efforts that do not come out as they went in.
func FuzzEffort(f *testing.F) {
	for _, seed := range []string{"", "3", "3.0", "1e400", "NaN", "-0", "0x1p-2", "XL", "1_000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, effort string) {
		in := ticket.Ticket{Created: created, Updated: at(1), Changes: []ticket.Change{change(1, 1, ticket.FieldEffort, "", effort)}}
		first := spellsIn(timeline.Derive(in), ticket.FieldEffort)
		last := first[len(first)-1]
		if last.Value != "" {
			t.Fatalf("effort ends as %q, but the ticket has none", last.Value)
		}
		if effort == "" {
			return
		}
		written := first[len(first)-2].Value
		in.Changes[0].To = written
		second := spellsIn(timeline.Derive(in), ticket.FieldEffort)
		if again := second[len(second)-2].Value; again != written {
			t.Fatalf("%q is written %q, and that %q", effort, written, again)
		}
	})
}
