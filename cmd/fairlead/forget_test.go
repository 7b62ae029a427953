package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/report"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
)

// somebody is a person of /metrics/people other than the given ones, who has an
// account in both systems, with all by which they are known.
func somebody(t *testing.T, people string, fairlead func(context.Context, ...string) (string, string, int), not ...string) (pseudonym string, traces []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`fairlead_engineer_load\{engineer="([^"]+)"`).FindAllStringSubmatch(people, -1) {
		if slices.Contains(not, m[1]) {
			continue
		}
		not = append(not, m[1])
		out, errs, code := fairlead(t.Context(), "whois", m[1])
		if code != 0 {
			t.Fatalf("whois %s: %s", m[1], errs)
		}
		if !strings.Contains(out, "account  desk ") || !strings.Contains(out, "account  issues ") {
			continue
		}
		traces = []string{m[1]}
		for _, line := range regexp.MustCompile(`(?m)^  (name|e-mail|account) +(.+)$`).FindAllStringSubmatch(out, -1) {
			trace := line[2]
			if line[1] == "account" {
				_, trace, _ = strings.Cut(trace, " ")
			}
			traces = append(traces, trace)
		}
		return m[1], traces
	}
	t.Fatal("nobody has an account in both")
	return "", nil
}

func without(t *testing.T, where, text string, traces []string) {
	t.Helper()
	text = strings.ToLower(text)
	for _, trace := range traces {
		if at := strings.Index(text, strings.ToLower(trace)); at >= 0 {
			t.Errorf("%s still has %q: %s", where, trace, text[max(0, at-80):min(len(text), at+80)])
		}
	}
}

// forgotten has a person erased by the running service.
func forgotten(t *testing.T, dir, pseudonym string, traces []string, get func(string) (string, int), fairlead func(context.Context, ...string) (string, string, int)) {
	t.Helper()
	people, _ := get("/metrics/people")
	groups, _ := get("/metrics")
	if !strings.Contains(people, pseudonym) {
		t.Fatal("there is nobody to forget")
	}
	out, errs, code := fairlead(t.Context(), "forget", "--dry-run", pseudonym)
	if code != 0 || !strings.Contains(out, "Would be erased, and is not") || !strings.Contains(out, "desk, issues") {
		t.Errorf("a dry run: status %d, %s%s", code, out, errs)
	}
	if out, errs, code := fairlead(t.Context(), "whois", pseudonym); code != 0 {
		t.Errorf("the dry run has erased somebody: %s%s", out, errs)
	}
	out, errs, code = fairlead(t.Context(), "forget", pseudonym)
	for _, want := range []string{"Nothing of these accounts is stored again", `delete_series?match[]={engineer="` + pseudonym + `"}`, "rows of accounts (desk, issues)"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("forget: status %d, without %q: %s%s", code, want, out, errs)
		}
	}
	without(t, "the answer of forget", strings.ReplaceAll(out, pseudonym, ""), traces[1:])

	after, _ := get("/metrics/people")
	without(t, "/metrics/people", after, traces)
	if strings.Contains(after, "former") {
		t.Error("/metrics/people tells of a former engineer")
	}
	now, _ := get("/metrics")
	load := regexp.MustCompile(`(?m)^fairlead_team_(tickets|engineers|open_tickets|handovers_total|bus_factor)\{.*$`)
	if was, is := load.FindAllString(groups, -1), load.FindAllString(now, -1); !slices.Equal(was, is) || len(was) < 10 {
		t.Errorf("%d figures of teams, and %d:", len(was), len(is))
		for _, line := range was {
			if !slices.Contains(is, line) {
				t.Errorf("was %s", line)
			}
		}
		for _, line := range is {
			if !slices.Contains(was, line) {
				t.Errorf("is %s", line)
			}
		}
	}
	for _, path := range []string{"/", "/areas", "/reports", "/access", "/engineer?who=" + pseudonym, "/collection"} {
		body, _ := get(path)
		without(t, path, body, traces)
	}
	if _, code := get("/engineer?who=" + pseudonym); code != 404 {
		t.Errorf("the page of who was forgotten is answered %d", code)
	}
	if _, errs, code := fairlead(t.Context(), "whois", pseudonym); code == 0 || !strings.Contains(errs, "nobody has that pseudonym") {
		t.Errorf("whois of who was forgotten: status %d, %s", code, errs)
	}
	if _, errs, code := fairlead(t.Context(), "forget", pseudonym); code == 0 || !strings.Contains(errs, "nobody is known here by that") {
		t.Errorf("forgotten a second time: status %d, %s", code, errs)
	}
}

