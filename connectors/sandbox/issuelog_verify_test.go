//go:build verify

package sandbox_test

import (
	"maps"
	"math"
	"slices"
	"testing"

	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/sandbox/shared"
	"fairlead/connectors/ticket"
)

// The figures of the whole log are counted from the log itself, apart from this code.
func TestVerifyRealIssueLogByBothFlavours(t *testing.T) {
	shapes := map[jiratest.Flavour]map[string][]ticket.Change{}
	for _, flavour := range []jiratest.Flavour{jiratest.Cloud, jiratest.DataCenter} {
		t.Run(string(flavour), func(t *testing.T) {
			inst := jiratest.New(jiratest.Options{Flavour: flavour, TimeZone: "America/New_York"})
			sum, err := sandbox.LoadIssueLog(shared.Open(t, "data/jira_duraspace.jsonl.gz"), inst)
			if err != nil {
				t.Fatal(err)
			}
			if sum.Issues != 3031 || sum.Histories != 15115 || sum.AssigneeChanges != 1922 {
				t.Errorf("loaded %+v", sum)
			}
			c := collectJira(t, inst)
			if len(c.records) != 3031 {
				t.Fatalf("collected %d issues, want 3031", len(c.records))
			}
			fields := map[ticket.Field]int{}
			assignments, comments, unassigned, incomplete := 0, 0, 0, 0
			shapes[flavour] = c.changes(fields)
			for _, r := range c.records {
				assignments += len(r.Assignments)
				comments += len(r.Contributions)
				last := slices.IndexFunc(r.Changes, func(x ticket.Change) bool { return x.Field == ticket.FieldAssignee })
				for n, x := range r.Changes {
					if x.Field == ticket.FieldAssignee {
						last = n
					}
				}
				if last >= 0 && r.Changes[last].To != r.Assignee {
					unassigned++
				}
				if !r.HistoryComplete {
					incomplete++
				}
			}
			t.Logf("changes %v, %d assignments, %d contributions, requests %v", fields, assignments, comments, c.requests)
			if fields[ticket.FieldAssignee] != 1922 || fields[ticket.FieldStatus] != 5120 || fields[ticket.FieldPriority] != 376 || fields[ticket.FieldEffort] != 320 {
				t.Errorf("changes by field: %v", fields)
			}
			if assignments != 2731 {
				t.Errorf("%d assignments, want 2731", assignments)
			}
			if unassigned != 12 {
				t.Errorf("%d issues contradict their last change of assignee, want 12", unassigned)
			}
			if comments != sum.Comments || incomplete > 0 {
				t.Errorf("%d contributions of %d comments; %d histories incomplete", comments, sum.Comments, incomplete)
			}
			all, byGroup := c.resolved()
			total := 0.0
			for _, n := range all {
				total += n
			}
			if total != 1934 || len(all) != 107 || math.Abs(gini(all)-0.736356) > 5e-7 {
				t.Errorf("resolved: %v of %d people, Gini %.6f; want 1934 of 107, 0.736356", total, len(all), gini(all))
			}
			fcrepo := byGroup["FCREPO"]
			if len(fcrepo) != 23 || math.Abs(gini(fcrepo)-0.663025) > 5e-7 || math.Abs(hhi(fcrepo)-0.135924) > 5e-7 {
				t.Errorf("FCREPO: %d people, Gini %.6f, HHI %.6f; want 23, 0.663025, 0.135924", len(fcrepo), gini(fcrepo), hhi(fcrepo))
			}
			for id := range all {
				if a := c.accounts[id]; a.Name == "" || a.Email == "" {
					t.Errorf("a holder is not described: %+v", a)
				}
			}
			// 14 for each thousand issues, and one for each list of comments
			// that was cut.
			cut := c.requests["GET /rest/api/3/issue/{id}/comment"]
			total = 0
			for _, n := range c.requests {
				total += float64(n)
			}
			if most := 14*3031/1000 + cut; int(total) > most {
				t.Errorf("%v requests, want at most %d: %v", total, most, c.requests)
			}
		})
	}
	sameByFlavour(t, shapes)
}

// resolved counts the tickets that are done by who holds them, in all and by
// group.
func (c collected) resolved() (all map[string]float64, byGroup map[string]map[string]float64) {
	all, byGroup = map[string]float64{}, map[string]map[string]float64{}
	for _, r := range c.records {
		if c.terms[ticket.FieldStatus][r.Status].Value != string(ticket.CategoryDone) || r.Assignee == "" {
			continue
		}
		group := c.terms[ticket.FieldGroup][r.Group].Name
		if byGroup[group] == nil {
			byGroup[group] = map[string]float64{}
		}
		all[r.Assignee]++
		byGroup[group][r.Assignee]++
	}
	return all, byGroup
}

func gini(counts map[string]float64) float64 {
	x := slices.Sorted(maps.Values(counts))
	sum, weighted := 0.0, 0.0
	for n, v := range x {
		sum += v
		weighted += float64(n+1) * v
	}
	n := float64(len(x))
	return 2*weighted/(n*sum) - (n+1)/n
}

func hhi(counts map[string]float64) float64 {
	sum, squares := 0.0, 0.0
	for _, v := range counts {
		sum += v
		squares += v * v
	}
	return squares / (sum * sum)
}
