package servicenow

import (
	"testing"
	"time"

	"fairlead/connectors/ticket"
)

// TestScope: what brings other tickets, or makes something else of them, changes
// the scope; how they are asked for, and what day it is, does not.
func TestScope(t *testing.T) {
	scope := func(change func(*Config, *Options)) string {
		t.Helper()
		cfg, o := valid(), Options{Since: time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)}
		change(&cfg, &o)
		s, err := New(cfg, o)
		if err != nil {
			t.Fatal(err)
		}
		return s.Scope()
	}
	plain := scope(func(*Config, *Options) {})
	for name, change := range map[string]func(*Config, *Options){
		"a table more": func(c *Config, _ *Options) { c.Tables = append(c.Tables, Table{Name: "problem"}) },
		"a query":      func(c *Config, _ *Options) { c.Tables = []Table{{Name: "incident", Query: "company=acme"}} },
		"a status": func(c *Config, _ *Options) {
			c.Tables = []Table{{Name: "incident", Statuses: map[string]ticket.Category{"9": ticket.CategoryDone}}}
		},
		"an area":            func(c *Config, _ *Options) { c.Tables = []Table{{Name: "incident", AreaFields: []string{"u_service"}}} },
		"a rule":             func(c *Config, _ *Options) { c.Tables = []Table{{Name: "incident", OnCall: Rule{"priority": {"1"}}}} },
		"other histories":    func(c *Config, _ *Options) { c.History = HistoryObserved },
		"no comments":        func(c *Config, _ *Options) { c.Comments = false },
		"a bot":              func(c *Config, _ *Options) { c.Bots = append(c.Bots, "svc.*") },
		"labels' language":   func(c *Config, _ *Options) { c.Language = "de" },
		"the default spelt":  nil,
		"another day":        func(_ *Config, o *Options) { o.Since = o.Since.AddDate(0, 0, 1) },
		"another page size":  func(c *Config, _ *Options) { c.PageSize = 7 },
		"another credential": func(c *Config, _ *Options) { c.Username, c.Password = "other", "other" },
	} {
		same := name == "another day" || name == "another page size" || name == "another credential"
		if change == nil {
			same = true
			change = func(c *Config, _ *Options) {
				c.Tables = []Table{{Name: "incident", StatusField: "state", AreaFields: []string{"cmdb_ci", "business_service", "category"}}}
			}
		}
		if got := scope(change); (got == plain) != same {
			t.Errorf("%s: the scope is %s, before %s", name, got, plain)
		}
	}
}
