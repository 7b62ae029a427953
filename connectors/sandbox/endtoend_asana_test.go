package sandbox_test

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/timeline"
)

// Everything that is Jira's otherwise comes out of Asana as the generator's own
// ledger has it: who held what from when to when, and when it was done.
func TestAsanaEndToEnd(t *testing.T) {
	o := generate()
	in, err := o.Asana(asanatest.Options{}, func(*sandbox.Ticket) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	cfg := asana.DefaultConfig()
	cfg.URL, cfg.Token, cfg.Projects, cfg.Bots = serve(t, in), "token", in.Projects, in.Bots
	cfg.Sections, cfg.StatusField, cfg.KindField = asana.SectionsAreas, "Status", "Type"
	src, err := asana.New(cfg, asana.Options{Name: "asana", Transport: transport("asana"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	c := collect(t, src)
	if c.again > 0 {
		t.Errorf("%d tickets came in two streams", c.again)
	}
	said := func(actor string, from, to time.Time) string {
		return fmt.Sprintf("%s %s–%s", actor, clock(from), clock(to))
	}
	tickets, silent, parts := 0, 0, 0
	for _, tk := range o.Tickets {
		if tk.Type.System() != sandbox.Jira {
			continue
		}
		tickets++
		got, ok := c.tickets[tk.AsanaGID()]
		if !ok {
			t.Errorf("%s never came", tk.Key)
			continue
		}
		if !got.Created.Equal(tk.Created) || (got.Status == "complete") != tk.Phase().Done() {
			t.Errorf("%s: created %v, status %s; want %v, %v", tk.Key, got.Created, got.Status, tk.Created, tk.Phase())
		}
		if !got.HistoryComplete {
			silent++ // a change left no trace, and the connector says so
			continue
		}
		if tk.Parent != nil {
			parts++
			if got.Parent != tk.Parent.AsanaGID() || got.Group != c.tickets[got.Parent].Group {
				t.Errorf("%s: parent %s, group %s", tk.Key, got.Parent, got.Group)
			}
		} else if name := c.terms["group "+got.Group].Name; name != o.Queue(tk).Team.Name {
			t.Errorf("%s: group %s, want %s", tk.Key, name, o.Queue(tk).Team.Name)
		}
		var have, want []string
		for _, a := range timeline.Derive(got).Assignments {
			have = append(have, said(a.Actor, a.From, a.To))
		}
		for _, h := range o.Holdings(tk) {
			// What happens within a second of creation is of the creation.
			born := tk.Created.Add(time.Second)
			if h.From.Before(born) {
				h.From = tk.Created
			}
			if h.To.IsZero() || !h.To.Before(born) {
				want = append(want, said(h.Person.AsanaUser(), h.From, h.To))
			}
		}
		if !slices.Equal(have, want) {
			t.Errorf("%s was held\n got %q\nwant %q", tk.Key, have, want)
		}
	}
	if len(c.tickets) != tickets || silent > 4 || parts == 0 {
		t.Errorf("%d of %d tickets came, %d incomplete, %d subtasks", len(c.tickets), tickets, silent, parts)
	}
	for _, p := range o.People {
		a, ok := c.accounts[p.AsanaUser()]
		if !ok {
			continue
		}
		if want := !p.Deleted; a.Active != want || a.Bot != (p.Role == sandbox.Bot) || want && !p.EmailHidden && a.Email != p.Email {
			t.Errorf("account of %s: %+v", p.Email, a)
		}
	}
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "now"
	}
	return t.Format(time.RFC3339Nano)
}

// With Asana among the systems nothing else is different: the same tickets with
// the same histories, some of them elsewhere, and people in all three.
func TestThreeSystems(t *testing.T) {
	two, three := generate(), sandbox.Generate(11, endOfYear, sandbox.Options{Tickets: 4_000, Asana: true})
	if len(two.Tickets) != len(three.Tickets) {
		t.Fatalf("%d tickets with Asana, %d without", len(three.Tickets), len(two.Tickets))
	}
	systems := map[string]map[sandbox.System]bool{}
	moved, parts := 0, 0
	for i, tk := range three.Tickets {
		was := two.Tickets[i]
		if tk.ID != was.ID || !tk.Updated.Equal(was.Updated) || tk.System() != was.System() && (was.System() != sandbox.Jira || tk.System() != sandbox.Asana) {
			t.Fatalf("ticket %s is another one with Asana: %s in %s, was in %s", was.Key, tk.Key, tk.System(), was.System())
		}
		if tk.System() == sandbox.Asana {
			moved++
			if tk.Parent != nil {
				parts++
			}
		}
		if tk.Parent != nil && tk.Parent.System() != tk.System() {
			t.Errorf("%s is in %s, and its parent in %s", tk.Key, tk.System(), tk.Parent.System())
		}
		for _, h := range three.Holdings(tk) {
			if systems[h.Person.Email] == nil {
				systems[h.Person.Email] = map[sandbox.System]bool{}
			}
			systems[h.Person.Email][tk.System()] = true
		}
	}
	everywhere := 0
	for _, in := range systems {
		if len(in) == 3 {
			everywhere++
		}
	}
	if moved < 50 || parts == 0 || everywhere < 5 {
		t.Errorf("%d tickets are in Asana, %d of them subtasks; %d people work in all three systems", moved, parts, everywhere)
	}
	in, err := three.Asana(asanatest.Options{}, func(tk *sandbox.Ticket) bool { return tk.System() == sandbox.Asana })
	if err != nil || len(in.Tasks()) != moved {
		t.Errorf("%d of %d tasks were loaded, %v", len(in.Tasks()), moved, err)
	}
}
