package timeline_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

var created = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func at(minute int) time.Time { return created.Add(time.Duration(minute) * time.Minute) }

func change(minute int, seq uint32, field ticket.Field, from, to string) ticket.Change {
	return ticket.Change{At: at(minute), Seq: seq, Field: field, From: from, To: to, Actor: "who"}
}

func number(v float64) *float64 { return &v }

type spell struct {
	value    string
	from, to int // minutes; open is no end
}

const open = -1

func spellsOf(r ticket.Record, field ticket.Field) []spell {
	var out []spell
	for _, s := range r.Spells {
		if s.Field != field {
			continue
		}
		end := open
		if !s.To.IsZero() {
			end = int(s.To.Sub(created).Minutes())
		}
		out = append(out, spell{s.Value, int(s.From.Sub(created).Minutes()), end})
	}
	return out
}

type held struct {
	actor, group string
	from, to     int
}

func assignmentsOf(r ticket.Record) []held {
	var out []held
	for _, a := range r.Assignments {
		end := open
		if !a.To.IsZero() {
			end = int(a.To.Sub(created).Minutes())
		}
		out = append(out, held{a.Actor, a.Group, int(a.From.Sub(created).Minutes()), end})
	}
	return out
}

func TestFieldOfOneValue(t *testing.T) {
	for _, test := range []struct {
		name       string
		changes    []ticket.Change
		now        string
		updated    int
		want       []spell
		unrecorded uint32
	}{
		{name: "no changes: the present value since creation", now: "new", updated: 9,
			want: []spell{{"new", 0, open}}},
		{name: "never had a value", now: "", updated: 9,
			want: []spell{{"", 0, open}}},
		{name: "the first change says what was before", now: "b", updated: 5,
			changes: []ticket.Change{change(5, 1, ticket.FieldStatus, "a", "b")},
			want:    []spell{{"a", 0, 5}, {"b", 5, open}}},
		{name: "back and forth", now: "a", updated: 7,
			changes: []ticket.Change{change(5, 1, ticket.FieldStatus, "a", "b"), change(7, 2, ticket.FieldStatus, "b", "a")},
			want:    []spell{{"a", 0, 5}, {"b", 5, 7}, {"a", 7, open}}},
		{name: "back and forth within one instant keeps the empty interval", now: "a", updated: 5,
			changes: []ticket.Change{change(5, 1, ticket.FieldStatus, "a", "b"), change(5, 2, ticket.FieldStatus, "b", "a")},
			want:    []spell{{"a", 0, 5}, {"b", 5, 5}, {"a", 5, open}}},
		{name: "back and forth within one update keeps the order given", now: "a", updated: 5,
			changes: []ticket.Change{change(5, 1, ticket.FieldStatus, "a", "b"), change(5, 1, ticket.FieldStatus, "b", "a")},
			want:    []spell{{"a", 0, 5}, {"b", 5, 5}, {"a", 5, open}}},
		{name: "changes out of order", now: "c", updated: 7,
			changes: []ticket.Change{change(7, 2, ticket.FieldStatus, "b", "c"), change(5, 1, ticket.FieldStatus, "a", "b")},
			want:    []spell{{"a", 0, 5}, {"b", 5, 7}, {"c", 7, open}}},
		{name: "a change at creation leaves an empty interval before it", now: "b", updated: 0,
			changes: []ticket.Change{change(0, 1, ticket.FieldStatus, "a", "b")},
			want:    []spell{{"a", 0, 0}, {"b", 0, open}}},
		{name: "a change before creation counts as made then", now: "b", updated: 3,
			changes: []ticket.Change{change(-60, 1, ticket.FieldStatus, "a", "b")},
			want:    []spell{{"a", 0, 0}, {"b", 0, open}}},
		{name: "a change to the same value makes no interval", now: "a", updated: 5,
			changes: []ticket.Change{change(5, 1, ticket.FieldStatus, "a", "a")},
			want:    []spell{{"a", 0, open}}},
		{name: "a change to the same value that is not the one in force", now: "c", updated: 7,
			changes: []ticket.Change{change(5, 1, ticket.FieldStatus, "a", "b"), change(7, 2, ticket.FieldStatus, "c", "c")},
			want:    []spell{{"a", 0, 5}, {"b", 5, 7}, {"c", 7, open}}, unrecorded: 1},
		{name: "a broken chain trusts what came after", now: "d", updated: 7,
			changes: []ticket.Change{change(5, 1, ticket.FieldStatus, "a", "b"), change(7, 2, ticket.FieldStatus, "c", "d")},
			want:    []spell{{"a", 0, 5}, {"b", 5, 7}, {"d", 7, open}}, unrecorded: 1},
		{name: "a broken chain that comes back to the value in force goes on", now: "b", updated: 7,
			changes: []ticket.Change{change(5, 1, ticket.FieldStatus, "a", "b"), change(7, 2, ticket.FieldStatus, "c", "b")},
			want:    []spell{{"a", 0, 5}, {"b", 5, open}}, unrecorded: 1},
		{name: "the present value came unrecorded, at the last update", now: "c", updated: 9,
			changes: []ticket.Change{change(5, 1, ticket.FieldStatus, "a", "b")},
			want:    []spell{{"a", 0, 5}, {"b", 5, 9}, {"c", 9, open}}, unrecorded: 1},
		{name: "the present value came unrecorded, not before the last change", now: "c", updated: 2,
			changes: []ticket.Change{change(5, 1, ticket.FieldStatus, "a", "b")},
			want:    []spell{{"a", 0, 5}, {"b", 5, 5}, {"c", 5, open}}, unrecorded: 1},
		{name: "the present value came unrecorded, not before creation", now: "c", updated: -7,
			changes: []ticket.Change{change(-9, 1, ticket.FieldStatus, "a", "b")},
			want:    []spell{{"a", 0, 0}, {"b", 0, 0}, {"c", 0, open}}, unrecorded: 1},
		{name: "a change after the last update stands", now: "b", updated: 2,
			changes: []ticket.Change{change(5, 1, ticket.FieldStatus, "a", "b")},
			want:    []spell{{"a", 0, 5}, {"b", 5, open}}},
		{name: "other fields do not matter", now: "a", updated: 2,
			changes: []ticket.Change{change(1, 1, "summary", "x", "y")},
			want:    []spell{{"a", 0, open}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := ticket.Ticket{Created: created, Updated: at(test.updated), Status: test.now, Changes: test.changes}
			given := slices.Clone(test.changes)
			r := timeline.Derive(in)
			if got := spellsOf(r, ticket.FieldStatus); !slices.Equal(got, test.want) {
				t.Errorf("spells\n got %v\nwant %v", got, test.want)
			}
			if r.Unrecorded != test.unrecorded {
				t.Errorf("unrecorded %d, want %d", r.Unrecorded, test.unrecorded)
			}
			if !reflect.DeepEqual(in.Changes, given) {
				t.Error("the input was changed")
			}
			// Every other field of one value follows the same rules.
			for _, field := range []ticket.Field{ticket.FieldGroup, ticket.FieldKind, ticket.FieldPriority, ticket.FieldProject} {
				if got := spellsOf(timeline.Derive(renamed(in, field)), field); !slices.Equal(got, test.want) {
					t.Errorf("%s spells\n got %v\nwant %v", field, got, test.want)
				}
			}
			parent := in
			parent.Status, parent.Parent = "", test.now
			parent.Changes = moved(in.Changes, ticket.FieldParent)
			r = timeline.Derive(parent)
			if r.Unrecorded != test.unrecorded || spellsOf(r, ticket.FieldParent) != nil {
				t.Errorf("parent: unrecorded %d, spells %v; want %d and none", r.Unrecorded, spellsOf(r, ticket.FieldParent), test.unrecorded)
			}
		})
	}
}

