package jiratest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

var jqlNow = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// jqlSite has three issues: A-1 (open, ann, component 7), A-2 (done, nobody)
// and B-1 (doing, bob), updated an hour apart; the account lives in Amsterdam.
func jqlSite(t testing.TB, o Options) *Instance {
	t.Helper()
	o.TimeZone = "Europe/Amsterdam"
	o.Clock = func() time.Time { return jqlNow }
	in := New(o)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(in.AddProject(Project{ID: "1", Key: "A", Name: "Alpha"}))
	must(in.AddProject(Project{ID: "2", Key: "B", Name: "Beta"}))
	must(in.AddStatus(Status{ID: "1", Name: "Open", Category: ToDo}))
	must(in.AddStatus(Status{ID: "3", Name: "In Progress", Category: InProgress}))
	must(in.AddStatus(Status{ID: "6", Name: "Closed", Category: Done}))
	must(in.AddIssueType(IssueType{ID: "1", Name: "Bug"}))
	must(in.AddComponent(Component{ID: "7", Name: "Core"}))
	must(in.AddUser(User{Name: "ann", Key: "k-ann"}))
	must(in.AddUser(User{Name: "bob", Key: "k-bob"}))
	for n, i := range []Issue{
		{ID: "101", Key: "A-1", Project: "1", Status: "1", Assignee: "ann", Components: []string{"7"}},
		{ID: "102", Key: "A-2", Project: "1", Status: "6"},
		{ID: "103", Key: "B-1", Project: "2", Status: "3", Assignee: "bob", Parent: "101", Priority: "1"},
	} {
		i.Type = "1"
		i.Created = jqlNow.Add(time.Duration(n-3) * time.Hour)
		_, err := in.AddIssue(i)
		must(err)
	}
	return in
}

// found runs JQL as a search does.
func found(in *Instance, jql string) ([]string, error) {
	in.prepare(jqlNow)
	in.mu.RLock()
	defer in.mu.RUnlock()
	q, err := in.compile(jql, jqlNow)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, r := range in.search(q, nil, nil, -1, jqlNow) {
		keys = append(keys, r.Key)
	}
	return keys, nil
}

func TestJQL(t *testing.T) {
	in := jqlSite(t, Options{Flavour: DataCenter})
	for jql, want := range map[string]string{
		``:                               "A-1 A-2 B-1",
		`order by key desc`:              "B-1 A-2 A-1",
		`project = A`:                    "A-1 A-2",
		`project in ("A", Beta)`:         "A-1 A-2 B-1",
		`PROJECT NOT IN (1)`:             "B-1",
		`statusCategory != Done`:         "A-1 B-1",
		`statusCategory = "To Do"`:       "A-1",
		`statusCategory = indeterminate`: "B-1",
		`status = "in progress"`:         "B-1",
		`status in (1, 6) AND project = A OR key = B-1`: "A-1 A-2 B-1",
		`project = A AND (status = 6 OR key = B-1)`:     "A-2",
		`NOT project = A`:             "B-1",
		`!(project = A) || key = A-1`: "A-1 B-1",
		`assignee is EMPTY`:           "A-2",
		`assignee is not null`:        "A-1 B-1",
		// An empty field is neither equal nor unequal to a value.
		`assignee != ann`:               "B-1",
		`assignee = k-bob`:              "B-1",
		`component = core`:              "A-1",
		`parent = A-1`:                  "B-1",
		`id in (101, 103)`:              "A-1 B-1",
		`key > A-1`:                     "A-2",
		`priority = Highest`:            "B-1",
		`updated >= "2026/03/02 08:00"`: "A-2 B-1", // 07:00 UTC
		`updated > "2026-03-02 08:00"`:  "B-1",
		`updated < "2026/03/02 08:00"`:  "A-1",
		`updated <= "2026/03/02 08:00"`: "A-1 A-2",
		`updated = "2026/03/02 08:00"`:  "A-2",
		`created >= "2026/03/02"`:       "A-1 A-2 B-1",
		`updated >= -90m`:               "B-1",
		`updated >= "-2h"`:              "A-2 B-1",
		`updated < now()`:               "A-1 A-2 B-1",
		`updated >= "2026/03/02 08:00" ORDER BY updated DESC, key ASC`:          "B-1 A-2",
		`updated >= "2026/03/02 08:00" OR key = A-1 ORDER BY updated ASC`:       "A-1 A-2 B-1",
		`NOT updated >= "2026/03/02 08:00" ORDER BY updated ASC, key`:           "A-1",
		`project = "A" AND updated >= "1970/01/02 00:00" ORDER BY updated, key`: "A-1 A-2",
	} {
		got, err := found(in, jql)
		if !strings.Contains(strings.ToLower(jql), "order by") {
			slices.Sort(got)
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s\n got %v, %v\nwant %s", jql, got, err, want)
		}
	}
}

