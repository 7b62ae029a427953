package sandbox

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/sandbox/shared"
	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

// logHead is the header of the published log.
const logHead = "number,incident_state,active,reassignment_count,reopen_count,sys_mod_count,made_sla,caller_id,opened_by,opened_at," +
	"sys_created_by,sys_created_at,sys_updated_by,sys_updated_at,contact_type,location,category,subcategory,u_symptom,cmdb_ci," +
	"impact,urgency,priority,assignment_group,assigned_to,knowledge,u_priority_confirmation,notify,problem_id,rfc,vendor,caused_by," +
	"closed_code,resolved_by,resolved_at,closed_at\n"

// logRow makes a row of a few columns; those left out are as in most rows.
func logRow(set map[string]string) string {
	usual := map[string]string{
		"incident_state": "New", "active": "true", "reassignment_count": "0", "reopen_count": "0", "sys_mod_count": "0",
		"made_sla": "true", "caller_id": "Caller 1", "opened_by": "Opened by  8", "opened_at": "1/3/2016 00:50",
		"sys_created_by": "Created by 6", "sys_created_at": "1/3/2016 01:00", "sys_updated_by": "Updated by 21", "sys_updated_at": "1/3/2016 01:00",
		"contact_type": "Phone", "location": "Location 1", "category": "Category 55", "subcategory": "?", "u_symptom": "?", "cmdb_ci": "?",
		"impact": "2 - Medium", "urgency": "2 - Medium", "priority": "3 - Moderate", "assignment_group": "Group 56", "assigned_to": "?",
		"knowledge": "true", "u_priority_confirmation": "false", "notify": "Do Not Notify", "problem_id": "?", "rfc": "?", "vendor": "?",
		"caused_by": "?", "closed_code": "code 5", "resolved_by": "Resolved by 149", "resolved_at": "1/3/2016 11:29", "closed_at": "5/3/2016 12:00",
	}
	var out []string
	for _, c := range strings.Split(strings.TrimSpace(logHead), ",") {
		v, ok := set[c]
		if !ok {
			v = usual[c]
		}
		out = append(out, v)
	}
	return strings.Join(out, ",") + "\n"
}

func TestLoadIncidentLog(t *testing.T) {
	log := logHead +
		logRow(map[string]string{"number": "INC0000045"}) +
		logRow(map[string]string{"number": "INC0000045", "sys_mod_count": "2", "sys_updated_at": "1/3/2016 02:00", "sys_updated_by": "Updated by 642",
			"incident_state": "Active", "assigned_to": "Resolver 89", "category": "Category 9"}) +
		// In the same minute, and with a count that goes back.
		logRow(map[string]string{"number": "INC0000045", "sys_mod_count": "1", "sys_updated_at": "1/3/2016 02:00",
			"incident_state": "Resolved", "assigned_to": "Resolver 2", "category": "Category 9"}) +
		logRow(map[string]string{"number": "INC0000045", "sys_mod_count": "4", "sys_updated_at": "5/3/2016 12:00",
			"incident_state": "Closed", "active": "false", "assigned_to": "Resolver 2", "category": "Category 9"}) +
		logRow(map[string]string{"number": "INC0000046", "sys_created_at": "?", "sys_created_by": "?", "sys_updated_at": "7/3/2016 09:30",
			"incident_state": "-100", "assigned_to": "Resolver 89", "cmdb_ci": "cmdb_ci 7"}) +
		logRow(map[string]string{"number": "INC0000047", "sys_updated_at": "1/3/2016 05:00"}) // an hour after its creation, without a change

	for name, packed := range map[string][]byte{"plain": []byte(log), "gzip": pack(t, log)} {
		t.Run(name, func(t *testing.T) {
			in := servicenowtest.New(servicenowtest.Options{Clock: func() time.Time { return time.Date(2016, 4, 1, 0, 0, 0, 0, time.UTC) }})
			sum, err := LoadIncidentLog(bytes.NewReader(packed), in)
			if err != nil {
				t.Fatal(err)
			}
			want := IncidentLogSummary{Incidents: 3, Rows: 6, Changes: sum.Changes, LastChange: time.Date(2016, 3, 7, 9, 30, 0, 0, time.UTC)}
			if sum != want {
				t.Errorf("got %+v, want %+v", sum, want)
			}
			tickets := collect(t, in)

			at := func(d, h, m int) time.Time { return time.Date(2016, 3, d, h, m, 0, 0, time.UTC) }
			first := tickets["INC0000045"]
			user := func(name string) string { return servicenowtest.SysID("sys_user", name) }
			changes := []ticket.Change{
				{At: at(1, 2, 0), Seq: 1, Field: ticket.FieldAssignee, To: user("resolver.89"), Actor: user("updated.by.642")},
				{At: at(1, 2, 0), Seq: 1, Field: ticket.FieldStatus, From: "incident:1", To: "incident:2", Actor: user("updated.by.642")},
				{At: at(1, 2, 0), Seq: 1, Field: ticket.FieldArea, From: "category:Category 55", To: "category:Category 9", Actor: user("updated.by.642")},
				{At: at(1, 2, 0), Seq: 2, Field: ticket.FieldAssignee, From: user("resolver.89"), To: user("resolver.2"), Actor: user("updated.by.21")},
				{At: at(1, 2, 0), Seq: 2, Field: ticket.FieldStatus, From: "incident:2", To: "incident:6", Actor: user("updated.by.21")},
				{At: at(5, 12, 0), Seq: 3, Field: ticket.FieldStatus, From: "incident:6", To: "incident:7", Actor: user("updated.by.21")},
			}
			if len(first.Changes) != len(changes) {
				t.Fatalf("got changes %+v, want %+v", first.Changes, changes)
			}
			for i, c := range changes {
				if first.Changes[i] != c {
					t.Errorf("change %d: got %+v, want %+v", i, first.Changes[i], c)
				}
			}
			if !first.Created.Equal(at(1, 1, 0)) || !first.Updated.Equal(at(5, 12, 0)) || first.Assignee != user("resolver.2") ||
				first.Status != "incident:7" || first.Priority != "3" || !first.HistoryComplete {
				t.Errorf("got %+v", first)
			}

			second := tickets["INC0000046"]
			if !second.Created.Equal(at(7, 9, 30)) || second.Status != "incident:-100" || len(second.Changes) != 0 ||
				len(second.Areas) != 1 || second.Areas[0] != "cmdb_ci:"+servicenowtest.SysID("cmdb_ci", "cmdb_ci 7") {
				t.Errorf("got %+v", second)
			}
			third := tickets["INC0000047"]
			if !third.Created.Equal(at(1, 1, 0)) || !third.Updated.Equal(at(1, 5, 0)) || len(third.Changes) != 0 {
				t.Errorf("got %+v", third)
			}
		})
	}
}

