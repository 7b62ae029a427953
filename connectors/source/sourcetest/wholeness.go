package sourcetest

import (
	"context"
	"testing"
	"time"

	"fairlead/connectors/source"
)

var wholeness = []promise{
	{name: "a ticket comes with its whole history", run: wholeHistory},
	{name: "every ticket comes whole from a source of several pages", run: severalPages},
	{name: "a source without tickets is no fault", run: empty},
	{name: "single tickets come by id", run: byID},
	{name: "single tickets come by id past a lagging index", run: byIDPastIndex, needs: func(h Harness) bool { return h.Lags }},
	{name: "check says what was found", run: check},
	{name: "the clock is the source's", run: clock},
	{name: "a page says when it was asked for", run: sent},
}

func wholeHistory(t *testing.T, h Harness) {
	bubble(t, h, Options{}, func(t *testing.T, w *world) {
		day := epoch.AddDate(0, 0, -10)
		after := func(minutes int) time.Time { return day.Add(time.Duration(minutes) * time.Minute) }

		w.create("untouched", after(0), "status", StatusNew, "group", "net")
		w.create("assigned at creation", after(0), "status", StatusNew, "group", "net", "assignee", "ann")
		w.create("handed on and closed", after(0), "status", StatusNew, "group", "net")
		w.update("handed on and closed", after(1), "dee", "assignee", "ann")
		w.update("handed on and closed", after(5), "ann", "assignee", "bob", "status", StatusWorking)
		w.update("handed on and closed", after(9), "bob", "assignee", "")
		w.update("handed on and closed", after(12), "dee", "assignee", "cyd")
		w.update("handed on and closed", after(99), "cyd", "status", StatusDone)
		w.create("opened again", after(0), "status", StatusNew, "group", "net", "assignee", "ann")
		w.update("opened again", after(3), "ann", "status", StatusDone)
		w.update("opened again", after(7), "dee", "status", StatusWorking)
		w.create("moved with its holder in one update", after(0), "status", StatusNew, "group", "net", "assignee", "ann")
		w.update("moved with its holder in one update", after(2), "ann", "group", "db", "assignee", "bob")
		w.create("back and forth in one instant", after(0), "status", StatusNew, "group", "net", "assignee", "ann")
		w.update("back and forth in one instant", after(2), "ann", "assignee", "bob")
		w.update("back and forth in one instant", after(2), "bob", "assignee", "ann")
		w.update("back and forth in one instant", after(2), "ann", "status", StatusWorking)
		w.create("changed when it was made", after(0), "status", StatusNew, "group", "net")
		w.update("changed when it was made", after(0), "dee", "assignee", "dee")
		w.create("long", after(0), "status", StatusNew, "group", "net")
		for i := range 150 { // more than any API embeds
			w.update("long", after(i+1), Accounts[i%4], "assignee", Accounts[(i+1)%4])
		}
		w.verify(w.collect(w.connect()).store)
	})
}

func severalPages(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 10}, func(t *testing.T, w *world) {
		w.fill(64)
		for i := 0; i < 64; i += 3 {
			w.update(name(i), epoch.Add(-30*time.Minute), "bob", "status", StatusDone)
		}
		c := w.collect(w.connect())
		w.verify(c.store)
		if len(c.store) != 64 {
			t.Errorf("%d tickets came, want 64", len(c.store))
		}
	})
}

func empty(t *testing.T, h Harness) {
	bubble(t, h, Options{}, func(t *testing.T, w *world) {
		src := w.connect()
		c := w.collect(src)
		if len(c.store) != 0 {
			t.Errorf("%d tickets came of none", len(c.store))
		}
		// And it works once there is one.
		time.Sleep(time.Minute)
		w.create("first", w.now(), "status", StatusNew, "group", "net", "assignee", "ann")
		time.Sleep(time.Minute)
		if err := w.advance(t.Context(), src, c); err != nil {
			t.Fatal(err)
		}
		w.verify(c.store)
	})
}

