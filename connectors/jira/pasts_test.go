package jira_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

// Who held an issue, and in which project, where the changelog says less than what
// happened, or something else: such are real ones.
func TestWhoHeldIssuesWithOddHistories(t *testing.T) {
	day := func(n int) time.Time { return serverNow.AddDate(0, 0, n-10) }
	for name, c := range map[string]struct {
		assignee string // present
		entries  func(in *jiratest.Instance) []jiratest.Item
		want     string // name in project from to, in days
		lacks    uint32 // unrecorded changes
	}{
		"assigned at creation, and never since": {assignee: "ann", want: "ann in 10001 0-"},
		"assigned at creation, and handed on": {assignee: "bob", entries: func(in *jiratest.Instance) []jiratest.Item {
			return []jiratest.Item{in.AssigneeItem("ann", "bob")}
		}, want: "ann in 10001 0-1, bob in 10001 1-"},
		"nobody has it, and no entry says so": {assignee: "", entries: func(in *jiratest.Instance) []jiratest.Item {
			return []jiratest.Item{in.AssigneeItem("", "ann"), in.AssigneeItem("ann", "bob")}
		}, want: "ann in 10001 1-2, bob in 10001 2-9", lacks: 1},
		"another has it than the last entry says": {assignee: "cyd", entries: func(in *jiratest.Instance) []jiratest.Item {
			return []jiratest.Item{in.AssigneeItem("", "ann")}
		}, want: "ann in 10001 1-9, cyd in 10001 9-", lacks: 1},
		"an entry takes it from somebody who had it not": {assignee: "cyd", entries: func(in *jiratest.Instance) []jiratest.Item {
			return []jiratest.Item{in.AssigneeItem("", "ann"), in.AssigneeItem("bob", "cyd")}
		}, want: "ann in 10001 1-2, cyd in 10001 2-", lacks: 1},
		"somebody who is deleted had it": {assignee: "ann", entries: func(in *jiratest.Instance) []jiratest.Item {
			return []jiratest.Item{in.AssigneeItem("ann", "gone"), in.AssigneeItem("gone", "ann")}
		}, want: "ann in 10001 0-1, gone in 10001 1-2, ann in 10001 2-"},
	} {
		eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
			in := newSite(t, jiratest.Options{Flavour: flavour})
			issue := jiratest.Issue{Project: "10001", Type: "10", Status: "3", Reporter: "ann", Assignee: c.assignee, Created: day(0), Updated: day(9)}
			if c.entries != nil {
				for n, item := range c.entries(in) {
					issue.Histories = append(issue.Histories, jiratest.History{Author: "bob", Created: day(n + 1), Items: []jiratest.Item{item}})
				}
			}
			id, err := in.AddIssue(issue)
			must(t, err)
			_, tickets := read(t, connect(t, in, flavour, nil), source.StreamOpen, begin)
			r := timeline.Derive(tickets[id])
			if got := held(r, flavour, day(0)); got != c.want || r.Unrecorded != c.lacks || !r.HistoryComplete {
				t.Errorf("%s: %s, lacking %d; want %s, lacking %d", name, got, r.Unrecorded, c.want, c.lacks)
			}
		})
	}
}

// held writes assignments: who, in which project, and from which day to which.
func held(r ticket.Record, flavour jiratest.Flavour, first time.Time) string {
	names := map[string]string{}
	for _, name := range []string{"ann", "bob", "cyd", "gone"} {
		names["key-"+name] = name
		if flavour == jiratest.Cloud {
			names[jiratest.AccountID(name)] = name
		}
	}
	days := func(at time.Time) int { return int(at.Sub(first) / (24 * time.Hour)) }
	var out []string
	for _, a := range r.Assignments {
		says := fmt.Sprintf("%s in %s %d-", names[a.Actor], a.Group, days(a.From))
		if !a.To.IsZero() {
			says += fmt.Sprint(days(a.To))
		}
		out = append(out, says)
	}
	return strings.Join(out, ", ")
}

// An issue that moves to another project is the same one with another key: its past
// stays where it was.
func TestAnIssueThatMovesIsTheSame(t *testing.T) {
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		in := newSite(t, jiratest.Options{Flavour: flavour})
		day := func(n int) time.Time { return serverNow.AddDate(0, 0, n-10) }
		id, err := in.AddIssue(jiratest.Issue{Project: "10001", Type: "10", Status: "3", Reporter: "ann", Assignee: "ann", Created: day(0)})
		must(t, err)
		src := connect(t, in, flavour, nil)
		_, before := read(t, src, source.StreamOpen, begin)
		must(t, in.Edit(id, "bob", day(4), jiratest.Move("10002"), jiratest.Assign("bob")))
		_, after := read(t, src, source.StreamOpen, begin)
		if len(before) != 1 || len(after) != 1 || before[id].Key != "NET-1" || after[id].Key != "DB-1" {
			t.Fatalf("it was %+v and is %+v", before, after)
		}
		r := timeline.Derive(after[id])
		if got, want := held(r, flavour, day(0)), "ann in 10001 0-4, bob in 10002 4-"; got != want || after[id].Project != "10002" || r.Unrecorded > 0 {
			t.Errorf("got %s, want %s", got, want)
		}
		page, err := src.ByID(t.Context(), []string{id})
		if err != nil || len(page.Tickets) != 1 || page.Tickets[0].Key != "DB-1" {
			t.Errorf("by its id it is %+v, %v", page, err)
		}
	})
}
