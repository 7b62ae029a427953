package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/privacy"
	"fairlead/analysis/report"
	"fairlead/connectors/clickhouse"
)

// TestLeadsReportOfThePast: the last quarter that is over is told, though its end
// lies longer back than single people are told of by the last days of the next.
func TestLeadsReportOfThePast(t *testing.T) {
	now := time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC)
	r := &reporter{house: &house{}, now: func() time.Time { return now }, retention: privacy.DefaultRetention()}
	for _, c := range []struct {
		audience report.Audience
		quarter  string
		asOf     time.Time
		told     bool
	}{
		{report.Lead, "", now, true},
		{report.Lead, "2026Q3", now, true},
		{report.Lead, "2026Q4", now, true},
		{report.Lead, "2026Q2", now, false},
		{report.Lead, "", now.AddDate(0, -5, 0), false},
		{report.Lead, "2026Q3", now.AddDate(0, -5, 0), true},
		{report.Self, "2025Q1", now, true},
		{report.Group, "2025Q1", now, true},
	} {
		if err := r.tooOld(report.Request{Audience: c.audience, Quarter: c.quarter, AsOf: c.asOf}); (err == nil) != c.told {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// told is an engine that always tells of the same quarter.
type told struct{ quarter analysis.Quarter }

func (e *told) Quarter(context.Context, analysis.Window, time.Time) (*analysis.Quarter, error) {
	q := e.quarter
	return &q, nil
}

// TestReportOfAQuarterThatLostTickets: it is the one that was made while they were
// there; what is made of the rest says so, and is no report of the archive.
func TestReportOfAQuarterThatLostTickets(t *testing.T) {
	needEngine(t)
	db, err := clickhouse.Open(t.Context(), clickhouse.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	window, err := analysis.ParseWindow("2025Q2")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	from, to := window.Bounds(now)
	e := &told{analysis.Quarter{Window: window, From: from, To: to, Over: true, Method: "test", Snapshot: &analysis.Snapshot{},
		Data: analysis.DataVersion{Tickets: 9, History: "whole", Begin: from.AddDate(-1, 0, 0), Last: to}}}
	r := &reporter{house: &house{db: db}, now: func() time.Time { return now }, maker: &report.Maker{Engine: e, Fairlead: "test"}}
	ask := func() string {
		t.Helper()
		text, err := r.answer(t.Context(), report.Request{Quarter: "2025Q2", AsOf: now, Audience: report.Group, Format: report.JSON}, "test")
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	archived := func() int {
		t.Helper()
		list, err := db.Reports(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	e.quarter.Whole, e.quarter.Deleted = from.AddDate(0, 1, 0), from.AddDate(0, 1, 0)
	if text := ask(); archived() != 0 || !strings.Contains(text, `"deleted": true`) || !strings.Contains(text, `"covered": false`) || !strings.Contains(text, `"whole_from": "2025-05-01T00:00:00Z"`) {
		t.Errorf("of a quarter that was never told of, %d reports in the archive:\n%s", archived(), text)
	}
	e.quarter.Whole, e.quarter.Deleted = to, to
	if text, err := r.answer(t.Context(), report.Request{Quarter: "2025Q2", AsOf: now, Audience: report.Group, Format: report.JSON}, "test"); err == nil || !strings.Contains(err.Error(), "the tickets of 2025Q2 are deleted") {
		t.Errorf("of a quarter of which nothing is left: %v\n%s", err, text)
	}
	e.quarter.Whole, e.quarter.Deleted = from, from
	whole := ask()
	if archived() != 1 || !strings.Contains(whole, `"covered": true`) || !strings.Contains(whole, `"whole_from": null`) {
		t.Errorf("of a whole quarter, %d reports in the archive:\n%s", archived(), whole)
	}
	e.quarter.Whole, e.quarter.Deleted, e.quarter.Data.History = to, to, "rest"
	if text := ask(); text != whole || archived() != 1 {
		t.Errorf("when its tickets are gone, %d reports in the archive, it is\n%s\nand was\n%s", archived(), text, whole)
	}
}

// reports asks, at the beginning of a day, for reports of a folder that no service
// holds.
func reports(t *testing.T, dir string, today time.Time, fairlead func(context.Context, ...string) (string, string, int)) {
	t.Helper()
	data := filepath.Join(dir, "data")
	file := filepath.Join(dir, "report.json")
	if out, errs, code := fairlead(t.Context(), "report", "--audience", "lead", "--team", "Service Desk", "--as-of", today.Format(time.DateOnly), "--format", "json", "--output", file); code != 0 || out != "" {
		t.Fatalf("report: status %d\n%s%s", code, out, errs)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := report.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	quarter := report.Due(today)
	if r.Team != "Service Desk" || r.Quarter != quarter || !r.Over || len(r.Workload.People) == 0 || len(r.Summary) != 5 {
		t.Errorf("the report is of %s in %s, with %d people", r.Team, r.Quarter, len(r.Workload.People))
	}
	log, err := os.ReadFile(accessLog(data))
	for _, p := range r.Workload.People {
		if err != nil || !regexp.MustCompile(`"action":"report","pseudonym":"`+p.Engineer+`"`).Match(log) {
			t.Fatalf("the access log does not say who saw %s: %v", p.Engineer, err)
		}
		if p.Name != "" {
			t.Errorf("names were not asked for, and there is %s", p.Name)
		}
	}
	for _, c := range []struct {
		says string
		args []string
	}{
		{"is about one team", []string{"--audience", "lead"}},
		{"give the pseudonym", []string{"--audience", "self"}},
		{"is not about one engineer", []string{"--engineer", "a-b-c"}},
		{"is none: give all, days", []string{"--quarter", "2026-3"}},
		{"is no quarter", []string{"--quarter", "90d"}},
		{"has not begun", []string{"--quarter", "2999Q1"}},
		{"neither a day", []string{"--as-of", "soon"}},
	} {
		out, errs, code := fairlead(t.Context(), append([]string{"report"}, c.args...)...)
		if code == 0 || out != "" || !strings.Contains(errs, c.says) || strings.Count(errs, "\n") != 1 {
			t.Errorf("report %v: status %d, %q, want one line that says %q", c.args, code, errs, c.says)
		}
	}
}

// simulated asks for everything that is about a person, in a simulation.
func simulated(t *testing.T, fairlead func(context.Context, ...string) (string, string, int)) {
	t.Helper()
	for _, args := range [][]string{
		{"whois", "a-b-c"},
		{"explain", "team", "Service Desk"},
		{"rebalance", "--team", "Service Desk"},
		{"history", "--people"},
		{"report", "--audience", "lead", "--team", "Service Desk"},
		{"report", "--audience", "self", "--engineer", "a-b-c"},
	} {
		out, errs, code := fairlead(t.Context(), args...)
		if code == 0 || out != "" || !strings.Contains(errs, "nothing about a person is published") {
			t.Errorf("fairlead %v in a simulation: status %d, %q, %q", args, code, out, errs)
		}
	}
	if out, errs, code := fairlead(t.Context(), "analyze"); code != 0 || !strings.Contains(out, "Service Desk") {
		t.Errorf("in a simulation, teams are not shown: %d %s", code, errs)
	}
}

// served looks for the report that a service of an instant makes by itself, and asks
// it for the same.
func served(t *testing.T, asOf time.Time, get func(string) (string, int), fairlead func(context.Context, ...string) (string, string, int)) {
	t.Helper()
	found := regexp.MustCompile(`href="(/report\?[^"]+)"`)
	var link []string
	for begun := time.Now(); link == nil; time.Sleep(100 * time.Millisecond) {
		text, _ := get("/reports")
		link = found.FindStringSubmatch(text)
		if time.Since(begun) > patient {
			t.Fatalf("no report is in the archive after %s:\n%s", patient, text)
		}
	}
	page, code := get(strings.ReplaceAll(link[1], "&amp;", "&"))
	if code != 200 || !strings.Contains(page, "The quarter in five sentences") {
		t.Errorf("the stored report: %d", code)
	}
	out, errs, status := fairlead(t.Context(), "report", "--format", "json", "--quarter", report.Due(asOf.Add(-defaultConfig().Report.After))) // while the service holds the warehouse
	if status != 0 {
		t.Fatal(errs)
	}
	var r report.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Audience != report.Group || len(r.Workload.People) != 0 || len(r.Workload.Teams) == 0 {
		t.Errorf("the report for everybody has %d teams and %d people", len(r.Workload.Teams), len(r.Workload.People))
	}
	if !strings.Contains(link[1], r.ID()) {
		t.Errorf("the service stored %s, and the same quarter made again is %s", link[1], r.ID())
	}
}
