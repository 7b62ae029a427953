package asana_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/ticket"
)

// says lists changes as a reader would: field from>to by actor, names for gids.
func (f *office) says(changes []ticket.Change) []string {
	names := map[string]string{
		f.ann: "ann", f.bob: "bob", f.gone: "cyd", f.platform: "platform", f.desk: "desk", f.migration: "migration", f.help: "help", f.picnic: "picnic",
		f.backlog: "backlog", f.doing: "doing",
	}
	for _, field := range []string{f.phase, f.kind, f.urgency} {
		for _, name := range []string{"Ready", "In progress", "Blocked", "Bug", "Incident", "Low", "High"} {
			if gid := f.Option(field, name); gid != "" {
				names[gid] = strings.ToLower(name)
			}
		}
	}
	word := func(id string) string {
		kind, gid, ok := strings.Cut(id, ":")
		if !ok {
			kind, gid = "", id
		}
		if name := names[gid]; name != "" {
			if kind != "" {
				return kind + ":" + name
			}
			return name
		}
		return id
	}
	var out []string
	for _, c := range changes {
		out = append(out, fmt.Sprintf("%d %s %s>%s by %s", c.Seq, c.Field, word(c.From), word(c.To), word(c.Actor)))
	}
	return out
}

func TestHistory(t *testing.T) {
	three := 3.0
	for name, test := range map[string]struct {
		config  func(*asana.Config)
		first   func(f *office) []asanatest.Change
		updates func(f *office) [][]asanatest.Change // by bob
		want    []string
		spoil   func(f *office, gid string)
		reason  string
		check   func(t *testing.T, f *office, tk ticket.Ticket)
	}{
		"assigned at creation, handed on, given up": {
			first: func(f *office) []asanatest.Change { return []asanatest.Change{asanatest.Assign(f.ann)} },
			updates: func(f *office) [][]asanatest.Change {
				return [][]asanatest.Change{{asanatest.Assign(f.bob)}, {asanatest.Assign("")}}
			},
			want: []string{"1 assignee ann>bob by bob", "2 assignee bob> by bob"},
		},
		"completed and opened again": {
			updates: func(*office) [][]asanatest.Change {
				return [][]asanatest.Change{{asanatest.Complete(true)}, {asanatest.Complete(false)}, {asanatest.Comment("a text that nobody reads")}}
			},
			want: []string{"1 status incomplete>complete by bob", "2 status complete>incomplete by bob"},
			check: func(t *testing.T, f *office, tk ticket.Ticket) {
				if len(tk.Contributions) != 1 || tk.Contributions[0].Actor != f.bob || tk.Contributions[0].Act != ticket.ActComment {
					t.Errorf("contributions: %+v", tk.Contributions)
				}
			},
		},
		"custom fields, in one update with the holder": {
			config: func(c *asana.Config) { c.StatusField, c.KindField = "phase", "TYPE" },
			first: func(f *office) []asanatest.Change {
				return []asanatest.Change{asanatest.SetEnum(f.phase, "Ready"), asanatest.SetEnum(f.kind, "Bug"), asanatest.SetNumber(f.points, &three)}
			},
			updates: func(f *office) [][]asanatest.Change {
				return [][]asanatest.Change{
					{asanatest.Assign(f.bob), asanatest.SetEnum(f.phase, "In progress"), asanatest.SetEnum(f.urgency, "High")},
					{asanatest.SetNumber(f.points, nil), asanatest.SetEnum(f.kind, "Incident")},
					{asanatest.Complete(true), asanatest.SetEnum(f.phase, "")},
				}
			},
			want: []string{
				"1 assignee >bob by bob", "1 status option:ready>option:in progress by bob", "1 priority >option:high by bob",
				"2 effort 3> by bob", "2 kind option:bug>option:incident by bob",
				"3 status option:in progress>complete by bob",
			},
		},
		"sections as areas": {
			config: func(c *asana.Config) { c.Sections = asana.SectionsAreas },
			first:  func(f *office) []asanatest.Change { return []asanatest.Change{asanatest.MoveTo(f.backlog)} },
			updates: func(f *office) [][]asanatest.Change {
				return [][]asanatest.Change{{asanatest.MoveTo(f.doing)}, {asanatest.AddTo(f.picnic, "")}, {asanatest.RemoveFrom(f.picnic)}}
			},
			want: []string{"1 area section:backlog>section:doing by bob"},
		},
		"sections as statuses": {
			config: func(c *asana.Config) { c.Sections = asana.SectionsStatuses },
			first:  func(f *office) []asanatest.Change { return []asanatest.Change{asanatest.MoveTo(f.backlog)} },
			updates: func(f *office) [][]asanatest.Change {
				return [][]asanatest.Change{{asanatest.MoveTo(f.doing)}, {asanatest.Complete(true)}}
			},
			want: []string{"1 status section:backlog>section:doing by bob", "2 status section:doing>complete by bob"},
		},
		"in two projects, then at home in the other": {
			updates: func(f *office) [][]asanatest.Change {
				return [][]asanatest.Change{{asanatest.AddTo(f.help, "")}, {asanatest.RemoveFrom(f.migration)}}
			},
			want: []string{
				"1 area >project:help by bob", "2 group platform>desk by bob", "2 project migration>help by bob", "2 area project:migration> by bob",
			},
		},
		"stories that are refused": {
			updates: func(f *office) [][]asanatest.Change { return [][]asanatest.Change{{asanatest.Assign(f.bob)}} },
			spoil:   func(f *office, gid string) { f.Mute(gid, true) },
			reason:  "stories denied",
		},
		"an import without stories": {
			updates: func(f *office) [][]asanatest.Change {
				return [][]asanatest.Change{{asanatest.Assign(f.bob)}, {asanatest.Assign("")}}
			},
			spoil:  func(f *office, gid string) { f.Forget(gid, "unassigned") },
			want:   []string{"1 assignee >bob by bob"},
			reason: "changes without a story",
		},
		"given up by who knows whom": {
			first:   func(f *office) []asanatest.Change { return []asanatest.Change{asanatest.Assign(f.ann)} },
			updates: func(*office) [][]asanatest.Change { return [][]asanatest.Change{{asanatest.Assign("")}} },
			spoil:   func(f *office, gid string) { f.Forget(gid, "assigned") },
			want:    []string{"1 assignee ann> by bob"}, // the story itself tells
		},
		"given up by nobody knows whom": {
			first:   func(f *office) []asanatest.Change { return []asanatest.Change{asanatest.Assign(f.ann)} },
			updates: func(*office) [][]asanatest.Change { return [][]asanatest.Change{{asanatest.Assign("")}} },
			spoil:   func(f *office, gid string) { f.Forget(gid, "assigned"); f.Strip(gid, "unassigned") },
			reason:  "changes without a story",
		},
		"completed without a story": {
			updates: func(*office) [][]asanatest.Change { return [][]asanatest.Change{{asanatest.Complete(true)}} },
			spoil:   func(f *office, gid string) { f.Forget(gid, "marked_complete") },
			want:    []string{"1 status incomplete>complete by bob"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newOffice(t, asanatest.Options{})
			first := []asanatest.Change{asanatest.AddTo(f.migration, "")}
			if test.first != nil {
				first = append(first, test.first(f)...)
			}
			gid := f.create("", first...)
			for _, u := range test.updates(f) {
				f.edit(gid, f.bob, u...)
			}
			if test.spoil != nil {
				test.spoil(f, gid)
			}
			f.wait(time.Hour)
			c := collect(t, f.connect(test.config, nil))
			tk, ok := c.tickets[gid]
			if !ok {
				t.Fatal("the task did not come")
			}
			if got := f.says(tk.Changes); !slices.Equal(got, test.want) {
				t.Errorf("changes\n got %q\nwant %q", got, test.want)
			}
			if tk.HistoryComplete != (test.reason == "") || tk.IncompleteReason != test.reason {
				t.Errorf("complete %v, reason %q; want reason %q", tk.HistoryComplete, tk.IncompleteReason, test.reason)
			}
			if test.check != nil {
				test.check(t, f, tk)
			}
		})
	}
}

