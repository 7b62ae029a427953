package web

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/analysis"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/roster"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/sandbox/sandboxtest"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

var anchor = regexp.MustCompile(`href="(/[^"#]*)"`)

// TestPagesOfAnOrganisation asks the real analysis for everything, where the other
// tests here ask answers: it follows every link from the overview in every role,
// and holds what is shown to the rules.
func TestPagesOfAnOrganisation(t *testing.T) {
	ctx := context.Background()
	o := sandbox.Generate(1, asOf, sandbox.Options{Tickets: 1500})
	db := sandboxtest.Organisation(t, o)
	r, err := roster.Parse(roster.File{Name: "roster.yaml", Text: o.RosterYAML()})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.WriteRoster(ctx, r); err != nil {
		t.Fatal(err)
	}
	engine := analysis.New(db, analysis.Options{Key: []byte("a key for tests, of enough bytes"), Draws: 99})
	s, err := engine.Snapshot(ctx, o.Now)
	if err != nil {
		t.Fatal(err)
	}
	known, err := engine.Colleagues(ctx, o.Now)
	if err != nil {
		t.Fatal(err)
	}
	people := map[string]bool{} // pseudonyms
	for _, groups := range s.Teams {
		for _, g := range groups {
			for _, e := range g.Engineers {
				people[e.Pseudonym] = true
			}
		}
	}
	var lead, engineer analysis.Colleague
	for who := range people {
		c, found := known.Find(who)
		switch {
		case !found:
			t.Errorf("%s has figures and is nobody's pseudonym", who)
		case len(c.Leads) > 0 && len(c.Emails) > 0 && (lead.Pseudonym == "" || who < lead.Pseudonym):
			lead = c
		case len(c.Leads) == 0 && len(c.Emails) > 0 && len(c.Teams) > 0 && (engineer.Pseudonym == "" || who < engineer.Pseudonym):
			engineer = c
		}
	}
	if len(people) < 20 || lead.Pseudonym == "" || engineer.Pseudonym == "" {
		t.Fatalf("%d people, lead %+v, engineer %+v", len(people), lead, engineer)
	}

	h, _, journal := house(t, func(o *Options) {
		o.Engine, o.Snapshot, o.Clock = engine, func() *analysis.Snapshot { return s }, func() time.Time { return asOf }
	})
	pages, met := map[string]int{}, map[string]bool{}
	for _, c := range []struct {
		role, address string
		self          string
		lead          bool
	}{
		{"an engineer", engineer.Emails[0], engineer.Pseudonym, false},
		{"a lead", lead.Emails[0], lead.Pseudonym, true},
		{"a manager", "boss@example.org", "", false},
		{"an auditor", "audit@example.org", "", false},
	} {
		toSee, seen := []string{"/", "/me", "/access", "/engineer?who=" + url.QueryEscape(engineer.Pseudonym)}, map[string]bool{}
		for len(toSee) > 0 {
			path := toSee[0]
			toSee = toSee[1:]
			if seen[path] || strings.HasPrefix(path, "/static/") || strings.HasPrefix(path, "/metrics") {
				continue
			}
			seen[path] = true
			status, body := get(t, h, c.address, path)
			if status >= http.StatusInternalServerError {
				t.Errorf("%s is answered %d at %s", c.role, status, path)
			}
			if status != http.StatusOK {
				continue
			}
			pages[c.role]++
			for _, m := range anchor.FindAllStringSubmatch(body, -1) {
				toSee = append(toSee, strings.ReplaceAll(m[1], "&amp;", "&"))
			}
			for who := range people {
				switch {
				case !strings.Contains(body, who):
				case c.lead:
					met[who] = true
				case who != c.self && (c.role != "an auditor" || path != "/access"):
					t.Errorf("%s sees %s at %s", c.role, who, path)
				}
			}
			for _, p := range o.People {
				if !strings.HasPrefix(path, "/me") && !strings.Contains(path, c.self) && strings.Contains(body, p.Name) {
					t.Errorf("%s reads a name at %s", c.role, path)
				}
			}
		}
	}
	t.Log(pages)
	for role, n := range pages {
		if n < 10 {
			t.Errorf("%s sees only %d pages", role, n)
		}
	}
	// Whomever the lead met can read that.
	_, _, err = journal.Latest(1, func(a Access) bool {
		if a.By == lead.Pseudonym {
			delete(met, a.Pseudonym)
		}
		return false
	})
	if delete(met, lead.Pseudonym); err != nil || len(met) > 0 {
		t.Errorf("the lead was shown %v, and the access log does not say so (%v)", met, err)
	}
	_, own := get(t, h, engineer.Emails[0], "/me")
	if !strings.Contains(own, engineer.Pseudonym) || !strings.Contains(own, "relative_load") && !strings.Contains(own, "even share") {
		t.Errorf("one's own page tells nothing of one's load:\n%s", own)
	}
	shown := 0
	for _, who := range slices.Sorted(maps.Keys(people)) {
		c, _ := known.Find(who)
		want := http.StatusForbidden
		if who == lead.Pseudonym || slices.ContainsFunc(c.Teams, func(team string) bool { return slices.Contains(lead.Leads, team) }) {
			want = http.StatusOK
			if shown++; shown > 2 {
				continue // their pages take long to make
			}
		}
		if status, _ := get(t, h, lead.Emails[0], "/engineer?who="+url.QueryEscape(who)); status != want {
			t.Errorf("the lead of %v is answered %d for somebody of %v", lead.Leads, status, c.Teams)
		}
	}
}
