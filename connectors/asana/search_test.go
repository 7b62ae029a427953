package asana_test

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
)

const (
	storyCalls   = asanatest.Prefix + "/tasks/{gid}/stories"
	subtaskCalls = asanatest.Prefix + "/tasks/{gid}/subtasks"
	taskCalls    = asanatest.Prefix + "/tasks/{gid}"
	searchCalls  = asanatest.Prefix + "/workspaces/{gid}/tasks/search"
	eventCalls   = asanatest.Prefix + "/events"
)

// came polls, and gives the gids of what came of it.
func (c *collection) came(f *office) []string {
	c.t.Helper()
	c.clear()
	f.ResetRequests()
	c.poll()
	return slices.Sorted(maps.Keys(c.tickets))
}

// A search brings a hundred subtasks at once: neither a first collection nor a
// poll asks task by task, and no events are read.
func TestSubtasksAreSearched(t *testing.T) {
	f := newOffice(t, asanatest.Options{})
	var whole string
	var parts []string
	for i := range 130 {
		whole = f.create("", asanatest.AddTo([]string{f.migration, f.help}[i%2], ""))
		parts = append(parts, f.create(whole))
		if i == 7 {
			parts = append(parts, f.create(whole), f.create(parts[i]))
		}
	}
	f.wait(time.Hour)
	c := collect(t, f.connect(nil, nil))
	n := f.Requests()
	if len(c.tickets) != 130+len(parts) {
		t.Errorf("%d tasks and subtasks came, not %d", len(c.tickets), 130+len(parts))
	}
	// Two pages, the end of the second one, and the first poll's.
	if n[subtaskCalls] != 0 || n[eventCalls] != 0 || n[taskCalls] != 0 || n[searchCalls] > 4 {
		t.Errorf("a first collection costs %v", n)
	}
	if tk := c.tickets[parts[9]]; tk.Parent != parts[7] || tk.Group != f.desk {
		t.Errorf("a subtask of a subtask is not where its task is: %+v", tk)
	}

	if got := c.came(f); len(got) != 0 || f.Calls() != 1 {
		t.Errorf("a poll that finds nothing brings %v and costs %v", got, f.Requests())
	}
	f.wait(30 * time.Minute)
	f.edit(parts[3], f.bob, asanatest.Assign(f.ann))
	f.edit(parts[9], f.bob, asanatest.Complete(true))
	if got := c.came(f); !slices.Equal(got, []string{parts[3], parts[9]}) || f.Requests()[storyCalls] != 2 || f.Calls() != 3 {
		t.Errorf("two subtasks changed, and %v came at the cost of %v", got, f.Requests())
	}
	for range 3 {
		f.wait(time.Minute)
		if got := c.came(f); len(got) != 0 || f.Calls() != 1 {
			t.Errorf("nothing changed since, and %v came at the cost of %v", got, f.Requests())
		}
	}

	// The sweep finds them as cheaply.
	f.ResetRequests()
	listed := 0
	for ids, err := range c.src.(*asana.Source).IDs(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		listed += len(ids)
	}
	if listed != 130+len(parts) || f.Calls() > 5 {
		t.Errorf("%d of %d are listed at the cost of %v", listed, 130+len(parts), f.Requests())
	}
	// And a task that changes after it does not bring its subtasks again.
	f.edit(whole, f.bob, asanatest.Assign(f.ann))
	if got := c.came(f); !slices.Equal(got, []string{whole}) || f.Calls() != 2 {
		t.Errorf("after a sweep %v came at the cost of %v", got, f.Requests())
	}
}

// What is due is told by Asana's clock, however wrong the reader's is.
func TestAWrongClock(t *testing.T) {
	for _, ahead := range []time.Duration{-16 * time.Hour, 40 * time.Hour} {
		f := newOffice(t, asanatest.Options{})
		f.ahead = ahead
		f.create(f.create("", asanatest.AddTo(f.migration, "")))
		f.wait(time.Hour)
		c := collect(t, f.connect(nil, nil))
		for minute := range 65 {
			f.wait(time.Minute)
			lists := 0
			if minute == 59 {
				lists = 2
			}
			if got := c.came(f); len(got) != 0 || f.Calls() != 1+lists {
				t.Errorf("with a clock that is %s ahead poll %d brings %v and costs %v", ahead, minute, got, f.Requests())
			}
		}
	}
}

