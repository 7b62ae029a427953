//go:build verify

package prometheus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"fairlead/deploy/prometheus/prometheustest"
)

// hurried is the rules with their waits cut down to what a test can wait for;
// all else is as it is.
func hurried(rules string) string {
	rules = regexp.MustCompile(`(?m)^(\s+)for: \w+$`).ReplaceAllString(rules, "${1}for: 2s")
	rules = regexp.MustCompile(`(?m)^(\s+)keep_firing_for: \w+$`).ReplaceAllString(rules, "${1}keep_firing_for: 2s")
	return regexp.MustCompile(`(?m)^(\s+)interval: \w+$`).ReplaceAllString(rules, "${1}interval: 1s")
}

// The whole way: the demonstration with months of history is scraped, and every
// rule evaluated, by a real Prometheus. Then the sources stop.
func TestVerifyChain(t *testing.T) {
	prometheustest.Binary(t, "prometheus", "prometheus")
	data, today := t.TempDir(), time.Now().UTC().Truncate(24*time.Hour)
	now := []string{"--now", today.Format(time.DateOnly)}
	prometheustest.Run(t, prometheustest.Fairlead(t), append([]string{"demo", "--once", "--data", data}, now...)...)
	// Verdicts and knowledge are told once a week: of the last instant too.
	history := prometheustest.History(t, data, "--people", "--from", today.AddDate(0, 0, -16*7).Format(time.DateOnly), "--to", today.Format(time.DateOnly))
	demo := prometheustest.Demo(t, data, now...)
	rules := Rules(Options{Fairlead: demo.URL})
	server := prometheustest.Start(t, prometheustest.Options{Scrape: demo.URL, Rules: hurried(rules), History: []string{history}})
	server.Scraped(t)

	t.Run("history", func(t *testing.T) { checkHistory(t, server, today) })
	t.Run("rules", func(t *testing.T) { checkRules(t, server) })
	t.Run("selectors", func(t *testing.T) {
		checkSelectors(t, server, rules, map[string]absence{
			`fairlead_source_requests_total{code=~"error|429|5.."}`: {never, "no request fails"},
			`fairlead_area_sole_holder_absent`:                      {sometimes, "the only one who knows an area may be at work today"},
		})
		checkPast(t, server)
	})
	t.Run("pint", func(t *testing.T) { checkPint(t, server) })
	server.Stop()
	demo.Stop()
	t.Run("source stopped", func(t *testing.T) { checkInhibition(t, data, rules) })
}

// The same without a roster, of which queues know no hours and no absence.
func TestVerifyChainOfQueues(t *testing.T) {
	prometheustest.Binary(t, "prometheus", "prometheus")
	demo := prometheustest.Demo(t, t.TempDir(), "--no-roster", "--now", time.Now().UTC().Format(time.DateOnly))
	rules := Rules(Options{Fairlead: demo.URL})
	server := prometheustest.Start(t, prometheustest.Options{Scrape: demo.URL, Rules: hurried(rules)})
	server.Scraped(t)
	checkRules(t, server)
	const hours, past = "without a roster nobody's hours are known", "nothing is known of the past yet"
	checkSelectors(t, server, rules, map[string]absence{
		`fairlead_source_requests_total{code=~"error|429|5.."}`: {never, "no request fails"},
		`fairlead_area_sole_holder_absent`:                      {never, "without a roster nobody is known to be away"},
		`fairlead_team_afterhours_ratio`:                        {never, hours},
		`fairlead_team_afterhours_usual_ratio`:                  {never, hours},
		`team:fairlead_team_afterhours_ratio:delta_usual`:       {never, hours},
		`area:fairlead_area_silo_score:delta4w`:                 {never, past},
	})
}

// absence is why a selector has nothing to select.
type absence struct {
	when when
	why  string
}

type when int

const (
	never     when = iota // has it a series
	sometimes             // it may have, or not
)

var selector = regexp.MustCompile(`\b(?:[a-z]+:)?fairlead_[a-z_]+(?::[a-z0-9_]+)?(?:\{[^}]*\})?`)

// checkSelectors holds that every series that a rule reads is there, but for those
// that are excused.
func checkSelectors(t *testing.T, server *prometheustest.Prometheus, rules string, absent map[string]absence) {
	t.Helper()
	read := map[string]bool{}
	for _, r := range parsed(t, rules) {
		for _, s := range selector.FindAllString(r.Expr, -1) {
			read[s] = true
		}
	}
	if len(read) < 20 {
		t.Errorf("only %d selectors: %v", len(read), read)
	}
	// What one rule records another reads only at its next evaluation.
	prometheustest.Eventually(t, "having every series that a rule reads", func(ctx context.Context) error {
		var missing []string
		for s := range read {
			list, err := server.Query(ctx, s, time.Time{})
			if err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
			if _, ok := absent[s]; !ok && len(list) == 0 {
				missing = append(missing, s)
			}
		}
		if len(missing) > 0 {
			return fmt.Errorf("no series of %s", strings.Join(missing, ", "))
		}
		return nil
	})
	for s, a := range absent {
		if !read[s] {
			t.Errorf("%s is read by no rule", s)
		}
		if list, err := server.Query(t.Context(), s, time.Time{}); a.when == never && (err != nil || len(list) > 0) {
			t.Errorf("%s: %d series (%v); expected none, as %s", s, len(list), err, a.why)
		}
	}
}

