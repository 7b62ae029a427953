package sandbox_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/sandbox/shared"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

// collected is what a first collection brought.
type collected struct {
	records  map[string]ticket.Record
	terms    map[ticket.Field]map[string]ticket.Term
	accounts map[string]ticket.Account
	requests map[string]int
}

func collectJira(t testing.TB, inst *jiratest.Instance) collected {
	t.Helper()
	server := httptest.NewServer(inst)
	t.Cleanup(server.Close)
	cfg := jira.DefaultConfig()
	cfg.URL, cfg.Flavour, cfg.Token = server.URL, jira.Flavour(inst.Flavour()), "any"
	if cfg.Flavour == jira.Cloud {
		cfg.Email = "any@example.invalid"
	}
	src, err := jira.New(cfg, jira.Options{Name: "jira"})
	if err != nil {
		t.Fatal(err)
	}
	c := collected{records: map[string]ticket.Record{}, terms: map[ticket.Field]map[string]ticket.Term{}, accounts: map[string]ticket.Account{}}
	start, err := src.Now(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, stream := range slices.Concat(source.Backfill, []source.Stream{source.StreamIncremental}) {
		for page, err := range src.Pages(context.Background(), stream, source.Cursor{Start: start}) {
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Skipped) > 0 {
				t.Errorf("skipped %v", page.Skipped)
			}
			for _, i := range page.Tickets {
				c.records[i.ID] = timeline.Derive(i)
			}
			for _, a := range page.Accounts {
				c.accounts[a.ID] = a
			}
			for _, term := range page.Terms {
				if c.terms[term.Field] == nil {
					c.terms[term.Field] = map[string]ticket.Term{}
				}
				c.terms[term.Field][term.ID] = term
			}
		}
	}
	c.requests = inst.Requests()
	return c
}

// TestRealIssueLogByBothFlavours reads the beginning of the real log, which must
// come out as the same by both.
func TestRealIssueLogByBothFlavours(t *testing.T) {
	lines := bytes.SplitAfterN(shared.Unzipped(t, "data/jira_duraspace.jsonl.gz"), []byte("\n"), 401)
	log := bytes.Join(lines[:400], nil)
	shapes := map[jiratest.Flavour]map[string][]ticket.Change{}
	for _, flavour := range []jiratest.Flavour{jiratest.Cloud, jiratest.DataCenter} {
		t.Run(string(flavour), func(t *testing.T) {
			inst := jiratest.New(jiratest.Options{Flavour: flavour, TimeZone: "America/New_York"})
			sum, err := sandbox.LoadIssueLog(bytes.NewReader(log), inst)
			if err != nil {
				t.Fatal(err)
			}
			c := collectJira(t, inst)
			if sum.Issues != 400 || len(c.records) != 400 {
				t.Fatalf("%d issues were loaded and %d collected, want 400", sum.Issues, len(c.records))
			}
			fields := map[ticket.Field]int{}
			shapes[flavour] = c.changes(fields)
			comments := 0
			for id, r := range c.records {
				comments += len(r.Contributions)
				if !r.HistoryComplete {
					t.Errorf("the history of %s is not whole", id)
				}
			}
			if fields[ticket.FieldAssignee] != sum.AssigneeChanges || comments != sum.Comments {
				t.Errorf("%d changes of assignee and %d contributions, the log has %+v", fields[ticket.FieldAssignee], comments, sum)
			}
		})
	}
	sameByFlavour(t, shapes)
}

// changes counts those of each field, and gives those that must be the same by
// all flavours: of an assignee they are told otherwise.
func (c collected) changes(fields map[ticket.Field]int) map[string][]ticket.Change {
	shapes := map[string][]ticket.Change{}
	for id, r := range c.records {
		for _, change := range r.Changes {
			fields[change.Field]++
			if change.Field != ticket.FieldAssignee {
				change.Actor = ""
				shapes[id] = append(shapes[id], change)
			}
		}
	}
	return shapes
}

// sameByFlavour compares what two flavours brought, unless one was not run.
func sameByFlavour(t *testing.T, shapes map[jiratest.Flavour]map[string][]ticket.Change) {
	t.Helper()
	if len(shapes) < 2 {
		return
	}
	for id, cloud := range shapes[jiratest.Cloud] {
		if !slices.Equal(changeKeys(cloud), changeKeys(shapes[jiratest.DataCenter][id])) {
			t.Errorf("issue %s differs by flavour:\n%v\n%v", id, cloud, shapes[jiratest.DataCenter][id])
		}
	}
}

