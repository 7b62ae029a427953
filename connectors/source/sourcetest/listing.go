package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/source"
)

// listing are the promises of a source.Lister.
//
// How many ids a connector asks for at once is its own affair, so the fake gives
// few.
var listing = []promise{
	{name: "every ticket is listed, whatever its age", run: listed},
	{name: "what is gone is not listed, and by id it is called gone", run: listedGone},
	{name: "tickets that may not be seen do not end a list", run: listedHidden},
	{name: "many tickets of one minute are listed", run: listedTies},
	{name: "a ticket that nobody touches is listed, whatever is edited meanwhile", run: listedMeanwhile},
	{name: "faults that pass do not shorten a list", run: listedPassing},
	{name: "a list that fails ends with an error", run: listedFailing},
	{name: "a list by a credential that is refused is ErrUnauthorized", run: listedUnauthorized},
	{name: "cancelling ends a list at once", run: listedCancelled},
	{name: "a reader that stops leaves nothing behind of a list", run: listedStops},
	{name: "listing costs few requests", run: listedCheaply},
}

// agedListing are the promises of a source.AgedLister.
var agedListing = []promise{
	{name: "old tickets are listed apart, and first", run: listedByAge},
	{name: "a ticket that becomes young while it is listed is among the young", run: listedYounger},
}

// lists says whether the source of h is a source.Lister.
func lists(t *testing.T, h Harness) (yes bool) {
	bubble(t, h, Options{}, func(_ *testing.T, w *world) { _, yes = w.connect().(source.Lister) })
	return yes
}

// listsByAge says whether the source of h is a source.AgedLister.
func listsByAge(t *testing.T, h Harness) (yes bool) {
	bubble(t, h, Options{}, func(_ *testing.T, w *world) { _, yes = w.connect().(source.AgedLister) })
	return yes
}

// listByAge lists what must not fail.
func (w *world) listByAge(src source.Source, since time.Time) (old, young map[string]bool) {
	w.t.Helper()
	old, young = map[string]bool{}, map[string]bool{}
	for page, err := range src.(source.AgedLister).ByAge(w.t.Context(), since) {
		if err != nil {
			w.t.Fatalf("listing by age: %v", err)
		}
		if page.Old && len(young) > 0 {
			w.t.Error("old tickets are listed after young ones")
		}
		into := young
		if page.Old {
			into = old
		}
		for _, id := range page.IDs {
			into[id] = true
		}
	}
	return old, young
}

func listedByAge(t *testing.T, h Harness) {
	for _, since := range []time.Time{{}, epoch.AddDate(-1, 0, 0), epoch.AddDate(0, 0, -30)} {
		for _, size := range []int{1, 4, 100} {
			bubble(t, h, Options{PageSize: size, PageCap: size, Since: since}, func(t *testing.T, w *world) {
				ages(w)
				src := w.connect()
				old, young := w.listByAge(src, since)
				all := maps.Clone(old)
				maps.Copy(all, young)
				w.verifyList(all)
				if len(old)+len(young) != len(all) {
					t.Errorf("%d old and %d young tickets are %d together, though nobody touched them", len(old), len(young), len(all))
				}
				// The young ones are those that a collection brings.
				brought := map[string]bool{}
				for _, stream := range source.Backfill {
					for page, err := range src.Pages(t.Context(), stream, source.Cursor{Start: time.Now()}) {
						if err != nil {
							t.Fatal(err)
						}
						for i := range page.Tickets {
							brought[page.Tickets[i].ID] = true
						}
					}
				}
				if !maps.Equal(young, brought) {
					t.Errorf("since %v %d are young, and a collection brings %d", since, len(young), len(brought))
				}
			})
		}
	}
}

func listedYounger(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 2, PageCap: 2, Since: epoch.AddDate(-1, 0, 0)}, func(t *testing.T, w *world) {
		ages(w)
		src := w.connect()
		touched, once := name(19), true // closed, and 1000 days old
		w.wire.set(func(wire *wire) {
			wire.before = func(n int) {
				if n >= 2 && once {
					once = false
					w.update(touched, time.Now(), "ann", "assignee", "bob")
				}
			}
		})
		_, young := w.listByAge(src, epoch.AddDate(-1, 0, 0))
		if !young[w.in.ID(touched)] {
			t.Error("it is not listed among the young")
		}
		if once {
			t.Error("nothing was edited")
		}
	})
}

