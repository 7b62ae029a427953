package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"fairlead/analysis"
)

var asOf = time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC)

// hostile is a name as somebody who means harm would choose it.
const hostile = `</td><script>alert(1)</script>&"'=cmd|' /C calc'!A0` + "\u202etxt.exe"

// answers is an analysis whose answers are set by the test: no organisation has
// just these names, few people and refusals at once. What the real analysis answers
// is for TestPagesOfAnOrganisation.
type answers struct {
	colleagues *analysis.Colleagues
	explained  []string // pseudonyms that were asked for
	plan       *analysis.Rebalancing
}

func (a *answers) Colleagues(context.Context, time.Time) (*analysis.Colleagues, error) {
	return a.colleagues, nil
}

func (a *answers) Explain(_ context.Context, q analysis.ExplainQuery) (analysis.Explanation, error) {
	a.explained = append(a.explained, q.Engineer)
	x, payments := 2.0, analysis.Where{Team: "Payments"}
	return analysis.Explanation{Of: q.Engineer, Figures: []analysis.ExplainedFigure{
		{Name: "relative_load", Where: payments, Value: &x, Formula: hostile, Put: "2 / 1"},
		{Name: "after_hours", Where: payments, Value: &x, Formula: "after hours", Put: "1 / 2"},
		{Name: "overloaded", Where: payments, Value: &x, Verdict: "overloaded: demand: 2; time: 3 % of acts outside own hours", Put: "hot (demand and time)"},
		{Name: "evidence", Where: analysis.Where{Area: hostile}, Value: &x, Formula: "evidence of it", Put: "2"},
		{Name: "relative_load", Where: analysis.Where{Team: "Tiny"}, Value: &x, Formula: "of another team", Put: "2"},
	}, Tickets: []analysis.ExplainedList{
		{Behind: "work", Where: payments, Title: "open work", Unit: "days", More: 3, Tickets: []analysis.ExplainedTicket{{Key: hostile, Weight: 1}}},
		{Behind: "off", Where: payments, Title: "late at night, outside own hours", Unit: "acts", Tickets: []analysis.ExplainedTicket{{Key: "K-9", Weight: 1}}},
	}}, nil
}

func (a *answers) Rebalance(context.Context, string, time.Time, analysis.RebalanceOptions) (analysis.Rebalancing, error) {
	if a.plan == nil {
		return analysis.Rebalancing{}, errors.New("no plan today")
	}
	return *a.plan, nil
}

