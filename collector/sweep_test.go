package collector_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"fairlead/collector"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// lister is a scripted source that lists what it has. Its backfill is a stream
// of all of that; what is in live can be had by id.
type lister struct {
	*scripted
	list   func() [][]string // the pages of ids; by default one of those of live
	broken int               // fail after so many pages; 0 is never
	lists  []time.Time       // when it was asked to
}

var errBroken = errors.New("the list broke off")

func (l *lister) IDs(context.Context) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		l.note("ids")
		l.lists = append(l.lists, time.Now())
		pages := [][]string{l.ids()}
		if l.list != nil {
			pages = l.list()
		}
		for n, p := range pages {
			if l.broken > 0 && n == l.broken {
				yield(nil, errBroken)
				return
			}
			if !yield(p, nil) {
				return
			}
		}
	}
}

func (l *lister) ids() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []string
	for id := range l.live {
		ids = append(ids, id)
	}
	return ids
}

func id(i int) string { return fmt.Sprintf("%04d", i) }

// library makes a lister of n tickets.
func library(n int) *lister {
	l := &lister{scripted: &scripted{pages: map[source.Stream][]source.Page{}, live: map[string]ticket.Ticket{}}}
	// The bubble's clock is the source's.
	l.now = func() (time.Time, error) { return time.Now(), nil }
	var all []ticket.Ticket
	for i := range n {
		t := one(id(i), i)
		all = append(all, t)
		l.live[t.ID] = t
	}
	l.pages[source.StreamOpen] = []source.Page{page(0, all...)}
	return l
}

func (l *lister) remove(from, to int) {
	for i := from; i < to; i++ {
		delete(l.live, id(i))
	}
}

// marked are the ids of the tickets that are marked as deleted.
func (m *memoryStore) marked() []string { return m.compared(1<<63, true, false) }

// swept collects in a bubble of time, lets a day pass, makes change, and collects
// again, by which a sweep is due.
func swept(t *testing.T, l *lister, cfg collector.Config, change func(), then func(t *testing.T, store *memoryStore, c *collector.Collector, reg *prometheus.Registry, log string, err error)) {
	t.Helper()
	sweptBy(t, l, l, cfg, change, then)
}

// sweptBy is swept for a source that is made of l.
func sweptBy(t *testing.T, l *lister, src source.Source, cfg collector.Config, change func(), then func(t *testing.T, store *memoryStore, c *collector.Collector, reg *prometheus.Registry, log string, err error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store, reg := newMemoryStore(), prometheus.NewPedanticRegistry()
		var log bytes.Buffer
		c := collector.New(cfg, src, store, collector.NewMetrics(reg), nil, slog.New(slog.NewTextHandler(&log, nil)))
		if err := c.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(l.lists) != 0 {
			t.Error("a first collection is followed by a sweep at once")
		}
		time.Sleep(24 * time.Hour)
		change()
		store.forget()
		l.asked = nil
		err := c.Once(t.Context())
		then(t, store, c, reg, log.String(), err)
	})
}

func sweeps(t *testing.T, reg *prometheus.Registry, completed, failed, refused int) {
	t.Helper()
	want := fmt.Sprintf(`
# HELP fairlead_source_sweeps_total Sweeps for deleted tickets since the start; one is refused when it finds too many gone to be true.
# TYPE fairlead_source_sweeps_total counter
fairlead_source_sweeps_total{outcome="completed",source="snow"} %d
fairlead_source_sweeps_total{outcome="failed",source="snow"} %d
fairlead_source_sweeps_total{outcome="refused",source="snow"} %d
`, completed, failed, refused)
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "fairlead_source_sweeps_total"); err != nil {
		t.Error(err)
	}
}