func TestLoadIncidentLogHidesWhatWasNotKnown(t *testing.T) {
	log := logHead + logRow(map[string]string{"number": "A"}) +
		logRow(map[string]string{"number": "B", "incident_state": "Resolved"}) +
		logRow(map[string]string{"number": "C", "incident_state": "Closed", "active": "false"})
	in := servicenowtest.New(servicenowtest.Options{})
	if _, err := LoadIncidentLog(strings.NewReader(log), in); err != nil {
		t.Fatal(err)
	}
	for number, want := range map[string]string{"A": "", "B": "resolved_at resolved_by", "C": "close_code closed_at resolved_at resolved_by"} {
		rec := in.Get("incident", servicenowtest.SysID("incident", number))
		var got []string
		for _, c := range []string{"close_code", "closed_at", "resolved_at", "resolved_by"} {
			if rec[c] != "" {
				got = append(got, c)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s shows %v, want %s", number, got, want)
		}
	}
}

func TestLoadIncidentLogRefuses(t *testing.T) {
	good := logRow(map[string]string{"number": "INC1"})
	for name, c := range map[string]struct{ log, says string }{
		"nothing":         {"", "the file is empty"},
		"a header only":   {logHead, "no rows below its header"},
		"a column gone":   {strings.Replace(logHead, ",assigned_to", "", 1) + good, "line 1, column assigned_to: is missing"},
		"a column twice":  {strings.Replace(logHead, "vendor", "notify", 1) + good, "line 1, column notify: stands there twice"},
		"a short line":    {logHead + good + "INC2,New,true\n", "line 3 has 3 columns where the header has 36"},
		"a quote":         {logHead + good + strings.Replace(good, "Phone", `Ph"one`, 1), "line 3, column "},
		"no number":       {logHead + good + logRow(nil), "line 3, column number: is empty"},
		"no time":         {logHead + logRow(map[string]string{"number": "INC1", "sys_updated_at": "?"}), "line 2, column sys_updated_at: is empty"},
		"a time":          {logHead + good + logRow(map[string]string{"number": "INC1", "sys_updated_at": "2016-03-01"}), `line 3, column sys_updated_at: "2016-03-01" is not a time`},
		"an opening time": {logHead + logRow(map[string]string{"number": "INC1", "opened_at": "31/2/2016 01:00"}), "line 2, column opened_at"},
		"a creation time": {logHead + logRow(map[string]string{"number": "INC1", "sys_created_at": "yesterday"}), "line 2, column sys_created_at"},
		"a state":         {logHead + good + logRow(map[string]string{"number": "INC1", "incident_state": "Nwe"}), `line 3, column incident_state: "Nwe" is not a state`},
		"a count":         {logHead + logRow(map[string]string{"number": "INC1", "sys_mod_count": "x"}), `line 2, column sys_mod_count: "x" is not a count`},
		"a truth value":   {logHead + logRow(map[string]string{"number": "INC1", "active": "maybe"}), `line 2, column active: "maybe"`},
		"a priority":      {logHead + logRow(map[string]string{"number": "INC1", "priority": "high"}), `line 2, column priority: "high"`},
		"a broken gzip":   {string(pack(t, strings.Repeat(logHead, 200))[:120]), "after line"},
	} {
		t.Run(name, func(t *testing.T) {
			in := servicenowtest.New(servicenowtest.Options{})
			users := in.Count("sys_user")
			_, err := LoadIncidentLog(strings.NewReader(c.log), in)
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "incident log") || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want it to say %q in one line", err, c.says)
			}
			if in.Count("incident") != 0 || in.Count("sys_audit") != 0 || in.Count("sys_user") != users {
				t.Error("a part was loaded")
			}
		})
	}
}

