package sourcetest

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"fairlead/connectors/source"
)

var streams = []promise{
	{name: "the backfill streams part what there is", run: partition},
	{name: "the incremental stream brings what changed since the start", run: incremental},
	{name: "an edit in the second of the cursor arrives", run: sameSecond},
	{name: "an edit that shows late arrives, though others came before it", run: shownLate},
	{name: "a poll that finds nothing costs little and stays", run: quietPoll},
	{name: "edits arrive though the index lags", run: lagging, needs: func(h Harness) bool { return h.Lags }},
	{name: "edits during collection arrive", run: editedMeanwhile},
	{name: "a ticket that is deleted meanwhile does not stop a stream", run: deletedMeanwhile},
	{name: "streams can be read side by side", run: sideBySide},
}

func partition(t *testing.T, h Harness) {
	since := epoch.AddDate(-1, 0, 0)
	bubble(t, h, Options{PageSize: 3, Since: since}, func(t *testing.T, w *world) {
		day := 24 * time.Hour
		in := map[string]source.Stream{}
		open := func(name string, updated time.Time) {
			w.create(name, updated, "status", StatusWorking, "group", "net", "assignee", "ann")
			in[name] = source.StreamOpen
		}
		closed := func(name string, updated time.Time, stream source.Stream) {
			w.create(name, updated.Add(-time.Hour), "status", StatusNew, "group", "net")
			w.update(name, updated, "ann", "status", StatusDone)
			in[name] = stream
		}
		open("open, new", epoch.Add(-time.Hour))
		open("open, old", epoch.Add(-200*day))
		open("open, from before since", epoch.Add(-700*day))
		closed("closed today", epoch.Add(-2*time.Hour), source.StreamRecent)
		closed("closed within 90 days", epoch.Add(-89*day), source.StreamRecent)
		closed("closed 90 days ago", epoch.Add(-90*day), "recent or older")
		closed("closed before that", epoch.Add(-91*day), source.StreamOlder)
		closed("closed long ago", epoch.Add(-360*day), source.StreamOlder)
		closed("closed before since", epoch.Add(-370*day), "none")
		closed("opened again", epoch.Add(-300*day), source.StreamOpen)
		w.update("opened again", epoch.Add(-299*day), "ann", "status", StatusWorking)
		for i := range 5 {
			closed(name(i), epoch.Add(time.Duration(-30-i)*day), source.StreamRecent)
			closed(name(10+i), epoch.Add(time.Duration(-130-i)*day), source.StreamOlder)
			open(name(20+i), epoch.Add(time.Duration(-i)*day-time.Hour))
		}

		src := w.connect()
		c, err := w.begin(t.Context(), src)
		if err != nil {
			t.Fatal(err)
		}
		came := map[string][]source.Stream{}
		for _, stream := range source.Backfill {
			s := store{}
			if _, err := w.drain(t.Context(), src, stream, c.cursors[stream], s); err != nil {
				t.Fatal(err)
			}
			for id := range s {
				came[id] = append(came[id], stream)
			}
		}
		for name, want := range in {
			got := came[w.in.ID(name)]
			switch {
			case want == "none" && len(got) == 0:
			case want == "recent or older" && len(got) == 1 && got[0] != source.StreamOpen:
			case len(got) == 1 && got[0] == want:
			default:
				t.Errorf("%q came in %v, want %s", name, got, want)
			}
		}
	})
}

func incremental(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 3}, func(t *testing.T, w *world) {
		w.fill(12)
		src := w.connect()
		c := w.collect(src)

		for round := range 3 {
			time.Sleep(7 * time.Minute)
			changed := []string{name(round), name(round + 4), name(round + 8), name(100 + round)}
			w.update(changed[0], w.now(), "bob", "assignee", "dee")
			time.Sleep(time.Second)
			w.update(changed[1], w.now(), "bob", "status", StatusDone)
			w.update(changed[2], w.now(), "bob", "group", Groups[(round+1)%2], "assignee", "")
			w.create(changed[3], w.now(), "status", StatusNew, "group", "net")
			time.Sleep(time.Second)

			clear(c.store)
			if err := w.advance(t.Context(), src, c); err != nil {
				t.Fatal(err)
			}
			for _, name := range changed {
				got, ok := c.store[w.in.ID(name)]
				if !ok {
					t.Errorf("round %d: %s was changed and did not come", round, name)
				} else if d := w.difference(got, name); d != "" {
					t.Errorf("round %d: %s: %s", round, name, d)
				}
			}
		}
	})
}

func sameSecond(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 3}, func(t *testing.T, w *world) {
		w.fill(10)
		src := w.connect()
		c := w.collect(src)
		time.Sleep(5 * time.Minute)
		for _, i := range []int{7, 3, 9, 0} { // whatever the order of ids, some go down
			w.update(name(i), w.now(), "bob", "assignee", "dee", "status", StatusWorking)
			if err := w.advance(t.Context(), src, c); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.advance(t.Context(), src, c); err != nil {
			t.Fatal(err)
		}
		w.verify(c.store)
	})
}

