//go:build verify

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/servicenow/servicenowtest"
)

// The same organisation in two systems and in three has the same figures, with a
// roster by team to the ticket-day, and the planted truths are found in both:
// people are joined by e-mail, wherever their work is.
func TestVerifyThreeSources(t *testing.T) {
	needEngine(t)
	now := time.Now().UTC().Truncate(24 * time.Hour)
	type group struct {
		Name                string  `json:"team"`
		People              int     `json:"people"`
		Total, Gini, Hoover float64 // by their own names
		Excess              float64 `json:"gini_excess"`
	}
	figures := map[string]map[string]group{}
	var truths sandbox.Truths
	for _, systems := range []string{"two", "three"} {
		o := sandbox.Generate(5, now, sandbox.Options{Tickets: 12_000, Asana: systems == "three"})
		truths = o.Truths
		site, err := o.Jira(jiratest.Options{Flavour: jiratest.DataCenter, Token: "token"})
		if err != nil {
			t.Fatal(err)
		}
		snow := o.ServiceNow(servicenowtest.Options{Username: "reader", Password: "password"})
		dir := t.TempDir()
		url := func(h http.Handler) string {
			s, err := sandbox.Serve(h)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return s.URL
		}
		text := fmt.Sprintf(`
data_dir: %s
roster: [%s]
sources:
  jira:
    jira: {url: %q, flavour: datacenter, token: token}
  servicenow:
    servicenow: {url: %q, username: reader, password: password, tables: [{table: incident}, {table: sc_task}, {table: problem}, {table: change_request}]}
`, filepath.Join(dir, "data"), filepath.Join(dir, "roster.yaml"), url(site), url(snow.Handler()))
		if systems == "three" {
			work, err := o.Asana(asanatest.Options{}, func(t *sandbox.Ticket) bool { return t.System() == sandbox.Asana })
			if err != nil {
				t.Fatal(err)
			}
			text += fmt.Sprintf("  asana:\n    asana: {url: %q, token: token, status_field: Status, kind_field: Type, sections: area, projects: [%s]}\n",
				url(work), `"`+strings.Join(work.Projects, `", "`)+`"`)
		}
		for name, content := range map[string]string{"roster.yaml": string(o.RosterYAML()), "fairlead.yaml": text} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		fairlead := func(args ...string) string {
			t.Helper()
			var stdout, stderr bytes.Buffer
			args = append([]string{"--config", filepath.Join(dir, "fairlead.yaml")}, args...)
			if code := run(t.Context(), args, nil, strings.NewReader(""), &stdout, &stderr); code != 0 {
				t.Fatalf("fairlead %v: status %d\n%s%s", args, code, stdout.String(), stderr.String())
			}
			return stdout.String()
		}
		if out := fairlead("check"); strings.Contains(out, "failed") {
			t.Errorf("check:\n%s", out)
		}
		fairlead("collect")
		for line := range strings.Lines(fairlead("roster", "check")) {
			if strings.Contains(line, "asana") && !strings.Contains(line, "not seen") {
				t.Errorf("an account of Asana is left over: %s", line)
			}
		}
		var groups []group
		if err := json.Unmarshal([]byte(fairlead("analyze", "--format", "json", "--as-of", now.Format(time.DateOnly))), &groups); err != nil {
			t.Fatal(err)
		}
		figures[systems] = map[string]group{}
		for _, g := range groups {
			figures[systems][g.Name] = g
		}
	}
	two, three := figures["two"], figures["three"]
	if len(two) < 8 || len(two) != len(three) {
		t.Errorf("%d teams in two systems, %d in three", len(two), len(three))
	}
	for name, want := range two {
		got := three[name]
		if got.People != want.People || math.Abs(got.Total-want.Total) > want.Total/1000+0.5 || math.Abs(got.Gini-want.Gini) > 0.005 || math.Abs(got.Hoover-want.Hoover) > 0.005 {
			t.Errorf("%s\n in two systems   %+v\n in three systems %+v", name, want, got)
		}
	}
	if uneven, even := three[truths.OverloadedTeam.Name], three[truths.Fair.Name]; uneven.Excess < 0.05 || even.Excess > 0.02 {
		t.Errorf("the planted team and the levelled one\n %+v\n %+v", uneven, even)
	}
}
