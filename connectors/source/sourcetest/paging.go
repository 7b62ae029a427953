package sourcetest

import (
	"testing"
	"time"

	"fairlead/connectors/source"
)

var paging = []promise{
	{name: "many tickets of one second are not lost between pages", run: ties(0)},
	{name: "many tickets of one minute are not lost between pages", run: ties(time.Second)},
	{name: "a restart goes on from the cursor of any page", run: restarts(true)},
	{name: "a restart in the middle of any page repeats it", run: restarts(false)},
	{name: "a page shorter than asked is not the last", run: shortPages},
	{name: "tickets that may not be seen do not end a stream", run: hiddenTickets},
	{name: "a ticket that moves to a later page comes again as it then is", run: movedBetweenPages},
	{name: "rows that come again on the next page do no harm", run: repeatedRows, needs: func(h Harness) bool { return h.Repeats }},
	{name: "a reader that stops leaves nothing behind", run: stops},
}

// ties loads tickets whose last updates share a second, or a minute when apart
// is a second, among others that lie before and after.
func ties(apart time.Duration) func(t *testing.T, h Harness) {
	return func(t *testing.T, h Harness) {
		for _, size := range []int{1, 4, 5, 100} {
			bubble(t, h, Options{PageSize: size}, func(t *testing.T, w *world) {
				w.fill(3)
				tied := epoch.Add(-50 * time.Minute)
				for i := range 23 {
					w.create(name(100+i), epoch.Add(-48*time.Hour), "status", StatusNew, "group", "net")
					w.update(name(100+i), tied.Add(time.Duration(i)*apart), "ann", "assignee", Accounts[i%4])
				}
				w.create(name(200), epoch.Add(-40*time.Minute), "status", StatusNew, "group", "net")

				src := w.connect()
				c := w.collect(src)
				w.verify(c.store)

				// The same by the incremental stream, from before and from
				// within the tie.
				for _, ticks := range []int{-600, -1, 0, 1, 11} {
					s := store{}
					from := source.Cursor{Start: epoch.Add(-time.Hour), Updated: tied.Add(time.Duration(ticks) * time.Second)}
					if ticks == 0 {
						from.ID = w.in.ID(name(105))
					}
					if _, err := w.drain(t.Context(), src, source.StreamIncremental, from, s); err != nil {
						t.Fatal(err)
					}
					for i := range 23 {
						story := w.want(name(100 + i))
						past := story.Updated.Before(from.Updated) || story.Updated.Equal(from.Updated) && from.ID != ""
						if _, ok := s[story.ID]; !ok && !past {
							t.Errorf("page size %d: from %v, %s of %v never came", size, from.Updated, name(100+i), story.Updated)
						}
					}
				}
			})
		}
	}
}

