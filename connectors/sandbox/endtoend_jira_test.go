package sandbox_test

import (
	"log/slog"
	"testing"

	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/sandbox"
)

func TestJiraEndToEnd(t *testing.T) {
	for _, flavour := range []jiratest.Flavour{jiratest.Cloud, jiratest.DataCenter} {
		t.Run(string(flavour), func(t *testing.T) {
			o := generate()
			in, err := o.Jira(jiratest.Options{Flavour: flavour, TimeZone: "America/New_York"})
			if err != nil {
				t.Fatal(err)
			}
			cfg := jira.DefaultConfig()
			cfg.URL, cfg.Flavour, cfg.Token = serve(t, in), jira.Flavour(flavour), "token"
			if flavour == jiratest.Cloud {
				cfg.Email = "fairlead@example.org"
			}
			src, err := jira.New(cfg, jira.Options{Name: "jira", Transport: transport("jira"), Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, o, src, ledger{o: o, system: sandbox.Jira, flavour: flavour})
		})
	}
}