// list reads the ids to the end, or to an error.
func (w *world) list(ctx context.Context, src source.Source) (ids map[string]bool, err error) {
	w.t.Helper()
	ids = map[string]bool{}
	ended := false
	for page, pageErr := range src.(source.Lister).IDs(ctx) {
		if ended {
			w.t.Fatal("the list goes on after an error")
		}
		if pageErr != nil {
			ended, err = true, pageErr
			continue
		}
		for _, id := range page {
			if id == "" {
				w.t.Error("an empty id is listed")
			}
			ids[id] = true
		}
	}
	return ids, err
}

// verifyList checks that a list holds the ids of just what can be seen.
func (w *world) verifyList(ids map[string]bool) {
	w.t.Helper()
	ids = maps.Clone(ids)
	for _, name := range slices.Sorted(maps.Keys(w.tickets)) {
		id := w.in.ID(name)
		if ids[id] == w.tickets[name].gone {
			w.t.Errorf("%s is listed: %v, and gone: %v", name, ids[id], w.tickets[name].gone)
		}
		delete(ids, id)
	}
	if len(ids) > 0 {
		w.t.Errorf("there are no such tickets: %v", slices.Sorted(maps.Keys(ids)))
	}
}

// mustList lists what must not fail.
func (w *world) mustList(src source.Source) map[string]bool {
	w.t.Helper()
	ids, err := w.list(w.t.Context(), src)
	if err != nil {
		w.t.Fatalf("listing: %v", err)
	}
	return ids
}

// ages loads open and closed tickets of all ages.
func ages(w *world) {
	for i, age := range []int{0, 1, 30, 89, 90, 91, 200, 364, 366, 1000, 4000} {
		at := epoch.Add(-time.Duration(age)*24*time.Hour - 2*time.Hour)
		w.create(name(2*i), at, "status", StatusNew, "group", "net")
		w.create(name(2*i+1), at, "status", StatusNew, "group", "db", "assignee", "ann")
		w.update(name(2*i+1), at.Add(time.Hour), "ann", "status", StatusDone)
	}
}

func listed(t *testing.T, h Harness) {
	for _, o := range []Options{{PageSize: 100}, {PageSize: 4}, {PageSize: 1}, {PageSize: 50, PageCap: 3}, {PageSize: 4, PageCap: 4, Since: epoch.AddDate(-1, 0, 0)}} {
		bubble(t, h, o, func(t *testing.T, w *world) {
			src := w.connect()
			w.verifyList(w.mustList(src))
			ages(w)
			w.verifyList(w.mustList(src))
		})
	}
}

func listedGone(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 4, PageCap: 4}, func(t *testing.T, w *world) {
		w.fill(12)
		src := w.connect()
		w.delete(name(0))
		w.delete(name(5))
		w.hide(name(6))
		w.delete(name(11))
		time.Sleep(time.Hour)
		w.verifyList(w.mustList(src))
		page, err := src.ByID(t.Context(), []string{w.in.ID(name(5)), w.in.ID(name(6))})
		if err != nil || len(page.Skipped) != 2 {
			t.Fatalf("by id %v are skipped, %v", page.Skipped, err)
		}
		for _, s := range page.Skipped {
			if !strings.Contains(s.Reason, "deleted") && !strings.Contains(s.Reason, "gone") && !strings.Contains(s.Reason, "permission") {
				t.Errorf("%s is skipped for %q, which does not say that it is gone or hidden", s.ID, s.Reason)
			}
		}
	})
}

func listedHidden(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 3, PageCap: 3}, func(t *testing.T, w *world) {
		w.fill(20)
		for i := 4; i < 15; i++ { // whole pages
			w.hide(name(i))
		}
		w.verifyList(w.mustList(w.connect()))
	})
}

func listedTies(t *testing.T, h Harness) {
	for _, size := range []int{1, 4, 5} {
		bubble(t, h, Options{PageSize: size, PageCap: size}, func(t *testing.T, w *world) {
			w.fill(3)
			for i := range 23 {
				w.create(name(100+i), epoch.Add(-50*time.Minute).Add(time.Duration(i/12)*time.Second), "status", StatusNew, "group", "net")
			}
			w.verifyList(w.mustList(w.connect()))
		})
	}
}