func snapshot() *analysis.Snapshot {
	half, gini := 0.5, 0.2
	window := analysis.Days(90)
	group := func(name string, people int) analysis.Group {
		g := analysis.Group{By: analysis.Team, Name: name, People: people, Total: 900, Capacity: float64(people), Gini: &gini, Hoover: &half, Verdict: analysis.WithinChance, ChanceLow: &half, ChanceHigh: &half, GiniChance: &half}
		for i := range people {
			g.Engineers = append(g.Engineers, analysis.Part{Pseudonym: fmt.Sprintf("%s-%d", strings.ToLower(name[:3]), i), Value: 1, Capacity: 1, Relative: &half})
		}
		return g
	}
	return &analysis.Snapshot{
		AsOf: asOf, Computed: asOf, Rostered: true, Windows: []analysis.Window{analysis.Days(28), window},
		Teams:  map[analysis.TeamsKey][]analysis.Group{{Window: window, Basis: analysis.Load, Unit: analysis.Tickets}: {group("Payments", 6), group("Tiny", 2), group(hostile, 7)}},
		States: []analysis.TeamState{{Team: "Payments", People: 6, Judged: 6, Overloaded: 1}, {Team: "Tiny", People: 2}},
		Overload: []analysis.EngineerOverload{{Team: "Payments", Pseudonym: "pay-0", Judged: true, Overloaded: true, Since: asOf, Reasons: []string{"demand: 2.1 × the team's load per FTE"}, Week: asOf, AfterHours: &half,
			Signals: []analysis.OverloadSignal{{Name: "after_hours", Family: "time", Value: &half}, {Name: "own_load", Family: "demand", Value: &half}},
			Weeks:   []analysis.OverloadWeek{{Week: asOf, Load: 4}}}},
		Areas: []analysis.AreaOwnership{
			{Area: hostile, Team: "Payments", People: 6, Owners: 1, Silo: &analysis.SiloScore{Score: 0.9, Concentration: 1, Backup: 1, Demand: 0.6}, Holders: []analysis.Holder{{Pseudonym: "pay-0", Evidence: 9, Share: 1, Covers: true}}, Sole: &analysis.SoleHolder{Pseudonym: "pay-0"}},
			{Area: "Small area", Team: "Tiny", People: 2, Owners: 1, Silo: &analysis.SiloScore{Score: 0.9}, Holders: []analysis.Holder{{Pseudonym: "tin-0"}}},
		},
		Findings: []analysis.Finding{
			{Kind: analysis.OverloadedEngineer, Team: "Payments", Engineer: "pay-0", Sentence: "pay-0 carries 2.6 times an even share."},
			{Kind: analysis.HoardedArea, Team: "Payments", Area: hostile, Engineer: "pay-0", People: 6, Sentence: "What is known about it sits with pay-0: 90 % of the evidence."},
			{Kind: analysis.HoardedArea, Team: "Tiny", Area: "Small area", Engineer: "tin-0", People: 2, Sentence: "What is known about Small area sits with tin-0."},
			{Kind: analysis.UnevenTeam, Team: "Payments", Sentence: "Payments is uneven beyond chance."},
		},
	}
}

