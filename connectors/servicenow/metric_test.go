package servicenow_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

// spellsOf are a ticket's intervals of some fields, without who made them.
func spellsOf(tk ticket.Ticket, fields ...ticket.Field) string {
	r := timeline.Derive(tk)
	out := ""
	for _, a := range r.Assignments {
		if !a.From.Equal(a.To) && slices.Contains(fields, ticket.FieldAssignee) {
			out += fmt.Sprintf("%s with %s in %s until %s\n", a.From.Format(time.DateTime), a.Actor, a.Group, a.To.Format(time.DateTime))
		}
	}
	for _, s := range r.Spells {
		if !s.From.Equal(s.To) && slices.Contains(fields, s.Field) {
			out += fmt.Sprintf("%s %s %s until %s\n", s.From.Format(time.DateTime), s.Field, s.Value, s.To.Format(time.DateTime))
		}
	}
	return out
}

// TestMetricsTellWhatTheAuditTells: with metrics on the holder, the group and the
// state from before the first ticket, a history by metrics is that of the audit,
// whatever happens to a ticket at different times, up to its closing. One that was
// reopened says that it has a gap.
func TestMetricsTellWhatTheAuditTells(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		in := newInstance(servicenowtest.Options{})
		for _, column := range []string{"assigned_to", "assignment_group", "state"} {
			in.AddMetric("incident", column, monday.AddDate(-1, 0, 0))
		}
		at := monday.Add(-100 * time.Hour)
		ann, bob := sysID("sys_user", "ann"), sysID("sys_user", "bob")
		id := in.Insert("incident", servicenowtest.Record{
			"category": "network", "assigned_to": rapid.SampledFrom([]string{"", ann}).Draw(t, "first"),
		}, "ann", at)
		closed, reopened := false, false
		for range rapid.IntRange(0, 12).Draw(t, "edits") {
			at = at.Add(time.Duration(rapid.IntRange(1, 5000).Draw(t, "seconds")) * time.Second)
			change := rapid.SampledFrom([]servicenowtest.Record{
				{"assigned_to": ann}, {"assigned_to": bob, "state": "2"}, {"assigned_to": ""}, {"state": "6"}, {"state": "7"}, {"state": "2"},
				{"assignment_group": sysID("sys_user_group", "db")}, {"assignment_group": sysID("sys_user_group", "net")}, {"priority": "1"},
				{"work_notes": "looked at it"},
			}).Draw(t, "change")
			state, to := in.Get("incident", id)["state"], change["state"]
			if closed && (to == "" || to == "7") {
				continue // the metrics of a closed record stand still
			}
			reopened = reopened || state == "7" && to != ""
			closed = to == "7" || closed && to == ""
			if err := in.Update("incident", id, change, "bob", at); err != nil {
				t.Fatal(err)
			}
		}
		read := func(mode servicenow.HistoryMode) ticket.Ticket {
			src := in.connect(outer, func(c *servicenow.Config) { c.History = mode })
			page, err := src.ByID(outer.Context(), []string{id})
			if err != nil || len(page.Tickets) != 1 {
				t.Fatal(page, err)
			}
			return page.Tickets[0]
		}
		audit, metric := read(servicenow.HistoryAudit), read(servicenow.HistoryMetric)
		if reopened {
			if metric.HistoryComplete || metric.IncompleteReason != "metric has gaps" {
				t.Fatalf("reopened, and %q", metric.IncompleteReason)
			}
			return
		}
		if !metric.HistoryComplete {
			t.Fatalf("the history is not complete: %s", metric.IncompleteReason)
		}
		fields := []ticket.Field{ticket.FieldAssignee, ticket.FieldGroup, ticket.FieldStatus}
		if a, m := spellsOf(audit, fields...), spellsOf(metric, fields...); a != m {
			t.Fatalf("by the audit\n%sby metrics\n%s%+v", a, m, in.Records("metric_instance"))
		}
		if bad := in.InvalidQueries(); len(bad) > 0 {
			t.Fatalf("queries were ignored in part: %q", bad)
		}
	})
}

