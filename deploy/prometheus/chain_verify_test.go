//go:build verify

package prometheus

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"fairlead/deploy/prometheus/prometheustest"
)

// hurried is the rules with their waits cut down to what a test can wait for;
// all else is as it is.
func hurried(rules string) string {
	rules = regexp.MustCompile(`(?m)^(\s+)for: \w+$`).ReplaceAllString(rules, "${1}for: 2s")
	rules = regexp.MustCompile(`(?m)^(\s+)keep_firing_for: \w+$`).ReplaceAllString(rules, "${1}keep_firing_for: 2s")
	return regexp.MustCompile(`(?m)^(\s+)interval: \w+$`).ReplaceAllString(rules, "${1}interval: 1s")
}

// The whole way: the demonstration is scraped, and every rule evaluated, by a
// real Prometheus.
func TestVerifyChain(t *testing.T) {
	demo := prometheustest.Demo(t, t.TempDir())
	server := prometheustest.Start(t, prometheustest.Options{Scrape: demo.URL, Rules: hurried(Rules(demo.URL, ""))})
	server.Scraped(t)

	t.Run("rules", func(t *testing.T) { checkRules(t, server) })
}

// checkRules waits until each rule was evaluated without an error.
func checkRules(t *testing.T, server *prometheustest.Prometheus) {
	prometheustest.Eventually(t, "evaluating the rules", func(ctx context.Context) error {
		rules, err := server.Rules(ctx)
		if err != nil {
			return err
		}
		if want := len(parsed(t, Rules("", ""))); len(rules) != want {
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
