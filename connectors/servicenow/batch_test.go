package servicenow_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

const batchPath = "/api/now/v1/batch"

// TestBatches: the same tickets come whatever the instance makes of batches; and
// where it takes them, with fewer requests.
func TestBatches(t *testing.T) {
	const tickets = 300 // whose ids do not fit into one request
	read := func(t *testing.T, prepare func(*clocked), change func(*servicenow.Config)) ([]ticket.Ticket, map[string]int) {
		t.Helper()
		in := newInstance(servicenowtest.Options{})
		in.AddUser(servicenowtest.User{UserName: "fairlead", WebServiceOnly: true})
		for i := range tickets {
			at := monday.Add(time.Duration(i-2*tickets) * time.Minute)
			id := in.Insert("incident", servicenowtest.Record{"sys_id": sysID("incident", fmt.Sprint(i)), "category": "network", "caller_id": sysID("sys_user", "cyd")}, "cyd", at)
			for j, change := range []servicenowtest.Record{
				{"assigned_to": sysID("sys_user", "ann"), "work_notes": "on it"}, {"comments": "hello?"}, {"assigned_to": sysID("sys_user", "bob"), "state": "2"},
			} {
				if err := in.Update("incident", id, change, []string{"ann", "cyd", "bob"}[j], at.Add(time.Duration(j)*time.Second)); err != nil {
					t.Fatal(err)
				}
			}
		}
		prepare(in)
		src := in.connect(t, change)
		in.ResetRequests()
		got, _, err := drain(src, source.StreamOpen, source.Cursor{Start: monday})
		if err != nil {
			t.Fatal(err)
		}
		if bad := in.InvalidQueries(); len(bad) > 0 {
			t.Errorf("queries were ignored in part: %q", bad)
		}
		return got, in.Requests()
	}
	want, requests := read(t, func(*clocked) {}, func(c *servicenow.Config) { c.Batch = false })
	if len(want) != tickets || requests[batchPath] != 0 || requests["/api/now/table/sys_audit"] != 2 || requests["/api/now/table/sys_journal_field"] != 2 {
		t.Fatalf("%d tickets by %v", len(want), requests)
	}
	for _, tk := range want {
		// Ann's note counts, the word of the person whom it is for does not.
		if c := tk.Contributions; len(c) != 1 || c[0].Actor != sysID("sys_user", "ann") || c[0].Act != ticket.ActComment || !tk.HistoryComplete || len(tk.Changes) != 3 {
			t.Fatalf("%s: %+v", tk.Key, tk)
		}
	}
	same := func(*servicenow.Config) {}
	for name, c := range map[string]struct {
		prepare        func(*clocked)
		change         func(*servicenow.Config)
		batches, alone int // requests: a batch of histories for a page, and one of names
	}{
		"taken":              {func(*clocked) {}, same, 2, 0},
		"of two pages":       {func(*clocked) {}, func(c *servicenow.Config) { c.PageSize = 250 }, 3, 0},
		"not known":          {func(in *clocked) { in.LimitBatches(-1) }, func(c *servicenow.Config) { c.PageSize = 250 }, 1, 4},
		"cut short":          {func(in *clocked) { in.LimitBatches(1) }, func(c *servicenow.Config) { c.PageSize = 250 }, 1, 3},
		"forbidden":          {func(in *clocked) { in.Inject(servicenowtest.Fault{Table: "batch", Status: 403}) }, same, 1, 4},
		"down for a moment":  {func(in *clocked) { in.Inject(servicenowtest.Fault{Table: "batch", Status: 503, Times: 1}) }, func(c *servicenow.Config) { c.PageSize = 250 }, 3, 2},
		"no batch's answer":  {func(in *clocked) { in.Inject(servicenowtest.Fault{Table: "batch", Body: "<html>", Times: 1}) }, same, 2, 4},
		"broken off":         {func(in *clocked) { in.Inject(servicenowtest.Fault{Table: "batch", Drop: true, Times: 1}) }, same, 2, 4},
		"one part is":        {func(in *clocked) { in.Inject(servicenowtest.Fault{Table: "sys_audit", Status: 500, Times: 1}) }, same, 2, 1},
		"one part is broken": {func(in *clocked) { in.Inject(servicenowtest.Fault{Table: "sys_audit", Truncate: 9, Times: 1}) }, same, 2, 1},
		"answers in pages":   {func(*clocked) {}, func(c *servicenow.Config) { c.AuditPageSize = 500 }, 2, 1},
	} {
		bubble(t, name, func(t *testing.T) {
			got, requests := read(t, c.prepare, c.change)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("other tickets come: %d", len(got))
			}
			if alone := requests["/api/now/table/sys_audit"] + requests["/api/now/table/sys_journal_field"]; requests[batchPath] != c.batches || alone != c.alone {
				t.Errorf("%d batches and %d alone, want %d and %d: %v", requests[batchPath], alone, c.batches, c.alone, requests)
			}
		})
	}
}