// restarts stops after each page in turn, and goes on with a new connector from
// the last cursor that was stored: that of the page that was delivered last, or
// when it was not stored, of the one before.
func restarts(stored bool) func(t *testing.T, h Harness) {
	return func(t *testing.T, h Harness) {
		bubble(t, h, Options{PageSize: 4}, func(t *testing.T, w *world) {
			w.fill(6)
			for i := range 13 { // ties across the pages
				w.create(name(100+i), epoch.Add(-50*time.Minute), "status", StatusNew, "group", "net", "assignee", "ann")
				w.create(name(200+i), epoch.Add(-90*time.Minute), "status", StatusNew, "group", "net")
				w.update(name(200+i), epoch.Add(-80*time.Minute), "ann", "status", StatusDone)
			}
			c, err := w.begin(t.Context(), w.connect())
			if err != nil {
				t.Fatal(err)
			}
			for _, stream := range source.Backfill {
				for ended := false; !ended; {
					var cursor source.Cursor
					if cursor, ended, err = w.read(t.Context(), w.connect(), stream, c.cursors[stream], c.store, 1); err != nil {
						t.Fatal(err)
					}
					if !stored && !ended {
						// The page after was under way, and its tickets are lost.
						if _, _, err := w.read(t.Context(), w.connect(), stream, cursor, store{}, 1); err != nil {
							t.Fatal(err)
						}
					}
					if !ended && cursor == c.cursors[stream] {
						t.Fatalf("%s: the cursor of a page is the one before it: %+v", stream, cursor)
					}
					c.cursors[stream] = cursor
				}
			}
			w.verify(c.store)

			// The incremental stream, from before all of them. A poll begins an
			// overlap before its cursor, so what it gets on with is its own.
			s := store{}
			from := source.Cursor{Start: epoch.Add(-48 * time.Hour), Updated: epoch.Add(-48 * time.Hour)}
			for pages, ended := 1, false; !ended; pages++ {
				if pages > 100 {
					t.Fatal("incremental: restarts never come to an end")
				}
				var cursor source.Cursor
				if cursor, ended, err = w.read(t.Context(), w.connect(), source.StreamIncremental, from, s, pages); err != nil {
					t.Fatal(err)
				}
				if stored && cursor.Updated.After(from.Updated) {
					from = cursor
				}
			}
			w.verify(s)
		})
	}
}

func shortPages(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 10, PageCap: 3}, func(t *testing.T, w *world) {
		w.fill(23)
		w.verify(w.collect(w.connect()).store)
	})
}

func hiddenTickets(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 5}, func(t *testing.T, w *world) {
		w.fill(40)
		for i := range 40 {
			if i < 12 || i%3 == 0 || i > 35 { // whole pages at both ends
				w.hide(name(i))
			}
		}
		c := w.collect(w.connect())
		w.verify(c.store)
		for i := range 40 {
			if _, came := c.store[w.in.ID(name(i))]; came && w.tickets[name(i)].gone {
				t.Errorf("%s came, though it may not be seen", name(i))
			}
		}
	})
}

// movedBetweenPages updates a ticket that was just delivered, and one that was
// not yet, before each request.
func movedBetweenPages(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 4}, func(t *testing.T, w *world) {
		w.fill(30)
		src := w.connect()
		c, err := w.begin(t.Context(), src)
		if err != nil {
			t.Fatal(err)
		}
		w.wire.set(func(wire *wire) {
			wire.before = func(n int) {
				if n > 20 {
					return
				}
				time.Sleep(2 * time.Second)
				w.update(name(n%15), w.now(), "bob", "assignee", Accounts[n%4])
				w.update(name(29-n%15), w.now(), "cyd", "assignee", Accounts[(n+1)%4], "status", Statuses[n%3])
			}
		})
		if err := w.advance(t.Context(), src, c); err != nil {
			t.Fatal(err)
		}
		w.wire.set(func(wire *wire) { wire.before = nil })
		time.Sleep(time.Minute)
		if err := w.advance(t.Context(), src, c); err != nil {
			t.Fatal(err)
		}
		w.verify(c.store)
	})
}

func repeatedRows(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 4, RepeatRows: true}, func(t *testing.T, w *world) {
		w.fill(23)
		for i := range 9 {
			w.create(name(100+i), epoch.Add(-50*time.Minute), "status", StatusNew, "group", "net")
		}
		w.verify(w.collect(w.connect()).store)
	})
}

func stops(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 4}, func(t *testing.T, w *world) {
		w.fill(20)
		src := w.connect()
		c, err := w.begin(t.Context(), src)
		if err != nil {
			t.Fatal(err)
		}
		for range src.Pages(t.Context(), source.StreamOpen, c.cursors[source.StreamOpen]) {
			break
		}
		time.Sleep(time.Hour) // whatever was fetched ahead is done by now
		before := w.wire.requests()
		time.Sleep(time.Hour)
		if n := w.wire.requests(); n != before {
			t.Errorf("%d requests were sent after the reader had stopped", n-before)
		}
	})
}
