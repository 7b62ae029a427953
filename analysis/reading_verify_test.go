//go:build verify

package analysis

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/sandbox/sandboxtest"
)

var update = flag.Bool("update", false, "write the golden files of figures anew")

// TestVerifyReading: what the measures say of two real logs, as figures. They move
// only when the meaning of a measure does; testdata/reading.md says in words what
// they mean.
func TestVerifyReading(t *testing.T) {
	t.Run("incident log", func(t *testing.T) {
		golden(t, "reading_incident_log.txt", reading(t, sandboxtest.IncidentLog(t), time.Date(2016, 6, 1, 0, 0, 0, 0, time.UTC), Days(90)))
	})
	t.Run("issue log", func(t *testing.T) {
		db := sandboxtest.IssueLog(t, jiratest.DataCenter)
		last, err := fullEngine(db).LastChange(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "reading_issue_log.txt", reading(t, db, last, All))
	})
}

// reading is figures of groups and areas, and how many people: nothing of a single
// person, and no ticket.
func reading(t *testing.T, db *clickhouse.DB, asOf time.Time, window Window) string {
	t.Helper()
	ctx := context.Background()
	e := fullEngine(db)
	e.config.Windows = []Window{window}
	s, err := e.Snapshot(ctx, asOf)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "as of %s, window %s\n", asOf.Format(time.DateOnly), window)
	for _, basis := range Bases {
		groups := s.Teams[TeamsKey{window, basis, Tickets}]
		counts := map[Verdict]int{}
		for _, g := range groups {
			counts[g.Verdict]++
		}
		fmt.Fprintf(&text, "\n%s in tickets: %d groups: %d uneven, %d within chance, %d levelled, %d without a verdict\n", basis, len(groups),
			counts[Uneven], counts[WithinChance], counts[Levelled], counts[NoVerdict])
		split, err := SplitBetween(groups)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "Theil %.4f: %.4f within groups, %.4f between\n", split.Total, split.Within, split.Between)
		table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "group\tpeople\ttotal\tgini\tby chance\texcess\texplained\thoover\teffective\ttop\tp adjusted\tverdict")
		for _, g := range groups[:min(12, len(groups))] {
			fmt.Fprintf(table, "%s\t%d\t%.1f\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", g.Name, g.People, g.Total, optional(g.Gini, 4), optional(g.GiniChance, 4),
				optional(g.GiniExcess, 4), optional(partOf(g.Explained), 4), optional(g.Hoover, 4), optional(g.Effective, 2), optional(g.TopShare, 4), optional(g.PAdjusted, 4), g.Verdict)
		}
		if err := table.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintf(&text, "\n%d areas; those with most evidence:\n", len(s.Areas))
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "area\tpeople\teffective owners\ttop owner\tcover it\tsilo")
	for _, a := range s.Areas[:min(12, len(s.Areas))] {
		silo := "no evidence"
		if a.Silo != nil {
			silo = fmt.Sprintf("%.4f = 0.4·%.4f + 0.3·%.4f + 0.3·%.4f", a.Silo.Score, a.Silo.Concentration, a.Silo.Backup, a.Silo.Demand)
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%d\t%s\n", a.Area, a.People, optional(a.Effective, 2), optional(a.TopShare, 4), a.BusFactor, silo)
	}
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	judged, overloaded, alone := 0, 0, 0
	for _, o := range s.Overload {
		if o.Judged {
			judged++
		}
		if o.Overloaded {
			overloaded++
		}
	}
	for _, a := range s.Areas {
		if a.BusFactor == 1 {
			alone++
		}
	}
	fmt.Fprintf(&text, "\n%d areas that one person covers\n%d people in groups judged, %d overloaded\n%d findings\n", alone, judged, overloaded, len(s.Findings))
	return text.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a, b := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(a), len(b)) {
		line := func(list []string) string {
			if i < len(list) {
				return list[i]
			}
			return "(nothing)"
		}
		if line(a) != line(b) {
			t.Errorf("line %d of %s:\n got %s\nwant %s", i+1, name, line(a), line(b))
		}
	}
}