// checkPast holds that the comparisons with the past find the history, which has a
// sample a day or a week.
func checkPast(t *testing.T, server *prometheustest.Prometheus) {
	t.Helper()
	for _, record := range []string{"area:fairlead_area_silo_score:delta4w", "team:fairlead_team_unassigned_tickets:delta4w"} {
		prometheustest.Eventually(t, "comparing with the past", func(ctx context.Context) error {
			list, err := server.Query(ctx, record, time.Time{})
			if err == nil && len(list) < 5 {
				err = fmt.Errorf("%s: %d series", record, len(list))
			}
			return err
		})
	}
}

// checkPint lets pint compare the rules with what Prometheus has.
func checkPint(t *testing.T, server *prometheustest.Prometheus) {
	pint := prometheustest.Binary(t, "pint", "none: run make verify")
	config, err := os.ReadFile("pint.hcl")
	if err != nil {
		t.Fatal(err)
	}
	live := filepath.Join(t.TempDir(), "pint.hcl")
	text := string(config) + fmt.Sprintf("\nprometheus \"demo\" {\n  uri = %q\n}\n", server.URL)
	if err := os.WriteFile(live, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"--offline", "--config", "pint.hcl", "lint", "--min-severity", "info", "--fail-on", "info", "fairlead.rules.yml"},
		// promql/series knows not what is absent on purpose; checkSelectors does.
		{"--config", live, "--disabled", "promql/series", "--disabled", "alerts/count", "lint", "--min-severity", "warning", "--fail-on", "warning", "fairlead.rules.yml"},
	} {
		out, err := exec.CommandContext(t.Context(), pint, append([]string{"--no-color"}, args...)...).CombinedOutput()
		if err != nil {
			t.Errorf("pint %v: %v\n%s", args, err, out)
		}
	}
}

// checkInhibition serves what was collected while the sources cannot be reached.
func checkInhibition(t *testing.T, data, rules string) {
	gone := httptest.NewServer(nil)
	gone.Close()
	config := filepath.Join(t.TempDir(), "fairlead.yaml")
	text := fmt.Sprintf("metrics: {people: true}\nroster: [%q]\nsources: {servicenow: {servicenow: {url: %q, username: u, password: p}}}\n", filepath.Join(data, "roster.yaml"), gone.URL)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	serve := prometheustest.Serve(t, data, config)
	example, err := os.ReadFile("../alertmanager/alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	manager := prometheustest.StartAlertmanager(t, string(example))
	prometheustest.Start(t, prometheustest.Options{Scrape: serve.URL, Rules: hurried(rules), Alertmanager: manager.URL})
	prometheustest.Eventually(t, "silencing what a stale source makes doubtful", func(ctx context.Context) error {
		inhibited, err := manager.Inhibited(ctx)
		if err != nil {
			return err
		}
		for alert, want := range map[string]bool{"FairleadSourceStale": false, "FairleadEngineerOverloaded": true, "FairleadTeamUneven": true} {
			if got, active := inhibited[alert]; !active || got != want {
				return fmt.Errorf("%s: active %v, inhibited %v, want %v", alert, active, got, want)
			}
		}
		if len(manager.Receivers("FairleadSourceStale")) == 0 {
			return errors.New("nobody was told of the stale source")
		}
		return nil
	})
}

// checkHistory holds what the history says of the demonstration's instant to
// what is scraped, which is computed for it alone.
func checkHistory(t *testing.T, server *prometheustest.Prometheus, today time.Time) {
	const analytic = `{__name__=~"fairlead_(team|area|engineer|unmatched)_.+"%s}`
	past, err := server.Query(t.Context(), fmt.Sprintf(analytic, `,job=""`), today)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]float64{}
	for _, s := range past {
		known[seriesName(s.Labels)] = s.Values[0].Float()
	}
	scraped, err := server.Query(t.Context(), fmt.Sprintf(analytic, `,job!=""`), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, s := range scraped {
		name := seriesName(s.Labels)
		if s.Labels["__name__"] == "fairlead_team_load_gini_explained" {
			continue // not in a history
		}
		compared++
		want := s.Values[0].Float()
		got, ok := known[name]
		if !ok || math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
			t.Errorf("history says %v (known %v), /metrics %v: %s", got, ok, want, name)
		}
		delete(known, name)
	}
	if compared < 1000 || len(known) > 0 {
		t.Errorf("%d series compared; only in the history: %v", compared, known)
	}
	// Somebody looks at the past.
	old, err := server.Query(t.Context(), `count(last_over_time(fairlead_team_load_gini{basis="load"}[26h]))`, today.AddDate(0, 0, -100))
	if err != nil || len(old) != 1 {
		t.Errorf("100 days ago: %v, %v", old, err)
	}
}

// seriesName is a series without what a scrape adds.
func seriesName(labels map[string]string) string {
	labels = maps.Clone(labels)
	delete(labels, "job")
	delete(labels, "instance")
	return fmt.Sprint(labels)
}

// checkRules waits until each rule was evaluated without an error.
func checkRules(t *testing.T, server *prometheustest.Prometheus) {
	prometheustest.Eventually(t, "evaluating the rules", func(ctx context.Context) error {
		rules, err := server.Rules(ctx)
		if err != nil {
			return err
		}
		if want := len(parsed(t, Rules(Options{}))); len(rules) != want {
			return fmt.Errorf("%d rules, want %d", len(rules), want)
		}
		var bad []string
		for _, r := range rules {
			if r.Health != "ok" {
				bad = append(bad, fmt.Sprintf("%s is %s: %s", r.Name, r.Health, r.LastError))
			}
		}
		if bad != nil {
			return fmt.Errorf("%s", strings.Join(bad, "; "))
		}
		return nil
	})
}
