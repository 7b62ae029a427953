// Package alertmanager checks the routes of Fairlead's alerts with
// Alertmanager's own code.
package alertmanager

import (
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// alerts are the labels of each alert of the rule file.
func alerts(t *testing.T) map[string]model.LabelSet {
	t.Helper()
	content, err := os.ReadFile("../../prometheus/fairlead.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert  string
				Labels map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	all := map[string]model.LabelSet{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" {
				continue
			}
			set := model.LabelSet{"alertname": model.LabelValue(r.Alert)}
			for name, value := range r.Labels {
				set[model.LabelName(name)] = model.LabelValue(value)
			}
			all[r.Alert] = set
		}
	}
	return all
}

func load(t *testing.T) *config.Config {
	t.Helper()
	c, err := config.LoadFile("../../alertmanager/alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// receivers is where an alert goes: to the first child that matches, and those
// after it where that one says continue; to the route itself where none does.
// https://prometheus.io/docs/alerting/latest/configuration/#route
func receivers(r *config.Route, alert model.LabelSet) []string {
	var all []string
	for _, child := range r.Routes {
		matchers := labels.Matchers(child.Matchers)
		if !matchers.Matches(alert) {
			continue
		}
		all = append(all, receivers(child, alert)...)
		if !child.Continue {
			break
		}
	}
	if len(all) == 0 {
		return []string{r.Receiver}
	}
	return all
}

// What is about a person reaches their lead and nobody else; what is about
// Fairlead itself reaches who runs it.
func TestReceivers(t *testing.T) {
	c := load(t)
	all := alerts(t)
	if len(all) < 10 {
		t.Fatalf("%d alerts", len(all))
	}
	want := map[model.LabelValue]string{"person": "lead", "team": "team", "area": "team", "service": "operations"}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		got := receivers(c.Route, all[name])
		if len(got) != 1 || got[0] != want[all[name]["about"]] {
			t.Errorf("%s goes to %v, want %s", name, got, want[all[name]["about"]])
		}
	}
}

// inhibited says whether an alert is silenced while another fires.
func inhibited(c *config.Config, source, target model.LabelSet) bool {
	for _, rule := range c.InhibitRules {
		from, to := labels.Matchers(rule.SourceMatchers), labels.Matchers(rule.TargetMatchers)
		if !from.Matches(source) || !to.Matches(target) {
			continue
		}
		same := true
		for _, name := range rule.Equal {
			same = same && source[model.LabelName(name)] == target[model.LabelName(name)]
		}
		if same {
			return true
		}
	}
	return false
}

func TestInhibition(t *testing.T) {
	c, all := load(t), alerts(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		figures := all[name]["about"] != "service"
		for _, behind := range []string{"FairleadSourceStale", "FairleadSnapshotOld"} {
			if got := inhibited(c, all[behind], all[name]); figures && !got {
				t.Errorf("%s is not silenced by %s", name, behind)
			}
		}
		if got := inhibited(c, all["FairleadDown"], all[name]); got != (name != "FairleadDown") {
			t.Errorf("FairleadDown silences %s: %v", name, got)
		}
		if figures {
			for other := range all {
				if inhibited(c, all[name], all[other]) {
					t.Errorf("%s silences %s", name, other)
				}
			}
		}
	}
	jira := all["FairleadSourceStale"].Merge(model.LabelSet{"source": "jira"})
	for source, want := range map[model.LabelValue]bool{"jira": true, "servicenow": false} {
		if got := inhibited(c, jira, all["FairleadSweepRefused"].Merge(model.LabelSet{"source": source})); got != want {
			t.Errorf("jira is stale, a sweep of %s was refused: silenced %v", source, got)
		}
	}
	if inhibited(c, jira, jira.Merge(model.LabelSet{"source": "servicenow"})) {
		t.Error("a stale source silences another one")
	}
}