func moved(changes []ticket.Change, field ticket.Field) []ticket.Change {
	changes = slices.Clone(changes)
	for i := range changes {
		if changes[i].Field == ticket.FieldStatus {
			changes[i].Field = field
		}
	}
	return changes
}

func renamed(in ticket.Ticket, field ticket.Field) ticket.Ticket {
	now := in.Status
	in.Status, in.Changes = "", moved(in.Changes, field)
	switch field {
	case ticket.FieldGroup:
		in.Group = now
	case ticket.FieldKind:
		in.Kind = now
	case ticket.FieldPriority:
		in.Priority = now
	case ticket.FieldProject:
		in.Project = now
	}
	return in
}

func TestAssignments(t *testing.T) {
	const assignee, group = ticket.FieldAssignee, ticket.FieldGroup
	for _, test := range []struct {
		name            string
		changes         []ticket.Change
		assignee, group string
		updated         int
		want            []held
		unrecorded      uint32
	}{
		{name: "nobody ever", updated: 3},
		{name: "assigned at creation and never changed", assignee: "ann", group: "net", updated: 3,
			want: []held{{"ann", "net", 0, open}}},
		{name: "assigned, handed over, taken away", updated: 9, group: "net",
			changes: []ticket.Change{change(1, 1, assignee, "", "ann"), change(4, 2, assignee, "ann", "bob"), change(9, 3, assignee, "bob", "")},
			want:    []held{{"ann", "net", 1, 4}, {"bob", "net", 4, 9}}},
		{name: "zero length is kept", updated: 4, assignee: "cyd",
			changes: []ticket.Change{change(4, 1, assignee, "", "bob"), change(4, 2, assignee, "bob", "cyd")},
			want:    []held{{"bob", "", 4, 4}, {"cyd", "", 4, open}}},
		{name: "a change of group alone does not split it", updated: 5, assignee: "ann", group: "db",
			changes: []ticket.Change{change(1, 1, assignee, "", "ann"), change(5, 2, group, "net", "db")},
			want:    []held{{"ann", "net", 1, open}}},
		{name: "the group of the same update counts, whichever is listed first", updated: 5, assignee: "bob", group: "db",
			changes: []ticket.Change{change(5, 1, assignee, "ann", "bob"), change(5, 1, group, "net", "db")},
			want:    []held{{"ann", "net", 0, 5}, {"bob", "db", 5, open}}},
		{name: "the group of a later update in the same instant does not", updated: 5, assignee: "bob", group: "db",
			changes: []ticket.Change{change(5, 1, assignee, "ann", "bob"), change(5, 2, group, "net", "db")},
			want:    []held{{"ann", "net", 0, 5}, {"bob", "net", 5, open}}},
		{name: "the group of an earlier update in the same instant does", updated: 5, assignee: "bob", group: "db",
			changes: []ticket.Change{change(5, 1, group, "net", "db"), change(5, 2, assignee, "ann", "bob")},
			want:    []held{{"ann", "net", 0, 5}, {"bob", "db", 5, open}}},
		{name: "now unassigned without an entry", updated: 8, group: "net",
			changes: []ticket.Change{change(1, 1, assignee, "", "ann")},
			want:    []held{{"ann", "net", 1, 8}}, unrecorded: 1},
		{name: "an unrecorded holder is in the group in force by then", updated: 8, assignee: "bob", group: "db",
			changes: []ticket.Change{change(1, 1, assignee, "", "ann"), change(4, 2, group, "net", "db")},
			want:    []held{{"ann", "net", 1, 8}, {"bob", "db", 8, open}}, unrecorded: 1},
		{name: "an unrecorded holder and an unrecorded group come together", updated: 8, assignee: "bob", group: "web",
			changes: []ticket.Change{change(1, 1, assignee, "", "ann"), change(4, 2, group, "net", "db")},
			want:    []held{{"ann", "net", 1, 8}, {"bob", "web", 8, open}}, unrecorded: 2},
		{name: "a holder after an unrecorded change of group", updated: 5, assignee: "bob", group: "web",
			changes: []ticket.Change{change(4, 1, group, "net", "db"), change(7, 2, assignee, "ann", "bob")},
			want:    []held{{"ann", "net", 0, 7}, {"bob", "web", 7, open}}, unrecorded: 1},
		{name: "recorded before creation", updated: 5, assignee: "bob", group: "db",
			changes: []ticket.Change{change(-9, 1, assignee, "ann", "bob"), change(-8, 2, group, "net", "db")},
			want:    []held{{"ann", "net", 0, 0}, {"bob", "net", 0, open}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := timeline.Derive(ticket.Ticket{Created: created, Updated: at(test.updated), Assignee: test.assignee, Group: test.group, Changes: test.changes})
			if got := assignmentsOf(r); !slices.Equal(got, test.want) {
				t.Errorf("assignments\n got %v\nwant %v", got, test.want)
			}
			if r.Unrecorded != test.unrecorded {
				t.Errorf("unrecorded %d, want %d", r.Unrecorded, test.unrecorded)
			}
			if got := spellsOf(r, assignee); got != nil {
				t.Errorf("assignee has spells: %v", got)
			}
		})
	}
}

