package analysis

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/sandbox/sandboxtest"
	"fairlead/connectors/ticket"
)

// TestOneDecision: children of one parent that are given to one person in one go
// are one unit of luck, and as many tickets.
func TestOneDecision(t *testing.T) {
	minute := 1.0 / 24 / 60
	child := func(id, parent string, at float64, who string) *written {
		w := opened(id, 0)
		w.Parent = parent
		return w.give(at, who)
	}
	moved := opened("moved", 0).give(1, "cho")
	moved.Parent = "p" // since later than as_of; before, it was another's
	moved.Changes = append(moved.Changes, ticket.Change{At: day(50), Seq: 9, Field: ticket.FieldParent, From: "other", To: "p"})
	db := warehouse(t,
		child("1", "p", 1, "cho"), child("2", "p", 1+4*minute, "cho"), child("3", "p", 1+8*minute, "cho"), // each within five of the last
		child("4", "p", 1+30*minute, "cho"), // later
		child("5", "p", 1, "dan"),           // to somebody else
		child("6", "q", 1, "cho"),           // of another parent
		moved,
	)
	e := engine(db)
	w, err := e.world(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	g := w.gathering(Assigned, Team, nil, 1)
	if err := e.units(context.Background(), w, Assigned, Team, []int64{beginning}, millis(day(10)), g); err != nil {
		t.Fatal(err)
	}
	network := g.finish()[0]["Network"]
	for name, want := range map[string][]float64{"Cho": {1, 1, 1, 3}, "Dan": {1}} {
		for p, one := range network.people {
			if network.names[p] == name && (!slices.Equal(one.pile.weights, want) || one.items != uint64(sumOf(slices.Clone(want))) || one.value != sumOf(slices.Clone(want))) {
				t.Errorf("%s has %+v, want %v", name, one, want)
			}
		}
	}
	var dealt []float64
	for _, weights := range network.lots {
		dealt = append(dealt, weights...)
	}
	if slices.Sort(dealt); !slices.Equal(dealt, []float64{1, 1, 1, 1, 3}) {
		t.Errorf("lots are of %v", dealt)
	}
}

// TestVerdictsByHand: one of three has half of 400 assignments of a day.
func TestVerdictsByHand(t *testing.T) {
	var tickets []*written
	for i := range 400 {
		who, area := []string{"cho", "dan", "cho", "ann"}[i%4], "a1"
		w := opened(fmt.Sprint(i), float64(i%20)).in(area)
		if who == "ann" {
			w = w.of("jira")
		}
		tickets = append(tickets, w.give(float64(i%20), who).status(float64(i%20)+1, who, statusDone))
	}
	groups, err := engine(warehouse(t, tickets...)).Distribution(context.Background(), Query{AsOf: day(25), Window: Days(25), Basis: Load, Unit: Tickets, By: Team})
	if err != nil {
		t.Fatal(err)
	}
	g := groups[0]
	if g.Verdict != Uneven || *g.P > 1e-4 || *g.PLevelled < 0.999 || *g.PAdjusted != *g.P {
		t.Errorf("got %s, p %v and %v", g.Verdict, *g.P, *g.PLevelled)
	}
	if !(*g.ChanceLow < *g.GiniChance && *g.GiniChance < *g.ChanceHigh) || math.Abs(*g.HooverChance-0.02) > 0.01 {
		t.Errorf("luck gives %v, from %v to %v; %v", *g.GiniChance, *g.ChanceLow, *g.ChanceHigh, *g.HooverChance)
	}
	// All three know the area: nothing is explained.
	if g.Explained == nil || math.Abs(g.Explained.Part) > 0.01 || g.Explained.P > 0.01 || g.Explained.Known != 1 {
		t.Errorf("explained is %+v", g.Explained)
	}
}

// TestKeysMoveNoFigure: the surrogates and the key of the pseudonyms are others in
// every installation, and the figures the same.
func TestKeysMoveNoFigure(t *testing.T) { keysMoveNoFigure(t, 1_000) }

func keysMoveNoFigure(t *testing.T, tickets int) {
	o := sandbox.Generate(4, time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), sandbox.Options{Tickets: tickets})
	other := func(source, account string) uint64 { return ^clickhousetest.Surrogate(account, source) | 1 }
	config := clickhousetest.Server(t, "other_keys")
	db, err := clickhouse.Open(context.Background(), clickhouse.Options{Config: config, Surrogate: other})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	var figures []string
	for i, db := range []*clickhouse.DB{clickhousetest.New(t), db} {
		for _, src := range sandboxtest.Sources(t, o) {
			sandboxtest.Collect(t, db, src)
		}
		staff(t, db, string(o.RosterYAML()))
		e := New(db, Options{Key: []byte(fmt.Sprint("a key of enough bytes: ", i)), Clock: func() time.Time { return time.Time{} }})
		e.draws = 399
		s, err := e.Snapshot(context.Background(), o.Now)
		if err != nil {
			t.Fatal(err)
		}
		figures = append(figures, figuresOf(t, e, s))
	}
	a, b := strings.Split(figures[0], "\n"), strings.Split(figures[1], "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("figures depend on the key:\n%s\n%s", strings.Join(a[max(0, i-10):i+1], "\n"), b[i])
		}
	}
	if len(a) != len(b) {
		t.Fatalf("%d lines and %d", len(a), len(b))
	}
}

// figuresOf is a Snapshot with names for pseudonyms, every list in an order of its
// own, and without the set that a bus factor names: of several it is the first.
func figuresOf(t *testing.T, e *Engine, s *Snapshot) string {
	w, err := e.world(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	text := inJSON(t, s)
	for _, p := range w.people.Engineers() {
		text = strings.ReplaceAll(text, p.Pseudonym, "«"+p.Name+"»")
	}
	var all any
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	plain, err := json.MarshalIndent(ordered(all), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

func ordered(x any) any {
	switch x := x.(type) {
	case map[string]any:
		if _, ok := x["Exact"]; ok {
			delete(x, "Who")
			delete(x, "Uncovered")
			delete(x, "Demand")
		}
		for k := range x {
			x[k] = ordered(x[k])
		}
	case []any:
		text := map[int]string{}
		order := make([]int, len(x))
		for i := range x {
			x[i] = ordered(x[i])
			b, _ := json.Marshal(x[i]) // was decoded from JSON
			text[i], order[i] = string(b), i
		}
		slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(text[a], text[b]) })
		list := make([]any, len(x))
		for i, j := range order {
			list[i] = x[j]
		}
		return list
	}
	return x
}
