package asana

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"fairlead/connectors/ticket"
)

func TestValidateSaysWhatIsWrong(t *testing.T) {
	oauth := OAuth{ClientID: "id", ClientSecret: "s", RefreshToken: "r"}
	for name, test := range map[string]struct {
		change func(*Config)
		want   string // "" is no error
	}{
		"as it is":              {func(*Config) {}, ""},
		"token in a file":       {func(c *Config) { c.Token, c.TokenFile = "", "/run/secret" }, ""},
		"oauth":                 {func(c *Config) { c.Token, c.OAuth = "", oauth }, ""},
		"a team":                {func(c *Config) { c.Projects, c.Teams = nil, []string{"7"} }, ""},
		"sections are statuses": {func(c *Config) { c.Sections = SectionsStatuses }, ""},
		"no url":                {func(c *Config) { c.URL = "" }, "url:"},
		"a url without scheme":  {func(c *Config) { c.URL = "app.asana.com" }, "url:"},
		"a url with a password": {func(c *Config) { c.URL = "https://me:secret@app.asana.com" }, "credentials have keys of their own"},
		"no credential":         {func(c *Config) { c.Token = "" }, "token_file: missing credential"},
		"two tokens":            {func(c *Config) { c.TokenFile = "x" }, "token: set either"},
		"token and oauth":       {func(c *Config) { c.OAuth = oauth }, "oauth: set either"},
		"oauth without id":      {func(c *Config) { c.Token, c.OAuth = "", OAuth{ClientSecret: "s", RefreshToken: "r"} }, "oauth.client_id:"},
		"oauth without secret":  {func(c *Config) { c.Token, c.OAuth = "", OAuth{ClientID: "id", RefreshToken: "r"} }, "oauth.client_secret_file:"},
		"oauth without refresh": {func(c *Config) { c.Token, c.OAuth = "", OAuth{ClientID: "id", ClientSecret: "s"} }, "oauth.refresh_token_file:"},
		"no project":            {func(c *Config) { c.Projects = nil }, "projects: list at least one"},
		"a project by name":     {func(c *Config) { c.Projects = []string{"Migration"} }, `projects: "Migration" is not the gid`},
		"a team by name":        {func(c *Config) { c.Teams = []string{"Platform"} }, `teams: "Platform" is not the gid`},
		"sections of no use":    {func(c *Config) { c.Sections = "teams" }, "sections:"},
		"two statuses":          {func(c *Config) { c.Sections, c.StatusField = SectionsStatuses, "Status" }, "status_field:"},
		"an unknown kind":       {func(c *Config) { c.Kinds = map[string]ticket.Kind{"Bug": "insect"} }, "kinds:"},
		"an unknown category":   {func(c *Config) { c.Statuses = map[string]ticket.Category{"Open": "opened"} }, "statuses:"},
		"a bot without a name":  {func(c *Config) { c.Bots = []string{""} }, "bots:"},
		"an overlap too long":   {func(c *Config) { c.Overlap = 200 * time.Hour }, "overlap:"},
		"names for no time":     {func(c *Config) { c.NamesMaxAge = 0 }, "names_max_age:"},
		"a page too large":      {func(c *Config) { c.PageSize = 101 }, "page_size:"},
	} {
		t.Run(name, func(t *testing.T) {
			c := DefaultConfig()
			c.Token, c.Projects = "a-token", []string{"12"}
			test.change(&c)
			err := c.Validate()
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if err != nil && (strings.Contains(err.Error(), "secret@") || strings.Contains(err.Error(), "a-token")) {
				t.Errorf("the error holds a secret: %v", err)
			}
		})
	}
}

// Secrets in files are read without the newline that editors leave, and a file
// that has none says so.
func TestSecretsInFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	c := DefaultConfig()
	c.TokenFile, c.Projects = write("token", "abc\n"), []string{"12"}
	s, err := New(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.client.cred.token(t.Context(), ""); got != "abc" || err != nil {
		t.Errorf("the token is %q, %v", got, err)
	}
	for name, want := range map[string]string{write("empty", "\n"): "is empty", filepath.Join(dir, "none"): "no such file"} {
		c.TokenFile = name
		if _, err := New(c, Options{}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "token_file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c.TokenFile = ""
	c.OAuth = OAuth{ClientID: "id", ClientSecretFile: filepath.Join(dir, "none"), RefreshToken: "r"}
	if _, err := New(c, Options{}); err == nil || !strings.Contains(err.Error(), "oauth.client_secret_file") {
		t.Errorf("no client secret: %v", err)
	}
	c.OAuth = OAuth{ClientID: "id", ClientSecret: "s", RefreshTokenFile: filepath.Join(dir, "none")}
	if _, err := New(c, Options{}); err == nil || !strings.Contains(err.Error(), "oauth.refresh_token_file") {
		t.Errorf("no refresh token: %v", err)
	}
}

// Every key of a file is a key of Config, and is written as the file has it.
func TestConfigIsReadStrictly(t *testing.T) {
	c := DefaultConfig()
	text := "token_file: /run/t\nteams: ['7']\nsections: status\nkinds: {Defect: bug}\nstatuses: {Waiting: todo}\nbots: [robot@example.test]\noverlap: 2m\nnames_max_age: 1h\npage_size: 20\n"
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil || c.Overlap != 2*time.Minute || c.Sections != SectionsStatuses || c.Kinds["Defect"] != ticket.KindBug || c.URL == "" {
		t.Errorf("%v: %+v", err, c)
	}
}