func TestAreas(t *testing.T) {
	const area = ticket.FieldArea
	for _, test := range []struct {
		name       string
		changes    []ticket.Change
		now        []string
		updated    int
		want       []spell
		unrecorded uint32
	}{
		{name: "none", updated: 3},
		{name: "two from the start", now: []string{"db", "web"}, updated: 3,
			want: []spell{{"db", 0, open}, {"web", 0, open}}},
		{name: "added and removed", now: []string{"db"}, updated: 9,
			changes: []ticket.Change{change(2, 1, area, "", "web"), change(9, 2, area, "web", "")},
			want:    []spell{{"db", 0, open}, {"web", 2, 9}}},
		{name: "one for another", now: []string{"web"}, updated: 5,
			changes: []ticket.Change{change(5, 1, area, "db", "web")},
			want:    []spell{{"db", 0, 5}, {"web", 5, open}}},
		{name: "in, out and in again", now: []string{"web"}, updated: 7,
			changes: []ticket.Change{change(3, 1, area, "", "web"), change(5, 2, area, "web", ""), change(7, 3, area, "", "web")},
			want:    []spell{{"web", 3, 5}, {"web", 7, open}}},
		{name: "in and out within one instant", updated: 3,
			changes: []ticket.Change{change(3, 1, area, "", "web"), change(3, 2, area, "web", "")},
			want:    []spell{{"web", 3, 3}}},
		{name: "added twice", now: []string{"web"}, updated: 5,
			changes: []ticket.Change{change(3, 1, area, "", "web"), change(5, 2, area, "", "web")},
			want:    []spell{{"web", 3, open}}, unrecorded: 1},
		{name: "removed twice", updated: 5,
			changes: []ticket.Change{change(3, 1, area, "web", ""), change(5, 2, area, "web", "")},
			want:    []spell{{"web", 0, 3}}, unrecorded: 1},
		{name: "gone without a word", updated: 8,
			changes: []ticket.Change{change(3, 1, area, "", "web")},
			want:    []spell{{"web", 3, 8}}, unrecorded: 1},
		{name: "back without a word, before the last change by its update", now: []string{"web"}, updated: 1,
			changes: []ticket.Change{change(3, 1, area, "web", "")},
			want:    []spell{{"web", 0, 3}, {"web", 3, open}}, unrecorded: 1},
		{name: "replaced by itself", now: []string{"web"}, updated: 3,
			changes: []ticket.Change{change(3, 1, area, "web", "web")},
			want:    []spell{{"web", 0, open}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := timeline.Derive(ticket.Ticket{Created: created, Updated: at(test.updated), Areas: test.now, Changes: test.changes})
			if got := spellsOf(r, area); !slices.Equal(got, test.want) {
				t.Errorf("spells\n got %v\nwant %v", got, test.want)
			}
			if r.Unrecorded != test.unrecorded {
				t.Errorf("unrecorded %d, want %d", r.Unrecorded, test.unrecorded)
			}
		})
	}
}

