package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// What compose.yaml tells Fairlead by the environment is known to it, and makes
// single engineers readable for whom Prometheus scrapes as.
func TestComposeIsAccepted(t *testing.T) {
	read := func(name string, into any) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	var compose struct {
		Services map[string]struct{ Environment map[string]string }
	}
	read("compose.yaml", &compose)
	var scrapes struct {
		Jobs []struct {
			Path string                    `yaml:"metrics_path"`
			User struct{ Username string } `yaml:"basic_auth"`
		} `yaml:"scrape_configs"`
	}
	read("compose/prometheus.yml", &scrapes)
	user := ""
	for _, job := range scrapes.Jobs {
		if job.Path == "/metrics/people" {
			user = job.User.Username
		}
	}
	// As prepare.sh writes it, for this user.
	web := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(web, []byte("basic_auth_users:\n  "+user+": \"$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, service := range []string{"fairlead", "history"} {
		var environ []string
		for name, value := range compose.Services[service].Environment {
			if name == "FAIRLEAD_WEB_CONFIG_FILE" {
				value = web
			}
			environ = append(environ, name+"="+value)
		}
		cfg, _, unknown, err := loadConfig(os.DevNull, environ)
		if err != nil || len(unknown) > 0 || len(environ) < 5 {
			t.Errorf("%s: %v, and unknown are %v of %d variables", service, err, unknown, len(environ))
			continue
		}
		if !cfg.scrapePeople() || len(cfg.Metrics.PeopleUsers) != 1 || cfg.Metrics.PeopleUsers[0] != user {
			t.Errorf("%s: single engineers are served: %v, to %v; Prometheus is %q", service, cfg.scrapePeople(), cfg.Metrics.PeopleUsers, user)
		}
	}
}

// A source that no file names can come from the environment alone.
func TestSourcesOfTheEnvironment(t *testing.T) {
	cfg, _, unknown, err := loadConfig(os.DevNull, strings.Fields(`
		FAIRLEAD_SOURCES_SITE_JIRA_URL=https://jira.example.org FAIRLEAD_SOURCES_SITE_JIRA_FLAVOUR=datacenter FAIRLEAD_SOURCES_SITE_JIRA_TOKEN=t
		FAIRLEAD_SOURCES_DESK_SERVICENOW_URL=https://snow.example.org FAIRLEAD_SOURCES_DESK_SERVICENOW_USERNAME=u FAIRLEAD_SOURCES_DESK_SERVICENOW_PASSWORD=p
		FAIRLEAD_SOURCES_ASANA_ASANA_TOKEN=t FAIRLEAD_SOURCES_ASANA_ASANA_PROJECTS=1,2 FAIRLEAD_SOURCES_ASANA_SINCE=6mo`))
	if err != nil || len(unknown) > 0 {
		t.Fatalf("%v, and unknown are %v", err, unknown)
	}
	asana := cfg.Sources["asana"]
	if len(cfg.Sources) != 3 || asana == nil || asana.Asana == nil || asana.Asana.URL != "https://app.asana.com" || len(asana.Asana.Projects) != 2 || asana.Since != "6mo" {
		t.Errorf("sources are %v, with %+v", keysOf(cfg.Sources), asana)
	}
}

// What the README says of every key, that the environment can set it.
func TestEveryKeyIsAVariable(t *testing.T) {
	var keys []string
	settings(reflect.TypeFor[Config](), "", &keys)
	for _, key := range keys {
		key, _, _ = strings.Cut(strings.ReplaceAll(key, "<name>", "desk"), "[]")
		name := envPrefix + envName(key)
		cfg := defaultConfig()
		// A value that no key can have at least shows that the key was met.
		if unknown, err := overlay(cfg, []string{name + "={"}); err == nil && len(unknown) > 0 {
			t.Errorf("%s is no variable for %s", name, key)
		}
	}
}
