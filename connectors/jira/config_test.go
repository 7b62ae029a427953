package jira

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"fairlead/connectors/ticket"
)

func goodConfig(f Flavour) Config {
	c := DefaultConfig()
	c.URL, c.Flavour, c.Token = "https://jira.example.invalid/base", f, "a-token"
	if f == Cloud {
		c.Email = "someone@example.invalid"
	}
	return c
}

func TestValidateSaysWhatIsWrong(t *testing.T) {
	for name, test := range map[string]struct {
		flavour Flavour
		change  func(*Config)
		want    string // "" is no error
	}{
		"cloud":              {Cloud, func(*Config) {}, ""},
		"data center":        {DataCenter, func(*Config) {}, ""},
		"token in a file":    {Cloud, func(c *Config) { c.Token, c.TokenFile = "", "/run/secret" }, ""},
		"client credentials": {Cloud, func(c *Config) { c.Email, c.Token, c.OAuth.ClientID, c.OAuth.ClientSecret = "", "", "i", "s" }, ""},
		"everything configured": {Cloud, func(c *Config) {
			c.Projects, c.JQL = []string{"ABC", "a_1", "10001"}, "labels = it"
			c.EffortField = "none"
		}, ""},
		"no url":                   {Cloud, func(c *Config) { c.URL = "" }, "url:"},
		"a url without scheme":     {Cloud, func(c *Config) { c.URL = "jira.example.invalid" }, "url:"},
		"a url with a password":    {Cloud, func(c *Config) { c.URL = "https://me:secret@jira.example.invalid" }, "credentials have keys of their own"},
		"no flavour":               {Cloud, func(c *Config) { c.Flavour = "" }, "flavour:"},
		"no credential":            {DataCenter, func(c *Config) { c.Token = "" }, "token_file: missing credential"},
		"two credentials":          {DataCenter, func(c *Config) { c.TokenFile = "x" }, "token: set either"},
		"cloud without e-mail":     {Cloud, func(c *Config) { c.Email = "" }, "email: missing"},
		"data center with e-mail":  {DataCenter, func(c *Config) { c.Email = "x@example.invalid" }, "email: Data Center"},
		"token and oauth":          {Cloud, func(c *Config) { c.OAuth.ClientID = "x" }, "oauth: set either"},
		"oauth on data center":     {DataCenter, func(c *Config) { c.Token, c.OAuth.ClientID = "", "x" }, "oauth: Data Center has no"},
		"oauth without secret":     {Cloud, func(c *Config) { c.Token, c.OAuth.ClientID = "", "x" }, "oauth.client_secret_file: missing"},
		"a project that is JQL":    {Cloud, func(c *Config) { c.Projects = []string{`A") OR (1=1`} }, "projects:"},
		"jql with an order":        {Cloud, func(c *Config) { c.JQL = "a = b  Order\tBy c" }, "jql:"},
		"an effort field by name":  {Cloud, func(c *Config) { c.EffortField = "Story Points" }, "effort_field:"},
		"an unknown kind":          {Cloud, func(c *Config) { c.Kinds = map[string]ticket.Kind{"Bug": "insect"} }, "kinds:"},
		"an unknown category":      {Cloud, func(c *Config) { c.Statuses = map[string]ticket.Category{"Open": "opened"} }, "statuses:"},
		"a rule of nothing":        {Cloud, func(c *Config) { c.OnCall.Labels = []string{"page", " "} }, "on_call:"},
		"a bot that is anybody":    {Cloud, func(c *Config) { c.Bots = []string{"*"} }, "bots:"},
		"an overlap too long":      {Cloud, func(c *Config) { c.Overlap = 200 * time.Hour }, "overlap:"},
		"a page too large":         {Cloud, func(c *Config) { c.PageSize = 1001 }, "page_size:"},
		"a request of less than 0": {Cloud, func(c *Config) { c.RequestSize = -1 }, "request_size:"},
	} {
		t.Run(name, func(t *testing.T) {
			c := goodConfig(test.flavour)
			test.change(&c)
			err := c.Validate()
			switch {
			case test.want == "" && err != nil:
				t.Errorf("got %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want %q", err, test.want)
			case err != nil && strings.Contains(err.Error(), "a-token"):
				t.Errorf("the error tells the token: %v", err)
			}
		})
	}
}

func TestConfigIsReadFromYAML(t *testing.T) {
	c := DefaultConfig()
	d := yaml.NewDecoder(bytes.NewReader([]byte(`
url: https://example.atlassian.net
flavour: cloud
email: someone@example.invalid
token_file: /run/token
projects: [ABC]
overlap: 10m
kinds: {Outage: incident}
statuses: {Parked: todo}
`)))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil || c.Overlap != 10*time.Minute || c.Kinds["Outage"] != ticket.KindIncident || c.PageSize != maxPage {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestTokenFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	c := goodConfig(DataCenter)
	c.Token, c.TokenFile = "", file
	if _, err := New(c, Options{}); err == nil || !strings.Contains(err.Error(), "token_file") {
		t.Errorf("a file that is missing: %v", err)
	}
	for content, good := range map[string]bool{"secret\n": true, "\n": false} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(c, Options{}); (err == nil) != good {
			t.Errorf("%q: %v", content, err)
		}
	}
}
