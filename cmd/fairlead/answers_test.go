package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fairlead/analysis"
	"fairlead/analysis/exporter"
)

// TestExplainIsGuessed: what a reader of a dashboard would write means what it
// means.
func TestExplainIsGuessed(t *testing.T) {
	for _, c := range []struct {
		what, of, figure string
		flags            explainCmd
		want             string // subject, name, team, figure, window, basis, unit
	}{
		{what: "team", of: "Group 70", want: "team Group 70 - - 90d load tickets"},
		{what: "team", of: "Group 70", figure: "gini", flags: explainCmd{Window: "2026Q3", Basis: "resolved"}, want: "team Group 70 - gini 2026Q3 resolved tickets"},
		{what: "engineer", of: "a-b-c", figure: "overload", flags: explainCmd{Team: "PAY"}, want: "engineer a-b-c PAY overload 90d load tickets"},
		{what: "area", of: "X", figure: "silo", want: "area X - silo 90d load tickets"},
		{
			what: `fairlead_team_load_gini{basis="assigned", team="Say \"hi\"", unit="effort",window="28d"}`,
			want: `team Say "hi" - fairlead_team_load_gini 28d assigned effort`,
		},
		{
			what: `fairlead_engineer_overload_signal{engineer="a-b-c",family="demand",signal="flow",team="PAY"}`,
			want: "engineer a-b-c PAY flow_level 90d load tickets",
		},
		{
			what: `fairlead_engineer_area_evidence_ratio{area="{a=b}, c",engineer="a-b-c",instance="localhost:9464",job="fairlead"}`,
			want: "engineer a-b-c {a=b}, c fairlead_engineer_area_evidence_ratio 90d load tickets",
		},
		{what: `fairlead_area_silo_component{area="X",component="missing_backup"}`, want: "area X - missing_backup 90d load tickets"},
		{what: "engineer", of: "a-b-c", figure: "evidence", flags: explainCmd{Area: "X"}, want: "engineer a-b-c X evidence 90d load tickets"},
		{what: `fairlead_team_load{team="A",unit="effort",window="28d"}`, flags: explainCmd{Window: "90d"}, want: "team A - fairlead_team_load 90d load effort"},
		{what: "fairlead_area_silo_score", of: "X", flags: explainCmd{Window: "28d"}, want: "area X - fairlead_area_silo_score 28d load tickets"},
	} {
		c.flags.What, c.flags.Of, c.flags.Figure = c.what, c.of, c.figure
		x, err := c.flags.ask()
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		subject, name, in := analysis.OfTeam, x.Team, ""
		switch {
		case x.Engineer != "":
			subject, name, in = analysis.OfEngineer, x.Engineer, x.Team+x.Area
		case x.Area != "":
			subject, name = analysis.OfArea, x.Area
		}
		dash := func(s string) string { return map[bool]string{true: "-", false: s}[s == ""] }
		got := strings.Join([]string{string(subject), name, dash(in), dash(x.Figure), x.Window.String(), string(x.Basis), string(x.Unit)}, " ")
		if got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	for what, c := range map[string]explainCmd{
		"cannot be explained":                    {What: "squad", Of: "x"},
		"which team?":                            {What: "team"},
		"which area?":                            {What: "fairlead_area_silo_score"},
		`there is no figure of areas called "x"`: {What: "area", Of: "a", Figure: "x"},
		"--team goes with an engineer":           {What: "area", Of: "a", Team: "x"},
		"--window":                               {What: "team", Of: "a", Window: "soon"},
		"--tickets is -1":                        {What: "team", Of: "a", Tickets: -1},
		"--area goes with an engineer":           {What: "team", Of: "a", Area: "x"},
		"go each by itself":                      {What: "engineer", Of: "a", Area: "x", Team: "y"},
		"cannot be read from":                    {What: `fairlead_team_load_gini{team=Alpha}`},
		"is not about a team":                    {What: `fairlead_source_tickets{source="jira"}`},
		"no figure that can be taken apart":      {What: `fairlead_team_info{team="Alpha"}`},
	} {
		if _, err := c.ask(); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%+v: %v, want %s", c, err, what)
		}
	}
}

// unexplained are the metrics that are no figures but say what a team or an area is
// by their labels.
var unexplained = []string{"fairlead_team_info", "fairlead_area_info"}

