//go:build verify

package prometheus

import (
	"os/exec"
	"testing"
)

// promtool judges the files as Prometheus does: it fails where it is not
// installed.
func TestVerifyPromtool(t *testing.T) {
	for _, args := range [][]string{
		{"check", "rules", "--lint=all", "--lint-fatal", "fairlead.rules.yml"},
		{"test", "rules", "fairlead.rules.test.yml"},
		{"check", "config", "prometheus.yml"},
	} {
		if out, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}
