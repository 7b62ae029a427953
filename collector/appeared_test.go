package collector_test

import (
	"context"
	"fmt"
	"iter"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"fairlead/collector"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/rest"
	"fairlead/connectors/source"
	"fairlead/connectors/source/sourcetest"
	"fairlead/connectors/ticket"
)

// agedLister is a lister that tells which of its tickets are old.
type agedLister struct {
	*lister
	old []string
}

func (a agedLister) ByAge(ctx context.Context, _ time.Time) iter.Seq2[source.Listed, error] {
	return func(yield func(source.Listed, error) bool) {
		if !yield(source.Listed{IDs: a.old, Old: true}, nil) {
			return
		}
		for ids, err := range a.IDs(ctx) {
			if !yield(source.Listed{IDs: ids}, err) {
				return
			}
		}
	}
}

// byIDs are the requests by id that a source was sent.
func (l *lister) byIDs() (asked []string) {
	for _, a := range l.asked {
		if strings.HasPrefix(a, "by id") {
			asked = append(asked, a)
		}
	}
	return asked
}

// TestWhatAppearsIsCollected, though nobody changes it, once a sweep has seen it.
func TestWhatAppearsIsCollected(t *testing.T) {
	appear := func(l *lister, from, to int) {
		for i := from; i < to; i++ {
			l.live[id(i)] = one(id(i), -1000-i)
		}
	}
	unstored := func(t *testing.T, reg *prometheus.Registry) float64 {
		return testutil.ToFloat64(gauge(t, reg, "fairlead_source_unstored_tickets"))
	}
	t.Run("a few by id", func(t *testing.T) {
		l := agedLister{library(5), []string{"ancient"}}
		sweptBy(t, l.lister, l, collector.DefaultConfig(), func() { appear(l.lister, 5, 8) },
			func(t *testing.T, store *memoryStore, _ *collector.Collector, reg *prometheus.Registry, log string, err error) {
				if err != nil {
					t.Fatal(err)
				}
				if asked, want := l.byIDs(), []string{"by id [0005 0006 0007]"}; !slices.Equal(asked, want) {
					t.Errorf("asked %q, want %q", asked, want)
				}
				if len(store.records) != 8 || unstored(t, reg) != 0 || !strings.Contains(log, "appeared=3") {
					t.Errorf("%d are stored, %v are not: %s", len(store.records), unstored(t, reg), log)
				}
			})
	})
	t.Run("many from the streams", func(t *testing.T) {
		l := agedLister{library(5), nil}
		sweptBy(t, l.lister, l, collector.DefaultConfig(), func() {
			appear(l.lister, 5, 1000)
			var all []ticket.Ticket
			for i := range 1000 {
				all = append(all, l.live[id(i)])
			}
			l.pages[source.StreamOlder] = []source.Page{page(0, all...)}
		}, func(t *testing.T, store *memoryStore, c *collector.Collector, reg *prometheus.Registry, log string, err error) {
			if err != nil {
				t.Fatal(err)
			}
			if asked := l.byIDs(); len(asked) != 1 {
				t.Errorf("%d requests by id: one shows that they can be stored", len(asked))
			}
			if len(store.records) != 1000 || !slices.Contains(l.asked, "pages older from ") {
				t.Errorf("%d are stored, asked %q", len(store.records), l.asked)
			}
			l.asked = nil
			time.Sleep(24 * time.Hour)
			if err := c.Once(t.Context()); err != nil || len(l.byIDs()) > 0 || slices.Contains(l.asked, "pages older from ") || unstored(t, reg) != 0 {
				t.Errorf("the next sweep asks %q, %v", l.asked, err)
			}
		})
	})
	t.Run("what cannot be stored is not collected for ever", func(t *testing.T) {
		l := agedLister{library(5), nil}
		sweptBy(t, l.lister, l, collector.DefaultConfig(), func() {
			all := l.ids()
			for i := range 1000 {
				all = append(all, fmt.Sprint("broken ", i))
			}
			l.list = func() [][]string { return [][]string{all} }
		}, func(t *testing.T, _ *memoryStore, _ *collector.Collector, reg *prometheus.Registry, log string, err error) {
			if err != nil {
				t.Fatal(err)
			}
			if slices.Contains(l.asked, "pages older from ") || len(l.byIDs()) != 1 || unstored(t, reg) != 1000 || !strings.Contains(log, "mostly cannot be") {
				t.Errorf("asked %d times, and %v are not stored: %s", len(l.asked), unstored(t, reg), log)
			}
		})
	})
}

// TestAnIssueThatBecomesVisibleIsCollected by the real connector into the real
// engine; one that was closed before since is not.
func TestAnIssueThatBecomesVisibleIsCollected(t *testing.T) {
	for _, flavour := range []jiratest.Flavour{jiratest.Cloud, jiratest.DataCenter} {
		t.Run(string(flavour), func(t *testing.T) {
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			clock := sourcetest.NewClock(epoch)
			site := jiratest.New(jiratest.Options{Flavour: flavour, Clock: clock.Now})
			must(site.AddUser(jiratest.User{Name: "ann"}))
			must(site.AddProject(jiratest.Project{ID: "10", Key: "NET"}))
			must(site.AddStatus(jiratest.Status{ID: "1", Name: "To Do", Category: jiratest.ToDo}))
			must(site.AddStatus(jiratest.Status{ID: "6", Name: "Done", Category: jiratest.Done}))
			must(site.AddIssueType(jiratest.IssueType{ID: "2", Name: "Bug"}))
			var ids []string
			for _, i := range []jiratest.Issue{
				{Status: "1", Created: epoch.AddDate(0, 0, -9)}, // seen from the first
				{Status: "1", Created: epoch.AddDate(-9, 0, 0)},
				{Status: "6", Created: epoch.AddDate(0, -1, 0)},
				{Status: "6", Created: epoch.AddDate(-9, 0, 0)},
			} {
				i.Project, i.Type, i.Creator, i.Reporter, i.Assignee = "10", "2", "ann", "ann", "ann"
				id, err := site.AddIssue(i)
				must(err)
				ids = append(ids, id)
			}
			for _, id := range ids[1:] {
				must(site.Deny(id, true))
			}
			server := httptest.NewServer(site)
			defer server.Close()
			cfg := jira.DefaultConfig()
			cfg.URL, cfg.Flavour, cfg.Token = server.URL, jira.Flavour(flavour), "token"
			if flavour == jiratest.Cloud {
				cfg.Email = "fairlead@example.test"
			}
			src, err := jira.New(cfg, jira.Options{Name: "jira", Transport: rest.New("jira", rest.Config{}, nil, nil, nil), Clock: clock.Now, Since: epoch.AddDate(-2, 0, 0)})
			must(err)
			db := clickhousetest.New(t)
			config := collector.DefaultConfig()
			config.SweepInterval = time.Nanosecond
			c := collector.New(config, src, db, nil, nil, nil)
			for _, want := range []int{1, 3, 3} {
				must(c.Once(t.Context()))
				if got := len(present(t, db)); got != want {
					t.Errorf("%d issues are stored, want %d", got, want)
				}
				clock.Advance(24 * time.Hour)
				for _, id := range ids[1:] {
					must(site.Deny(id, false))
				}
			}
		})
	}
}