// house is pages over that snapshot, for people who sign in.
func house(t testing.TB, change func(*Options)) (http.Handler, *answers, *Journal) {
	t.Helper()
	a := &answers{colleagues: analysis.NewColleagues(
		analysis.Colleague{Pseudonym: "pay-0", Names: []string{"Zed"}, Emails: []string{"zed@example.org"}, Accounts: []string{"jira 1"}, Teams: []string{"Payments"}},
		analysis.Colleague{Pseudonym: "pay-1", Emails: []string{"one@example.org"}, Teams: []string{"Payments"}},
		analysis.Colleague{Pseudonym: "lee-d", Emails: []string{"lead@example.org"}, Leads: []string{"Payments"}},
		analysis.Colleague{Pseudonym: "tin-0", Emails: []string{"tiny@example.org"}, Teams: []string{"Tiny"}},
	)}
	journal := NewJournal(filepath.Join(t.TempDir(), "access.log"))
	o := Options{
		Snapshot: snapshot, Engine: a, Journal: journal, MinPeople: 5, People: true, Clock: func() time.Time { return asOf },
		Access:  AccessConfig{Header: "X-Forwarded-Email", Proxies: []string{"192.0.2.1"}, Managers: map[string][]string{"Boss@example.org": {"Payments"}}, Auditors: []string{"audit@example.org"}},
		Sources: func() ([]SourceState, error) { return []SourceState{{Name: hostile}}, nil },
	}
	s := snapshot()
	o.Snapshot = func() *analysis.Snapshot { return s }
	if change != nil {
		change(&o)
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	p.Register(mux)
	return mux, a, journal
}

func get(t *testing.T, h http.Handler, as, path string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr = "192.0.2.1:5000"
	if as != "" {
		r.Header.Set("X-Forwarded-Email", as)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if w.Header().Get("Content-Security-Policy") == "" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s has no protective headers: %v", path, w.Header())
	}
	return w.Code, string(body)
}

// TestWhoSeesWhat holds every role against every page.
func TestWhoSeesWhat(t *testing.T) {
	const ok, no, unknown = http.StatusOK, http.StatusForbidden, http.StatusNotFound
	for _, c := range []struct {
		as, path  string
		status    int
		has, lack string
	}{
		{"one@example.org", "/", ok, "Payments is uneven beyond chance", "pay-0"},
		{"one@example.org", "/", ok, "sits with one person: 90 %", "Small area"},
		{"one@example.org", "/", ok, "<bdi>what is known of &lt;/td", "pay-0"},
		{"lead@example.org", "/", ok, "pay-0 carries", "Tiny"},
		{"lead@example.org", "/", ok, "sits with pay-0", "one person: "},
		{"lead@example.org", "/", ok, `<a href="/engineer?who=pay-0">`, "Tiny"},
		{"boss@example.org", "/", ok, "Payments is uneven", "pay-0"},
		{"audit@example.org", "/", ok, "Payments is uneven", "pay-0"},
		{"one@example.org", "/team?team=Payments", ok, "as luck would deal it", "pay-0"},
		{"lead@example.org", "/team?team=Payments", ok, "pay-0", ""},
		{"boss@example.org", "/team?team=Payments", ok, "of the lead of the team only", "pay-0"},
		{"tiny@example.org", "/team?team=Tiny", no, "too few people", ""},
		{"boss@example.org", "/team?team=Tiny", no, "too few people", ""},
		{"audit@example.org", "/area?area=Small+area", no, "Too few people", ""},
		{"lead@example.org", "/engineer?who=pay-0", ok, "Overloaded", "Zed"},
		{"lead@example.org", "/engineer?who=pay-0", ok, "evidence of it", "of another team"},
		{"zed@example.org", "/me?window=28d", ok, "tickets=all&amp;window=28d", ""},
		{"zed@example.org", "/engineer?who=pay-0", ok, "Zed", ""},
		{"zed@example.org", "/me", ok, "all that Fairlead holds on you", ""},
		{"one@example.org", "/engineer?who=pay-0", no, "for them and for the lead", "Overloaded"},
		{"lead@example.org", "/engineer?who=tin-0", no, "for them and for the lead", ""},
		{"lead@example.org", "/engineer?who=nobody", no, "for them and for the lead", ""},
		{"boss@example.org", "/engineer?who=pay-0", no, "for them and for the lead", ""},
		{"audit@example.org", "/engineer?who=pay-0", no, "for them and for the lead", ""},
		{"boss@example.org", "/me", unknown, "not one of the engineers", ""},
		{"audit@example.org", "/access", ok, "Each look", ""},
		{"lead@example.org", "/access", no, "for auditors", ""},
		{"stranger@example.org", "/", no, "nobody here", "Payments"},
		{"", "/", http.StatusUnauthorized, "did not say", "Payments"},
	} {
		t.Run(c.as+c.path, func(t *testing.T) {
			h, _, _ := house(t, nil)
			status, body := get(t, h, c.as, c.path)
			body = strings.ReplaceAll(body, "Single members are shown to the lead of the team only", "of the lead of the team only")
			if status != c.status || !strings.Contains(body, c.has) {
				t.Errorf("status %d, want %d with %q:\n%s", status, c.status, c.has, body)
			}
			if c.lack != "" && strings.Contains(body, c.lack) {
				t.Errorf("it says %q", c.lack)
			}
		})
	}
}

// TestOwnPageShowsWhatTheLeadReads: nothing about somebody is told to others and
// not to them, and who of them looked.
func TestOwnPageShowsWhatTheLeadReads(t *testing.T) {
	h, a, _ := house(t, func(o *Options) { o.Contact = "Dana, extension 7" })
	a.plan = &analysis.Rebalancing{Tolerance: 0.15, Proven: true, Moves: []analysis.RebalancingMove{
		{Key: "K-1", From: "pay-0", To: "pay-1", Why: "resolved 7 in Billing"},
		{Key: "K-2", From: "pay-1", To: "pay-0", Why: "resolved 12 in Billing"},
		{Key: "K-3", From: "pay-1", To: "pay-2", Why: "resolved 30 in Billing"},
	}}
	if _, body := get(t, h, "lead@example.org", "/team?team=Payments"); !strings.Contains(body, "3 tickets in other hands would bring everybody within 15 % of an even share; no plan needs fewer.") {
		t.Errorf("the page of the team does not say what the plan comes to:\n%s", body)
	}
	_, body := get(t, h, "zed@example.org", "/me")
	for _, want := range []string{
		"pay-0 carries 2.6 times", "sits with pay-0: 90 %", "K-1</bdi> could go from you", "K-2</bdi> could go from a colleague to you: <bdi>resolved 12 in Billing",
		">the lead of Payments<", ">you<", "Objections go to <bdi>Dana, extension 7</bdi>.",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the own page does not have %q", want)
		}
	}
	for _, others := range []string{"pay-1", "pay-2", "K-3", "resolved 7"} {
		if strings.Contains(body, others) {
			t.Errorf("the own page tells of others: %q", others)
		}
	}
	a.plan = &analysis.Rebalancing{Tolerance: 0.15, Over: []string{"pay-0"}}
	h, b, _ := house(t, nil)
	b.plan = a.plan
	if _, body := get(t, h, "lead@example.org", "/team?team=Payments"); !strings.Contains(body, "no ticket was found that could go") || strings.Contains(body, "nothing needs to move") {
		t.Errorf("a plan that does not help is said to be none that is needed:\n%s", body)
	}
}