func FuzzLoadIncidentLog(f *testing.F) {
	f.Add([]byte(logHead + logRow(map[string]string{"number": "INC1"})))
	f.Add([]byte(logHead + logRow(map[string]string{"number": "INC1", "assigned_to": "Resolver 1"}) + logRow(map[string]string{"number": "INC1"})))
	f.Add([]byte("\x1f\x8b"))
	f.Add([]byte(logHead + "INC1,\"New\n"))
	f.Fuzz(func(t *testing.T, log []byte) {
		in := servicenowtest.New(servicenowtest.Options{})
		sum, err := LoadIncidentLog(bytes.NewReader(log), in)
		incidents, audit := in.Count("incident"), in.Count("sys_audit")
		if err != nil {
			if incidents+audit != 0 {
				t.Errorf("%d incidents and %d audit rows were loaded in spite of %v", incidents, audit, err)
			}
			return
		}
		if incidents != sum.Incidents || audit != sum.Changes || sum.Rows < sum.Incidents || sum.Incidents == 0 {
			t.Errorf("%d incidents and %d audit rows were loaded of %+v", incidents, audit, sum)
		}
	})
}

// TestIncidentLog reads the beginning of the real log, through the connector, and
// finds of its incidents what their rows say.
func TestIncidentLog(t *testing.T) {
	rows := shared.CSV(t, "data/servicenow_incident_event_log.csv.gz")
	owner := slices.Index(rows[0], "assigned_to")
	var log bytes.Buffer
	w := csv.NewWriter(&log)
	if err := w.Write(rows[0]); err != nil {
		t.Fatal(err)
	}
	last, given := map[string]string{}, 0 // by incident, who held it in its last row; and how often one was given to somebody else
	for _, row := range rows[1:] {
		number, who := row[0], strings.TrimPrefix(row[owner], "?")
		before, seen := last[number]
		if !seen && len(last) == 2_000 {
			break
		}
		if last[number] = who; who != before && who != "" {
			given++
		}
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()

	in := servicenowtest.New(servicenowtest.Options{Clock: func() time.Time { return time.Date(2017, 3, 1, 0, 0, 0, 0, time.UTC) }})
	sum, err := LoadIncidentLog(&log, in)
	if err != nil {
		t.Fatal(err)
	}
	tickets := collect(t, in)
	if sum.Incidents != 2_000 || len(tickets) != 2_000 {
		t.Errorf("%d incidents were loaded and %d collected, want 2,000", sum.Incidents, len(tickets))
	}
	assignments := 0
	for _, tk := range tickets {
		r := timeline.Derive(tk)
		assignments += len(r.Assignments)
		who := ""
		if name := last[tk.Key]; name != "" {
			who = servicenowtest.SysID("sys_user", strings.ReplaceAll(strings.ToLower(name), " ", "."))
		}
		if tk.Assignee != who {
			t.Errorf("%s is with %q, its last row says %q", tk.Key, tk.Assignee, last[tk.Key])
		}
		if !tk.HistoryComplete || r.Unrecorded > 0 {
			t.Errorf("the history of %s is not whole", tk.Key)
		}
	}
	if assignments != given {
		t.Errorf("%d assignments, the rows have %d", assignments, given)
	}
	if bad := in.InvalidQueries(); len(bad) > 0 {
		t.Errorf("the connector's queries were ignored in part: %q", bad[0])
	}
}

// collect reads all incidents of an instance by the connector.
func collect(t *testing.T, in *servicenowtest.Instance) map[string]ticket.Ticket {
	t.Helper()
	url, err := in.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg := servicenow.DefaultConfig()
	cfg.URL, cfg.Username, cfg.Password = url, "fairlead", "fairlead"
	src, err := servicenow.New(cfg, servicenow.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	in.ResetRequests()
	ctx := context.Background()
	start, err := src.Now(ctx)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]ticket.Ticket{}
	for _, stream := range source.Backfill {
		for page, err := range src.Pages(ctx, stream, source.Cursor{Start: start}) {
			if err != nil {
				t.Fatal(err)
			}
			for _, tk := range page.Tickets {
				out[tk.Key] = tk
			}
		}
	}
	return out
}

func pack(t *testing.T, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