// TestEveryMetricIsExplained: a metric of a team, an engineer or an area can be
// explained.
func TestEveryMetricIsExplained(t *testing.T) {
	e := exporter.New(func() *analysis.Snapshot { return nil })
	reg := prometheus.NewRegistry()
	reg.MustRegister(e.Groups(), e.People())
	described := make(chan *prometheus.Desc, 1000)
	reg.Describe(described)
	close(described)
	name := regexp.MustCompile(`fqName: "(fairlead_(team|engineer|area)_[a-z_]+)"`)
	explained := 0
	for d := range described {
		m := name.FindStringSubmatch(d.String())
		if m == nil {
			continue
		}
		_, _, err := analysis.MetricSeries{Metric: m[1]}.Subject()
		if no := slices.Contains(unexplained, m[1]); (err != nil) != no {
			t.Errorf("%s: %v, and listed as what is not explained is %v", m[1], err, no)
		}
		if err == nil {
			explained++
		}
	}
	if explained < 40 {
		t.Errorf("only %d metrics are explained", explained)
	}
}

// history compares a day in a history that ends at an instant with the day by
// itself, in all formats.
func history(t *testing.T, end time.Time, succeed func(...string) string) {
	t.Helper()
	from, to := end.AddDate(0, 0, -9).Format(time.DateOnly), end.AddDate(0, 0, -2).Format(time.DateOnly)
	var points, day []map[string]any
	args := []string{"--basis", "assigned", "--unit", "effort", "--format", "json"}
	if err := json.Unmarshal([]byte(succeed(append([]string{"analyze", "--from", from, "--to", to}, args...)...)), &points); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(succeed(append([]string{"analyze", "--as-of", to}, args...)...)), &day); err != nil {
		t.Fatal(err)
	}
	split := 0.0
	at := map[string]map[string]any{} // the last day's, by team
	for _, p := range points {
		if as, ok := p["as_of"].(string); !ok || as < from {
			t.Fatalf("a point of %v", p["as_of"])
		} else if strings.HasPrefix(as, to) {
			at[p["team"].(string)] = p
		}
	}
	verdicts := 0
	for _, g := range day {
		p := at[g["team"].(string)]
		if g["verdict"] != nil {
			verdicts++
		}
		for key, value := range g {
			x, isNumber := value.(float64)
			y, alike := p[key].(float64)
			if isNumber && !(alike && math.Abs(x-y) <= 1e-9*max(1, math.Abs(x))) || !isNumber && p[key] != value {
				t.Errorf("%s of %v is %v in the history and %v by itself", key, g["team"], p[key], value)
			}
			if isNumber && strings.HasPrefix(key, "theil_") {
				split += x
			}
		}
	}
	if len(day) == 0 || len(at) != len(day) || verdicts == 0 || split <= 0 {
		t.Errorf("%d teams in the history, %d by themselves, %d verdicts, parts of %v", len(at), len(day), verdicts, split)
	}
	lines, err := csv.NewReader(strings.NewReader(succeed("analyze", "--from", from, "--to", to, "--every", "week", "--format", "csv", "--by", "area"))).ReadAll()
	if err != nil || len(lines) < 10 || lines[0][0] != "as_of" || lines[0][1] != "area" || !strings.HasPrefix(lines[1][0], from) {
		t.Errorf("%v: %d lines", err, len(lines))
	}
	if text := succeed("analyze", "--from", from, "--to", to, "--group", "Service Desk", "--no-verdicts"); strings.Count(text, "Service Desk") != 8 {
		t.Errorf("eight days:\n%s", text)
	}
}

