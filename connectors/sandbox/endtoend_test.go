package sandbox_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/rest"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"

	"github.com/prometheus/client_golang/prometheus"
)

// What was generated is served by the fakes, collected by the connectors and
// made into intervals by timeline; then it must equal the generator's own
// ledger, which took none of these ways.

var endOfYear = time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)

func generate() *sandbox.Organisation {
	return sandbox.Generate(11, endOfYear, sandbox.Options{Tickets: 4_000})
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s, err := sandbox.Serve(h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.URL
}

func transport(name string) http.RoundTripper {
	return rest.New(name, rest.DefaultConfig(), nil, rest.NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
}

func TestServiceNowEndToEnd(t *testing.T) {
	o := generate()
	cfg := servicenow.DefaultConfig()
	cfg.URL = serve(t, o.ServiceNow(servicenowtest.Options{}).Handler())
	cfg.Username, cfg.Password = "fairlead", "fairlead"
	cfg.Tables = []servicenow.Table{{Name: "incident"}, {Name: "sc_task"}, {Name: "change_request"}, {Name: "problem"}}
	src, err := servicenow.New(cfg, servicenow.Options{Name: "now", Transport: transport("now"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, o, src, ledger{o: o, system: sandbox.ServiceNow})
}

// collection is all that a first collection and a poll bring.
type collection struct {
	tickets  map[string]ticket.Ticket
	accounts map[string]ticket.Account
	terms    map[string]ticket.Term
	again    int
}

func collect(t *testing.T, src source.Source) collection {
	t.Helper()
	c := collection{map[string]ticket.Ticket{}, map[string]ticket.Account{}, map[string]ticket.Term{}, 0}
	start, err := src.Now(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, stream := range []source.Stream{source.StreamOpen, source.StreamRecent, source.StreamOlder, source.StreamIncremental} {
		cursor := source.Cursor{Start: start}
		if stream == source.StreamIncremental {
			cursor.Updated = endOfYear.Add(-12 * time.Hour)
		}
		for page, err := range src.Pages(context.Background(), stream, cursor) {
			if err != nil {
				t.Fatalf("%s: %v", stream, err)
			}
			for _, tk := range page.Tickets {
				if _, ok := c.tickets[tk.ID]; ok && stream != source.StreamIncremental {
					c.again++
				}
				c.tickets[tk.ID] = tk
			}
			for _, a := range page.Accounts {
				c.accounts[a.ID] = a
			}
			for _, term := range page.Terms {
				c.terms[string(term.Field)+" "+term.ID] = term
			}
			for _, s := range page.Skipped {
				t.Errorf("%s was skipped: %s", s.ID, s.Reason)
			}
		}
	}
	return c
}

// ledger is the generator's account of a system, in the connector's words.
type ledger struct {
	o       *sandbox.Organisation
	system  sandbox.System
	flavour jiratest.Flavour
}

func (l ledger) account(p *sandbox.Person) string {
	if p == nil {
		return ""
	}
	return p.Account(l.system, l.flavour)
}

func compare(t *testing.T, o *sandbox.Organisation, src source.Source, l ledger) {
	c := collect(t, src)
	if c.again > 0 {
		t.Errorf("%d tickets came in two backfill streams", c.again)
	}
	want := 0
	faults := faultList{t: t}
	for _, tk := range o.Tickets {
		if tk.System() != l.system {
			continue
		}
		want++
		got, ok := c.tickets[tk.ID]
		if !ok {
			faults.add("%s was not collected", tk.Key)
			continue
		}
		rec := timeline.Derive(got)
		faults.equal(tk.Key, "key", got.Key, tk.Key)
		faults.equal(tk.Key, "assignee", got.Assignee, l.account(o.Assignee(tk)))
		faults.equal(tk.Key, "created", got.Created, tk.Created)
		faults.equal(tk.Key, "updated", got.Updated, tk.Updated)
		faults.equal(tk.Key, "why the history is not complete", got.IncompleteReason, "")
		faults.equal(tk.Key, "history complete", got.HistoryComplete, true)
		faults.equal(tk.Key, "assignments", assignments(rec), l.assignments(tk))
		faults.equal(tk.Key, "unrecorded", int(rec.Unrecorded), tk.Silent())
		for _, f := range []ticket.Field{
			ticket.FieldStatus, ticket.FieldGroup, ticket.FieldArea, ticket.FieldPriority, ticket.FieldKind, ticket.FieldEffort,
		} {
			faults.equal(tk.Key, string(f), spells(rec, f), l.spells(tk, f))
		}
		if l.system == sandbox.Jira {
			comments, worklogs := tk.Acts()
			faults.equal(tk.Key, "contributions", contributions(got), fmt.Sprint(comments, worklogs))
			parent := ""
			if tk.Parent != nil {
				parent = tk.Parent.ID
			}
			faults.equal(tk.Key, "parent", got.Parent, parent)
		}
	}
	if len(c.tickets) != want {
		faults.add("%d tickets were collected, want %d", len(c.tickets), want)
	}
	faults.report()
	l.people(t, c)
	l.meanings(t, c)
}

// faultList reports the first few of many faults of a kind, and how many.
type faultList struct {
	t     *testing.T
	count map[string]int
}

func (f *faultList) add(format string, args ...any) {
	if f.count == nil {
		f.count = map[string]int{}
	}
	f.count[format]++
	if f.count[format] <= 3 {
		f.t.Errorf(format, args...)
	}
}

func (f *faultList) equal(key, what string, got, want any) {
	if got != want {
		f.add("%s: "+what+"\n got %v\nwant %v", key, got, want)
	}
}

func (f *faultList) report() {
	for format, n := range f.count {
		if n > 3 {
			f.t.Errorf("%d times: %s", n, format)
		}
	}
}

func span(from, to time.Time) string {
	end := "-"
	if !to.IsZero() {
		end = to.UTC().Format("2006-01-02T15:04:05.000")
	}
	return from.UTC().Format("2006-01-02T15:04:05.000") + "/" + end
}

func assignments(r ticket.Record) string {
	s := ""
	for _, a := range r.Assignments {
		s += fmt.Sprintf("%s in %s %s; ", a.Actor, a.Group, span(a.From, a.To))
	}
	return s
}

func (l ledger) assignments(tk *sandbox.Ticket) string {
	s := ""
	for _, h := range l.o.Holdings(tk) {
		s += fmt.Sprintf("%s in %s %s; ", l.account(h.Person), h.Queue.ID, span(h.From, h.To))
	}
	return s
}

func spells(r ticket.Record, f ticket.Field) string {
	var list []string
	for _, sp := range r.Spells {
		if sp.Field == f {
			list = append(list, sp.Value+" "+span(sp.From, sp.To))
		}
	}
	if f == ticket.FieldArea {
		slices.Sort(list)
	}
	return fmt.Sprint(list)
}

// spells is the history of a field as the fakes' loaders tell it.
func (l ledger) spells(tk *sandbox.Ticket, f ticket.Field) string {
	var list []string
	value, from := "", time.Time{}
	end := func(to time.Time) {
		// An area that is none is no spell: the others always have one.
		if f != ticket.FieldArea || value != "" {
			list = append(list, value+" "+span(from, to))
		}
	}
	for n, s := range l.o.States(tk) {
		v := l.value(s, f)
		if n > 0 && v == value {
			continue
		}
		if n > 0 {
			end(s.At)
		}
		value, from = v, s.At
	}
	end(time.Time{})
	if f == ticket.FieldArea {
		slices.Sort(list)
	}
	return fmt.Sprint(list)
}

func (l ledger) value(s sandbox.State, f ticket.Field) string {
	switch f {
	case ticket.FieldStatus:
		return s.Status
	case ticket.FieldGroup:
		return s.Queue.ID
	case ticket.FieldPriority:
		return strconv.Itoa(s.Priority)
	case ticket.FieldKind:
		return s.TypeID
	case ticket.FieldArea:
		switch {
		case s.Area == nil && l.system == sandbox.Jira:
			return "project:" + s.Queue.ID
		case s.Area == nil && s.Category != "":
			return "category:" + s.Category
		case s.Area == nil:
			return ""
		}
		return map[sandbox.AreaKind]string{
			sandbox.AreaCI: "cmdb_ci:", sandbox.AreaService: "business_service:", sandbox.AreaComponent: "component:",
		}[s.Area.Kind] + s.Area.ID
	case ticket.FieldEffort:
		if s.Points > 0 {
			return strconv.FormatFloat(s.Points, 'f', -1, 64)
		}
	}
	return ""
}

func contributions(t ticket.Ticket) string {
	n := map[ticket.Act]int{}
	for _, c := range t.Contributions {
		n[c.Act]++
	}
	return fmt.Sprint(n[ticket.ActComment], n[ticket.ActWorklog])
}

// people checks that whoever holds or held a ticket is described as they are.
func (l ledger) people(t *testing.T, c collection) {
	seen := map[*sandbox.Person]bool{}
	for _, tk := range l.o.Tickets {
		if tk.System() == l.system {
			for _, h := range l.o.Holdings(tk) {
				seen[h.Person] = true
			}
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(seen), func(a, b *sandbox.Person) int { return cmp.Compare(a.Email, b.Email) }) {
		a, ok := c.accounts[l.account(p)]
		switch {
		case p.Deleted:
			if ok && (a.Active || a.Email != "") {
				t.Errorf("%s was deleted, and is described as %+v", p.Email, a)
			}
		case !ok:
			t.Errorf("%s is not described", p.Email)
		default:
			email := p.Email
			if l.system == sandbox.Jira {
				email = p.JiraEmail
			}
			if p.EmailHidden {
				email = ""
			}
			want := ticket.Account{
				Source: a.Source, ID: l.account(p), Name: p.Name, Email: email, Active: p.Left.IsZero(), Bot: p.Role == sandbox.Bot,
			}
			if a != want {
				t.Errorf("%s is described as %+v, want %+v", p.Email, a, want)
			}
		}
	}
}

// meanings checks that ids are called what they are called, and that a status
// means what its phase is.
func (l ledger) meanings(t *testing.T, c collection) {
	for _, q := range l.o.Queues {
		if q.System != l.system {
			continue
		}
		name := q.Name
		if q.System == sandbox.Jira {
			name = q.Key
		}
		if got := c.terms["group "+q.ID].Name; got != name {
			t.Errorf("group %s is called %q, want %q", q.ID, got, name)
		}
		for _, a := range q.Areas {
			kind := map[sandbox.AreaKind]string{
				sandbox.AreaCI: "cmdb_ci:", sandbox.AreaService: "business_service:", sandbox.AreaComponent: "component:",
			}[a.Kind]
			if got := c.terms["area "+kind+a.ID].Name; got != a.Name {
				t.Errorf("area %s is called %q, want %q", kind+a.ID, got, a.Name)
			}
		}
	}
	seen := map[string]bool{}
	for _, tk := range l.o.Tickets {
		if tk.System() != l.system {
			continue
		}
		for _, s := range l.o.States(tk) {
			if seen[s.Status] {
				continue
			}
			seen[s.Status] = true
			// A change that is done waits for its review, and is open until then.
			done := s.Phase.Done() && s.Status != "change_request:0"
			if term := c.terms["status "+s.Status]; term.Value == "" || (term.Value == string(ticket.CategoryDone)) != done {
				t.Errorf("status %s is %+v, done is %t", s.Status, term, done)
			}
		}
	}
}
