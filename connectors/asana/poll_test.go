package asana_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/source"
)

// Subtasks are in no project's list. Without a search, what happens to them is
// told by events, and where those are lost all are looked at.
func TestSubtasksThatChange(t *testing.T) {
	f := newOffice(t, asanatest.Options{Free: true, SyncPage: 2, SyncLife: 48 * time.Hour})
	whole := f.create("", asanatest.AddTo(f.migration, ""))
	part := f.create(whole)
	quiet := f.create(whole)
	other := f.create("", asanatest.AddTo(f.help, ""))
	f.wait(time.Hour)
	src := f.connect(nil, nil)
	c := collect(t, src)
	c.poll()

	came := func() []string {
		c.clear()
		f.ResetRequests()
		c.poll()
		return slices.Sorted(maps.Keys(c.tickets))
	}
	f.wait(10 * time.Minute)
	f.edit(part, f.bob, asanatest.Assign(f.ann))
	f.edit(part, f.ann, asanatest.Complete(true))
	if got := came(); !slices.Equal(got, []string{part}) {
		t.Errorf("a subtask changed, and %v came of %s, %s", got, part, quiet)
	}
	if tk := c.tickets[part]; tk.Group != f.platform || tk.Status != "complete" || len(tk.Changes) != 2 {
		t.Errorf("the subtask is not whole: %+v", tk)
	}
	if n := f.Requests()["/api/1.0/tasks/{gid}/subtasks"]; n != 0 {
		t.Errorf("%d lists of subtasks were read, though events tell", n)
	}
	if got := came(); len(got) != 0 || f.Requests()["/api/1.0/tasks/{gid}/stories"] != 0 {
		t.Errorf("nothing changed, and %v came: %v", got, f.Requests())
	}
	if n := f.TotalRequests(); n > 4 {
		t.Errorf("a poll that finds nothing costs %d requests for two projects", n)
	}

	// A connector that starts anew goes on with the events: the cursor has them.
	c.src = f.connect(nil, nil)
	f.wait(10 * time.Minute)
	f.edit(quiet, f.bob, asanatest.Assign(f.bob))
	if got := came(); !slices.Equal(got, []string{quiet}) || f.Requests()["/api/1.0/tasks/{gid}/subtasks"] != 0 {
		t.Errorf("after a restart %v came: %v", got, f.Requests())
	}

	f.wait(10 * time.Minute)
	f.edit(part, f.ann, asanatest.Complete(false))
	f.ExpireSyncs()
	if got := came(); !slices.Equal(got, []string{part}) || f.Requests()["/api/1.0/tasks/{gid}/subtasks"] == 0 {
		t.Errorf("with the events lost %v came: %v", got, f.Requests())
	}

	// Events come at most once: after a day all subtasks are looked at again, and
	// what was not told of is brought.
	f.edit(part, f.ann, asanatest.Assign(""))
	f.LoseEvents()
	f.wait(time.Hour)
	f.edit(other, f.bob, asanatest.Complete(true))
	if got := came(); !slices.Equal(got, []string{other}) {
		t.Errorf("with an event lost %v came", got)
	}
	f.wait(25 * time.Hour)
	if got := came(); !slices.Equal(got, []string{part}) || f.Requests()["/api/1.0/tasks/{gid}/stories"] != 1 {
		t.Errorf("after a day %v came: %v", got, f.Requests())
	}
}

// A poll that ends after its first page is gone on with by the events that it
// was begun with.
func TestAPollThatIsBegunAgain(t *testing.T) {
	f := newOffice(t, asanatest.Options{Free: true})
	whole := f.create("", asanatest.AddTo(f.migration, ""))
	parts := []string{f.create(whole), f.create(whole), f.create(whole)}
	f.wait(time.Hour)
	small := func(cfg *asana.Config) { cfg.PageSize = 1 }
	c := collect(t, f.connect(small, nil))
	f.wait(time.Hour)
	for _, gid := range parts {
		f.edit(gid, f.bob, asanatest.Assign(f.bob))
	}
	for page, err := range c.src.Pages(t.Context(), source.StreamIncremental, c.cursor) {
		if err != nil {
			t.Fatal(err)
		}
		c.cursor = page.Next
		break
	}
	c.src = f.connect(small, nil)
	if got := c.came(f); !slices.Contains(got, parts[1]) || !slices.Contains(got, parts[2]) || f.Requests()[subtaskCalls] != 0 {
		t.Errorf("of %v %v came at the cost of %v", parts, got, f.Requests())
	}
}

// A task that comes from elsewhere brings its subtasks along, also where the poll
// that found it was not stored.
func TestWhatComesFromElsewhere(t *testing.T) {
	for name, free := range map[string]bool{"by search": false, "by events": true} {
		t.Run(name, func(t *testing.T) {
			f := newOffice(t, asanatest.Options{Free: free})
			f.create("", asanatest.AddTo(f.help, ""))
			whole := f.create("", asanatest.AddTo(f.picnic, ""))
			want := []string{whole, f.create(whole), f.create(whole)}
			f.wait(48 * time.Hour)
			c := collect(t, f.connect(nil, nil))
			f.wait(time.Hour)
			f.edit(whole, f.bob, asanatest.AddTo(f.migration, ""))
			before := c.cursor
			for range 2 {
				c.cursor = before
				if got := c.came(f); !slices.Equal(got, want) {
					t.Errorf("%v came, want %v", got, want)
				}
			}
			f.wait(time.Hour)
			f.edit(whole, f.bob, asanatest.Assign(f.ann))
			if got := c.came(f); !slices.Equal(got, want[:1]) || f.Requests()[subtaskCalls] != 0 {
				t.Errorf("once it was stored %v came at the cost of %v", got, f.Requests())
			}
		})
	}
}

