package alertmanager

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden file")

func config() Config {
	c := DefaultConfig()
	c.Operations, c.Zone = []string{"ops@example.org"}, "Europe/Berlin"
	c.Receivers = []map[string]any{{"name": "web channel", "webhook_configs": []any{map[string]any{"url": "https://chat.example.org/hook"}}}}
	return c
}

// staff has a team with all that a route needs, one with odd letters and two
// receivers, one whose lead is a member, and one that nobody leads.
func staff() []Team {
	return []Team{
		{Name: "Payments", Notify: []string{"payments@example.org", "pay-lead@example.org"}, Lead: "lead@example.org", People: []Person{
			{Labels: []string{"amber-otter-4k7q"}, Email: "ann@example.org"},
			{Labels: []string{"blue-heron-1234"}},
		}},
		{Name: `Web "A" \ B`, Notify: []string{"web@example.org", "web channel"}, Lead: "cho@example.org", People: []Person{
			{Labels: []string{"amber-otter-4k7q"}, Email: "ann@example.org"},
			{Labels: []string{"crystal-mallard-2tkd", "Cho (the 2nd)"}, Email: "cho@example.org"},
			{},
		}},
		{Name: "Lost", People: []Person{{Labels: []string{"dusty-egret-9x"}, Email: "dan@example.org"}}},
	}
}

func TestGenerate(t *testing.T) {
	text, unreached, err := Generate(config(), staff())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(unreached, []string{"Lost"}) {
		t.Errorf("unreached are %v", unreached)
	}
	const golden = "testdata/generated.yml"
	if *update {
		if err := os.WriteFile(golden, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != string(want) {
		t.Errorf("wrote\n%s\nwhich is not %s: run with -update and look at it", text, golden)
	}
	if strings.Contains(string(text), "dan@example.org") {
		t.Error("somebody is told of what their lead is not")
	}
}

func TestGenerateRefuses(t *testing.T) {
	for _, c := range []struct {
		change func(*Config, []Team)
		want   string
	}{
		{func(c *Config, _ []Team) { c.Operations = nil }, "alerts.operations is empty"},
		{func(_ *Config, t []Team) { t[0].Notify[0] = "#payments" }, `team Payments: notify has "#payments"`},
		{func(_ *Config, t []Team) { t[0].Notify[0] = "operations" }, `notify has "operations"`},
		{func(_ *Config, t []Team) { t[1].Lead = "Cho" }, `the address of its lead, "Cho", is none`},
	} {
		cfg, teams := config(), staff()
		c.change(&cfg, teams)
		if text, _, err := Generate(cfg, teams); err == nil || !strings.Contains(err.Error(), c.want) || text != nil {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

func TestValidate(t *testing.T) {
	if err := config().Validate(); err != nil {
		t.Error(err)
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Smarthost = "mail" }, "smarthost is"},
		{func(c *Config) { c.From = "fairlead" }, `"fairlead" is not an e-mail address`},
		{func(c *Config) { c.Operations = []string{"Ops <ops@example.org>"} }, "is not an e-mail address"},
		{func(c *Config) { c.Username = "u" }, "belong together"},
		{func(c *Config) { c.PasswordFile = "f" }, "belong together"},
		{func(c *Config) { c.Zone = "Berlin" }, "zone is"},
		{func(c *Config) { c.Zone = "Local" }, "zone is"},
		{func(c *Config) { c.Receivers = []map[string]any{{}} }, "receiver 1 has no name"},
		{func(c *Config) { c.Receivers = append(c.Receivers, c.Receivers[0]) }, `"web channel" is there already`},
		{func(c *Config) { c.Receivers[0]["name"] = "operations" }, `"operations" is there already`},
	} {
		cfg := config()
		c.change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
