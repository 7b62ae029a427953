package analysis

import (
	"context"
	"testing"

	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

// What an analysis reads changes its mark; reading it, and writing it again as it
// was, do not.
func TestMark(t *testing.T) {
	ctx := context.Background()
	db := warehouse(t)
	e := engine(db)
	mark := func() string {
		t.Helper()
		m, err := e.Mark(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	version := uint64(1)
	write := func(w *written) {
		t.Helper()
		r := timeline.Derive(w.Ticket)
		version++
		r.Version = version
		if err := db.WriteTickets(ctx, []ticket.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	one := opened("1", 0).give(0, "u1")
	effort := 3.0
	seen := map[string]string{mark(): "nothing"}
	for _, change := range []struct {
		what string
		do   func()
	}{
		{"a ticket", func() { write(one) }},
		{"another", func() { write(opened("2", 0).give(0, "u1")) }},
		{"an effort", func() { one.Effort = &effort; write(one) }},
		{"a change that updated nothing", func() { one.Changes[0].At = day(0.5); write(one) }},
		{"a deletion", func() { one.Deleted = day(2); write(one) }},
		{"an account", func() {
			if err := db.WriteAccounts(ctx, []ticket.Account{{Source: "snow", ID: "new", Name: "New"}}); err != nil {
				t.Fatal(err)
			}
		}},
		{"a term", func() {
			if err := db.WriteTerms(ctx, []ticket.Term{{Source: "snow", Field: ticket.FieldStatus, ID: "99", Name: "Odd", Value: "done"}}); err != nil {
				t.Fatal(err)
			}
		}},
		{"a roster", func() { staff(t, db, plainStaff()) }},
	} {
		change.do()
		m := mark()
		if before := seen[m]; before != "" {
			t.Errorf("after %s the mark is that of %s", change.what, before)
		}
		seen[m] = change.what
		if _, err := e.Snapshot(ctx, day(3)); err != nil {
			t.Fatal(err)
		}
		write(one) // as it was
		if mark() != m {
			t.Errorf("after %s the mark changed by itself", change.what)
		}
	}
}
