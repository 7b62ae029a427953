package main

import (
	"bytes"
	"encoding/csv"
	"testing"
	"time"

	"fairlead/analysis"
)

// Whoever names a queue, an area or a ticket's key must not be able to run a formula
// in the spreadsheet of who opens the file.
func TestNoFormulaInCSV(t *testing.T) {
	const evil, harmless = `=HYPERLINK("https://example.org")`, `'=HYPERLINK("https://example.org")`
	var groups, moves bytes.Buffer
	w := newGroupWriter(&groups, "csv", "team", false)
	if _, err := w.put(time.Time{}, []analysis.Group{{By: analysis.Team, Name: evil}}); err != nil {
		t.Fatal(err)
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	r := analysis.Rebalancing{Moves: []analysis.RebalancingMove{{Key: evil, Areas: []string{evil}, FromName: evil, ToName: evil, Why: evil}}}
	if err := writeMovesCSV(&moves, r); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		text  *bytes.Buffer
		names int
	}{"groups": {&groups, 1}, "moves": {&moves, 5}} {
		rows, err := csv.NewReader(c.text).ReadAll()
		if err != nil || len(rows) != 2 {
			t.Fatalf("%s: %d rows, %v", what, len(rows), err)
		}
		escaped := 0
		for _, cell := range rows[1] {
			switch cell {
			case evil:
				t.Errorf("%s: a formula stands in a cell: %q", what, rows[1])
			case harmless:
				escaped++
			}
		}
		if escaped != c.names {
			t.Errorf("%s: %d names are escaped, want %d: %q", what, escaped, c.names, rows[1])
		}
	}
}
