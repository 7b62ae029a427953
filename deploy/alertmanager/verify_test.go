//go:build verify

package alertmanager

import (
	"os/exec"
	"strings"
	"testing"

	"fairlead/deploy/prometheus/prometheustest"
)

// amtool judges the files as Alertmanager does.
func TestVerifyAmtool(t *testing.T) {
	amtool := prometheustest.Binary(t, "amtool", "prometheus-alertmanager")
	for _, file := range []string{"alertmanager.yml", "testdata/generated.yml"} {
		if out, err := exec.CommandContext(t.Context(), amtool, "check-config", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
	for alert, want := range map[string]string{
		"owner=lead about=person engineer=amber-otter-4k7q team=Payments": "amber-otter-4k7q in Payments",
		"owner=lead about=person engineer=blue-heron-1234 team=Payments":  "lead of Payments",
		"owner=lead about=person engineer=stranger team=Payments":         "lead of Payments",
		"owner=lead about=person engineer=amber-otter-4k7q area=Ledger":   "amber-otter-4k7q and their leads",
		"owner=lead about=person engineer=blue-heron-1234 area=Ledger":    "lead of Payments",
		"owner=lead about=person engineer=dusty-egret-9x team=Lost":       "nobody",
		"owner=lead about=person engineer=stranger area=Ledger":           "nobody",
		"owner=lead about=team team=Payments":                             "team Payments",
		"owner=lead about=area area=Ledger team=Payments":                 "team Payments",
		"owner=lead about=team team=Lost":                                 "operations",
		"owner=operations about=service severity=critical":                "operations",
	} {
		args := append([]string{"config", "routes", "test", "--config.file=testdata/generated.yml", "--verify.receivers=" + want}, strings.Fields(alert)...)
		if out, err := exec.CommandContext(t.Context(), amtool, args...).CombinedOutput(); err != nil {
			t.Errorf("%s goes elsewhere than to %s: %v\n%s", alert, want, err, out)
		}
	}
}
