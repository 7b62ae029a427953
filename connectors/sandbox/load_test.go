package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/servicenow/servicenowtest"
)

func TestServiceNowHoldsWhatWasGenerated(t *testing.T) {
	o := Generate(2, testNow, Options{Tickets: 3_000})
	in := o.ServiceNow(servicenowtest.Options{})
	audit := map[string][]servicenowtest.Record{}
	for _, row := range in.Records("sys_audit") {
		audit[row["documentkey"]] = append(audit[row["documentkey"]], row)
	}
	want := 0
	for _, tk := range o.Tickets {
		if tk.System() != ServiceNow {
			continue
		}
		want++
		rec := in.Get(tk.Type.table(), tk.ID)
		if rec == nil {
			t.Fatalf("%s is not there", tk.Key)
		}
		holder := ""
		if p := o.Assignee(tk); p != nil {
			holder = p.ServiceNowID
		}
		for column, value := range map[string]string{
			"number": tk.Key, "assigned_to": holder, "assignment_group": o.Queue(tk).ID,
			"state": states[tk.Type][tk.Phase()], "sys_updated_on": servicenowtest.FormatTime(tk.Updated),
		} {
			if rec[column] != value {
				t.Errorf("%s: %s is %q, want %q", tk.Key, column, rec[column], value)
			}
		}
		chains(t, tk.Key, rec, audit[tk.ID], tk)
	}
	if got := in.Count("task"); got != want {
		t.Errorf("the instance has %d tasks, want %d", got, want)
	}
}

// chains checks that the audit of each column leads without a break to what the
// record holds, and that the updates are numbered as the platform does.
func chains(t *testing.T, key string, rec servicenowtest.Record, rows []servicenowtest.Record, tk *Ticket) {
	t.Helper()
	slices.SortFunc(rows, func(a, b servicenowtest.Record) int {
		return strings.Compare(a["fieldname"], b["fieldname"])*1_000_000 + number(a) - number(b)
	})
	highest := 0
	for i, row := range rows {
		highest = max(highest, number(row))
		if i > 0 && rows[i-1]["fieldname"] == row["fieldname"] {
			if journal := row["fieldname"] == "work_notes" || row["fieldname"] == "comments"; !journal && rows[i-1]["newvalue"] != row["oldvalue"] {
				t.Errorf("%s: %s goes from %q, after to %q", key, row["fieldname"], row["oldvalue"], rows[i-1]["newvalue"])
			}
			if rows[i-1]["sys_created_on"] > row["sys_created_on"] {
				t.Errorf("%s: update %s is older than the one before", key, row["record_checkpoint"])
			}
		}
	}
	silent := len(tk.changes) > 0 && tk.changes[len(tk.changes)-1].silent
	if mods, _ := strconv.Atoi(rec["sys_mod_count"]); mods < highest || mods > highest && !silent {
		t.Errorf("%s: %d updates, the last that is audited is %d", key, mods, highest)
	}
}

func number(row servicenowtest.Record) int {
	n, _ := strconv.Atoi(row["record_checkpoint"])
	return n
}

func TestJiraHoldsWhatWasGenerated(t *testing.T) {
	o := Generate(2, testNow, Options{Tickets: 3_000})
	for _, flavour := range []jiratest.Flavour{jiratest.Cloud, jiratest.DataCenter} {
		in, err := o.Jira(jiratest.Options{Flavour: flavour})
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, tk := range o.Tickets {
			if tk.System() != Jira {
				continue
			}
			want++
			issue, ok := in.Issue(tk.Key)
			if !ok {
				t.Fatalf("%s is not there", tk.Key)
			}
			holder := ""
			if p := o.Assignee(tk); p != nil {
				holder = p.JiraName
			}
			if issue.ID != tk.ID || issue.Assignee != holder || !issue.Updated.Equal(tk.Updated) || issue.Project != o.Queue(tk).ID {
				t.Errorf("%s: %+v is not the ticket", tk.Key, issue)
			}
			updates := 0
			tk.updates(func(int64, values, values) { updates++ })
			for _, c := range tk.changes {
				if c.silent {
					updates--
				}
			}
			if len(issue.Histories) != updates {
				t.Errorf("%s: %d histories, want %d", tk.Key, len(issue.Histories), updates)
			}
			if len(issue.Comments)+len(issue.Worklogs) != len(tk.acts) {
				t.Errorf("%s: %d comments and %d worklogs, want %d", tk.Key, len(issue.Comments), len(issue.Worklogs), len(tk.acts))
			}
		}
		if got, _, _ := in.Counts(); got != want {
			t.Errorf("the site has %d issues, want %d", got, want)
		}
	}
}

func TestJiraRefusesASiteThatIsInUse(t *testing.T) {
	o := Generate(2, testNow, Options{Tickets: 1_000})
	in, err := o.Jira(jiratest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.LoadJira(in); err == nil || !strings.Contains(err.Error(), "loading issue") {
		t.Errorf("loading twice gave %v", err)
	}
}

func TestServe(t *testing.T) {
	o := Generate(2, testNow, Options{Tickets: 1_000})
	in, err := o.Jira(jiratest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Serve(in)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(s.URL + "/rest/api/3/serverInfo")
	if err != nil {
		t.Fatal(err)
	}
	var info map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&info); err != nil || info["deploymentType"] != "Cloud" {
		t.Errorf("the site says %v (%v)", info, err)
	}
	resp.Body.Close()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(s.URL); err == nil {
		t.Error("it still answers after Close")
	}
}

func BenchmarkLoad(b *testing.B) {
	o := Generate(1, testNow, Options{})
	b.Run("servicenow", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			o.ServiceNow(servicenowtest.Options{})
		}
	})
	b.Run("jira", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := o.Jira(jiratest.Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
