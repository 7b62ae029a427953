package asana_test

import (
	"cmp"
	"log/slog"
	"net/http"
	"strconv"
	"testing"
	"time"

	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/source"
	"fairlead/connectors/source/sourcetest"
	"fairlead/connectors/ticket"
)

func TestConformance(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness{New: newHarness, Precision: time.Millisecond, KeepsLists: true, MergesCreation: true})
}

// harness turns the suite's words into those of the fake workspace. A queue is a
// team with one project; a change of it moves the task.
type harness struct {
	in       *asanatest.Workspace
	o        sourcetest.Options
	tasks    map[string]string // gid by name
	users    map[string]string
	teams    map[string]string
	projects map[string]string
	phase    string            // custom field
	now      map[string]string // project of each task
}

func newHarness(_ testing.TB, o sourcetest.Options) sourcetest.Instance {
	h := &harness{
		in: asanatest.New(asanatest.Options{PageCap: o.PageCap}), o: o, tasks: map[string]string{}, users: map[string]string{},
		teams: map[string]string{}, projects: map[string]string{}, now: map[string]string{},
	}
	h.phase = h.in.AddField(asanatest.Field{Name: "Phase", Options: []string{sourcetest.StatusNew, sourcetest.StatusWorking}})
	for _, a := range sourcetest.Accounts {
		h.users[a] = h.in.AddUser(asanatest.User{Name: a, Email: a + "@example.test"})
	}
	for _, g := range sourcetest.Groups {
		h.teams[g] = h.in.AddTeam(g)
		h.projects[g] = h.in.AddProject(g, h.teams[g], h.phase)
	}
	return h
}

func (h *harness) Handler() http.Handler { return h.in }

func (h *harness) Connect(transport http.RoundTripper) (source.Source, error) {
	cfg := asana.DefaultConfig()
	cfg.URL, cfg.Token, cfg.StatusField = "http://source.test", "token", "phase"
	if h.o.WrongCredential {
		cfg.Token = "wrong"
	}
	for _, g := range sourcetest.Groups {
		cfg.Projects = append(cfg.Projects, h.projects[g])
	}
	cfg.PageSize = min(cmp.Or(h.o.PageSize, cfg.PageSize), cfg.PageSize)
	return asana.New(cfg, asana.Options{Name: "conformance", Transport: transport, Since: h.o.Since, Logger: slog.New(slog.DiscardHandler)})
}

func (h *harness) changes(name string, u sourcetest.Update) []asanatest.Change {
	var list []asanatest.Change
	if group, ok := u.Set[ticket.FieldGroup]; ok && group != h.now[name] {
		if old := h.now[name]; old != "" {
			list = append(list, asanatest.RemoveFrom(h.projects[old]))
		}
		list = append(list, asanatest.AddTo(h.projects[group], ""))
		h.now[name] = group
	}
	if a, ok := u.Set[ticket.FieldAssignee]; ok {
		list = append(list, asanatest.Assign(h.users[a]))
	}
	if status, ok := u.Set[ticket.FieldStatus]; ok {
		list = append(list, asanatest.Complete(status == sourcetest.StatusDone))
		if status != sourcetest.StatusDone {
			list = append(list, asanatest.SetEnum(h.phase, status))
		}
	}
	return list
}

func (h *harness) Create(name string, u sourcetest.Update) error {
	gid, err := h.in.Create(asanatest.Task{At: u.At, By: h.users[u.Actor], Changes: h.changes(name, u)})
	h.tasks[name] = gid
	return err
}

func (h *harness) Update(name string, u sourcetest.Update) error {
	return h.in.Edit(h.tasks[name], h.users[u.Actor], u.At, h.changes(name, u)...)
}

func (h *harness) Delete(name string) error {
	return h.in.Delete(h.tasks[name], h.users["dee"], time.Now())
}

func (h *harness) Hide(name string, hidden bool) error {
	h.in.Hide(h.tasks[name], hidden)
	return nil
}

func (h *harness) ID(name string) string {
	if gid := h.tasks[name]; gid != "" {
		return gid
	}
	return "1" + strconv.Itoa(len(name))
}

func (h *harness) Value(f ticket.Field, name string) string {
	switch f {
	case ticket.FieldAssignee:
		return h.users[name]
	case ticket.FieldGroup:
		return h.teams[name]
	}
	if name == sourcetest.StatusDone {
		return "complete"
	}
	return "option:" + h.in.Option(h.phase, name)
}
