package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"
)

// fingerprint covers everything that an organisation holds.
func fingerprint(o *Organisation) string {
	sum := sha256.New()
	for _, p := range o.People {
		fmt.Fprintln(sum, p.Name, p.Email, p.Role, p.Country, p.Zone, p.Hours, p.Leave, p.Joined, p.Left, p.FTE,
			p.ServiceNowID, p.ServiceNow, p.JiraAccountID, p.JiraKey, p.JiraName, p.JiraEmail, p.EmailHidden, p.Deleted)
	}
	for _, t := range o.Teams {
		fmt.Fprintln(sum, t.Name, t.Lead.Email, len(t.Members))
		for _, m := range t.Members {
			fmt.Fprintln(sum, m.Person.Email, m.Interval, m.FTE)
		}
		for _, s := range t.OnCall {
			fmt.Fprintln(sum, s.Person.Email, s.Interval)
		}
	}
	for _, q := range o.Queues {
		fmt.Fprintln(sum, q.ID, q.Name, q.Key, q.System)
		for _, a := range q.Areas {
			fmt.Fprintln(sum, a.ID, a.Name, a.Kind, a.Category)
		}
	}
	for _, t := range o.Tickets {
		fmt.Fprintln(sum, t.ID, t.Key, t.Type, t.Created, t.Updated, t.Reporter.Email, t.HandsOn, t.first, t.last, t.changes, t.acts, t.keys)
		if t.Parent != nil {
			fmt.Fprintln(sum, t.Parent.ID)
		}
	}
	fmt.Fprintln(sum, o.Truths.Overloaded.Email, o.Truths.Hoarder.Email, o.Truths.Hoarded.ID)
	return hex.EncodeToString(sum.Sum(nil))
}

func TestGenerateIsDeterministic(t *testing.T) {
	const seed = 7
	small := Options{Tickets: 3_000}
	one := fingerprint(Generate(seed, testNow, small))
	if again := fingerprint(Generate(seed, testNow.Add(13*time.Hour), small)); again != one {
		t.Error("the same seed and day gave two organisations")
	}
	if other := fingerprint(Generate(seed+1, testNow, small)); other == one {
		t.Error("two seeds gave the same organisation")
	}
	if other := fingerprint(Generate(seed, testNow.AddDate(0, 0, 1), small)); other == one {
		t.Error("two ends of the year gave the same organisation")
	}
}

func TestGenerateRefusesTooFew(t *testing.T) {
	defer func() {
		if r := fmt.Sprint(recover()); !strings.Contains(r, "Options.Tickets is 10") {
			t.Errorf("panicked with %q", r)
		}
	}()
	Generate(1, testNow, Options{Tickets: 10})
}

func TestYearIsOfTheSizePromised(t *testing.T) {
	o := Generate(1, testNow, Options{})
	created, open, unheld := 0, 0, 0
	kinds := map[Type]int{}
	for _, tk := range o.Tickets {
		kinds[tk.Type]++
		if !tk.Created.Before(o.From) {
			created++
		}
		if !tk.Phase().Done() {
			open++
			if o.Assignee(tk) == nil {
				unheld++
			}
		}
	}
	if created < 38_500 || created > 42_500 {
		t.Errorf("%d tickets were created, want about %d", created, DefaultTickets)
	}
	if open < 400 || open > 2_500 || unheld < 50 || unheld > open*2/3 {
		t.Errorf("%d tickets are open, %d of them with nobody", open, unheld)
	}
	for _, kind := range []Type{Incident, CatalogTask, ChangeRequest, Problem, Bug, Story, Task, ServiceRequest, Subtask} {
		if kinds[kind] < 100 {
			t.Errorf("there are %d tickets of type %d", kinds[kind], kind)
		}
	}
	engineers := 0
	for _, p := range o.People {
		if p.Role == Engineer {
			engineers++
		}
	}
	if engineers < 60 || engineers > 70 || len(o.Teams) != 8 {
		t.Errorf("%d engineers in %d teams", engineers, len(o.Teams))
	}
	hoarded := 0
	for _, tk := range o.Tickets {
		if o.Area(tk) == o.Truths.Hoarded {
			hoarded++
		}
	}
	if hoarded < 400 {
		t.Errorf("the hoarded area has %d tickets, want hundreds", hoarded)
	}
}