func TestWhatIsGoneIsMarkedAndKept(t *testing.T) {
	l := library(6)
	swept(t, l, collector.DefaultConfig(), func() {
		l.remove(1, 3)
		// 5 is there, and was overlooked.
		l.list = func() [][]string { return [][]string{{id(0), id(3)}, {}, {id(4), id(0), "unheard of"}} }
	}, func(t *testing.T, store *memoryStore, c *collector.Collector, reg *prometheus.Registry, log string, err error) {
		if err != nil {
			t.Fatal(err)
		}
		if got, want := store.marked(), []string{id(1), id(2)}; !slices.Equal(got, want) {
			t.Errorf("marked are %v, want %v", got, want)
		}
		if r := store.records[id(1)]; r.Key != "INC0001" || len(r.Assignments) != 1 || !r.Deleted.Equal(time.Now()) {
			t.Errorf("a marked ticket is %+v", r)
		}
		if r := store.records[id(5)]; r.Version < store.records[id(1)].Version {
			t.Error("what was asked for by id was not written")
		}
		want := []string{
			"listed 5", "compare", "missing?", "updates? [0005]", "tickets [0005]", "deleted [0001 0002]", "missing?", "returned?",
			"checkpoint sweep 00:00:00 true",
		}
		if got := store.forget(); !slices.Equal(got, want) {
			t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		sweeps(t, reg, 1, 0, 0)
		metrics := fmt.Sprintf(`
# HELP fairlead_source_deleted_tickets Tickets in the warehouse that a sweep found gone from the source.
# TYPE fairlead_source_deleted_tickets gauge
fairlead_source_deleted_tickets{source="snow"} 2
# HELP fairlead_source_last_sweep_timestamp_seconds When the last sweep for deleted tickets that was completed began; 0 if none was.
# TYPE fairlead_source_last_sweep_timestamp_seconds gauge
fairlead_source_last_sweep_timestamp_seconds{source="snow"} %v
# HELP fairlead_source_tickets Tickets in the warehouse, those that are marked as deleted among them.
# TYPE fairlead_source_tickets gauge
fairlead_source_tickets{source="snow"} 6
# HELP fairlead_source_unstored_tickets Tickets that the last sweep saw and that are still not stored: those that cannot be, and, where a source does not tell old ones apart, those that were closed before the configured since.
# TYPE fairlead_source_unstored_tickets gauge
fairlead_source_unstored_tickets{source="snow"} 1
`, float64(time.Now().Unix()))
		if err := testutil.GatherAndCompare(reg, strings.NewReader(metrics), "fairlead_source_deleted_tickets", "fairlead_source_last_sweep_timestamp_seconds", "fairlead_source_tickets", "fairlead_source_unstored_tickets"); err != nil {
			t.Error(err)
		}
		for _, said := range []string{"listed=5", "stored=6", "deleted=2", "returned=1"} {
			if !strings.Contains(log, said) {
				t.Errorf("the log lacks %s: %s", said, log)
			}
		}
		// A skipped id that is gone is no ticket that could not be stored.
		if n := testutil.ToFloat64(gauge(t, reg, "fairlead_source_quarantined_tickets")); n != 0 {
			t.Errorf("%v tickets are quarantined", n)
		}
	})
}

// gauge finds the only series of a metric.
func gauge(t *testing.T, reg *prometheus.Registry, name string) prometheus.Collector {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "it"}, f.GetMetric()[0].GetGauge().GetValue)
		}
	}
	t.Fatalf("no metric %s", name)
	return nil
}

func TestASweepThatFailsMidwayConcludesNothing(t *testing.T) {
	l := library(6)
	swept(t, l, collector.DefaultConfig(), func() {
		l.remove(1, 3)
		l.list = func() [][]string { return [][]string{{id(0)}, {id(3), id(4), id(5)}} }
		l.broken = 1
	}, func(t *testing.T, store *memoryStore, c *collector.Collector, reg *prometheus.Registry, _ string, err error) {
		if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "sweeping snow for deleted tickets: listing the ids") {
			t.Errorf("got %v", err)
		}
		if got := store.marked(); len(got) != 0 {
			t.Errorf("marked are %v", got)
		}
		if _, ok := store.checkpoints["sweep"]; ok {
			t.Error("it is kept as completed")
		}
		sweeps(t, reg, 0, 1, 0)

		// Not at every poll.
		l.broken = 0
		for range 3 {
			time.Sleep(10 * time.Minute)
			if err := c.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(l.lists) != 1 {
			t.Errorf("it lists %d times within the hour", len(l.lists))
		}
		time.Sleep(30 * time.Minute)
		if err := c.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := store.marked(), []string{id(1), id(2)}; !slices.Equal(got, want) {
			t.Errorf("then marked are %v, want %v", got, want)
		}
		sweeps(t, reg, 1, 1, 0)
	})
}

// TestAFailureWhileMarkingIsMadeGood by the next sweep.
func TestAFailureWhileMarkingIsMadeGood(t *testing.T) {
	l := library(700) // more than are asked for together
	cfg := collector.DefaultConfig()
	cfg.SweepMaxShare = 1
	swept(t, l, cfg, func() { l.remove(100, 600) }, func(t *testing.T, store *memoryStore, c *collector.Collector, reg *prometheus.Registry, _ string, err error) {
		if n := len(store.marked()); err != nil || n != 500 {
			t.Fatalf("%d are marked, %v", n, err)
		}
	})
	down := errors.New("warehouse down")
	l = library(700)
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		c := collector.New(cfg, l, store, nil, nil, nil)
		if err := c.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.remove(100, 600)
		marks := 0
		store.fail = func(_ context.Context, what string) error {
			if strings.HasPrefix(what, "deleted") {
				if marks++; marks == 2 {
					return down
				}
			}
			return nil
		}
		time.Sleep(24 * time.Hour)
		if err := c.Once(t.Context()); !errors.Is(err, down) {
			t.Fatalf("got %v", err)
		}
		if n := len(store.marked()); n != 200 {
			t.Fatalf("%d are marked", n)
		}
		time.Sleep(time.Hour)
		if err := c.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(store.marked()); n != 500 {
			t.Fatalf("then %d are marked", n)
		}
	})
}

func TestTooMuchToBeTrueIsRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		n, gone int
		share   float64
		says    string // the refusal; "" for none
	}{
		{"a fifth", 500, 100, 0.2, ""},
		{"more than a fifth", 500, 101, 0.2, "no longer shows 101 of 500 stored tickets, 20 %, and collector.sweep_max_share is 0.2"},
		{"few, though most", 60, 50, 0.2, ""},
		{"more than few", 80, 51, 0.2, "no longer shows 51 of 80"},
		{"more, as configured", 80, 51, 0.7, ""},
		{"everything, of few", 3, 3, 0.2, "shows no ticket at all, and 3 are stored"},
		{"everything, as configured", 80, 80, 1, ""},
		{"nothing", 80, 0, 0.2, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := library(c.n)
			cfg := collector.DefaultConfig()
			cfg.SweepMaxShare = c.share
			swept(t, l, cfg, func() { l.remove(0, c.gone) }, func(t *testing.T, store *memoryStore, _ *collector.Collector, reg *prometheus.Registry, _ string, err error) {
				if c.says == "" {
					if n := len(store.marked()); err != nil || n != c.gone {
						t.Errorf("%d of %d are marked: %v", n, c.gone, err)
					}
					sweeps(t, reg, 1, 0, 0)
					return
				}
				if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "set collector.sweep_max_share to 1") {
					t.Errorf("got %v", err)
				}
				if n := len(store.marked()); n != 0 {
					t.Errorf("%d are marked", n)
				}
				if i := slices.IndexFunc(l.asked, func(s string) bool { return strings.HasPrefix(s, "by id") }); i >= 0 {
					t.Error("what is refused is asked for by id")
				}
				if _, ok := store.checkpoints["sweep"]; ok {
					t.Error("it is kept as completed")
				}
				sweeps(t, reg, 0, 0, 1)
			})
		})
	}
}

// reasons answers for every id with a reason of its own.
type reasons struct {
	*lister
	by map[string]string
}

func (r *reasons) ByID(ctx context.Context, ids []string) (source.Page, error) {
	p, err := r.lister.ByID(ctx, ids)
	p.Skipped = nil
	for _, id := range ids {
		if reason := r.by[id]; reason != "" {
			p.Skipped = append(p.Skipped, source.Skipped{ID: id, Reason: reason})
		}
	}
	return p, err
}

func TestOnlyWhatTheSourceCallsGoneIsMarked(t *testing.T) {
	l := &reasons{library(6), map[string]string{
		id(0): "deleted", id(1): "no permission", id(2): "deleted or no permission", id(3): "gone or not visible", id(4): "unreadable",
	}}
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		c := collector.New(collector.DefaultConfig(), l, store, nil, nil, nil)
		if err := c.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.remove(0, 6)
		l.list = func() [][]string { return [][]string{{"another"}} }
		time.Sleep(24 * time.Hour)
		if err := c.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := store.marked(), []string{id(0), id(1), id(2), id(3)}; !slices.Equal(got, want) {
			t.Errorf("marked are %v, want %v", got, want)
		}
	})
}