func TestOnlyTheProxyIsBelieved(t *testing.T) {
	h, _, _ := house(t, nil)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "192.0.2.2:5000"
	r.Header.Set("X-Forwarded-Email", "lead@example.org")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("a stranger's header gives %d", w.Code)
	}
	r.RemoteAddr = "192.0.2.1:5000"
	r.Header.Add("X-Forwarded-Email", "audit@example.org")
	w = httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusUnauthorized {
		t.Errorf("two headers give %d", w.Code)
	}
}

func TestLoopbackOnly(t *testing.T) {
	h, _, _ := house(t, func(o *Options) { o.Access = DefaultAccessConfig() })
	for _, c := range []struct {
		from, host string
		status     int
	}{
		{"127.0.0.1:1", "localhost:9464", 200},
		{"[::1]:1", "[::1]:9464", 200},
		{"192.0.2.9:1", "localhost", 403},
		{"127.0.0.1:1", "evil.example", 403}, // a name that was rebound to this machine
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr, r.Host = c.from, c.host
		r.Header.Set("X-Forwarded-Email", "lead@example.org")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != c.status {
			t.Errorf("from %s to %s: %d, want %d", c.from, c.host, w.Code, c.status)
		}
	}
}

// TestNothingAboutAPerson is what the simulation before going live, and a choice
// of the operator, rest on.
func TestNothingAboutAPerson(t *testing.T) {
	h, a, _ := house(t, func(o *Options) { o.People = false })
	for _, as := range []string{"lead@example.org", "zed@example.org", "audit@example.org"} {
		for _, path := range []string{"/", "/team?team=Payments", "/areas", "/area?area=" + strings.ReplaceAll("Small area", " ", "+"), "/engineer?who=pay-0", "/me", "/collection", "/method"} {
			if _, body := get(t, h, as, path); strings.Contains(body, "pay-0") || strings.Contains(body, "Zed") {
				t.Errorf("%s of %s says something about a person", path, as)
			}
		}
	}
	if len(a.explained) > 0 {
		t.Errorf("asked for %v", a.explained)
	}
}