func TestEffortIsWrittenInOneWay(t *testing.T) {
	const effort = ticket.FieldEffort
	for _, test := range []struct {
		name       string
		changes    []ticket.Change
		now        *float64
		want       []spell
		unrecorded uint32
	}{
		{name: "never estimated", want: []spell{{"", 0, open}}},
		{name: "estimated at creation", now: number(3), want: []spell{{"3", 0, open}}},
		{name: "zero is not unset", now: number(0), want: []spell{{"0", 0, open}}},
		{name: "3.0 is 3", now: number(3),
			changes: []ticket.Change{change(2, 1, effort, "", "5.00"), change(4, 2, effort, "5", "3.0")},
			want:    []spell{{"", 0, 2}, {"5", 2, 4}, {"3", 4, open}}},
		{name: "same number written otherwise", now: number(0.5),
			changes: []ticket.Change{change(2, 1, effort, "0.50", ".5")},
			want:    []spell{{"0.5", 0, open}}},
		{name: "not a number", now: number(8),
			changes: []ticket.Change{change(2, 1, effort, "XL", "8")},
			want:    []spell{{"XL", 0, 2}, {"8", 2, open}}},
		{name: "large", now: number(1e6), want: []spell{{"1000000", 0, open}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := timeline.Derive(ticket.Ticket{Created: created, Updated: at(9), Effort: test.now, Changes: test.changes})
			if got := spellsOf(r, effort); !slices.Equal(got, test.want) {
				t.Errorf("spells\n got %v\nwant %v", got, test.want)
			}
			if r.Unrecorded != test.unrecorded {
				t.Errorf("unrecorded %d, want %d", r.Unrecorded, test.unrecorded)
			}
		})
	}
}

