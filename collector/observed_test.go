package collector_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/collector"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// TestWhatIsObserved: of a source that keeps no record of changes, each poll sees
// what changed since the one before, also by another process; the overlap of a poll,
// and a collection from the beginning, add nothing. It is the real warehouse, which
// keeps no account.
func TestWhatIsObserved(t *testing.T) {
	db := clickhousetest.New(t)
	look := one("1", 0)
	look.HistoryComplete, look.IncompleteReason = false, "observed only"
	look.Observed = []ticket.Field{ticket.FieldAssignee, ticket.FieldStatus}
	src := &scripted{pages: map[source.Stream][]source.Page{}, live: map[string]ticket.Ticket{}, overlap: true}
	src.pages[source.StreamOpen] = []source.Page{page(0, look)}
	poll := func() {
		t.Helper()
		if err := collector.New(collector.DefaultConfig(), src, db, nil, nil, nil).Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	change := func(seconds int, assignee, status string) {
		t.Helper()
		look.Updated, look.Assignee, look.Status = epoch.Add(time.Duration(seconds)*time.Second), assignee, status
		src.pages[source.StreamIncremental] = []source.Page{page(0, look)}
		poll()
	}
	poll()
	change(60, "bob", "1")
	change(60, "bob", "1")
	change(120, "", "2")
	change(180, "ann", "2")
	src.pages[source.StreamOpen] = []source.Page{page(0, look)}
	poll()

	histories, err := db.Histories(t.Context(), "snow", []string{"1", "2"})
	if err != nil {
		t.Fatal(err)
	}
	name := func(reference string) string {
		for _, account := range []string{"ann", "bob"} {
			if db.Reference("snow", account) == reference {
				return account
			}
		}
		return reference
	}
	stored := histories["1"]
	if len(histories) != 1 || stored.Status != "2" || name(stored.Assignee) != "ann" {
		t.Errorf("stored %+v", histories)
	}
	var got []string
	for _, c := range stored.Changes {
		got = append(got, fmt.Sprintf("%d %d %s %s>%s", int(c.At.Sub(epoch).Seconds()), c.Seq, c.Field, name(c.From), name(c.To)))
	}
	want := []string{"60 1 assignee ann>bob", "120 2 assignee bob>", "120 2 status 1>2", "180 3 assignee >ann"}
	if !slices.Equal(got, want) {
		t.Errorf("the changes are\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestObservedIsKnown: what the overlap of a poll brings again as it was is not
// written again, though what is stored of it is more than what came.
func TestObservedIsKnown(t *testing.T) {
	store := newMemoryStore()
	look := one("1", 0)
	look.Observed = []ticket.Field{ticket.FieldAssignee}
	src := small()
	src.overlap = true
	src.pages[source.StreamIncremental] = []source.Page{page(0, look)}
	c := collector.New(collector.DefaultConfig(), src, store, nil, nil, nil)
	once := func() int {
		t.Helper()
		store.told = nil
		if err := c.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, what := range store.told {
			if strings.HasPrefix(what, "tickets [1]") {
				n++
			}
		}
		return n
	}
	once()
	look.Updated, look.Assignee = epoch.Add(time.Minute), "bob"
	src.pages[source.StreamIncremental] = []source.Page{page(0, look)}
	if n := once(); n != 1 {
		t.Errorf("a ticket that changed was written %d times", n)
	}
	if n := once(); n != 0 {
		t.Errorf("a ticket that did not change was written %d times", n)
	}
	if changes := store.records["1"].Changes; len(changes) != 1 || changes[0].From != "ann" || changes[0].To != "bob" {
		t.Errorf("its changes are %+v", changes)
	}
}