func listedMeanwhile(t *testing.T, h Harness) {
	for seed := range uint64(20) {
		bubble(t, h, Options{PageSize: 1 + int(seed%5), PageCap: 1 + int(seed%5)}, func(t *testing.T, w *world) {
			random := rand.New(rand.NewPCG(seed, 2))
			w.fill(30)
			touched := func(s *story) string { return fmt.Sprint(len(s.updates), s.gone) }
			before := map[string]string{}
			for name, s := range w.tickets {
				before[name] = touched(s)
			}
			w.wire.set(func(wire *wire) {
				wire.before = func(int) {
					for random.IntN(3) != 0 && len(w.tickets) < 50 {
						time.Sleep(time.Duration(random.IntN(2)) * time.Second)
						w.meddle(random)
					}
				}
			})
			ids := w.mustList(w.connect())
			for name, was := range before {
				if s := w.tickets[name]; touched(s) == was && !ids[w.in.ID(name)] {
					t.Errorf("seed %d: nobody touched %s, and it is not listed", seed, name)
				}
			}
		})
	}
}

var fewAtOnce = Options{PageSize: 3, PageCap: 3}

// everyListRequest is everyRequest for a list of small.
func everyListRequest(t *testing.T, h Harness, f func(w *world, n int)) {
	t.Helper()
	oneByOne(t, h, fewAtOnce, func(w *world) { w.verifyList(w.mustList(w.connect())) }, f)
}

func listedPassing(t *testing.T, h Harness) {
	for _, f := range []fault{{status: http.StatusServiceUnavailable}, {drop: true}, {cut: true}, {garble: true}} {
		everyListRequest(t, h, func(w *world, n int) {
			w.wire.set(func(wire *wire) { wire.fault = at(f, n, n+1) })
			w.verifyList(w.mustList(w.connect()))
		})
	}
}

func listedFailing(t *testing.T, h Harness) {
	for _, f := range []fault{{status: http.StatusBadGateway}, {drop: true}, {garble: true}, {status: http.StatusForbidden}} {
		everyListRequest(t, h, func(w *world, n int) {
			w.wire.set(func(wire *wire) { wire.fault = from(f, n) })
			ids, err := w.list(w.t.Context(), w.connect())
			if err == nil {
				w.t.Errorf("%+v from request %d on, and the list of %d ids has no error", f, n, len(ids))
			}
			if f.garble && !errors.Is(err, source.ErrUnreadable) {
				w.t.Errorf("got %v, want ErrUnreadable", err)
			}
			if sent := w.wire.requests() - n; sent > 40 {
				w.t.Errorf("%d requests were sent to a source that does not come back", sent)
			}
		})
	}
}

func listedUnauthorized(t *testing.T, h Harness) {
	everyListRequest(t, h, func(w *world, n int) {
		w.wire.set(func(wire *wire) { wire.fault = from(fault{status: http.StatusUnauthorized}, n) })
		if _, err := w.list(w.t.Context(), w.connect()); !errors.Is(err, source.ErrUnauthorized) {
			w.t.Errorf("got %v, want ErrUnauthorized", err)
		}
	})
}

func listedCancelled(t *testing.T, h Harness) {
	everyListRequest(t, h, func(w *world, n int) {
		ctx, cancel := context.WithCancel(w.t.Context())
		defer cancel()
		w.wire.set(func(wire *wire) {
			wire.fault = from(fault{hang: true}, n)
			wire.before = func(i int) {
				if i == n {
					cancel()
				}
			}
		})
		start := time.Now()
		_, err := w.list(ctx, w.connect())
		ended(w, err, time.Since(start), 0)
	})
}

func listedStops(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 3, PageCap: 3}, func(t *testing.T, w *world) {
		w.fill(20)
		src := w.connect()
		for _, err := range src.(source.Lister).IDs(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		before := w.wire.requests()
		time.Sleep(2 * time.Hour)
		if n := w.wire.requests() - before; n > 0 {
			t.Errorf("%d requests were sent when nobody read any more", n)
		}
	})
}

func listedCheaply(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 100}, func(t *testing.T, w *world) {
		w.fill(60)
		src := w.connect()
		w.verifyList(w.mustList(src))
		before := w.wire.requests()
		w.verifyList(w.mustList(src))
		if n := w.wire.requests() - before; n > 6 {
			t.Errorf("listing 60 tickets again costs %d requests", n)
		}
	})
}