func TestJQLThatJiraRefuses(t *testing.T) {
	in := jqlSite(t, Options{})
	for jql, want := range map[string]string{
		`project = C`:             "The value 'C' does not exist for the field 'project'.",
		`key = A-99`:              "An issue with key 'A-99' does not exist for field 'key'.",
		`id in (101, 999)`:        "A value with ID '999' does not exist for the field 'id'.",
		`colour = red`:            "Field 'colour' does not exist or you do not have permission to view it.",
		`updated >= soon`:         "Date value 'soon' for field 'updated' is invalid.",
		`updated ~ x`:             "The operator '~' is not supported by the 'updated' field.",
		`project > A`:             "The operator '>' is not supported by the 'project' field.",
		`project = `:              "Expecting either a value",
		`project`:                 "Expecting operator",
		`(project = A`:            "Expecting ')' before the end",
		`project = A project = B`: "Expecting either 'OR' or 'AND'",
		`project = A AND`:         "Expecting a field name",
		`project = "A`:            "has not been completed",
		`project = A ORDER key`:   "Expecting 'by'",
		`project in A`:            "requires a list",
		`project = (A)`:           "does not support a list",
		`project = A#`:            "reserved JQL character",
		`order by a, b`:           "Not able to sort using field 'a'.",
		`order by key, key, key, key, key, key, key, key`:                   "JQL can be ordered by at most 7 fields.",
		`assignee = nobodyknows()`:                                          "Unable to find JQL function",
		strings.Repeat("(", 300) + "project = A" + strings.Repeat(")", 300): "nested too deeply",
	} {
		_, err := found(in, jql)
		var refused *queryError
		if !errors.As(err, &refused) || !strings.Contains(refused.message, want) {
			t.Errorf("%.60s\n got %v\nwant %s", jql, err, want)
		}
	}
}

// The hour in which clocks are set back is read once as the first, once as the
// second; a time that is skipped moves on.
func TestDatesWhenClocksAreSet(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	wall := func(s string) time.Time {
		w, err := time.Parse("2006-01-02 15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	for _, test := range []struct {
		wall  string
		later bool
		want  string
	}{
		{"2026-10-25 02:30", false, "2026-10-25 00:30"},
		{"2026-10-25 02:30", true, "2026-10-25 01:30"},
		{"2026-10-25 03:30", true, "2026-10-25 02:30"},
		{"2026-03-29 02:30", false, "2026-03-29 01:30"},
		{"2026-07-01 12:00", false, "2026-07-01 10:00"},
	} {
		if got := instantOf(wall(test.wall), zone, test.later); !got.Equal(wall(test.want)) {
			t.Errorf("%s (later %v) is %v, want %s", test.wall, test.later, got.UTC(), test.want)
		}
	}
}

// Whatever is asked, the answer is a result or a refusal in Jira's words, and
// the restriction on the update time that a search starts from hides nothing.
func FuzzJQL(f *testing.F) {
	for _, s := range []string{
		`project in ("A", B) AND statusCategory != Done AND updated >= "2026/03/02 08:00" ORDER BY updated ASC, key ASC`,
		`NOT (updated > -1d OR assignee is EMPTY)`, `key = 'A-1' || id in (101,102)`, `order by`, `"project" = A\`, `a!~b&&c`, `updated > now()`,
	} {
		f.Add(s)
	}
	in := jqlSite(f, Options{})
	f.Fuzz(func(t *testing.T, jql string) {
		got, err := found(in, jql)
		if err != nil {
			var refused *queryError
			if !errors.As(err, &refused) || refused.message == "" {
				t.Errorf("%q: %v is not a refusal", jql, err)
			}
			return
		}
		q, err := in.compile(jql, jqlNow)
		if err != nil {
			t.Fatal(err)
		}
		matching := 0
		for _, is := range in.issues {
			if q.match(is.now) {
				matching++
			}
		}
		if matching != len(got) {
			t.Errorf("%q finds %v of %d that match", jql, got, matching)
		}
	})
}