// stayForgotten collects everything again and looks into every table and file.
func stayForgotten(t *testing.T, dir string, traces []string, fairlead func(context.Context, ...string) (string, string, int)) {
	t.Helper()
	if out, errs, code := fairlead(t.Context(), "collect"); code != 0 {
		t.Fatalf("collect: status %d\n%s%s", code, out, errs)
	}
	monthAgo := time.Now().UTC().AddDate(0, 0, -30).Format(time.DateOnly)
	for _, args := range [][]string{{"report", "--format", "json"}, {"analyze", "--format", "json"}, {"history", "--people", "--from", monthAgo}, {"roster", "suggest"}} {
		out, errs, code := fairlead(t.Context(), args...)
		if code != 0 || out == "" {
			t.Errorf("fairlead %v: status %d\n%s", args, code, errs)
		}
		without(t, strings.Join(args, " "), out+errs, traces)
	}
	db, err := clickhouse.Open(t.Context(), clickhouse.Options{DataDir: filepath.Join(dir, "data")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var collected uint64
	if err := db.Conn().QueryRow(t.Context(), "SELECT uniqExact(version) FROM "+db.Table("actors")).Scan(&collected); err != nil || collected < 2 {
		t.Errorf("nothing was collected again: %d, %v", collected, err)
	}
	without(t, "the warehouse", clickhousetest.Dump(t, db), traces)
	files, err := filepath.Glob(filepath.Join(dir, "data", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a folder of the engine
		}
		without(t, path, string(text), traces)
	}
}

// pruned deletes what is older than 210 days, and collects everything again. A day
// may end meanwhile.
func pruned(t *testing.T, dir string, now time.Time, fairlead func(context.Context, ...string) (string, string, int)) {
	t.Helper()
	gone := 0
	counted := regexp.MustCompile(`(?m)^  (\d+) tickets, closed and without a change since before (\S+) \(kept for 210 days\)$`)
	deleted := func(args ...string) (n int, before string) {
		t.Helper()
		out, errs, code := fairlead(t.Context(), append([]string{"prune"}, args...)...)
		m := counted.FindStringSubmatch(out)
		if code != 0 || m == nil {
			t.Fatalf("prune %v: status %d\n%s%s", args, code, out, errs)
		}
		if n, _ = strconv.Atoi(m[1]); len(args) == 0 {
			gone += n
		}
		return n, m[2]
	}
	stored := func() (tickets int) {
		t.Helper()
		db, err := clickhouse.Open(t.Context(), clickhouse.Options{DataDir: filepath.Join(dir, "data")})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var n uint64
		if err := db.Conn().QueryRow(t.Context(), "SELECT count() FROM "+db.Table("tickets")+" FINAL").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return int(n)
	}
	today := now.Format(time.DateOnly)
	analyzed := func(window string) (string, string) {
		t.Helper()
		out, errs, code := fairlead(t.Context(), "analyze", "--as-of", today, "--window", window, "--basis", "resolved", "--format", "json")
		if code != 0 {
			t.Fatalf("analyze: status %d\n%s", code, errs)
		}
		return out, errs
	}
	// trends is what the report of a quarter says of it and of those before, by team, ""
	// being everybody; and of how many of these it has stored figures.
	trends := func() (quarters map[string]string, kept int) {
		t.Helper()
		out, errs, code := fairlead(t.Context(), "report", "--quarter", analysis.LastQuarter(now).String(), "--format", "json")
		if code != 0 {
			t.Fatalf("report: status %d\n%s", code, errs)
		}
		var r report.Report
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		quarters = map[string]string{}
		say := func(team string, points []report.QuarterPoint, trend any) {
			// What was too small to be shown was not stored either.
			points = slices.DeleteFunc(points, func(q report.QuarterPoint) bool { return q.People == nil })
			text, err := json.Marshal([]any{points, trend})
			if err != nil {
				t.Fatal(err)
			}
			quarters[team] = string(text)
		}
		say("", r.Workload.All.Quarters, r.Workload.All.Trend)
		for _, team := range r.Workload.Teams {
			say(team.Team, team.Quarters, team.Trend)
		}
		return quarters, len(r.Workload.Stored)
	}
	before := stored()
	followed, kept := trends()
	if kept != 0 || !regexp.MustCompile(`"excess":-?0\.`).MatchString(fmt.Sprint(followed)) {
		t.Errorf("before anything was deleted %d quarters are stored ones: %s", kept, followed)
	}
	recent, errs := analyzed("90d")
	if strings.Contains(errs, "deleted") {
		t.Errorf("something was deleted before anything was: %s", errs)
	}
	would, day := deleted("--dry-run")
	if would == 0 || stored() != before {
		t.Errorf("a dry run counts %d, and of %d tickets %d are left", would, before, stored())
	}
	if n, on := deleted(); n == 0 || on == day && n != would {
		t.Errorf("%d tickets were deleted, and the dry run counted %d", n, would)
	} else if again, later := deleted(); later == on && again != 0 {
		t.Errorf("a second time %d were deleted", again)
	}
	after := stored()
	if before-after != gone {
		t.Errorf("of %d tickets %d are left, after %d were deleted", before, after, gone)
	}
	again, kept := trends()
	compared := 0
	for team, said := range followed {
		// A team that is shown only so that another may not be reckoned from it may be
		// hidden once that other is gone, and the reverse.
		if now, shown := again[team]; shown {
			compared++
			if now != said {
				t.Errorf("the trend of %q is\n%s\nwhen the tickets of its quarters are deleted, and was\n%s", team, now, said)
			}
		}
	}
	if kept == 0 || compared < 3 {
		t.Errorf("with %d stored quarters %d trends were compared: %s and %s", kept, compared, again, followed)
	}
	if out, errs, code := fairlead(t.Context(), "collect"); code != 0 {
		t.Fatalf("collect: status %d\n%s%s", code, out, errs)
	}
	if again := stored(); again != after {
		t.Errorf("%d tickets are stored after a further collection, %d before", again, after)
	}
	if now, errs := analyzed("90d"); now != recent || strings.Contains(errs, "deleted") {
		t.Errorf("figures of the last 90 days have changed, or are said not to be whole: %s\n%s\n%s", errs, recent, now)
	}
	if _, errs := analyzed("300d"); !strings.Contains(errs, "figures of the time before it are not whole") {
		t.Errorf("nothing is said of what was deleted: %s", errs)
	}
	if _, errs, code := fairlead(t.Context(), "report", "--audience", "lead", "--team", "PAY", "--quarter", "2020Q1"); code == 0 || !strings.Contains(errs, "privacy.retention.people") {
		t.Errorf("a lead's report of long ago: status %d, %s", code, errs)
	}
}