func byID(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 10}, func(t *testing.T, w *world) {
		w.fill(130)
		w.delete(name(7))
		w.hide(name(8))
		src := w.connect()
		var ids []string
		for i := range 130 {
			ids = append(ids, w.in.ID(name(i)))
		}
		asked := time.Now()
		page, err := src.ByID(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		w.checkPage(src, "by id", page, asked)
		s := store{}
		for _, got := range page.Tickets {
			s[got.ID] = got
		}
		w.verify(s)
		skipped := map[string]string{}
		for _, one := range page.Skipped {
			skipped[one.ID] = one.Reason
		}
		for _, i := range []int{7, 8} {
			id := w.in.ID(name(i))
			if _, came := s[id]; came {
				t.Errorf("%s came, though it cannot be seen", name(i))
			}
			if skipped[id] == "" {
				t.Errorf("%s, which cannot be seen, is not among the skipped with a reason", name(i))
			}
		}
		if len(skipped) != 2 {
			t.Errorf("%d tickets were skipped, want 2: %v", len(skipped), skipped)
		}

		page, err = src.ByID(t.Context(), nil)
		if err != nil || len(page.Tickets)+len(page.Skipped) != 0 {
			t.Errorf("asked for nothing, got %d tickets, %d skipped, %v", len(page.Tickets), len(page.Skipped), err)
		}
	})
}

func byIDPastIndex(t *testing.T, h Harness) {
	bubble(t, h, Options{IndexLag: time.Minute}, func(t *testing.T, w *world) {
		w.fill(5)
		time.Sleep(time.Minute)
		w.update(name(2), w.now(), "bob", "assignee", "dee", "status", StatusDone)
		page, err := w.connect().ByID(t.Context(), []string{w.in.ID(name(2))})
		if err != nil || len(page.Tickets) != 1 {
			t.Fatalf("got %d tickets, %v", len(page.Tickets), err)
		}
		if d := w.difference(page.Tickets[0], name(2)); d != "" {
			t.Error(d)
		}
	})
}

func check(t *testing.T, h Harness) {
	bubble(t, h, Options{}, func(t *testing.T, w *world) {
		w.fill(3)
		report, err := w.connect().Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Facts) == 0 {
			t.Error("nothing was found")
		}
		for _, f := range report.Facts {
			if f.What == "" || f.Says == "" || f.Level != source.LevelOK && f.Level != source.LevelWarning && f.Level != source.LevelFailed {
				t.Errorf("a fact says nothing: %+v", f)
			}
			if f.Level == source.LevelFailed {
				t.Errorf("nothing is wrong, but: %+v", f)
			}
		}
	})
}

func clock(t *testing.T, h Harness) {
	bubble(t, h, Options{}, func(t *testing.T, w *world) {
		src := w.connect()
		for range 2 {
			before := w.wire.requests()
			now, err := src.Now(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if d := time.Since(now); d < 0 || d >= time.Second {
				t.Errorf("the source's clock is %v behind", d)
			}
			if w.wire.requests() == before {
				t.Error("the source was not asked")
			}
			time.Sleep(90 * time.Second)
		}
	})
}

// sent lets every answer take its time: a ticket is as old as the question.
func sent(t *testing.T, h Harness) {
	bubble(t, h, Options{PageSize: 4}, func(t *testing.T, w *world) {
		w.fill(10)
		const takes = 10 * time.Second
		w.wire.set(func(wire *wire) { wire.before = func(int) { time.Sleep(takes) } })
		src := w.connect()
		for page, err := range src.Pages(t.Context(), source.StreamOpen, source.Cursor{Start: epoch}) {
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Tickets) > 0 && time.Since(page.Sent) < takes {
				t.Errorf("a page whose request took %v or more was sent %v ago", takes, time.Since(page.Sent))
			}
		}
		page, err := src.ByID(t.Context(), []string{w.in.ID(name(0))})
		if err != nil || time.Since(page.Sent) < takes {
			t.Errorf("single tickets, whose request took %v or more, were sent %v ago; %v", takes, time.Since(page.Sent), err)
		}
	})
}
