package servicenow_test

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/source"
	"fairlead/connectors/source/sourcetest"
	"fairlead/connectors/ticket"
)

func TestConformance(t *testing.T) {
	sourcetest.Run(t, conformance(servicenow.HistoryAudit, sourcetest.PastWhole))
}

// TestConformanceByMode: what is told without the audit is true, and is not called
// more than it is.
func TestConformanceByMode(t *testing.T) {
	for mode, past := range lesserPasts {
		t.Run(string(mode), func(t *testing.T) { sourcetest.RunHistories(t, conformance(mode, past)) })
	}
}

var lesserPasts = map[servicenow.HistoryMode]sourcetest.Past{
	servicenow.HistoryMetric: sourcetest.PastStates, servicenow.HistoryObserved: sourcetest.PastNone,
}

func conformance(mode servicenow.HistoryMode, past sourcetest.Past) sourcetest.Harness {
	return sourcetest.Harness{
		New:       func(_ testing.TB, o sourcetest.Options) sourcetest.Instance { return newHarness(o, mode) },
		Precision: time.Second, Repeats: true, Past: past,
	}
}

// harness turns the suite's words into those of the fake instance.
type harness struct {
	in   *servicenowtest.Instance
	o    sourcetest.Options
	mode servicenow.HistoryMode

	mu     sync.Mutex
	hidden map[string]bool
}

func newHarness(o sourcetest.Options, mode servicenow.HistoryMode) sourcetest.Instance {
	h := &harness{o: o, mode: mode, hidden: map[string]bool{}}
	h.in = servicenowtest.New(servicenowtest.Options{MaxRecords: o.PageCap})
	for _, a := range sourcetest.Accounts {
		h.in.AddUser(servicenowtest.User{UserName: a, Name: a, Email: a + "@example.test"})
	}
	for _, g := range sourcetest.Groups {
		h.in.AddGroup(servicenowtest.Group{Name: g})
	}
	h.in.HideRows("incident", func(r servicenowtest.Record) bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.hidden[r["sys_id"]]
	})
	if mode == servicenow.HistoryMetric {
		for _, column := range []string{"assigned_to", "assignment_group", "state"} {
			h.in.AddMetric("incident", column, time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC))
		}
	}
	if o.RepeatRows {
		h.in.Inject(servicenowtest.Fault{Table: "incident", Repeat: true})
	}
	return h
}

func (h *harness) Handler() http.Handler { return h.in.Handler() }

func (h *harness) Connect(transport http.RoundTripper) (source.Source, error) {
	cfg := servicenow.DefaultConfig()
	cfg.URL = "http://source.test"
	cfg.Username, cfg.Password = "fairlead", "fairlead"
	if h.o.WrongCredential {
		cfg.Password = "wrong"
	}
	cfg.History = h.mode
	cfg.PageSize = cmp.Or(h.o.PageSize, cfg.PageSize)
	return servicenow.New(cfg, servicenow.Options{
		Name: "conformance", Transport: transport, Since: h.o.Since, Logger: slog.New(slog.DiscardHandler),
	})
}

func (h *harness) fields(u sourcetest.Update) servicenowtest.Record {
	rec := servicenowtest.Record{}
	for f, v := range u.Set {
		switch f {
		case ticket.FieldAssignee:
			rec["assigned_to"] = h.value(f, v)
		case ticket.FieldGroup:
			rec["assignment_group"] = h.value(f, v)
		case ticket.FieldStatus:
			rec["state"] = states[v]
		}
	}
	return rec
}

var states = map[string]string{sourcetest.StatusNew: "1", sourcetest.StatusWorking: "2", sourcetest.StatusDone: "7"}

func (h *harness) value(f ticket.Field, name string) string {
	if name == "" {
		return ""
	}
	return h.Value(f, name)
}

func (h *harness) Create(name string, u sourcetest.Update) error {
	rec := h.fields(u)
	rec["sys_id"] = h.ID(name)
	h.in.Insert("incident", rec, u.Actor, u.At)
	return nil
}

func (h *harness) Update(name string, u sourcetest.Update) error {
	if err := h.in.Update("incident", h.ID(name), h.fields(u), u.Actor, u.At); err != nil {
		return fmt.Errorf("updating %s: %w", name, err)
	}
	return nil
}

func (h *harness) Delete(name string) error {
	h.in.Delete("incident", h.ID(name))
	return nil
}

func (h *harness) Hide(name string, hidden bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hidden[h.ID(name)] = hidden
	return nil
}

func (h *harness) ID(name string) string { return servicenowtest.SysID("incident", name) }

func (h *harness) Value(f ticket.Field, name string) string {
	switch f {
	case ticket.FieldAssignee:
		return servicenowtest.SysID("sys_user", name)
	case ticket.FieldGroup:
		return servicenowtest.SysID("sys_user_group", name)
	}
	return "incident:" + states[name]
}
