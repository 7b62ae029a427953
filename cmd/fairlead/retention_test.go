package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What somebody wrote of how far back tickets are wanted is not undone by how long
// they are kept by default; what they wrote of how long they are kept holds.
func TestRetentionByWhatIsWritten(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		text    string
		environ []string
		keep    time.Duration
		limited bool // whether the source is collected less far back than its since
	}{
		"nothing":               {"", nil, 547 * day, true},
		"the default":           {"since: 24mo", nil, 547 * day, true},
		"a shorter since":       {"since: 6mo", nil, 547 * day, false},
		"a longer since":        {"since: 36mo", nil, 36 * 31 * day, false},
		"a day":                 {"since: 2015-01-01", nil, 0, false},
		"a late day":            {"since: " + time.Now().AddDate(0, -3, 0).Format(time.DateOnly), nil, 547 * day, false},
		"both":                  {"since: 2015-01-01\nprivacy: {retention: {tickets: 20000h}}", nil, 20000 * time.Hour, true},
		"both, one by variable": {"since: 2015-01-01", []string{"FAIRLEAD_PRIVACY_RETENTION_TICKETS=20000h"}, 20000 * time.Hour, true},
		"for ever":              {"since: 24mo\nprivacy: {retention: {tickets: 0}}", nil, 0, false},
		"for ever, by variable": {"since: 24mo", []string{"FAIRLEAD_PRIVACY_RETENTION_TICKETS=0"}, 0, false},
		"a longer memory":       {"since: 6mo\nanalysis: {ownership: {memory: 16000h}}", nil, 16000 * time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "fairlead.yaml")
			text := "sources:\n  tracker:\n    jira: {url: https://jira.example.test, flavour: datacenter, token: x, projects: [NET]}\n    " + c.text + "\n"
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, _, _, err := loadConfig(path, c.environ)
			if err != nil {
				t.Fatal(err)
			}
			_, limited, err := cfg.reach(cfg.Sources["tracker"], time.Now())
			if got := cfg.Privacy.Retention.Tickets; got != c.keep || limited != c.limited || err != nil {
				t.Errorf("tickets are kept for %s and their source is limited: %v, %v; want %s, %v", got, limited, err, c.keep, c.limited)
			}
		})
	}
}