// changeKeys leaves out Seq: Cloud's numbers count what it was asked for.
func changeKeys(changes []ticket.Change) []ticket.Change {
	keys := slices.Clone(changes)
	for n := range keys {
		keys[n].Seq = 0
	}
	return keys
}

const goodLine = `{"id":"7","key":"ABC-1","fields":{"issuetype":{"id":"1","name":"Bug"},"project":{"id":"10","key":"ABC"},"status":{"id":"1","name":"Open","statusCategory":{"key":"new"}},"created":"2008-10-21T11:52:47.818+0000","updated":"2008-10-24T17:05:29.441+0200","assignee":null,"labels":["x"],"comment":{"total":0,"comments":[]}},"changelog":{"total":1,"histories":[{"id":"5","author":null,"created":"2009-01-31T10:50:42.760+0000","items":[{"field":"Story Points","fieldtype":"custom","from":null,"fromString":null,"to":null,"toString":"2.5"}]}]}}`

func TestIssueLogIsReadPlainOrPacked(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(goodLine + "\n\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, log := range map[string]string{"plain": goodLine, "packed": packed.String()} {
		t.Run(name, func(t *testing.T) {
			inst := jiratest.New(jiratest.Options{})
			sum, err := sandbox.LoadIssueLog(strings.NewReader(log), inst)
			if err != nil {
				t.Fatal(err)
			}
			want := sandbox.IssueLogSummary{Issues: 1, Histories: 1, LastChange: time.Date(2009, 1, 31, 10, 50, 42, 760e6, time.UTC)}
			if sum != want {
				t.Errorf("got %+v, want %+v", sum, want)
			}
			i, ok := inst.Issue("ABC-1")
			if !ok || i.Points == nil || *i.Points != 2.5 || string(i.Extra["labels"]) != `["x"]` || !i.Updated.Equal(time.Date(2008, 10, 24, 15, 5, 29, 441e6, time.UTC)) {
				t.Errorf("issue is %+v", i)
			}
		})
	}
}

func TestIssueLogErrorsNameTheLine(t *testing.T) {
	other := strings.Replace(goodLine, `"id":"7","key":"ABC-1"`, `"id":"8","key":"ABC-2"`, 1)
	replaced := func(old, by string) string { return strings.Replace(other, old, by, 1) }
	for name, test := range map[string]struct{ log, want string }{
		"empty":           {"", "no issue in it"},
		"not JSON":        {goodLine + "\nsome text\n", "line 2: decoding issue: not JSON after 1 bytes"},
		"cut off":         {goodLine + "\n" + other[:200], "line 2: decoding issue: not JSON"},
		"not an issue":    {"{}\n", "line 1: not an issue"},
		"twice":           {goodLine + "\n\n" + goodLine, "line 3: issue 7 stands on line 1 already"},
		"key twice":       {goodLine + "\n" + replaced("ABC-2", "ABC-1"), "line 2: adding issue ABC-1"},
		"cut changelog":   {replaced(`"changelog":{"total":1`, `"changelog":{"total":2`), "line 1: issue 8: its changelog is missing or cut"},
		"cut comments":    {replaced(`"comment":{"total":0`, `"comment":{"total":3`), "line 1: issue 8: its comments are cut"},
		"no changelog":    {replaced(`"changelog"`, `"changes"`), "line 1: issue 8: its changelog is missing or cut"},
		"bad time":        {replaced("2008-10-21T11:52:47.818+0000", "yesterday"), "line 1: decoding field created of issue 8"},
		"bad category":    {replaced(`"key":"new"`, `"key":"blue"`), `line 1: adding status "Open": no category "blue"`},
		"half of a gzip":  {"\x1f\x8b\x08", "unpacking"},
		"a field's shape": {replaced(`"assignee":null`, `"assignee":[1]`), "line 1: decoding field assignee of issue 8"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sandbox.LoadIssueLog(strings.NewReader(test.log), jiratest.New(jiratest.Options{}))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "some text") {
				t.Errorf("the error quotes the log: %v", err)
			}
		})
	}
}