func TestLooksAreLoggedAndRead(t *testing.T) {
	h, _, journal := house(t, nil)
	get(t, h, "lead@example.org", "/engineer?who=pay-0")
	get(t, h, "lead@example.org", "/team?team=Payments")
	get(t, h, "one@example.org", "/engineer?who=pay-0") // refused: nothing was seen
	_, body := get(t, h, "zed@example.org", "/me")
	if got := strings.Count(body, "<bdi>the lead of Payments</bdi>"); got != 2 {
		t.Errorf("the person reads of %d looks of the lead, want 2:\n%s", got, body)
	}
	if _, total, err := journal.Latest(10, func(Access) bool { return true }); err != nil || total != 1+6+1 {
		t.Errorf("%d entries, want one for each who was looked at, 8 (%v)", total, err)
	}
	if err := os.Remove(journal.Path()); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(journal.Path(), 0o700); err != nil {
		t.Fatal(err)
	}
	if status, body := get(t, h, "lead@example.org", "/engineer?who=pay-0"); status != 500 || strings.Contains(body, "Overloaded") {
		t.Errorf("what cannot be logged is shown: %d", status)
	}
}

// TestFindingsAreLooks: a sentence about somebody is one of their figures.
func TestFindingsAreLooks(t *testing.T) {
	for _, c := range []struct {
		as     string
		logged int
	}{{"lead@example.org", 1}, {"boss@example.org", 0}, {"one@example.org", 0}} {
		h, _, journal := house(t, nil)
		if status, _ := get(t, h, c.as, "/"); status != http.StatusOK {
			t.Fatalf("%s is answered %d", c.as, status)
		}
		list, total, err := journal.Latest(10, func(a Access) bool { return a.Pseudonym == "pay-0" })
		if err != nil || total != c.logged {
			t.Errorf("%s: %d entries, want %d (%v): %v", c.as, total, c.logged, err, list)
		}
	}
	h, _, journal := house(t, nil)
	if err := os.Mkdir(journal.Path(), 0o700); err != nil {
		t.Fatal(err)
	}
	if status, body := get(t, h, "lead@example.org", "/"); status != 500 || strings.Contains(body, "pay-0") {
		t.Errorf("a finding that cannot be logged is shown: %d", status)
	}
}

