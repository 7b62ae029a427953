package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"fairlead/analysis"
	"fairlead/connectors/roster"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/sandbox/sandboxtest"
)

// TestEveryNumberOfAPersonIsExplained walks the page of an engineer, with a roster
// and without one: each number on it leads to its formula and to tickets.
func TestEveryNumberOfAPersonIsExplained(t *testing.T) {
	o := sandbox.Generate(5, time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), sandbox.Options{Tickets: 2_000})
	db := sandboxtest.Organisation(t, o)
	engine := analysis.New(db, analysis.Options{Key: []byte("a key for tests, of enough bytes"), Draws: 99})
	t.Run("queues", func(t *testing.T) { walkPerson(t, engine, o.Now, nil) })
	staff, err := roster.Parse(roster.File{Name: "roster.yaml", Text: o.RosterYAML()})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.WriteRoster(context.Background(), staff); err != nil {
		t.Fatal(err)
	}
	t.Run("teams", func(t *testing.T) {
		walkPerson(t, engine, o.Now, []string{"after_hours", "after_hours_signal", "rest_signal"})
	})
}

// walkPerson walks the page of whoever has most on it; besides what everybody has,
// it is to have these figures.
func walkPerson(t *testing.T, e *analysis.Engine, asOf time.Time, besides []string) {
	s, err := e.Snapshot(t.Context(), asOf)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(Options{
		Snapshot: func() *analysis.Snapshot { return s }, Engine: e, Journal: NewJournal(filepath.Join(t.TempDir(), "access.log")),
		MinPeople: 5, People: true, PersonAfterHours: true, Access: DefaultAccessConfig(),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	p.Register(mux)
	r := httptest.NewRequest(http.MethodGet, "/engineer?"+url.Values{"who": {most(s)}}.Encode(), nil)
	r.RemoteAddr, r.Host = "127.0.0.1:1", "localhost"
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	page, err := html.Parse(w.Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatal(err, w.Code)
	}
	bare, numbers := bareNumbers(page)
	for _, text := range bare {
		t.Errorf("%q does not lead to where it comes from", text)
	}
	explained := map[string]bool{}
	ids := byID(page)
	for _, to := range numbers {
		from := ids[to]
		if from == nil || from.Parent == nil || !has(from.Parent, "data-explains") {
			t.Errorf("%q is not on the page", to)
			continue
		}
		text := textOf(from)
		if strings.Count(text, "= ") < 2 {
			t.Errorf("%s has no formula with its values: %s", to, text)
		}
		explained[to[strings.LastIndex(to, "-")+1:]] = true
	}
	for n := range page.Descendants() {
		if !has(n, "data-explains") {
			continue
		}
		// Each figure, whether a number above leads to it or not.
		lists, tickets := 0, 0
		for a := range n.Descendants() {
			if to := strings.TrimPrefix(attribute(a, "href"), "#"); a.Data == "a" && to != "" {
				if ids[to] == nil {
					t.Errorf("%q is not on the page", to)
					continue
				}
				lists++
				tickets += strings.Count(strings.Join(tags(ids[to]), " "), "tr")
			}
		}
		text := textOf(n)
		if lists == 0 || tickets == 0 && slices.ContainsFunc([]string{"relative_load", "weekly_load", "evidence", "covers", "unplanned"}, func(name string) bool {
			return strings.HasPrefix(text, figureName(name))
		}) {
			t.Errorf("no tickets are behind %s", text)
		}
	}
	for _, figure := range append([]string{"overloaded", "unplanned", "own_load_signal", "flow_signal", "evidence", "area_evidence", "covers"}, besides...) {
		if !explained[figure] {
			t.Errorf("%s is nowhere on the page", figure)
		}
	}
	if len(numbers) < 20 || ids["why-0-weekly_load"] == nil {
		t.Errorf("%d numbers lead to where they come from", len(numbers))
	}
}

// most is the pseudonym of whoever has been measured most.
func most(s *analysis.Snapshot) (who string) {
	counts := map[string]int{}
	for _, o := range s.Overload {
		for _, one := range o.Signals {
			if one.Value != nil {
				counts[o.Pseudonym]++
			}
		}
		for _, x := range []*float64{o.Unplanned, o.AfterHours} {
			if x != nil {
				counts[o.Pseudonym] += 3
			}
		}
	}
	for _, a := range s.Areas {
		for _, h := range a.Holders {
			counts[h.Pseudonym]++
		}
	}
	for p, n := range counts {
		if n > counts[who] || n == counts[who] && p < who {
			who = p
		}
	}
	return who
}

// bareNumbers are the texts with a digit, in the sections of figures, that are no
// link within the page, and what the others link to. A chart is one number, which
// the paragraph before it explains; the names of teams and areas are no numbers.
func bareNumbers(page *html.Node) (bare, links []string) {
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		switch {
		case n.Type == html.TextNode:
			if text := strings.TrimSpace(n.Data); strings.ContainsFunc(text, unicode.IsDigit) {
				bare = append(bare, text)
			}
			return
		case n.Data == "a" && strings.HasPrefix(attribute(n, "href"), "#"):
			links = append(links, attribute(n, "href")[1:])
			return
		case n.Data == "a" || n.Data == "bdi":
			return
		case n.Data == "figure":
			before := n.PrevSibling
			for before != nil && before.Type != html.ElementNode {
				before = before.PrevSibling
			}
			if before == nil || !strings.Contains(strings.Join(hrefs(before), " "), "weekly_load") {
				bare = append(bare, "a chart: "+textOf(n))
			}
			return
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
	}
	for n := range page.Descendants() {
		if has(n, "data-figures") {
			walk(n)
		}
	}
	return bare, links
}

func byID(page *html.Node) map[string]*html.Node {
	ids := map[string]*html.Node{}
	for n := range page.Descendants() {
		if id := attribute(n, "id"); id != "" {
			ids[id] = n
		}
	}
	return ids
}

func attribute(n *html.Node, key string) string {
	if i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key }); i >= 0 {
		return n.Attr[i].Val
	}
	return ""
}

func has(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

func hrefs(n *html.Node) (list []string) {
	for c := range n.Descendants() {
		list = append(list, attribute(c, "href"))
	}
	return list
}

func tags(n *html.Node) (list []string) {
	for c := range n.Descendants() {
		if c.Type == html.ElementNode {
			list = append(list, c.Data)
		}
	}
	return list
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
