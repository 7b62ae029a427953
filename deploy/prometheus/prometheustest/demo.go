package prometheustest

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

// Demo runs the demonstration until the end of the test, on a data folder; it is
// ready when the first analysis is published.
func Demo(t testing.TB, data string, args ...string) *Process {
	t.Helper()
	return start(t, "/readyz", Fairlead(t), func(address string) []string {
		return append([]string{"demo", "--data", data, "--listen", address}, args...)
	})
}

// Serve runs `fairlead serve` with a configuration until the end of the test.
func Serve(t testing.TB, data, config string) *Process {
	t.Helper()
	return start(t, "/readyz", Fairlead(t), func(address string) []string {
		return []string{"serve", "--config", config, "--data", data, "--listen", address}
	})
}

// History writes what `fairlead history` tells of a data folder that nothing
// else uses into a file, and gives its path.
func History(t testing.TB, data string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "history.om")
	write(t, path, Run(t, Fairlead(t), append([]string{"history", "--data", data}, args...)...))
	return path
}

// Scraped waits until a Prometheus has what a Fairlead exports, groups and
// single engineers.
func (p *Prometheus) Scraped(t testing.TB) {
	t.Helper()
	Eventually(t, "scraping Fairlead", func(ctx context.Context) error {
		for _, expr := range []string{"fairlead_team_load_gini", "fairlead_engineer_open_tickets"} {
			list, err := p.Query(ctx, expr, time.Time{})
			if err != nil {
				return err
			}
			if len(list) == 0 {
				return errors.New("no " + expr)
			}
		}
		return nil
	})
}
