package collector_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"runtime"
	"strconv"
	"testing"
	"time"

	"fairlead/collector"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/rest"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// BenchmarkCollect is a first collection of about 20,000 generated tickets from a
// fake on the loopback, which runs in the same process, into the embedded engine.
func BenchmarkCollect(b *testing.B) {
	year := time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return year.Add(time.Hour) }
	transport := func(name string) http.RoundTripper { return rest.New(name, rest.DefaultConfig(), nil, nil, nil) }
	serve := func(b *testing.B, h http.Handler) string {
		s, err := sandbox.Serve(h)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		return s.URL
	}
	collect := func(b *testing.B, connect func() (source.Source, error)) {
		stored := uint64(0)
		for b.Loop() {
			b.StopTimer()
			db := clickhousetest.New(b)
			src, err := connect()
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			if err := collector.New(collector.DefaultConfig(), src, db, nil, nil, nil).Once(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			tally, err := db.Tally(b.Context(), src.Name())
			if err != nil || tally.Tickets < 18_000 {
				b.Fatalf("%d tickets are stored, %v", tally.Tickets, err)
			}
			stored += tally.Tickets
			b.StartTimer()
		}
		b.ReportMetric(float64(stored)/b.Elapsed().Seconds(), "tickets/s")
	}
	for _, flavour := range []jiratest.Flavour{jiratest.Cloud, jiratest.DataCenter} {
		b.Run("jira-"+string(flavour), func(b *testing.B) {
			in, err := sandbox.Generate(1, year, sandbox.Options{Tickets: 100_000}).Jira(jiratest.Options{Flavour: flavour, Clock: clock})
			if err != nil {
				b.Fatal(err)
			}
			url := serve(b, in)
			collect(b, func() (source.Source, error) {
				cfg := jira.DefaultConfig()
				cfg.URL, cfg.Flavour, cfg.Token = url, jira.Flavour(flavour), "token"
				if flavour == jiratest.Cloud {
					cfg.Email = "fairlead@example.test"
				}
				return jira.New(cfg, jira.Options{Name: "jira", Transport: transport("jira"), Clock: clock})
			})
		})
	}
	b.Run("servicenow", func(b *testing.B) {
		url := serve(b, sandbox.Generate(1, year, sandbox.Options{Tickets: 25_000}).ServiceNow(servicenowtest.Options{Clock: clock}).Handler())
		collect(b, func() (source.Source, error) {
			cfg := servicenow.DefaultConfig()
			cfg.URL, cfg.Username, cfg.Password = url, "fairlead", "fairlead"
			cfg.Tables = []servicenow.Table{{Name: "incident"}, {Name: "sc_task"}, {Name: "change_request"}, {Name: "problem"}}
			return servicenow.New(cfg, servicenow.Options{Name: "snow", Transport: transport("snow"), Clock: clock})
		})
	})
}

// endless is a source that makes up its tickets page by page, and can list them.
type endless struct {
	tickets int
	each    func() // a page
}

const endlessPage = 1000

func (e *endless) Name() string { return "endless" }

func (e *endless) Now(context.Context) (time.Time, error) { return epoch, nil }

func (e *endless) Pages(_ context.Context, stream source.Stream, from source.Cursor) iter.Seq2[source.Page, error] {
	return func(yield func(source.Page, error) bool) {
		if stream != source.StreamOpen {
			return
		}
		for n := 0; n < e.tickets; n += endlessPage {
			p := source.Page{Sent: time.Now(), Remaining: e.tickets - n - endlessPage}
			for i := range endlessPage {
				p.Tickets = append(p.Tickets, e.ticket(n+i))
			}
			for i := range 200 {
				p.Accounts = append(p.Accounts, ticket.Account{Source: e.Name(), ID: e.account(i), Name: "Somebody", Active: true})
			}
			last := p.Tickets[endlessPage-1]
			p.Next = source.Cursor{Start: from.Start, Updated: last.Updated, ID: last.ID}
			e.each()
			if !yield(p, nil) {
				return
			}
		}
	}
}