// What no real history would show, whatever the seed.
func TestHistoriesMakeSense(t *testing.T) {
	for seed := range uint64(4) {
		o := Generate(seed, testNow.AddDate(0, 0, -int(40*seed)), Options{Tickets: 6_000})
		keys, ids := map[string]bool{}, map[string]bool{}
		for i, tk := range o.Tickets {
			if keys[tk.Key] || ids[tk.ID] || tk.Key == "" {
				t.Fatalf("two tickets are %s (%s)", tk.Key, tk.ID)
			}
			keys[tk.Key], ids[tk.ID] = true, true
			if i > 0 && tk.Created.Before(o.Tickets[i-1].Created) {
				t.Errorf("%s is out of order", tk.Key)
			}
			if tk.Updated.Before(tk.Created) || !tk.Updated.Before(o.Now) {
				t.Errorf("%s was updated %s, created %s", tk.Key, tk.Updated, tk.Created)
			}
			if tk.System() == ServiceNow && tk.Created.Nanosecond() != 0 {
				t.Errorf("%s has more than seconds: %s", tk.Key, tk.Created)
			}
			v, last := tk.first, tk.Created
			for _, c := range tk.changes {
				at := instant(c.at)
				if at.Before(last) || at.After(tk.Updated) {
					t.Errorf("%s: a change at %s after one at %s, updated %s", tk.Key, at, last, tk.Updated)
				}
				if v.get(c.field) != c.from || c.from == c.to {
					t.Errorf("%s: a change of field %d from %d to %d, where it was %d", tk.Key, c.field, c.from, c.to, v.get(c.field))
				}
				v.apply(c)
				last = at
			}
			if v != tk.last {
				t.Errorf("%s: its history ends at %v, it is %v", tk.Key, v, tk.last)
			}
			for _, h := range o.Holdings(tk) {
				holderIsThere(t, o, tk, h)
			}
			for _, a := range tk.acts {
				if p := o.People[a.actor]; instant(a.at).Before(tk.Created) || p.account(tk.System()) == "" {
					t.Errorf("%s: an act at %s by %q", tk.Key, instant(a.at), p.Email)
				}
			}
			for _, c := range tk.changes {
				if c.actor != none && o.People[c.actor].account(tk.System()) == "" {
					t.Errorf("%s: changed by %s, who has no account there", tk.Key, o.People[c.actor].Email)
				}
			}
			if tk.Parent != nil && !ids[tk.Parent.ID] {
				t.Errorf("%s: its parent is not there", tk.Key)
			}
			if area := o.Area(tk); area != nil && area.Queue != o.Queue(tk) {
				t.Errorf("%s is in %s, its area in %s", tk.Key, o.Queue(tk).Name, area.Queue.Name)
			}
		}
	}
}

func (p *Person) account(s System) string {
	if s == Jira {
		return p.JiraName
	}
	return p.ServiceNow
}

func holderIsThere(t *testing.T, o *Organisation, tk *Ticket, h Holding) {
	t.Helper()
	if h.Person.Role == Bot {
		return
	}
	member := false
	for _, m := range h.Queue.Team.Members {
		after := m.To.IsZero() || !h.From.After(m.To)
		if m.Person == h.Person && !h.From.Before(m.From) && after {
			member = true
			if !m.To.IsZero() && h.To.IsZero() && !tk.Phase().Done() {
				t.Errorf("%s is still with %s, who left", tk.Key, h.Person.Email)
			}
		}
	}
	if !member {
		t.Errorf("%s was given on %s in %s to %s of another team", tk.Key, h.From, h.Queue.Name, h.Person.Email)
	}
	if h.Person.account(tk.System()) == "" {
		t.Errorf("%s is with %s, who has no account there", tk.Key, h.Person.Email)
	}
}

// The nasty things of real histories are all there, so that what reads them is
// tried on each.
func TestNastyThingsOccur(t *testing.T) {
	o := Generate(1, testNow, Options{Tickets: 12_000})
	seen := map[string]int{}
	for _, tk := range o.Tickets {
		system := tk.System().String()
		if tk.first.assignee != none {
			seen[system+": assignee set at creation"]++
			if len(tk.changes) > 0 && tk.changes[0].field != fieldAssignee && o.Holdings(tk)[0].To.IsZero() {
				seen[system+": assignee set at creation, never changed"]++
			}
		}
		comments := 0
		for _, a := range tk.acts {
			if !a.worklog {
				comments++
			}
		}
		if comments > 20 {
			seen[system+": more comments than are embedded"]++
		}
		if len(tk.keys) > 1 {
			seen["jira: moved between projects"]++
		}
		if p := o.Assignee(tk); p != nil && p.Deleted {
			seen[system+": last with someone deleted"]++
		} else if p != nil && !p.Left.IsZero() {
			seen[system+": last with someone who left"]++
		}
		for i, c := range tk.changes {
			if c.silent {
				seen[system+": unassigned without a trace"]++
			}
			if c.actor == none && !c.silent {
				seen[system+": changed by nobody"]++
			}
			if c.field == fieldAssignee && c.to == none && i+1 < len(tk.changes) {
				seen[system+": unassigned in between"]++
			}
			if i > 0 && tk.changes[i-1].field == c.field && tk.changes[i-1].from == c.to && c.at-tk.changes[i-1].at < second {
				seen[system+": back and forth within a second"]++
			}
			if c.actor != none && o.People[c.actor].Role == Bot {
				seen[system+": changed by a bot"]++
			}
		}
	}
	for _, want := range []string{
		"servicenow: assignee set at creation", "jira: assignee set at creation",
		"servicenow: assignee set at creation, never changed", "jira: assignee set at creation, never changed",
		"servicenow: more comments than are embedded", "jira: more comments than are embedded",
		"jira: moved between projects", "servicenow: last with someone deleted", "jira: last with someone deleted",
		"servicenow: last with someone who left", "jira: last with someone who left",
		"servicenow: unassigned without a trace", "jira: unassigned without a trace", "jira: changed by nobody",
		"servicenow: unassigned in between", "jira: unassigned in between",
		"servicenow: back and forth within a second", "jira: back and forth within a second",
		"servicenow: changed by a bot",
	} {
		if seen[want] == 0 {
			t.Errorf("nowhere: %s", want)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Generate(1, testNow, Options{})
	}
}
