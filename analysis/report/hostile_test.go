package report

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/roster"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

// Names as somebody might give them who wants a reader's browser, spreadsheet or
// eye to go wrong.
var hostileNames = []string{
	`<script>alert("x")</script>`, `=cmd|'/C calc'!A0`, strings.Repeat("long ", 2_000), "\u202e\u2066gro.elpmaxe\u2069", `"><img src=x onerror=alert(1)>`,
	`'; DROP TABLE tickets; --`, "+1+1", "@SUM(A1:A9)", "</style></svg><script>1</script>", "{{.Secret}}", "\x00\x1b[31mred", "a\nb\tc,\"d\"",
	"javascript:alert(1)", "&lt;b&gt;", "-2+3", "שלום עולם", "\ufeffbom", "%00", "${jndi:ldap://x}", "]]><x>",
}

// hostile is three teams of six, and one of two, with such names for teams, areas,
// people and tickets.
func hostile(t testing.TB) *clickhouse.DB {
	t.Helper()
	ctx := context.Background()
	db := clickhousetest.New(t)
	name := func(i int) string { return hostileNames[i%len(hostileNames)] }
	var terms []ticket.Term
	var accounts []ticket.Account
	for _, s := range []struct{ id, category string }{{"todo", "todo"}, {"work", "in_progress"}, {"done", "done"}} {
		terms = append(terms, ticket.Term{Source: "snow", Field: ticket.FieldStatus, ID: s.id, Name: s.id, Value: s.category})
	}
	terms = append(terms, ticket.Term{Source: "snow", Field: ticket.FieldKind, ID: "k", Name: "Incident", Value: "incident"})
	for i := range 20 {
		accounts = append(accounts, ticket.Account{Source: "snow", ID: fmt.Sprint("p", i), Name: name(i), Email: fmt.Sprintf("p%d@example.com", i), Active: true})
	}
	for g := range 4 {
		terms = append(terms, ticket.Term{Source: "snow", Field: ticket.FieldGroup, ID: fmt.Sprint("g", g), Name: name(g)})
		for a := range 5 {
			terms = append(terms, ticket.Term{Source: "snow", Field: ticket.FieldArea, ID: fmt.Sprint("a", g, a), Name: name(g*5 + a)})
		}
	}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var records []ticket.Record
	for i := range 1_800 {
		g := i % 4
		at := begin.Add(time.Duration(i) * 3 * time.Hour)
		who := g*6 + (i*i/7)%6
		if g == 3 {
			who = 18 + i/4%2
		}
		actor := fmt.Sprint("p", who)
		one := ticket.Ticket{
			Source: "snow", ID: fmt.Sprint(i), Key: name(i) + fmt.Sprint(i), Created: at, Updated: at, HistoryComplete: true,
			Status: "todo", Group: fmt.Sprint("g", g), Kind: "k", Areas: []string{fmt.Sprint("a", g, min(4, i/4%9))},
		}
		change := func(after time.Duration, f ticket.Field, from, to string) {
			one.Changes = append(one.Changes, ticket.Change{At: at.Add(after), Seq: uint32(len(one.Changes) + 1), Field: f, From: from, To: to, Actor: actor})
			one.Updated = at.Add(after)
		}
		change(time.Hour, ticket.FieldAssignee, "", actor)
		change(2*time.Hour, ticket.FieldStatus, "todo", "work")
		one.Assignee, one.Status = actor, "work"
		if i%11 != 0 {
			change(time.Duration(30+i%50)*time.Hour, ticket.FieldStatus, "work", "done")
			one.Status = "done"
		}
		r := timeline.Derive(one)
		r.Version = 1
		records = append(records, r)
	}
	for _, err := range []error{db.WriteAccounts(ctx, accounts), db.WriteTerms(ctx, terms), db.WriteTickets(ctx, records)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func TestHostileNames(t *testing.T) {
	db := hostile(t)
	asOf := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	for _, rostered := range []bool{false, true} {
		if rostered {
			var yaml strings.Builder
			fmt.Fprintln(&yaml, "defaults: {zone: UTC, hours: mon-fri 09:00-17:00}\npeople:")
			for i := range 20 {
				fmt.Fprintf(&yaml, "  p%d: {name: %q, email: p%d@example.com}\n", i, "<b>=p"+fmt.Sprint(i), i)
			}
			fmt.Fprintln(&yaml, "teams:")
			for g := range 3 {
				fmt.Fprintf(&yaml, "  %q: {queues: [{source: snow, queue: g%d}], members: [p%d, p%d, p%d, p%d, p%d, p%d]}\n", `=<script>"team`+fmt.Sprint(g), g, g*6, g*6+1, g*6+2, g*6+3, g*6+4, g*6+5)
			}
			r, err := roster.Parse(roster.File{Name: "roster.yaml", Text: []byte(yaml.String())})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.WriteRoster(context.Background(), r); err != nil {
				t.Fatal(err)
			}
		}
		q := quarter(t, db, "2026Q2", asOf)
		group := made(t, q, Options{Audience: Group})
		if len(group.Workload.Teams) != 2 || group.Workload.Withheld != 2 {
			// The team of two is hidden, and one of six with it.
			t.Errorf("%d teams are shown and %d not, want 2 and 2", len(group.Workload.Teams), group.Workload.Withheld)
		}
		if len(group.Knowledge.Areas) == 0 || len(group.Rebalancing.Teams) == 0 {
			t.Error("nothing of areas or rebalancing is shown: the test looks at nothing")
		}
		team := ""
		for _, g := range q.Teams {
			if strings.Contains(g.Team, "<script>") {
				team = g.Team
			}
		}
		reports := []*Report{group, made(t, q, Options{Audience: Lead, Teams: []string{team}, Names: true})}
		for _, p := range q.All.Parts {
			reports = append(reports, made(t, q, Options{Audience: Self, Engineer: p.Pseudonym, Names: true}))
			if len(reports) == 5 {
				break
			}
		}
		for _, r := range reports {
			harmless(t, r)
		}
	}
}

// harmless looks at all forms of a report.
func harmless(t *testing.T, r *Report) {
	t.Helper()
	page, document, rows := written(t, r, HTML), written(t, r, JSON), written(t, r, CSV)
	for _, text := range []string{page, document, rows} {
		for _, bad := range []string{"\u202e", "\u2066", "\x00", "\x1b", "\ufeff", strings.Repeat("long ", 20), "@example.com"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s: there is %q in it", r.Audience, bad)
			}
		}
	}
	valid(t, []byte(document))
	var anything map[string]any
	if err := json.Unmarshal([]byte(document), &anything); err != nil {
		t.Error(err)
	}
	if strings.ContainsAny(document, "<>") {
		t.Errorf("%s: the JSON form has a bracket of HTML in it", r.Audience)
	}

	// Only the elements that the template has, and their attributes.
	allowed := map[string]bool{}
	for _, e := range strings.Fields(`html head meta title style body header h1 h2 h3 p nav ol li a main section ul dl dt dd strong code sub bdi
		table caption thead tbody tr th td figure figcaption div details summary svg desc g path text rect circle polyline polygon defs pattern`) {
		allowed[e] = true
	}
	body := strings.NewReplacer("<!doctype html>", "", `<meta charset="utf-8">`, "", `<meta name="viewport" content="width=device-width, initial-scale=1">`, "",
		`<meta name="robots" content="noindex">`, "", `<meta name="referrer" content="no-referrer">`, "").Replace(page)
	d := xml.NewDecoder(strings.NewReader(body))
	d.Entity = xml.HTMLEntity
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: the page is not well formed: %v", r.Audience, err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !allowed[e.Name.Local] {
			t.Errorf("%s: the page has an element %s", r.Audience, e.Name.Local)
		}
		for _, a := range e.Attr {
			if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "src" || a.Name.Local == "style" || a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#") {
				t.Errorf("%s: the page has %s=%q", r.Audience, a.Name.Local, a.Value)
			}
		}
	}

	table, err := csv.NewReader(strings.NewReader(rows)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range table[1:] {
		for i, c := range row {
			if c == "" || i == 7 && !strings.ContainsAny(c, "abcdfghijklmnopqrstuvwxyz'\"(") {
				continue // a number may be negative
			}
			if strings.ContainsRune("=+-@|%", []rune(strings.TrimSpace(c))[0]) {
				t.Errorf("%s: a cell begins %q", r.Audience, c)
			}
		}
	}
}