// The search hears late of what was changed, and in an incident very late.
func TestASearchThatLags(t *testing.T) {
	for name, test := range map[string]struct{ lag, part, task time.Duration }{
		"a minute":                     {time.Minute, 4 * time.Minute, 3 * time.Minute},
		"as long as a poll looks back": {14 * time.Minute, 17 * time.Minute, 17 * time.Minute},
		"hours":                        {5 * time.Hour, 26 * time.Hour, 3 * time.Hour}, // lists are read once an hour
	} {
		t.Run(name, func(t *testing.T) {
			f := newOffice(t, asanatest.Options{SearchLag: test.lag})
			whole := f.create("", asanatest.AddTo(f.migration, ""))
			old := f.create(whole)
			busy, plain := f.create("", asanatest.AddTo(f.migration, "")), f.create("", asanatest.AddTo(f.help, ""))
			f.wait(6 * time.Hour)
			fresh := f.create(whole)
			c := collect(t, f.connect(nil, nil))
			// The list of the task is read, since it tells of one more than was found.
			if n := f.Requests()[subtaskCalls]; n != 1 {
				t.Errorf("%d lists of subtasks were read", n)
			}
			if _, ok := c.tickets[fresh]; !ok {
				t.Error("the newest subtask did not come")
			}
			f.wait(time.Hour)
			edited := f.edit(old, f.bob, asanatest.Assign(f.ann))
			f.edit(plain, f.bob, asanatest.Assign(f.ann))
			came := map[string][]time.Duration{}
			for f.clock().Sub(edited) < 49*time.Hour {
				// The cursor moves on meanwhile.
				if f.clock().Sub(edited) > 30*time.Minute {
					f.wait(time.Hour)
				}
				now := f.edit(busy, f.bob, asanatest.Comment("x"))
				for _, gid := range c.came(f) {
					came[gid] = append(came[gid], now.Sub(edited))
				}
			}
			if len(came[old]) != 1 || came[old][0] > test.part || len(came[plain]) != 1 || came[plain][0] > test.task {
				t.Errorf("a subtask that changed came after %v, a task after %v", came[old], came[plain])
			}
		})
	}
}

// An account may see a workspace of which little is collected. What is not costs
// little, and is not asked about again and again.
func TestASearchThatFindsOthers(t *testing.T) {
	f := newOffice(t, asanatest.Options{})
	whole := f.create("", asanatest.AddTo(f.migration, ""))
	part := f.create(whole)
	other := f.create("", asanatest.AddTo(f.picnic, ""))
	var foreign string
	for range 250 {
		foreign = f.create(other)
	}
	mine := f.create(whole)
	f.wait(time.Hour)
	c := collect(t, f.connect(nil, nil))
	if n := f.Requests(); n[subtaskCalls] > 1 || n[searchCalls] > 3 {
		t.Errorf("for one task with subtasks among many a first collection costs %v", n)
	}
	if got := slices.Sorted(maps.Keys(c.tickets)); !slices.Equal(got, []string{whole, part, mine}) {
		t.Errorf("%v came", got)
	}
	for i, want := range []int{1, 0, 0} {
		f.wait(time.Minute)
		f.edit(foreign, f.bob, asanatest.Comment("x"))
		if got := c.came(f); len(got) != 0 || f.Requests()[taskCalls] != want {
			t.Errorf("change %d elsewhere: %v came at the cost of %v", i, got, f.Requests())
		}
	}
	// Once the task they are parts of is collected, so are they.
	f.wait(time.Hour)
	f.edit(other, f.bob, asanatest.AddTo(f.migration, ""))
	if got := c.came(f); len(got) != 251 {
		t.Errorf("with a task that came from elsewhere %d came", len(got))
	}
	f.wait(time.Hour)
	f.edit(foreign, f.bob, asanatest.Assign(f.bob))
	if got := c.came(f); !slices.Equal(got, []string{foreign}) || f.Calls() != 4 {
		t.Errorf("%v came at the cost of %v", got, f.Requests())
	}
}