func (e *endless) account(i int) string { return "account-" + strconv.Itoa(i%200) }

// ticket has a history of three changes of assignee and two of status.
func (e *endless) ticket(n int) ticket.Ticket {
	at := epoch.Add(-time.Duration(e.tickets-n) * time.Minute)
	t := ticket.Ticket{Source: e.Name(), ID: fmt.Sprintf("%032d", n), Key: "INC" + strconv.Itoa(n), Created: at.Add(-time.Hour), Updated: at,
		Status: "2", Assignee: e.account(n + 3), Group: "net", Kind: "incident", Priority: "3", HistoryComplete: true}
	for i := range 3 {
		t.Changes = append(t.Changes, ticket.Change{At: at.Add(time.Duration(i-4) * time.Minute), Seq: uint32(i + 1), Field: ticket.FieldAssignee,
			From: e.account(n + i), To: e.account(n + i + 1), Actor: e.account(n)})
	}
	t.Changes = append(t.Changes, ticket.Change{At: at, Seq: 4, Field: ticket.FieldStatus, From: "1", To: "2", Actor: e.account(n)})
	return t
}

func (e *endless) IDs(context.Context) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for n := 0; n < e.tickets; n += endlessPage {
			ids := make([]string, endlessPage)
			for i := range ids {
				ids[i] = fmt.Sprintf("%032d", n+i)
			}
			e.each()
			if !yield(ids, nil) {
				return
			}
		}
	}
}

func (e *endless) ByID(_ context.Context, ids []string) (source.Page, error) {
	return source.Page{}, fmt.Errorf("%d tickets are missing", len(ids))
}

func (e *endless) Check(context.Context) (source.Report, error) { return source.Report{}, nil }

// forgetful is a warehouse that keeps nothing but checkpoints, and finds that no
// ticket is missing.
type forgetful struct{ *memoryStore }

func (forgetful) WriteTickets(context.Context, []ticket.Record) error { return nil }

func (forgetful) NoteListed(context.Context, string, uint64, []string) error { return nil }

func (forgetful) StoredUpdates(context.Context, string, []string) (map[string]time.Time, error) {
	return nil, nil
}

// live is the greatest number of bytes in use while so many tickets are collected
// and then swept: what the garbage collector finds reachable, at every so many
// pages.
func live(t testing.TB, tickets int, store collector.Store) uint64 {
	t.Helper()
	var most uint64
	pages := 0
	src := &endless{tickets: tickets, each: func() {
		if pages++; pages%10 == 0 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
	}}
	cfg := collector.DefaultConfig()
	cfg.SweepInterval = time.Nanosecond
	if err := collector.New(cfg, src, store, nil, nil, nil).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := 2 * tickets / endlessPage; pages != want {
		t.Fatalf("%d pages were read, want %d", pages, want)
	}
	return most
}

// TestMemoryDoesNotGrow with the number of tickets.
func TestMemoryDoesNotGrow(t *testing.T) {
	few := live(t, 10_000, forgetful{newMemoryStore()})
	many := live(t, 150_000, forgetful{newMemoryStore()})
	if many > few+few/2+2<<20 {
		t.Errorf("10,000 tickets take %d KiB, and 150,000 take %d KiB", few>>10, many>>10)
	}
}

// BenchmarkMemory collects and sweeps 10,000 and 1,000,000 tickets into the
// embedded engine. live-KiB is the most that is in use in this process.
func BenchmarkMemory(b *testing.B) {
	for _, tickets := range []int{10_000, 1_000_000} {
		b.Run(strconv.Itoa(tickets), func(b *testing.B) {
			var most uint64
			for b.Loop() {
				most = max(most, live(b, tickets, clickhousetest.New(b)))
			}
			b.ReportMetric(float64(most>>10), "live-KiB")
			b.ReportMetric(float64(tickets*b.N)/b.Elapsed().Seconds(), "tickets/s")
		})
	}
}