// answers asks what a folder of tickets that were collected up to an instant can be
// asked.
func answers(t *testing.T, data string, end time.Time, fairlead func(context.Context, ...string) (string, string, int)) {
	succeed := func(args ...string) string {
		t.Helper()
		out, errs, code := fairlead(t.Context(), args...)
		if code != 0 {
			t.Fatalf("fairlead %v: status %d\n%s%s", args, code, out, errs)
		}
		return out
	}
	type move struct{ Key, From, To, Why string }
	var plan struct {
		Team  string
		Moves []move
	}
	if err := json.Unmarshal([]byte(succeed("rebalance", "--team", "Service Desk", "--format", "json")), &plan); err != nil || plan.Team != "Service Desk" {
		t.Fatalf("%v: %+v", err, plan)
	}
	table := succeed("rebalance", "--team", "Service Desk", "--names")
	lines, err := csv.NewReader(strings.NewReader(succeed("rebalance", "--team", "Service Desk", "--format", "csv"))).ReadAll()
	if err != nil || len(lines) != len(plan.Moves)+1 || lines[0][0] != "ticket" {
		t.Errorf("%v: %q of %d moves", err, lines, len(plan.Moves))
	}
	for i, m := range plan.Moves {
		if !strings.Contains(table, m.Key) || lines[i+1][0] != m.Key || m.Why == "" {
			t.Errorf("the formats differ about %+v", m)
		}
	}
	if _, errs, code := fairlead(t.Context(), "rebalance", "--team", "Srevice Desk"); code == 0 || !strings.Contains(errs, "did you mean Service Desk?") {
		t.Errorf("an unknown team: status %d, %s", code, errs)
	}

	history(t, end, succeed)
	if _, errs, code := fairlead(t.Context(), "analyze", "--group", "Srevice Desk"); code == 0 || !strings.Contains(errs, "did you mean Service Desk?") {
		t.Errorf("an unknown group: status %d, %s", code, errs)
	}

	text := succeed("explain", "team", "Service Desk", "gini", "--tickets", "3")
	if !strings.Contains(text, "\ngini: 0.") || !strings.Contains(text, "½ Σ_i Σ_j") || !regexp.MustCompile(`(?m)^  (INC|SCTASK|PRB|CHG)\d+ `).MatchString(text) || strings.Contains(text, "\nhhi:") {
		t.Errorf("explained:\n%s", text)
	}
	who := regexp.MustCompile(`(?m)^  ([a-z]+-[a-z]+-[a-z0-9]{4}) `).FindStringSubmatch(text)
	if who == nil {
		t.Fatalf("no engineer in\n%s", text)
	}
	var x analysis.Explanation
	if err := json.Unmarshal([]byte(succeed("explain", `fairlead_engineer_relative_load_ratio{engineer="`+who[1]+`",team="Service Desk",window="28d"}`, "--format", "json")), &x); err != nil {
		t.Fatal(err)
	}
	if x.Name != "" || len(x.Figures) != 1 || x.Figures[0].Name != "relative_load" || x.Figures[0].Value == nil || !strings.Contains(x.Of, "window 28d") {
		t.Errorf("explained: %+v", x)
	}
	if _, errs, code := fairlead(t.Context(), "explain", "area", "Nothing of the kind"); code == 0 || !strings.Contains(errs, "there is no area") {
		t.Errorf("an unknown area: status %d, %s", code, errs)
	}
	// Figures of single people are told of the last 90 days only.
	long, past := end.AddDate(0, 0, -100).Format(time.DateOnly), analysis.QuarterOf(end.AddDate(0, 0, -200)).String()
	for _, args := range [][]string{
		{"rebalance", "--team", "Service Desk", "--as-of", long},
		{"explain", "team", "Service Desk", "gini", "--as-of", long},
		{"explain", "team", "Service Desk", "--window", past},
		{"explain", "engineer", who[1], "--window", past},
		{"report", "--audience", "lead", "--team", "Service Desk", "--quarter", past},
		{"report", "--audience", "lead", "--team", "Service Desk", "--as-of", end.AddDate(0, 0, -300).Format(time.DateOnly)},
		{"serve", "--listen", "127.0.0.1:0", "--as-of", long},
	} {
		if out, errs, code := fairlead(t.Context(), args...); code == 0 || out != "" || !strings.Contains(errs, "privacy.retention.people") {
			t.Errorf("fairlead %v: status %d, %q, %q", args, code, out, errs)
		}
	}
	log, err := os.ReadFile(accessLog(data))
	if err != nil || !strings.Contains(string(log), `"action":"explain","pseudonym":"`+who[1]+`"`) || !strings.Contains(string(log), `"action":"rebalance"`) || !strings.Contains(string(log), who[1]) {
		t.Errorf("access log: %v\n%s", err, log)
	}
}