func TestSpellsComeByField(t *testing.T) {
	r := timeline.Derive(ticket.Ticket{Created: created, Updated: at(9), Status: "s", Group: "g", Kind: "k", Priority: "p", Project: "j",
		Areas: []string{"x", "y"}, Effort: number(1), Assignee: "ann"})
	var got []ticket.Field
	for _, s := range r.Spells {
		got = append(got, s.Field)
	}
	want := []ticket.Field{ticket.FieldStatus, ticket.FieldGroup, ticket.FieldArea, ticket.FieldArea, ticket.FieldEffort,
		ticket.FieldKind, ticket.FieldPriority, ticket.FieldProject}
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if r.Version != 0 || r.Unrecorded != 0 {
		t.Errorf("version %d and unrecorded %d, want none", r.Version, r.Unrecorded)
	}
}

// BenchmarkDerive derives histories of the shape of the UCI incident log: some
// six updates a ticket, each changing one or two fields.
func BenchmarkDerive(b *testing.B) {
	history := ticket.Ticket{
		Source: "snow", ID: "1", Created: created, Updated: at(600), Assignee: "bob", Status: "7", Group: "g2", Kind: "incident",
		Priority: "3", Areas: []string{"cat 9"},
		Changes: []ticket.Change{
			change(10, 1, ticket.FieldAssignee, "", "ann"),
			change(10, 1, ticket.FieldStatus, "1", "2"),
			change(30, 2, ticket.FieldGroup, "g1", "g2"),
			change(30, 2, ticket.FieldAssignee, "ann", "bob"),
			change(90, 3, ticket.FieldPriority, "4", "3"),
			change(120, 4, ticket.FieldStatus, "2", "3"),
			change(180, 5, ticket.FieldStatus, "3", "6"),
			change(600, 6, ticket.FieldStatus, "6", "7"),
		},
	}
	b.ReportAllocs()
	for b.Loop() {
		if r := timeline.Derive(history); len(r.Assignments) != 2 {
			b.Fatalf("%d assignments", len(r.Assignments))
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "histories/s")
}