// One task in several projects is one ticket; a subtask is where its task is.
func TestMultiHomedAndSubtasks(t *testing.T) {
	f := newOffice(t, asanatest.Options{})
	both := f.create("", asanatest.AddTo(f.help, ""), asanatest.AddTo(f.migration, f.doing))
	part := f.create(both, asanatest.Assign(f.gone))
	deep := f.create(part)
	alone := f.create("", asanatest.AddTo(f.picnic, ""))
	f.wait(time.Hour)
	c := collect(t, f.connect(func(c *asana.Config) { c.Sections = asana.SectionsAreas }, nil))
	if _, came := c.tickets[alone]; came || len(c.tickets) != 3 {
		t.Errorf("%d tickets came, one of a project that is not collected: %v", len(c.tickets), came)
	}
	for _, gid := range []string{both, part, deep} {
		tk := c.tickets[gid]
		if tk.Group != f.platform || tk.Project != f.migration || len(tk.Areas) != 2 || !tk.HistoryComplete {
			t.Errorf("%s: group %s, project %s, areas %v, %s", gid, tk.Group, tk.Project, tk.Areas, tk.IncompleteReason)
		}
	}
	if c.tickets[deep].Parent != part || c.tickets[part].Parent != both {
		t.Error("parents are lost")
	}
	if who := c.people[f.gone]; who.Active || who.Name != "Cyd" || who.Email != "" {
		t.Errorf("somebody who left: %+v", who)
	}
	if who := c.people[f.ann]; !who.Active || who.Email != "ann@example.test" {
		t.Errorf("ann: %+v", who)
	}
	if c.terms["group "+f.platform].Name != "Platform" || c.terms["area section:"+f.doing].Name != "Doing" || c.terms["status incomplete"].Value != string(ticket.CategoryTodo) {
		t.Errorf("terms: %+v", c.terms)
	}
}
