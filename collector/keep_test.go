package collector_test

import (
	"slices"
	"testing"
	"time"

	"fairlead/collector"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// TestWhatIsTooOldIsNotBroughtBack: neither by a poll nor by a first collection,
// while what is open, or was changed lately, or is stored, is.
func TestWhatIsTooOldIsNotBroughtBack(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	long, lately := now.AddDate(-3, 0, 0), now.AddDate(0, -1, 0)
	made := func(id, status string, closed time.Time) ticket.Ticket {
		return ticket.Ticket{Source: "snow", ID: id, Key: id, Created: long, Updated: now, Status: status, HistoryComplete: true,
			Changes: []ticket.Change{{At: closed, Seq: 1, Field: ticket.FieldStatus, From: "1", To: status}}}
	}
	spoken := made("spoken-of", "6", long)
	spoken.Contributions = []ticket.Contribution{{At: lately, Actor: "ann", Act: ticket.ActComment}}
	tickets := []ticket.Ticket{made("too-old", "6", long), made("open", "1", long), made("closed-lately", "6", lately), spoken, made("unknown", "9", long)}
	src := func(stream source.Stream) *scripted {
		p := source.Page{Tickets: tickets, Next: source.Cursor{Updated: now, ID: "z"}, Terms: []ticket.Term{
			{Source: "snow", Field: ticket.FieldStatus, ID: "1", Name: "New", Value: string(ticket.CategoryTodo)},
			{Source: "snow", Field: ticket.FieldStatus, ID: "6", Name: "Closed", Value: string(ticket.CategoryDone)}}}
		return &scripted{pages: map[source.Stream][]source.Page{stream: {p}}, live: map[string]ticket.Ticket{}}
	}
	cfg := collector.DefaultConfig()
	want := []string{"closed-lately", "open", "spoken-of", "unknown"}
	for _, stream := range []source.Stream{source.StreamOlder, source.StreamIncremental} {
		for keep, want := range map[time.Duration][]string{365 * 24 * time.Hour: want, 0: append(slices.Clone(want), "too-old")} {
			cfg.Keep = keep
			store := newMemoryStore()
			for range 2 {
				if err := collector.New(cfg, src(stream), store, nil, nil, nil).Once(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			var stored []string
			for _, r := range store.records {
				stored = append(stored, r.ID)
			}
			slices.Sort(stored)
			slices.Sort(want)
			if !slices.Equal(stored, want) {
				t.Errorf("%s, kept for %s: stored are %q, want %q", stream, keep, stored, want)
			}
		}
	}

	// One that is stored is true until it is deleted.
	store := newMemoryStore()
	cfg.Keep = 0
	if err := collector.New(cfg, src(source.StreamOlder), store, nil, nil, nil).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	tickets[0].Priority = "2"
	cfg.Keep = 365 * 24 * time.Hour
	if err := collector.New(cfg, src(source.StreamIncremental), store, nil, nil, nil).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, r := range store.records {
		if r.ID == "too-old" && r.Priority != "2" {
			t.Error("what is stored and too old was not brought up to date")
		}
	}
}
