package servicenow

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"fairlead/connectors/ticket"
)

func valid() Config {
	c := DefaultConfig()
	c.URL, c.Username, c.Password = "https://acme.service-now.com", "fairlead", "secret"
	return c
}

func TestConfigFromYAML(t *testing.T) {
	const text = `
url: https://acme.service-now.com
client_id: app
client_secret_file: /run/secrets/servicenow
page_size: 500
audit_page_size: 2000
max_url_bytes: 4000
overlap: 10m
names_max_age: 12h
language: de
bots: [svc_*]
tables:
  - table: incident
    query: company=acme
    statuses: {"9": in_progress}
  - table: u_facilities
    kind: request
    status_field: u_state
    parent_field: u_parent
    effort_field: u_points
    area_fields: [location]
`
	c := DefaultConfig()
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if len(c.Tables) != 2 || c.Overlap != 10*time.Minute || c.Tables[0].Statuses["9"] != ticket.CategoryInProgress || c.Tables[1].EffortField != "u_points" {
		t.Errorf("got %+v", c)
	}
}

func TestConfigRefuses(t *testing.T) {
	for says, change := range map[string]func(*Config){
		"url: set it":                                 func(c *Config) { c.URL = "" },
		"url: is not a web address":                   func(c *Config) { c.URL = "acme.service-now.com" },
		"url: must not hold a credential":             func(c *Config) { c.URL = "https://a:b@acme.service-now.com" },
		"url: must be the instance only":              func(c *Config) { c.URL += "/?x=1" },
		"username: set it":                            func(c *Config) { c.Username = "" },
		"password_file: set it":                       func(c *Config) { c.Password = "" },
		"password: is set beside password_file":       func(c *Config) { c.PasswordFile = "x" },
		"client_secret_file: set it":                  func(c *Config) { c.ClientID = "app" },
		"client_secret: is set beside":                func(c *Config) { c.ClientID, c.ClientSecret, c.ClientSecretFile = "a", "b", "c" },
		"page_size: is 0":                             func(c *Config) { c.PageSize = 0 },
		"audit_page_size: is 20000":                   func(c *Config) { c.AuditPageSize = 20000 },
		"max_url_bytes: is 100":                       func(c *Config) { c.MaxURLBytes = 100 },
		"overlap: is -1s":                             func(c *Config) { c.Overlap = -time.Second },
		"names_max_age: is 0s":                        func(c *Config) { c.NamesMaxAge = 0 },
		"language: set it":                            func(c *Config) { c.Language = "" },
		"tables: list at least one":                   func(c *Config) { c.Tables = nil },
		`bots: "["`:                                   func(c *Config) { c.Bots = []string{"["} },
		"tables: (without a name): table: is not":     func(c *Config) { c.Tables = []Table{{}} },
		"tables: incident: is listed twice":           func(c *Config) { c.Tables = []Table{{Name: "incident"}, {Name: "incident"}} },
		"tables: x/y: table: is not":                  func(c *Config) { c.Tables[0].Name = "x/y" },
		"incident: query: must not order":             func(c *Config) { c.Tables[0].Query = "a=b^ORDERBYc" },
		"incident: query: remove ^EQ":                 func(c *Config) { c.Tables[0].Query = "a=b^EQ" },
		"incident: query: begins or ends":             func(c *Config) { c.Tables[0].Query = "ORa=b" },
		`incident: kind: "event" is none of`:          func(c *Config) { c.Tables[0].Kind = "event" },
		`incident: status_field: "a b" is not`:        func(c *Config) { c.Tables[0].StatusField = "a b" },
		`incident: area_fields: "a.b" is not`:         func(c *Config) { c.Tables[0].AreaFields = []string{"a.b"} },
		`incident: statuses: 9: "waiting" is none of`: func(c *Config) { c.Tables[0].Statuses = map[string]ticket.Category{"9": "waiting"} },
	} {
		t.Run(says, func(t *testing.T) {
			c := valid()
			change(&c)
			err := c.Validate()
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("got %v, want %q", err, says)
			}
			if _, err := New(c, Options{}); err == nil {
				t.Error("a source was made of it")
			}
		})
	}
	if err := valid().Validate(); err != nil {
		t.Error(err)
	}
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "password")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := valid()
	c.Password, c.PasswordFile = "", file
	s, err := New(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.client.auth; got != (basicAuth{"fairlead", "s3cret"}) {
		t.Error("the password is not the file's")
	}
	c.PasswordFile = filepath.Join(dir, "none")
	if _, err := New(c, Options{}); err == nil || !strings.Contains(err.Error(), "password_file") {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.PasswordFile = file
	if _, err := New(c, Options{}); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("got %v", err)
	}
}