// TestATicketThatComesBackWins, whether the next sweep lists it or a poll brings
// it as it was.
func TestATicketThatComesBackWins(t *testing.T) {
	for _, by := range []string{"sweep", "poll"} {
		t.Run(by, func(t *testing.T) {
			l := library(6)
			back := l.live[id(2)]
			l.pages[source.StreamIncremental] = []source.Page{page(0, back)}
			l.overlap = true
			swept(t, l, collector.DefaultConfig(), func() {
				l.remove(2, 3)
				l.pages[source.StreamIncremental] = nil
			}, func(t *testing.T, store *memoryStore, c *collector.Collector, _ *prometheus.Registry, _ string, err error) {
				if got := store.marked(); err != nil || !slices.Equal(got, []string{id(2)}) {
					t.Fatalf("marked are %v, %v", got, err)
				}
				l.live[id(2)] = back
				if by == "sweep" {
					time.Sleep(24 * time.Hour)
				} else {
					time.Sleep(time.Minute)
					l.pages[source.StreamIncremental] = []source.Page{page(0, back)}
				}
				if err := c.Once(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := store.marked(); len(got) != 0 {
					t.Errorf("marked are still %v", got)
				}
			})
		})
	}
}

// TestWhatIsWrittenDuringASweepIsNotItsBusiness: a ticket that a poll brought
// meanwhile exists, though the list came before it.
func TestWhatIsWrittenDuringASweepIsNotItsBusiness(t *testing.T) {
	l := library(6)
	polls := 0
	swept(t, l, collector.DefaultConfig(), func() {
		l.remove(2, 3)
		l.before = func(context.Context, source.Stream, int) error { polls++; return nil }
		l.overlap = true
		l.list = func() [][]string {
			time.Sleep(20 * time.Minute) // so that a poll is due
			l.pages[source.StreamIncremental] = []source.Page{page(0, one(id(2), 100))}
			return [][]string{{id(0), id(1)}, {id(3), id(4), id(5)}}
		}
	}, func(t *testing.T, store *memoryStore, _ *collector.Collector, _ *prometheus.Registry, _ string, err error) {
		if got := store.marked(); err != nil || len(got) != 0 {
			t.Errorf("marked are %v, %v", got, err)
		}
		if polls != 1 {
			t.Errorf("%d polls during the sweep", polls)
		}
		if r := store.records[id(2)]; !r.Updated.Equal(epoch.Add(100 * time.Second)) {
			t.Errorf("it is %+v", r)
		}
	})
}

func TestSweepsKeepTheirInterval(t *testing.T) {
	for _, interval := range []time.Duration{0, 30 * time.Minute, 24 * time.Hour} {
		t.Run(interval.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, store := library(3), newMemoryStore()
				cfg := collector.DefaultConfig()
				cfg.SweepInterval = interval
				start := time.Now()
				run := func(for_ time.Duration) {
					ctx, cancel := context.WithTimeout(t.Context(), for_)
					defer cancel()
					if err := collector.New(cfg, l, store, nil, nil, nil).Run(ctx); err != nil {
						t.Fatal(err)
					}
				}
				// A restart is no reason to sweep.
				run(10*24*time.Hour + 12*time.Hour + 10*time.Second)
				run(10 * 24 * time.Hour)
				if interval == 0 {
					if len(l.lists) != 0 {
						t.Errorf("it sweeps at %v", l.lists)
					}
					return
				}
				last := start
				for _, at := range l.lists {
					// The next poll after it is due.
					if late := at.Sub(last) - interval; late < 0 || late > cfg.Interval {
						t.Fatalf("sweeps are at %v and %v", last.Sub(start), at.Sub(start))
					}
					last = at
				}
				if want := int(20 * 24 * time.Hour / interval * 9 / 10); len(l.lists) < want {
					t.Errorf("%d sweeps, want at least %d", len(l.lists), want)
				}
			})
		})
	}
}

// TestARefusedSweepDoesNotEndRun, nor does one that lacks a permission which
// nothing else needs.
func TestARefusedSweepDoesNotEndRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, store := library(3), newMemoryStore()
		polls := 0
		l.before = func(context.Context, source.Stream, int) error { polls++; return nil }
		l.overlap = true
		l.pages[source.StreamIncremental] = []source.Page{page(0, one("9", 100))}
		l.list = func() [][]string { return nil }
		var log bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Hour)
		defer cancel()
		if err := collector.New(collector.DefaultConfig(), l, store, nil, nil, slog.New(slog.NewTextHandler(&log, nil))).Run(ctx); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(log.String(), "sweep for deleted tickets failed") || polls < 25*60 {
			t.Errorf("%d polls; the log is %s", polls, log.String())
		}
	})
}

func TestValidateSweeps(t *testing.T) {
	for key, change := range map[string]func(*collector.Config){
		"sweep_interval: ":  func(c *collector.Config) { c.SweepInterval = time.Second },
		"sweep_interval: -": func(c *collector.Config) { c.SweepInterval = -time.Hour },
		"sweep_interval: 9": func(c *collector.Config) { c.SweepInterval = 9999 * time.Hour },
		"sweep_max_share: ": func(c *collector.Config) { c.SweepMaxShare = 0 },
		"sweep_max_share:":  func(c *collector.Config) { c.SweepMaxShare = 1.5 },
	} {
		cfg := collector.DefaultConfig()
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), key) {
			t.Errorf("%s: got %v", key, err)
		}
	}
	cfg := collector.DefaultConfig()
	cfg.SweepInterval, cfg.SweepMaxShare = 0, 1
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
}