// A task costs one call for its stories when it changes, however often it is
// within the overlap of a poll, and none while it does not.
func TestUnchangedTasksCostNothing(t *testing.T) {
	f := newOffice(t, asanatest.Options{})
	var gids []string
	for range 30 {
		gids = append(gids, f.create("", asanatest.AddTo(f.migration, "")))
	}
	f.wait(time.Hour)
	f.ResetRequests()
	c := collect(t, f.connect(nil, nil))
	stories := "/api/1.0/tasks/{gid}/stories"
	if n := f.Requests()[stories]; n != 30 {
		t.Errorf("a first collection of 30 tasks reads stories %d times", n)
	}
	f.ResetRequests()
	f.wait(10 * time.Minute)
	f.edit(gids[3], f.bob, asanatest.Assign(f.bob))
	f.edit(gids[7], f.bob, asanatest.Assign(f.ann))
	for range 4 {
		c.poll()
		f.wait(30 * time.Second)
	}
	if n := f.Requests()[stories]; n != 2 {
		t.Errorf("two changes within the overlap of four polls read stories %d times", n)
	}
	// What was not stored is not skipped: the cursor of before the poll is asked for.
	for _, who := range []string{f.ann, f.bob} {
		before := c.cursor
		f.edit(gids[9], f.bob, asanatest.Assign(who))
		c.poll()
		c.cursor = before
		if got := c.came(f); !slices.Contains(got, gids[9]) {
			t.Errorf("of a poll whose page was not stored %v came again", got)
		}
	}
}

// A first collection's first polls look back before its start, and do not read
// again what was collected.
func TestWhatChangedShortlyBeforeAStart(t *testing.T) {
	for name, free := range map[string]bool{"by search": false, "by events": true} {
		t.Run(name, func(t *testing.T) {
			f := newOffice(t, asanatest.Options{Free: free})
			var parts []string
			for range 5 { // half a minute apart
				whole, err := f.Create(asanatest.Task{At: f.wait(30 * time.Second), By: f.ann, Changes: []asanatest.Change{asanatest.AddTo(f.migration, "")}})
				if err != nil {
					t.Fatal(err)
				}
				parts = append(parts, f.create(whole))
			}
			c := collect(t, f.connect(nil, nil))
			if n := f.Requests()[storyCalls]; n != 10 {
				t.Errorf("the stories of ten tasks and subtasks were read %d times", n)
			}
			f.edit(parts[2], f.bob, asanatest.Assign(f.bob))
			if got := c.came(f); !slices.Equal(got, parts[2:3]) || f.Requests()[storyCalls] != 1 {
				t.Errorf("one subtask changed, and %v came at the cost of %v", got, f.Requests())
			}
		})
	}
}

// An offset expires while a list is read: it is begun again, and nothing is lost.
func TestOffsetsThatExpire(t *testing.T) {
	f := newOffice(t, asanatest.Options{OffsetLife: time.Minute})
	for range 30 {
		f.create("", asanatest.AddTo(f.migration, ""))
	}
	f.wait(time.Hour)
	slow := &slowOnce{f: f, at: 9}
	c := collect(t, f.connect(func(c *asana.Config) { c.PageSize = 5 }, slow))
	if len(c.tickets) != 30 {
		t.Errorf("%d of 30 tasks came", len(c.tickets))
	}
}

// Tokens by OAuth are renewed before they run out, and when they are refused.
func TestRefresh(t *testing.T) {
	f := newOffice(t, asanatest.Options{ClientID: "id", ClientSecret: "secret", RefreshToken: "refresh"})
	f.create("", asanatest.AddTo(f.migration, ""))
	oauth := asana.OAuth{ClientID: "id", ClientSecret: "secret", RefreshToken: "refresh"}
	src := f.connect(func(c *asana.Config) { c.Token, c.OAuth = "", oauth }, nil)
	for _, d := range []time.Duration{time.Minute, 59 * time.Minute, 3 * time.Hour} {
		f.wait(d)
		if _, err := src.Now(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	f.RevokeAccess()
	if _, err := src.Now(t.Context()); err != nil {
		t.Errorf("an access token was revoked: %v", err)
	}
	oauth.RefreshToken = "wrong"
	if _, err := f.connect(func(c *asana.Config) { c.Token, c.OAuth = "", oauth }, nil).Now(t.Context()); err == nil {
		t.Error("a wrong refresh token is taken")
	}
}

// An account that may not batch reads one by one.
func TestWithoutBatches(t *testing.T) {
	f := newOffice(t, asanatest.Options{NoBatch: true})
	for range 12 {
		f.create("", asanatest.AddTo(f.migration, ""))
	}
	f.wait(time.Hour)
	if c := collect(t, f.connect(nil, nil)); len(c.tickets) != 12 {
		t.Errorf("%d of 12 tasks came", len(c.tickets))
	}
}
