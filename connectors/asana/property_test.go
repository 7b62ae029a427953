package asana_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/rest"
	"fairlead/connectors/source"
	"fairlead/connectors/source/sourcetest"
	"fairlead/connectors/ticket"
)

// direct serves requests without a network; before is called for each.
type direct struct {
	handler http.Handler
	before  func()
	mu      *sync.Mutex // one request at a time
}

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if d.mu != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
	}
	if d.before != nil {
		d.before()
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

// Whatever is edited while it is collected, tasks and subtasks alike, with
// events lost and connectors that start anew: once all is quiet, what was stored
// is what the source has.
func TestWhatIsStoredIsWhatThereIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := sourcetest.NewClock(noon)
		w := asanatest.New(asanatest.Options{
			Clock: clock.Now, SyncPage: rapid.IntRange(1, 4).Draw(t, "events a page"), NoBatch: rapid.Bool().Draw(t, "no batches"),
			Free: rapid.Bool().Draw(t, "free"), SearchLag: time.Duration(rapid.IntRange(0, 9).Draw(t, "search lag")) * time.Minute,
		})
		people := []string{w.AddUser(asanatest.User{Name: "Ann"}), w.AddUser(asanatest.User{Name: "Bob"}), ""}
		phase := w.AddField(asanatest.Field{Name: "Phase", Options: []string{"Ready", "Doing"}})
		var projects, sections []string
		for _, name := range []string{"A", "B", "elsewhere"} {
			p := w.AddProject(name, w.AddTeam(name), phase)
			projects, sections = append(projects, p), append(sections, w.AddSection(p, "Next"))
		}
		// Requests come side by side, so what happens before each is drawn by a
		// source of its own.
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		dice := func(n int) int { return random.IntN(n) }
		var mu sync.Mutex
		var gids []string
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		create := func(parent string) {
			task := asanatest.Task{At: clock.Now(), By: people[0], Parent: parent}
			if parent == "" {
				task.Changes = []asanatest.Change{asanatest.AddTo(projects[dice(2)], "")}
			}
			gid, err := w.Create(task)
			must(err)
			gids = append(gids, gid)
		}
		alive := map[string]bool{}
		meddle := func() {
			now := clock.Advance(time.Duration(1+dice(90)) * time.Second)
			for _, gid := range gids {
				delete(alive, gid)
			}
			for _, gid := range w.Tasks() {
				alive[gid] = true
			}
			gid := gids[dice(len(gids))]
			if !alive[gid] {
				return
			}
			by := people[dice(2)]
			switch dice(10) {
			case 0:
				create("")
			case 1:
				create(gid)
			case 2:
				if dice(3) == 0 {
					must(w.Delete(gid, by, now))
				}
			case 3, 4:
				must(w.Edit(gid, by, now, asanatest.Complete(dice(2) == 0), asanatest.Comment("x")))
			case 5:
				p := dice(3)
				must(w.Edit(gid, by, now, asanatest.AddTo(projects[p], ""), asanatest.MoveTo(sections[p])))
			case 6:
				must(w.Edit(gid, by, now, asanatest.RemoveFrom(projects[2])))
			default:
				must(w.Edit(gid, by, now, asanatest.Assign(people[dice(3)])))
			}
		}
		for range rapid.IntRange(1, 6).Draw(t, "tasks") {
			create("")
		}
		create(gids[0])
		clock.Advance(time.Hour)

		budget := rapid.IntRange(0, 25).Draw(t, "edits meanwhile")
		busy := true
		connect := func() *asana.Source {
			cfg := asana.DefaultConfig()
			cfg.URL, cfg.Token, cfg.Projects, cfg.Sections, cfg.StatusField = "http://asana.test", "token", projects[:2], asana.SectionsAreas, "Phase"
			cfg.PageSize = rapid.IntRange(1, 5).Draw(t, "page")
			src, err := asana.New(cfg, asana.Options{Clock: clock.Now, Transport: direct{w, func() {
				if busy && budget > 0 && dice(4) == 0 {
					budget--
					meddle()
				}
			}, &mu}})
			must(err)
			return src
		}
		src := connect()
		stored := map[string]ticket.Ticket{}
		read := func(stream source.Stream, from source.Cursor) source.Cursor {
			for page, err := range src.Pages(t.Context(), stream, from) {
				must(err)
				for _, tk := range page.Tickets {
					stored[tk.ID] = tk
				}
				from = page.Next
			}
			return from
		}
		start, err := src.Now(t.Context())
		must(err)
		cursor := source.Cursor{Start: start, Updated: start.Add(-time.Minute)}
		for _, stream := range source.Backfill {
			read(stream, source.Cursor{Start: start})
		}
		for range rapid.IntRange(1, 4).Draw(t, "polls") {
			cursor = read(source.StreamIncremental, cursor)
			for range rapid.IntRange(0, 4).Draw(t, "edits between") {
				meddle()
			}
			switch rapid.IntRange(0, 5).Draw(t, "mishap") {
			case 0:
				w.ExpireSyncs()
			case 1:
				src = connect()
			}
		}
		busy = false
		clock.Advance(10 * time.Minute)
		read(source.StreamIncremental, cursor)

		fresh := connect()
		listed := map[string]bool{}
		for ids, err := range fresh.IDs(t.Context()) {
			must(err)
			for _, id := range ids {
				listed[id] = true
			}
		}
		page, err := fresh.ByID(t.Context(), slices.Sorted(maps.Keys(listed)))
		must(err)
		if len(page.Tickets) != len(listed) {
			t.Fatalf("%d are listed, %d come by id: %v", len(listed), len(page.Tickets), page.Skipped)
		}
		for _, want := range page.Tickets {
			got, ok := stored[want.ID]
			if !ok {
				t.Fatalf("never came: %+v", want)
			}
			if want.Parent != "" {
				// It is where its task is, as that was when the subtask last changed.
				got.Areas, got.Group, got.Project = want.Areas, want.Group, want.Project
			}
			if a, b := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); a != b {
				t.Fatalf("stored\n%s\nthere\n%s", a, b)
			}
		}
	})
}

// The limits are obeyed: as many requests as a minute allows, and then the next.
func TestRateLimits(t *testing.T) {
	for name, o := range map[string]asanatest.Options{"requests": {PerMinute: 50}, "cost": {Cost: 120}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := asanatest.New(o)
				project := w.AddProject("A", w.AddTeam("A"))
				by := w.AddUser(asanatest.User{Name: "Ann"})
				for range 100 {
					if _, err := w.Create(asanatest.Task{At: time.Now().Add(-time.Hour), By: by, Changes: []asanatest.Change{asanatest.AddTo(project, "")}}); err != nil {
						t.Fatal(err)
					}
				}
				cfg := asana.DefaultConfig()
				cfg.URL, cfg.Token, cfg.Projects = "http://asana.test", "token", []string{project}
				src, err := asana.New(cfg, asana.Options{Transport: rest.New("asana", rest.DefaultConfig(), direct{handler: w}, nil, nil)})
				if err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				c := collect(t, src)
				if len(c.tickets) != 100 || w.Refused() == 0 || time.Since(begun) < time.Minute {
					t.Errorf("%d of 100 tasks came, %d requests were refused, within %v", len(c.tickets), w.Refused(), time.Since(begun))
				}
			})
		})
	}
}