// TestSeveralTablesAreAskedForAtOnce: what a page of several tables wants costs a
// request each for the tickets, their histories and the names in them, and a poll
// that finds nothing costs one.
func TestSeveralTablesAreAskedForAtOnce(t *testing.T) {
	four := func(c *servicenow.Config) {
		c.Tables = []servicenow.Table{{Name: "incident"}, {Name: "sc_task"}, {Name: "change_request"}, {Name: "problem"}}
	}
	in := newInstance(servicenowtest.Options{})
	for _, table := range []string{"incident", "sc_task", "change_request", "problem"} {
		in.fill(t, table, 3)
	}
	want, _, err := drain(in.connect(t, func(c *servicenow.Config) { four(c); c.Batch = false }), source.StreamOpen, source.Cursor{Start: monday})
	if err != nil || len(want) != 12 {
		t.Fatal(len(want), err)
	}
	src := in.connect(t, four)
	in.ResetRequests()
	got, _, err := drain(src, source.StreamOpen, source.Cursor{Start: monday})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%d other tickets come, %v", len(got), err)
	}
	if n := in.Requests(); n[batchPath] != 3 || in.TotalRequests() != 3 {
		t.Errorf("the open tickets take %v", n)
	}
	in.ResetRequests()
	if got, _, err := drain(src, source.StreamIncremental, source.Cursor{Start: monday, Updated: monday.Add(time.Hour)}); err != nil || len(got) > 0 {
		t.Errorf("%d tickets, %v", len(got), err)
	}
	if n := in.Requests(); n[batchPath] != 1 || in.TotalRequests() != 1 {
		t.Errorf("a poll that finds nothing takes %v", n)
	}
	if bad := in.InvalidQueries(); len(bad) > 0 {
		t.Errorf("queries were ignored in part: %q", bad)
	}
}

// TestCommentsRefused: tickets come without them, and it is said once.
func TestCommentsRefused(t *testing.T) {
	for name, refuse := range map[string]func(*clocked){
		"denied": func(in *clocked) { in.DenyTable("sys_journal_field") },
		"hidden": func(in *clocked) { in.HideTable("sys_journal_field") },
	} {
		t.Run(name, func(t *testing.T) {
			in := newInstance(servicenowtest.Options{})
			in.fill(t, "incident", 4)
			for _, r := range in.Records("incident") {
				if err := in.Update("incident", r["sys_id"], servicenowtest.Record{"comments": "a secret"}, "ann", monday.Add(-time.Minute)); err != nil {
					t.Fatal(err)
				}
			}
			refuse(in)
			src := in.connect(t, nil)
			for range 2 {
				got, _, err := drain(src, source.StreamOpen, source.Cursor{Start: monday})
				if err != nil || len(got) != 4 {
					t.Fatal(got, err)
				}
				for _, tk := range got {
					if len(tk.Contributions) > 0 || !tk.HistoryComplete {
						t.Errorf("%+v", tk)
					}
				}
			}
			if n := strings.Count(in.log.String(), "comments are not readable"); n != 1 {
				t.Errorf("said %d times: %s", n, in.log.String())
			}
		})
	}
}
