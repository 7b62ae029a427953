package main

import (
	"fmt"
	"net/http"
	"os"
	"slices"

	"go.yaml.in/yaml/v3"

	"fairlead/analysis/exporter"
)

// scrapePeople is whether /metrics/people is served.
func (c *Config) scrapePeople() bool {
	return c.Metrics.People && c.Metrics.Engineer != exporter.LabelNone && !c.Privacy.Simulation
}

// webUsers are those whom the web configuration file asks for a password.
func webUsers(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Users map[string]string `yaml:"basic_auth_users"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, oneLine(err))
	}
	return file.Users, nil
}

// checkScrapers refuses single engineers that anybody who may read /metrics could
// read as well.
func (c *Config) checkScrapers() error {
	if !c.scrapePeople() {
		return nil
	}
	if c.Web.ConfigFile == "" {
		if len(c.Metrics.PeopleUsers) > 0 {
			return fmt.Errorf("metrics.people_users names users, and there is no web.config_file with their passwords: set it, or leave people_users out on loopback")
		}
		return nil
	}
	if len(c.Metrics.PeopleUsers) == 0 {
		return fmt.Errorf("metrics.people is on and metrics.people_users is empty: name the users of web.config_file who may read single engineers")
	}
	users, err := webUsers(c.Web.ConfigFile)
	if err != nil {
		return fmt.Errorf("web.config_file: %w", err)
	}
	for _, name := range c.Metrics.PeopleUsers {
		if users[name] == "" {
			return fmt.Errorf("metrics.people_users has %q, who is none of basic_auth_users in %s: add them there", name, c.Web.ConfigFile)
		}
	}
	return nil
}

// onlyScrapers lets the configured users through. Their passwords were checked
// before by the web configuration, which is read for each request, as it may
// have ceased to ask for them.
func (c *Config) onlyScrapers(next http.Handler) http.Handler {
	if c.Web.ConfigFile == "" {
		return next // loopback
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _, ok := r.BasicAuth()
		users, err := webUsers(c.Web.ConfigFile)
		if err != nil || !ok || users[name] == "" || !slices.Contains(c.Metrics.PeopleUsers, name) {
			http.Error(w, "single engineers are for the users in metrics.people_users", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
