//go:build verify

package prometheus

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"fairlead/connectors/sandbox"
	"fairlead/deploy/prometheus/prometheustest"
)

// alerting is a day on which the one who hoards an area is on leave, while the
// planted overload lasts.
var alerting = time.Date(2026, 7, 25, 0, 0, 0, 0, time.UTC)

// What fairlead rules writes of the demonstration's roster, through a real
// Prometheus and a real Alertmanager to a webhook: an alert about a person reaches
// their lead and them, one about a team whom the roster names, and what is about a
// person reaches nobody else.
func TestVerifyAlerts(t *testing.T) {
	promtool, amtool := prometheustest.Binary(t, "promtool", "prometheus"), prometheustest.Binary(t, "amtool", "prometheus-alertmanager")
	prometheustest.Binary(t, "prometheus", "prometheus")
	fairlead := prometheustest.Fairlead(t)
	data, out := t.TempDir(), t.TempDir()
	demo := []string{"--now", alerting.Format(time.DateOnly)}
	prometheustest.Run(t, fairlead, append([]string{"demo", "--once", "--data", data}, demo...)...)
	config := filepath.Join(out, "fairlead.yaml")
	if err := os.WriteFile(config, []byte("metrics: {people: true}\nalerts: {operations: [operations@example.org], zone: Europe/Berlin}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const external, grafana = "https://fairlead.example.org", "https://grafana.example.org"
	said := prometheustest.Run(t, fairlead, "rules", "--config", config, "--data", data, "--external-url", external, "--grafana-url", grafana, "--out", out)
	if strings.Count(said, "\n") != 1 {
		t.Errorf("rules complains: %s", said)
	}
	rulesFile, routesFile := filepath.Join(out, "fairlead.rules.yml"), filepath.Join(out, "alertmanager.yml")
	prometheustest.Run(t, promtool, "check", "rules", "--lint=all", "--lint-fatal", rulesFile)
	prometheustest.Run(t, amtool, "check-config", routesFile)
	rules, routes := content(t, rulesFile), content(t, routesFile)
	addresses := mailed(t, routes)

	running := prometheustest.Demo(t, data, demo...)
	manager := prometheustest.StartAlertmanager(t, routes)
	prometheustest.Start(t, prometheustest.Options{Scrape: running.URL, Rules: hurried(rules), Alertmanager: manager.URL})

	organisation := sandbox.Generate(1, alerting, sandbox.Options{Asana: true})
	truth := organisation.Truths
	team := truth.OverloadedTeam
	for _, c := range []struct {
		alert, label, value string
		whom                []string
		who, dashboard      string // "" for what is about nobody
	}{
		{"FairleadEngineerOverloaded", "team", team.Name, concerned(organisation, truth.Overloaded), truth.Overloaded.Email,
			"/d/fairlead-engineer?var-team=" + url.QueryEscape(team.Name) + "&var-engineer="},
		{"FairleadAreaSoleHolderAbsent", "area", truth.Hoarded.Name, concerned(organisation, truth.Hoarder), truth.Hoarder.Email,
			"/d/fairlead-knowledge?var-area=" + url.QueryEscape(truth.Hoarded.Name)},
		{"FairleadTeamUneven", "team", team.Name, []string{"payments@example.org"}, "", "/d/fairlead-team?var-team=" + url.QueryEscape(team.Name)},
	} {
		var got prometheustest.Alert
		prometheustest.Eventually(t, "sending "+c.alert, func(context.Context) error {
			for _, list := range manager.Told() {
				for _, got = range list {
					if got.Labels["alertname"] == c.alert && got.Labels[c.label] == c.value {
						return nil
					}
				}
			}
			return errors.New("nobody was told")
		})
		var labels []string
		for name, value := range got.Labels {
			labels = append(labels, name+"="+value)
		}
		// Alertmanager's own tool says where this alert goes, and that it goes
		// nowhere else; the webhook says that it went.
		receiver := strings.TrimSpace(prometheustest.Run(t, amtool, append([]string{"config", "routes", "test", "--config.file", routesFile}, labels...)...))
		whom := slices.Sorted(slices.Values(addresses[receiver]))
		if want := slices.Sorted(slices.Values(c.whom)); !slices.Equal(whom, want) {
			t.Errorf("%s goes to %q, which is %v, want %v", c.alert, receiver, whom, want)
		}
		if told := manager.Sent(receiver); !slices.ContainsFunc(told, func(a prometheustest.Alert) bool { return a.Labels["alertname"] == c.alert }) {
			t.Errorf("%s: %s was told %v", c.alert, receiver, told)
		}
		says := map[string]string{"runbook_url": external + "/runbooks/" + c.alert, "dashboard_url": grafana + c.dashboard}
		if engineer := got.Labels["engineer"]; c.who != "" {
			says["description"] = "Who it is: fairlead whois " + engineer
			if is := prometheustest.Run(t, fairlead, "whois", "--data", data, engineer); !strings.Contains(is, c.who) {
				t.Errorf("%s is about %s, want %s", c.alert, is, c.who)
			}
		}
		for name, want := range says {
			if !strings.Contains(got.Annotations[name], want) {
				t.Errorf("%s: %s is %q, without %q", c.alert, name, got.Annotations[name], want)
			}
		}
	}
	// Whatever else was sent: nothing about a person went to a channel of a team,
	// or to who runs Fairlead.
	for receiver, list := range manager.Told() {
		for _, a := range list {
			if a.Labels["about"] == "person" && (receiver == "operations" || strings.HasPrefix(receiver, "team ") || len(addresses[receiver]) > 2) {
				t.Errorf("an alert about a person went to %q: %v", receiver, a.Labels)
			}
		}
	}
}

// concerned are the addresses of somebody and of the leads of their teams.
func concerned(o *sandbox.Organisation, who *sandbox.Person) []string {
	list := []string{who.Email}
	for _, team := range o.Teams {
		for _, m := range team.Members {
			if m.Person == who && m.To.IsZero() && !slices.Contains(list, team.Lead.Email) {
				list = append(list, team.Lead.Email)
			}
		}
	}
	return list
}

func content(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// mailed are the addresses to which each receiver of a configuration writes.
func mailed(t *testing.T, routes string) map[string][]string {
	t.Helper()
	var file struct {
		Receivers []struct {
			Name   string
			Emails []struct{ To string } `yaml:"email_configs"`
		}
	}
	if err := yaml.Unmarshal([]byte(routes), &file); err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, r := range file.Receivers {
		for _, e := range r.Emails {
			all[r.Name] = append(all[r.Name], strings.Split(e.To, ", ")...)
		}
	}
	if len(all) < 10 {
		t.Fatalf("only %d receivers write to somebody", len(all))
	}
	return all
}
