package analysis

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/sandbox/sandboxtest"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// TestSameDataSameBytes: a Snapshot of the same tickets, accounts and names is
// the same to the byte, in whatever order and in however many pieces they came.
func TestSameDataSameBytes(t *testing.T) {
	o := sandbox.Generate(6, time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), sandbox.Options{Tickets: 1_000})
	var pages []source.Page
	for _, src := range sandboxtest.Sources(t, o) {
		pages = slices.AppendSeq(pages, sandboxtest.Pages(t, src))
	}
	var texts []string
	for _, shuffled := range []bool{false, true} {
		db := clickhousetest.New(t)
		if shuffled {
			pages = anotherOrder(pages)
		}
		for _, p := range pages {
			sandboxtest.Store(t, db, p)
		}
		staff(t, db, string(o.RosterYAML()))
		texts = append(texts, snapshotText(t, db, o.Now))
	}
	a, b := strings.Split(texts[0], "\n"), strings.Split(texts[1], "\n")
	if len(a) < 1000 {
		t.Fatalf("a Snapshot of %d lines", len(a))
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("line %d is\n%s\nand in another order\n%s", i+1, strings.Join(a[max(0, i-10):i+1], "\n"), b[i])
		}
	}
	if len(a) != len(b) {
		t.Errorf("%d lines, and in another order %d", len(a), len(b))
	}
}

func snapshotText(t *testing.T, db *clickhouse.DB, asOf time.Time) string {
	t.Helper()
	s, err := engine(db).Snapshot(context.Background(), asOf)
	if err != nil {
		t.Fatal(err)
	}
	return inJSON(t, s)
}

// anotherOrder cuts pages into pieces and shuffles everything. A ticket that came
// twice keeps its later time of sending, and so its version.
func anotherOrder(pages []source.Page) []source.Page {
	r := rand.New(rand.NewPCG(9, 1))
	var pieces []source.Page
	for _, p := range pages {
		all := slices.Clone(p.Tickets)
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for part := range slices.Chunk(all, 150) {
			pieces = append(pieces, source.Page{Sent: p.Sent, Tickets: part})
		}
		accounts, terms := slices.Clone(p.Accounts), slices.Clone(p.Terms)
		r.Shuffle(len(accounts), func(i, j int) { accounts[i], accounts[j] = accounts[j], accounts[i] })
		r.Shuffle(len(terms), func(i, j int) { terms[i], terms[j] = terms[j], terms[i] })
		pieces = append(pieces, source.Page{Sent: p.Sent, Tickets: []ticket.Ticket{}, Accounts: accounts, Terms: terms})
	}
	r.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	return pieces
}