// shownLate makes edits that carry a time before that of the cursor, as those do that
// a source takes minutes to store: at first before the start of the first collection.
func shownLate(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 3}, func(t *testing.T, w *world) {
		w.fill(10)
		src := w.connect()
		c, err := w.begin(t.Context(), src)
		if err != nil {
			t.Fatal(err)
		}
		for _, stream := range source.Backfill {
			if _, err := w.drain(t.Context(), src, stream, c.cursors[stream], c.store); err != nil {
				t.Fatal(err)
			}
			c.done[stream] = true
		}
		for round := range 3 {
			w.update(name(round), w.now().Add(-2*time.Minute), "bob", "assignee", "dee")
			if err := w.advance(t.Context(), src, c); err != nil {
				t.Fatal(err)
			}
			if d := w.difference(c.store[w.in.ID(name(round))], name(round)); d != "" {
				t.Errorf("round %d: the cursor was at %v: %s", round, c.cursors[source.StreamIncremental].Updated, d)
			}
			time.Sleep(10 * time.Minute)
			w.update(name(5+round), w.now(), "bob", "status", StatusDone)
			if err := w.advance(t.Context(), src, c); err != nil {
				t.Fatal(err)
			}
		}
		w.verify(c.store)
	})
}

func quietPoll(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 100}, func(t *testing.T, w *world) {
		w.fill(30)
		src := w.connect()
		c := w.collect(src)
		time.Sleep(24 * time.Hour)
		if err := w.advance(t.Context(), src, c); err != nil {
			t.Fatal(err)
		}
		before, cursor := w.wire.requests(), c.cursors[source.StreamIncremental]
		for range 3 {
			time.Sleep(time.Hour)
			if err := w.advance(t.Context(), src, c); err != nil {
				t.Fatal(err)
			}
		}
		if got := c.cursors[source.StreamIncremental]; got.Updated.Before(cursor.Updated) {
			t.Errorf("the cursor went back from %v to %v", cursor.Updated, got.Updated)
		}
		if n := w.wire.requests() - before; n > 3*8 {
			t.Errorf("three polls that find nothing cost %d requests", n)
		}
	})
}

// lagging edits tickets while searches show them as they were, polls all the
// while, and expects everything once the index has caught up.
func lagging(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 4, IndexLag: 30 * time.Second}, func(t *testing.T, w *world) {
		w.fill(15)
		time.Sleep(time.Minute)
		src := w.connect()
		c := w.collect(src)
		random := rand.New(rand.NewPCG(7, 7))
		for range 20 {
			w.meddle(random)
			time.Sleep(time.Duration(random.IntN(20)) * time.Second)
			if err := w.advance(t.Context(), src, c); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(31 * time.Second)
		if err := w.advance(t.Context(), src, c); err != nil {
			t.Fatal(err)
		}
		w.verify(c.store)
	})
}

// editedMeanwhile edits at random between requests, and stops and starts anew
// at random pages. Once it is quiet, nothing may be missing.
func editedMeanwhile(t *testing.T, h Harness) {
	for seed := range uint64(12) {
		bubble(t, h, Options{PageSize: 1 + int(seed%5)}, func(t *testing.T, w *world) {
			random := rand.New(rand.NewPCG(seed, 1))
			w.fill(25)
			src := w.connect()
			c, err := w.begin(t.Context(), src)
			if err != nil {
				t.Fatal(err)
			}
			edits := 60
			w.wire.set(func(wire *wire) {
				wire.before = func(int) {
					for ; edits > 0 && random.IntN(2) == 0; edits-- {
						time.Sleep(time.Duration(random.IntN(3)) * time.Second)
						w.meddle(random)
					}
				}
			})
			for _, stream := range slices.Concat(source.Backfill, []source.Stream{source.StreamIncremental}) {
				for ended := false; !ended; {
					cursor, done, err := w.read(t.Context(), src, stream, c.cursors[stream], c.store, 1+random.IntN(6))
					if err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
					// A poll begins an overlap back, so a short read of it may
					// not get beyond where it began; a collector goes on then.
					if stream == source.StreamIncremental && !done {
						if cursor, err = w.drain(t.Context(), src, stream, c.cursors[stream], c.store); err != nil {
							t.Fatalf("seed %d: %v", seed, err)
						}
						done = true
					}
					c.cursors[stream], ended = cursor, done
					if random.IntN(2) == 0 {
						src = w.connect()
					}
				}
				c.done[stream] = stream != source.StreamIncremental
			}
			w.wire.set(func(wire *wire) { wire.before = nil })
			time.Sleep(10 * time.Minute)
			if err := w.advance(t.Context(), src, c); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			w.verify(c.store)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		})
		if t.Failed() {
			return
		}
	}
}

func deletedMeanwhile(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 4}, func(t *testing.T, w *world) {
		w.fill(20)
		src := w.connect()
		c, err := w.begin(t.Context(), src)
		if err != nil {
			t.Fatal(err)
		}
		w.wire.set(func(wire *wire) {
			wire.before = func(n int) {
				if i := n; i < 20 && n%2 == 0 {
					w.delete(name(i))
				}
			}
		})
		if err := w.advance(t.Context(), src, c); err != nil {
			t.Fatal(err)
		}
		w.verify(c.store)
	})
}

func sideBySide(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 3}, func(t *testing.T, w *world) {
		w.fill(20)
		for i := 0; i < 20; i += 2 {
			w.update(name(i), epoch.Add(-30*time.Minute), "bob", "status", StatusDone)
		}
		src := w.connect()
		c, err := w.begin(t.Context(), src)
		if err != nil {
			t.Fatal(err)
		}
		stores := map[source.Stream]store{}
		var group sync.WaitGroup
		for stream, cursor := range c.cursors {
			s := store{}
			stores[stream] = s
			group.Go(func() {
				if _, err := w.drain(context.Background(), src, stream, cursor, s); err != nil {
					t.Errorf("%s: %v", stream, err)
				}
			})
		}
		group.Wait()
		for _, s := range stores {
			for id, got := range s {
				c.store[id] = got
			}
		}
		w.verify(c.store)
	})
}