// TestAllWhoAreSeenAreLogged reads the pages of a lead for pseudonyms.
func TestAllWhoAreSeenAreLogged(t *testing.T) {
	one := analysis.Successor{Area: "Ledger", Pseudonym: "oth-2", Evidence: 1}
	h, _, journal := house(t, func(o *Options) {
		s := snapshot()
		s.States[0].Knowledge.WhatIf = []analysis.WhatIf{{Pseudonym: "oth-1", Uncovered: []string{"Ledger"}, Next: []analysis.Successor{one, {Area: "Cards"}}}}
		s.Areas[0].Seconds = []analysis.Successor{one, {}}
		o.Snapshot = func() *analysis.Snapshot { return s }
	})
	for _, path := range []string{"/team?team=Payments", "/area?area=" + url.QueryEscape(hostile)} {
		logged := map[string]bool{}
		_, body := get(t, h, "lead@example.org", path)
		list, _, err := journal.Latest(100, func(Access) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			logged[a.Pseudonym] = true
		}
		for _, who := range regexp.MustCompile(`\b(?:pay|oth|tin)-[0-9]\b`).FindAllString(body, -1) {
			if !logged[who] {
				t.Errorf("%s shows %s, and the access log does not say so", path, who)
			}
		}
		if logged[""] {
			t.Errorf("%s: an entry about nobody", path)
		}
		if err := os.Remove(journal.Path()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAfterHoursAreOnesOwn(t *testing.T) {
	h, _, _ := house(t, nil)
	for as, shown := range map[string]bool{"lead@example.org": false, "zed@example.org": true} {
		_, body := get(t, h, as, "/engineer?who=pay-0")
		for _, says := range []string{"own hours", "after hours", "late at night", "K-9", "and time", "% of acts"} {
			if strings.Contains(body, says) != shown {
				t.Errorf("%s: %q shown is %v, want %v", as, says, !shown, shown)
			}
		}
	}
}

// TestHostileNames parses the pages as a browser does.
func TestHostileNames(t *testing.T) {
	h, _, _ := house(t, nil)
	for _, path := range []string{"/", "/areas", "/collection", "/team?team=Payments", "/engineer?who=pay-0", "/team?team=" + strings.Repeat("x", 10_000), "/engineer?who=%00%3Cscript%3E"} {
		_, body := get(t, h, "lead@example.org", path)
		tree, err := html.Parse(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for n := range tree.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			if n.Data == "script" || n.Data == "iframe" || n.Data == "style" {
				t.Errorf("%s has a %s", path, n.Data)
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || (a.Key == "href" || a.Key == "src") && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") {
					t.Errorf("%s has %s=%q", path, a.Key, a.Val)
				}
			}
		}
	}
}

func TestAccessConfig(t *testing.T) {
	for _, c := range []struct {
		config AccessConfig
		says   string
	}{
		{AccessConfig{Header: "X Forwarded"}, "header"},
		{AccessConfig{Header: "X-Email"}, "proxies"},
		{AccessConfig{Proxies: []string{"proxy.example"}}, "proxy.example"},
		{AccessConfig{Managers: map[string][]string{"boss": {"A"}}}, "managers"},
		{AccessConfig{Managers: map[string][]string{"boss@example.org": nil}}, "managers.boss@example.org"},
		{AccessConfig{Auditors: []string{"me"}}, "auditors"},
	} {
		if err := c.config.Validate(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v, want it to name %s", c.config, err, c.says)
		}
	}
	if err := DefaultAccessConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func TestJournal(t *testing.T) {
	j := NewJournal(filepath.Join(t.TempDir(), "access.log"))
	all := func(Access) bool { return true }
	if list, total, err := j.Latest(3, all); len(list) != 0 || total != 0 || err != nil {
		t.Fatalf("an empty journal has %v, %d, %v", list, total, err)
	}
	for i := range 5 {
		if err := j.Write(Access{Time: asOf, Pseudonym: fmt.Sprint(i), By: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.OpenFile(j.Path(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(file, `{"time":"2026-0`) // a crash
	file.Close()
	if err := j.Write(Access{Time: asOf, Pseudonym: "5", By: "x"}); err != nil {
		t.Fatal(err)
	}
	list, total, err := j.Latest(3, all)
	if err != nil || total != 6 || len(list) != 3 || list[0].Pseudonym != "5" || list[2].Pseudonym != "3" {
		t.Errorf("the latest are %v of %d (%v)", list, total, err)
	}
	if info, err := os.Stat(j.Path()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the log is %v (%v)", info.Mode(), err)
	}
}

func TestTooLittleToMatterIsNotLuck(t *testing.T) {
	p, hoover, chance := 0.001, 0.09, 0.04
	g := &analysis.Group{Verdict: analysis.WithinChance, P: &p, Hoover: &hoover, HooverChance: &chance}
	if got := verdict(g); !strings.Contains(got, "too little to matter") {
		t.Errorf("beyond luck and small reads %q", got)
	}
	p = 0.3
	if got := verdict(g); got != "as luck would deal it" {
		t.Errorf("luck reads %q", got)
	}
}

// TestJournalIsRewritten while others write to it: nothing is lost, and what was
// to be changed is.
func TestJournalIsRewritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	if n, err := NewJournal(path).Rewrite(false, func(*Access) bool { return false }); n != 0 || err != nil {
		t.Fatalf("of nothing %d were changed, %v", n, err)
	}
	if err := NewJournal(path).Write(Access{Time: asOf, Pseudonym: "gone", By: "boss"}, Access{Time: asOf, Pseudonym: "stays", By: "gone"}, Access{Time: asOf, Pseudonym: "old"}); err != nil {
		t.Fatal(err)
	}
	change := func(a *Access) bool {
		for _, field := range []*string{&a.Pseudonym, &a.By} {
			if *field == "gone" {
				*field = "former engineer"
			}
		}
		return a.Pseudonym != "old"
	}
	if n, err := NewJournal(path).Rewrite(true, change); n != 3 || err != nil {
		t.Errorf("a dry run counts %d, %v", n, err)
	}
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), "gone") {
		t.Errorf("a dry run has changed it: %s, %v", text, err)
	}
	var writers sync.WaitGroup
	for who := range 4 { // each with a journal of its own, as another process has
		writers.Go(func() {
			j := NewJournal(path)
			for i := range 25 {
				if err := j.Write(Access{Time: asOf, Pseudonym: fmt.Sprintf("p%d-%d", who, i), By: "gone"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 5 {
		if _, err := NewJournal(path).Rewrite(false, change); err != nil {
			t.Error(err)
		}
	}
	writers.Wait()
	if _, err := NewJournal(path).Rewrite(false, change); err != nil {
		t.Error(err)
	}
	list, total, err := NewJournal(path).Latest(1000, func(a Access) bool { return true })
	if err != nil || total != 4*25+2 {
		t.Errorf("%d entries are left, want %d: %v", total, 4*25+2, err)
	}
	for _, a := range list {
		if a.Pseudonym == "gone" || a.By == "gone" || a.Pseudonym == "old" {
			t.Errorf("still there: %+v", a)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
}

// TestFewAmongMany: a team may be large enough, and those that a figure is about
// too few: that figure is shown to their lead only.
func TestFewAmongMany(t *testing.T) {
	h, _, _ := house(t, func(o *Options) {
		s := snapshot()
		for i := range s.Teams {
			s.Teams[i][0].People, s.Teams[i][0].Outside = 4, analysis.Outside{Visitors: 1, VisitorsWork: 321, Away: 2, AwayWork: 123}
		}
		off, unplanned := 0.4321, 0.8765
		s.States[0].Judged, s.States[0].ActPeople, s.States[0].WorkPeople = 2, 1, 3
		s.States[0].AfterHours, s.States[0].Unplanned = &off, &unplanned
		s.Findings = append(s.Findings, analysis.Finding{Kind: analysis.UnevenTeam, Team: "Payments", People: 4, Sentence: "Payments is uneven among four."})
		o.Snapshot = func() *analysis.Snapshot { return s }
	})
	for as, shown := range map[string]bool{"lead@example.org": true, "boss@example.org": false, "one@example.org": false, "audit@example.org": false} {
		for path, figures := range map[string][]string{
			"/":                   {"1 of 2", "uneven among four"},
			"/team?team=Payments": {"of these 4 people", "1 of 2 people", "43 %", "88 %", "321 ticket-days", "123 of 2 members"},
		} {
			status, body := get(t, h, as, path)
			if status != http.StatusOK {
				t.Errorf("%s gives %s %d", path, as, status)
			}
			for _, figure := range figures {
				if strings.Contains(body, figure) != shown {
					t.Errorf("%s shows %s %q: %v, want %v", path, as, figure, !shown, shown)
				}
			}
		}
	}
}

// TestAScoreShowsWhatItIsMadeOf: an area of two tickets can have a high silo score;
// wherever it is shown stands beside it of how little.
func TestAScoreShowsWhatItIsMadeOf(t *testing.T) {
	h, _, _ := house(t, func(o *Options) {
		s := snapshot()
		s.Areas[0].Tickets, s.Areas[0].Evidence = 2, 3.21
		o.Snapshot = func() *analysis.Snapshot { return s }
	})
	for path, says := range map[string][]string{
		"/area?area=" + url.QueryEscape(hostile): {"Made of recent tickets</dt><dd>2<", "And of evidence</dt><dd>3.2 "},
		"/areas":                                 {"<td>2</td><td>3.2</td>"},
		"/team?team=Payments":                    {"(2 recent tickets)"},
	} {
		_, body := get(t, h, "boss@example.org", path)
		for _, want := range says {
			if !strings.Contains(body, want) {
				t.Errorf("%s does not say %s", path, want)
			}
		}
	}
}