// TestHistoryModes: what each mode can tell of the same tickets, and what it says
// where it cannot.
func TestHistoryModes(t *testing.T) {
	type whole struct {
		reason   string
		observed int // fields
		holders  string
	}
	ann, bob := sysID("sys_user", "ann"), sysID("sys_user", "bob")
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		mode    servicenow.HistoryMode
		prepare func(in *clocked)
		want    map[string]whole // by ticket
	}{
		"audit": {servicenow.HistoryAudit, func(*clocked) {}, map[string]whole{
			"old": {"", 0, ">ann>bob"}, "new": {"", 0, ">ann>bob"}, "never": {"", 0, ""}}},
		"metrics from before half the tickets": {servicenow.HistoryMetric, func(in *clocked) {
			in.AddMetric("incident", "assigned_to", monday.Add(-10*day))
			in.AddMetric("task", "state", monday.Add(-300*day))
		}, map[string]whole{
			"old": {"older than the metric", 5, ""}, "new": {"", 5, ">ann>bob"}, "never": {"", 5, ""}}},
		"no metric on the state": {servicenow.HistoryMetric, func(in *clocked) {
			in.AddMetric("incident", "assigned_to", monday.Add(-300*day))
		}, map[string]whole{
			"old": {"no metric on the state", 6, ">ann>bob"}, "new": {"no metric on the state", 6, ">ann>bob"}, "never": {"", 6, ""}}},
		"no metric on assigned_to": {servicenow.HistoryMetric, func(in *clocked) {
			in.AddMetric("incident", "state", monday.Add(-300*day))
			in.AddMetric("problem", "assigned_to", monday.Add(-300*day))
		}, map[string]whole{
			"old": {"no metric on assigned_to", 6, ""}, "new": {"no metric on assigned_to", 6, ""}, "never": {"", 6, ""}}},
		"metrics are denied": {servicenow.HistoryMetric, func(in *clocked) {
			in.AddMetric("incident", "assigned_to", monday.Add(-300*day))
			in.DenyTable("metric_definition")
		}, map[string]whole{
			"old": {"metric denied", 8, ""}, "new": {"metric denied", 8, ""}, "never": {"", 8, ""}}},
		"instances are hidden": {servicenow.HistoryMetric, func(in *clocked) {
			in.AddMetric("incident", "assigned_to", monday.Add(-300*day))
			in.AddMetric("incident", "state", monday.Add(-300*day))
			in.HideTable("metric_instance")
		}, map[string]whole{
			"old": {"metric denied", 8, ""}, "new": {"metric denied", 8, ""}, "never": {"", 5, ""}}},
		"audit is denied": {servicenow.HistoryAudit, func(in *clocked) { in.DenyTable("sys_audit") }, map[string]whole{
			"old": {"audit denied", 8, ""}, "new": {"audit denied", 8, ""}, "never": {"", 8, ""}}},
		"audit is hidden": {servicenow.HistoryAudit, func(in *clocked) { in.HideTable("sys_audit") }, map[string]whole{
			"old": {"audit withheld", 8, ""}, "new": {"audit withheld", 8, ""}, "never": {"", 0, ""}}},
		"observed": {servicenow.HistoryObserved, func(in *clocked) { in.DenyTable("sys_audit") }, map[string]whole{
			"old": {"observed only", 8, ""}, "new": {"observed only", 8, ""}, "never": {"", 8, ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInstance(servicenowtest.Options{})
			c.prepare(in)
			insert := func(id string, at time.Time, changes ...servicenowtest.Record) {
				in.Insert("incident", servicenowtest.Record{"sys_id": id, "category": "network"}, "cyd", at)
				for i, change := range changes {
					if err := in.Update("incident", id, change, "cyd", at.Add(time.Duration(i+1)*time.Hour)); err != nil {
						t.Fatal(err)
					}
				}
			}
			edits := []servicenowtest.Record{{"assigned_to": ann}, {"assigned_to": bob, "state": "2"}, {"state": "7", "closed_at": "2026-03-01 09:00:00"}}
			// What the metrics do not know of was before they were.
			metrics := in.Records("metric_definition")
			insert("old", monday.Add(-20*day), edits...)
			for _, d := range metrics {
				if d["sys_created_on"] > servicenowtest.FormatTime(monday.Add(-20*day)) {
					for _, m := range in.Records("metric_instance") {
						if m["definition"] == d["sys_id"] {
							in.Delete("metric_instance", m["sys_id"])
						}
					}
				}
			}
			insert("new", monday.Add(-5*day), edits...)
			insert("never", monday.Add(-2*day))
			src := in.connect(t, func(cfg *servicenow.Config) { cfg.History = c.mode })
			page, err := src.ByID(t.Context(), []string{"old", "new", "never"})
			if err != nil {
				t.Fatal(err)
			}
			for _, tk := range page.Tickets {
				got := whole{tk.IncompleteReason, len(tk.Observed), ""}
				closings := 0
				for _, ch := range tk.Changes {
					switch {
					case ch.Field == ticket.FieldAssignee:
						got.holders += ">" + map[string]string{ann: "ann", bob: "bob"}[ch.To]
					case ch.Field == ticket.FieldStatus && ch.To == "incident:7":
						closings++
					}
				}
				if want := c.want[tk.ID]; got != want || tk.HistoryComplete != (want.reason == "") {
					t.Errorf("%s: got %+v, want %+v", tk.ID, got, want)
				}
				// Whatever is known or not: it was open until it was closed.
				if tk.ID != "never" && closings != 1 {
					t.Errorf("%s was closed %d times: %+v", tk.ID, closings, tk.Changes)
				}
			}
			for _, term := range page.Terms {
				if term.Field == ticket.FieldStatus && term.ID == "incident:" && (term.Value != string(ticket.CategoryTodo) || term.Name == "") {
					t.Errorf("the state before a closing is %+v", term)
				}
			}
			if bad := in.InvalidQueries(); len(bad) > 0 {
				t.Errorf("queries were ignored in part: %q", bad)
			}
		})
	}
}