// Where next to nothing of what changes is collected, the projects' lists cost
// less than a search for all of it.
func TestASearchAmongStrangers(t *testing.T) {
	f := newOffice(t, asanatest.Options{})
	mine := f.create("", asanatest.AddTo(f.migration, ""))
	part := f.create(mine)
	var strangers []string
	for range 450 {
		strangers = append(strangers, f.create("", asanatest.AddTo(f.picnic, "")))
	}
	f.wait(time.Hour)
	c := collect(t, f.connect(nil, nil))
	for i, most := range []int{6, 4, 4} { // five pages and the end of the first poll's; then two lists and a search
		f.wait(time.Minute)
		now := f.edit(part, f.bob, asanatest.Comment("x"))
		for _, gid := range strangers {
			if err := f.Edit(gid, f.bob, now, asanatest.Comment("x")); err != nil {
				t.Fatal(err)
			}
		}
		if got := c.came(f); !slices.Equal(got, []string{part}) || f.Calls() > most {
			t.Errorf("poll %d: %v came at the cost of %v", i, got, f.Requests())
		}
	}
	f.edit(mine, f.bob, asanatest.Assign(f.ann))
	if got := c.came(f); !slices.Equal(got, []string{mine}) {
		t.Errorf("%v came", got)
	}
}

// deaf answers every search with nothing, from when it is told to.
type deaf struct {
	f    *office
	from *bool
}

func (d deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	if *d.from && strings.HasSuffix(r.URL.Path, "/tasks/search") {
		header := http.Header{"Date": {d.f.clock().UTC().Format(http.TimeFormat)}}
		return &http.Response{StatusCode: http.StatusOK, Header: header, Request: r, Body: io.NopCloser(strings.NewReader(`{"data":[]}`))}, nil
	}
	return http.DefaultTransport.RoundTrip(r)
}

// A search that does not find what has been there for days is not used any more,
// and what it may have missed is brought.
func TestASearchThatIsDeaf(t *testing.T) {
	for name, first := range map[string]bool{"from the first": true, "later": false} {
		t.Run(name, func(t *testing.T) {
			f := newOffice(t, asanatest.Options{})
			whole := f.create("", asanatest.AddTo(f.migration, ""))
			part, quiet := f.create(whole), f.create(whole)
			f.wait(48 * time.Hour)
			from := first
			src := f.connect(nil, deaf{f, &from})
			c := collect(t, src)
			if len(c.tickets) != 3 {
				t.Errorf("%d of 3 came", len(c.tickets))
			}
			from = true
			f.wait(time.Hour)
			f.edit(part, f.bob, asanatest.Assign(f.ann))
			got := c.came(f)
			if !first {
				f.wait(48 * time.Hour)
				f.edit(whole, f.bob, asanatest.Assign(f.ann))
				c.came(f)
				for _, err := range src.IDs(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
				}
				got = c.came(f)
			}
			if !slices.Equal(got, []string{part}) {
				t.Errorf("of %s and %s came %v", part, quiet, got)
			}
			f.wait(time.Hour)
			f.edit(quiet, f.bob, asanatest.Assign(f.ann))
			if got := c.came(f); !slices.Equal(got, []string{quiet}) || f.Requests()[subtaskCalls] != 0 {
				t.Errorf("%v came at the cost of %v", got, f.Requests())
			}
		})
	}
}

// More subtasks of one instant than a page has cannot be searched.
func TestASearchThatCannotGoOn(t *testing.T) {
	f := newOffice(t, asanatest.Options{})
	whole := f.create("", asanatest.AddTo(f.migration, ""))
	f.create("", asanatest.AddTo(f.help, ""))
	at := f.wait(time.Minute)
	var parts []string
	for range 220 {
		gid, err := f.Create(asanatest.Task{At: at, By: f.ann, Parent: whole})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, gid)
	}
	f.wait(time.Hour)
	c := collect(t, f.connect(nil, nil))
	if len(c.tickets) != 222 {
		t.Errorf("%d of 222 came", len(c.tickets))
	}
	f.wait(time.Hour)
	at = f.wait(time.Minute)
	for _, gid := range parts {
		if err := f.Edit(gid, f.bob, at, asanatest.Assign(f.bob)); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.came(f); len(got) != 220 || f.Requests()[storyCalls] != 220 {
		t.Errorf("%d of 220 that changed came at the cost of %v", len(got), f.Requests())
	}
}
