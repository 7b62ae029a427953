package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const webFile = "basic_auth_users:\n  prometheus: $2y$05$x\n  grafana: $2y$05$y\n"

func scraped(t *testing.T, users ...string) *Config {
	t.Helper()
	c := defaultConfig()
	c.Metrics.People, c.Metrics.PeopleUsers = true, users
	c.Web.ConfigFile = filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(c.Web.ConfigFile, []byte(webFile), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPeopleAreOffByDefault(t *testing.T) {
	if c := defaultConfig(); c.scrapePeople() || c.checkScrapers() != nil {
		t.Error("single engineers are served without having been asked for")
	}
	c := scraped(t)
	for _, off := range []func(){func() { c.Metrics.Engineer = "none" }, func() { c.Metrics.Engineer = "pseudonym"; c.Privacy.Simulation = true }} {
		if off(); c.scrapePeople() {
			t.Error("single engineers are served")
		}
	}
}

func TestCheckScrapers(t *testing.T) {
	for _, c := range []struct {
		config *Config
		change func(*Config)
		want   string
	}{
		{scraped(t, "prometheus"), func(*Config) {}, ""},
		{scraped(t), func(c *Config) { c.Web.ConfigFile = "" }, ""},
		{scraped(t), func(*Config) {}, "metrics.people_users is empty"},
		{scraped(t), func(c *Config) { c.Metrics.People = false }, ""},
		{scraped(t, "prometheus", "nobody"), func(*Config) {}, `metrics.people_users has "nobody"`},
		{scraped(t, "prometheus"), func(c *Config) { c.Web.ConfigFile = "" }, "there is no web.config_file"},
		{scraped(t, "prometheus"), func(c *Config) { c.Web.ConfigFile += "x" }, "no such file"},
	} {
		c.change(c.config)
		if err := c.config.checkScrapers(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

func TestOnlyScrapers(t *testing.T) {
	c := scraped(t, "prometheus")
	handler := c.onlyScrapers(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("people")) }))
	get := func(user string) int {
		r := httptest.NewRequest(http.MethodGet, "/metrics/people", nil)
		if user != "" {
			r.SetBasicAuth(user, "checked before")
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	for user, want := range map[string]int{"prometheus": http.StatusOK, "grafana": http.StatusForbidden, "nobody": http.StatusForbidden, "": http.StatusForbidden} {
		if got := get(user); got != want {
			t.Errorf("%q gets %d, want %d", user, got, want)
		}
	}
	// Nobody asks for passwords any more.
	if err := os.WriteFile(c.Web.ConfigFile, []byte("tls_server_config: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := get("prometheus"); got != http.StatusForbidden {
		t.Errorf("whoever says prometheus gets %d", got)
	}
}
