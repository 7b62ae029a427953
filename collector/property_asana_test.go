package collector_test

import (
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"pgregory.net/rapid"

	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/rest"
	"fairlead/connectors/source"
)

// workspace is one of Asana.
type workspace struct {
	t        *rapid.T
	in       *asanatest.Workspace
	clock    func() time.Time
	users    []string
	projects []string
	ids      []string

	mu   sync.Mutex
	held map[string]string
}

func newWorkspace(t *rapid.T, clock func() time.Time) world {
	w := &workspace{t: t, clock: clock, held: map[string]string{}, in: asanatest.New(asanatest.Options{
		Clock: clock, SyncPage: rapid.IntRange(1, 4).Draw(t, "events a page"), NoBatch: rapid.Bool().Draw(t, "no batches"),
		Free: rapid.Bool().Draw(t, "free"),
	})}
	for _, name := range people {
		w.users = append(w.users, w.in.AddUser(asanatest.User{Name: name}))
	}
	team := w.in.AddTeam("Network")
	w.projects = []string{w.in.AddProject("NET", team), w.in.AddProject("DB", team)}
	return w
}

// apart is what lies at least between two edits: of two stories of one instant
// Asana does not tell which came first.
func (w *workspace) apart() time.Duration { return 2 * time.Second }

func (w *workspace) handler() http.Handler { return w.in }

func (w *workspace) connect(url, name string) (source.Source, error) {
	cfg := asana.DefaultConfig()
	cfg.URL, cfg.Token, cfg.Projects, cfg.PageSize = url, "token", w.projects, 7
	return asana.New(cfg, asana.Options{Name: name, Transport: rest.New(name, rest.Config{}, nil, nil, nil), Clock: w.clock})
}

func (w *workspace) create(at time.Time, closed bool) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	who := w.users[len(w.ids)%len(w.users)]
	id, err := w.in.Create(asanatest.Task{At: at, By: w.users[0], Changes: []asanatest.Change{
		asanatest.AddTo(w.projects[len(w.ids)%2], ""), asanatest.Assign(who), asanatest.Complete(closed),
	}})
	if err != nil {
		panic(err)
	}
	w.ids, w.held[id] = append(w.ids, id), who
	return len(w.ids) - 1
}

func (w *workspace) apply(e edit, n int, at time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	id, by := w.ids[n], w.users[e.Who]
	if _, is := w.held[id]; !is {
		return nil
	}
	assign := func(who string, more ...asanatest.Change) error {
		w.held[id] = who
		return w.in.Edit(id, by, at, append(more, asanatest.Assign(who))...)
	}
	switch e.Kind {
	case "assign":
		return assign(w.users[e.To])
	case "unassign":
		return assign("")
	case "close":
		return w.in.Edit(id, by, at, asanatest.Complete(true))
	case "reopen":
		return assign(w.users[e.To], asanatest.Complete(false))
	case "move":
		return w.in.Edit(id, by, at, asanatest.AddTo(w.projects[e.To%2], ""))
	case "other":
		return w.in.Edit(id, by, at, asanatest.Comment("looked at it"))
	case "delete":
		delete(w.held, id)
		return w.in.Delete(id, by, at)
	}
	return fmt.Errorf("what is %q", e.Kind)
}

func (w *workspace) holds() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.held)
}
