//go:build verify

package prometheus

import (
	"context"
	"fmt"
	"maps"
	"math"
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

// The whole way: the demonstration with a year of history is scraped, and every
// rule evaluated, by a real Prometheus.
func TestVerifyChain(t *testing.T) {
	prometheustest.Binary(t, "prometheus", "prometheus")
	data, today := t.TempDir(), time.Now().UTC().Truncate(24*time.Hour)
	now := []string{"--now", today.Format(time.DateOnly)}
	prometheustest.Run(t, prometheustest.Fairlead(t), append([]string{"demo", "--once", "--data", data}, now...)...)
	// Verdicts and knowledge are told once a week: of the last instant too.
	history := prometheustest.History(t, data, "--people", "--from", today.AddDate(0, 0, -52*7).Format(time.DateOnly), "--to", today.Format(time.DateOnly))
	demo := prometheustest.Demo(t, data, now...)
	server := prometheustest.Start(t, prometheustest.Options{Scrape: demo.URL, Rules: hurried(Rules(Options{Fairlead: demo.URL})), History: []string{history}})
	server.Scraped(t)

	t.Run("history", func(t *testing.T) { checkHistory(t, server, today) })
	t.Run("rules", func(t *testing.T) { checkRules(t, server) })
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
	// A year ago somebody looks at it.
	old, err := server.Query(t.Context(), `count(last_over_time(fairlead_team_load_gini{basis="load"}[26h]))`, today.AddDate(0, 0, -300))
	if err != nil || len(old) != 1 {
		t.Errorf("300 days ago: %v, %v", old, err)
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
