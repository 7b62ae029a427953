package report

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"fairlead/analysis"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/roster"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

// large is a year of 60,000 tickets of 500 engineers in 40 teams, in 300 areas, with
// a roster.
func large(b *testing.B) *clickhouse.DB {
	b.Helper()
	const people, teams, areas, tickets = 500, 40, 300, 60_000
	ctx := context.Background()
	db := clickhousetest.New(b)
	var terms []ticket.Term
	for id, category := range map[string]string{"todo": "todo", "work": "in_progress", "done": "done"} {
		terms = append(terms, ticket.Term{Source: "snow", Field: ticket.FieldStatus, ID: id, Name: id, Value: category})
	}
	var accounts []ticket.Account
	var yaml strings.Builder
	fmt.Fprintln(&yaml, "defaults: {zone: UTC, hours: mon-fri 09:00-17:00}\npeople:")
	for i := range people {
		accounts = append(accounts, ticket.Account{Source: "snow", ID: fmt.Sprint("p", i), Name: fmt.Sprint("Person ", i), Email: fmt.Sprintf("p%d@example.com", i), Active: true})
		fmt.Fprintf(&yaml, "  p%d: {name: Person %d, email: p%d@example.com}\n", i, i, i)
	}
	fmt.Fprintln(&yaml, "teams:")
	for g := range teams {
		var members []string
		for i := g; i < people; i += teams {
			members = append(members, fmt.Sprint("p", i))
		}
		fmt.Fprintf(&yaml, "  Team %d: {queues: [{source: snow, queue: g%d}], members: [%s]}\n", g, g, strings.Join(members, ", "))
	}
	r, err := roster.Parse(roster.File{Name: "roster.yaml", Text: []byte(yaml.String())})
	if err != nil {
		b.Fatal(err)
	}
	for _, err := range []error{db.WriteAccounts(ctx, accounts), db.WriteTerms(ctx, terms), db.WriteRoster(ctx, r)} {
		if err != nil {
			b.Fatal(err)
		}
	}
	begin := time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)
	var records []ticket.Record
	for i := range tickets {
		at := begin.Add(365 * 24 * time.Hour / tickets * time.Duration(i))
		group := i % teams
		actor := fmt.Sprint("p", (group+teams*((i*i/97)%(people/teams)))%people)
		one := ticket.Ticket{
			Source: "snow", ID: fmt.Sprint(i), Key: fmt.Sprint("INC", i), Created: at, HistoryComplete: true,
			Group: fmt.Sprint("g", group), Kind: "k", Areas: []string{fmt.Sprint("area ", (group*7+i/teams%8)%areas)}, Assignee: actor, Status: "done",
		}
		for seq, c := range []struct {
			after    time.Duration
			field    ticket.Field
			from, to string
		}{{time.Hour, ticket.FieldAssignee, "", actor}, {2 * time.Hour, ticket.FieldStatus, "todo", "work"}, {time.Duration(20+i%200) * time.Hour, ticket.FieldStatus, "work", "done"}} {
			one.Changes = append(one.Changes, ticket.Change{At: at.Add(c.after), Seq: uint32(seq + 1), Field: c.field, From: c.from, To: c.to, Actor: actor})
			one.Updated = at.Add(c.after)
		}
		record := timeline.Derive(one)
		record.Version = 1
		if records = append(records, record); len(records) == 5_000 || i == tickets-1 {
			if err := db.WriteTickets(ctx, records); err != nil {
				b.Fatal(err)
			}
			records = records[:0]
		}
	}
	return db
}

// BenchmarkReport is a quarter's report from the stored histories, and the forms of
// it by themselves.
func BenchmarkReport(b *testing.B) {
	db := large(b)
	engine := analysis.New(db, analysis.Options{Key: testKey})
	window, err := analysis.ParseWindow("2026Q2")
	if err != nil {
		b.Fatal(err)
	}
	asOf := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	var q *analysis.Quarter
	b.Run("quarter", func(b *testing.B) {
		for b.Loop() {
			if q, err = engine.Quarter(context.Background(), window, asOf); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, f := range []Format{HTML, CSV, JSON} {
		b.Run(string(f), func(b *testing.B) {
			for b.Loop() {
				r := made(b, q, Options{Audience: Group})
				if len(r.Workload.Teams) != 40 || len(r.Knowledge.Areas) < 250 {
					b.Fatalf("%d teams, %d areas", len(r.Workload.Teams), len(r.Knowledge.Areas))
				}
				if err := r.Write(io.Discard, f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
