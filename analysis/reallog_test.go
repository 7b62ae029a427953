package analysis

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/sandbox/sandboxtest"
	"fairlead/connectors/sandbox/shared"
)

func groupsOf(t *testing.T, db *clickhouse.DB, q Query) map[string]Group {
	t.Helper()
	list, err := engine(db).Distribution(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string]Group{}
	for _, g := range list {
		groups[g.Name] = g
	}
	return groups
}

type figures struct {
	name                string
	people              int
	total               float64
	gini, hhi, topShare float64 // 0 is not compared
	digits              float64
}

func (f figures) check(t *testing.T, g Group) {
	t.Helper()
	if g.People != f.people || g.Total != f.total {
		t.Errorf("%s has %d people and %v tickets, want %d and %v", f.name, g.People, g.Total, f.people, f.total)
	}
	for _, c := range []struct {
		name string
		got  *float64
		want float64
	}{{"gini", g.Gini, f.gini}, {"hhi", g.HHI, f.hhi}, {"top share", g.TopShare, f.topShare}} {
		if c.want != 0 && (c.got == nil || math.Abs(*c.got-c.want) > f.digits) {
			t.Errorf("%s of %s is %v, want %v", c.name, f.name, c.got, c.want)
		}
	}
}

// The figures of the two real logs that are known from elsewhere.
func TestIncidentLog(t *testing.T) {
	db := sandboxtest.IncidentLog(t)
	asOf := time.Date(2017, 3, 1, 0, 0, 0, 0, time.UTC)
	q := Query{AsOf: asOf, Basis: Resolved, Unit: Tickets, By: Source}
	all := groupsOf(t, db, q)["servicenow"]
	figures{"the log", 220, 24_193, 0.724006, 0.033507, 0, 5e-7}.check(t, all)
	if all.Total+all.Unassigned != 24_918 {
		t.Errorf("%v incidents are finished, want all 24,918", all.Total+all.Unassigned)
	}
	q.By = Team
	teams := groupsOf(t, db, q)
	figures{"Group 70", 48, 9_111, 0.757969, 0.129417, 0.302, 5e-4}.check(t, teams["Group 70"])
	figures{"Group 70", 48, 9_111, 0.757969, 0.129417, 0, 5e-7}.check(t, teams["Group 70"])
	figures{"Group 25", 8, 1_231, 0.533408, 0, 0, 5e-7}.check(t, teams["Group 25"])

	q.Basis, q.By = Assigned, Source
	if g := groupsOf(t, db, q)["servicenow"]; g.Total != 29_459 {
		t.Errorf("%v assignments, want 29,459", g.Total)
	}
	compareWithLog(t, db)
}

func TestIssueLog(t *testing.T) {
	for _, flavour := range []jiratest.Flavour{jiratest.Cloud, jiratest.DataCenter} {
		t.Run(string(flavour), func(t *testing.T) {
			db := sandboxtest.IssueLog(t, flavour)
			last, err := engine(db).LastChange(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			q := Query{AsOf: last, Basis: Resolved, Unit: Tickets, By: Source}
			figures{"the log", 107, 1_934, 0.736356, 0, 0, 5e-7}.check(t, groupsOf(t, db, q)["jira"])
			q.By = Team
			figures{"FCREPO", 23, 589, 0.663025, 0.135924, 0.2445, 5e-5}.check(t, groupsOf(t, db, q)["FCREPO"])
		})
	}
}

// incidentRow is what the log says of an incident after an update.
type incidentRow struct {
	at                  time.Time
	state, group, owner string
}

// readIncidents reads the log's rows by incident, in their order, with nothing
// of the reader that the fake uses.
func readIncidents(t *testing.T) map[string][]incidentRow {
	t.Helper()
	rows := shared.CSV(t, "data/servicenow_incident_event_log.csv.gz")
	column := func(row []string, name string) string {
		return strings.Replace(row[slices.Index(rows[0], name)], "?", "", 1)
	}
	incidents := map[string][]incidentRow{}
	for _, row := range rows[1:] {
		at, err := time.Parse("2/1/2006 15:04", column(row, "sys_updated_at"))
		if err != nil {
			t.Fatal(err)
		}
		number := row[0]
		if created := column(row, "sys_created_at"); created != "" && len(incidents[number]) == 0 {
			// What its first row shows it had from its creation on.
			if at, err = time.Parse("2/1/2006 15:04", created); err != nil {
				t.Fatal(err)
			}
		}
		incidents[number] = append(incidents[number], incidentRow{at, column(row, "incident_state"), column(row, "assignment_group"), column(row, "assigned_to")})
	}
	return incidents
}

// compareWithLog counts the three bases straight from the log's rows, in
// several windows, by assignment group.
func compareWithLog(t *testing.T, db *clickhouse.DB) {
	incidents := readIncidents(t)
	names := map[string]string{}
	w, err := engine(db).world(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range w.people.Engineers() {
		names[p.Pseudonym] = p.Name
	}
	finished := func(r incidentRow) bool { return r.state == "Resolved" || r.state == "Closed" }
	for _, window := range []struct{ from, to string }{
		{"2016-04-01", "2016-05-01"}, {"2016-03-01", "2016-03-08"}, {"2016-05-02", "2016-07-31"}, {"2016-02-29", "2016-03-16"},
	} {
		from, errFrom := time.Parse(time.DateOnly, window.from)
		to, errTo := time.Parse(time.DateOnly, window.to)
		if errFrom != nil || errTo != nil {
			t.Fatal(errFrom, errTo)
		}
		want := map[Basis]map[[2]string]float64{Load: {}, Assigned: {}, Resolved: {}}
		for _, rows := range incidents {
			var since time.Time
			var last incidentRow
			for i, r := range rows {
				next := to
				if i+1 < len(rows) && rows[i+1].at.Before(to) {
					next = rows[i+1].at
				}
				if !r.at.Before(to) {
					break
				}
				given := r.owner != "" && (i == 0 || rows[i-1].owner != r.owner)
				if given && !r.at.Before(from) {
					want[Assigned][[2]string{r.group, r.owner}]++
				}
				begin := r.at
				if begin.Before(from) {
					begin = from
				}
				if r.owner != "" && !finished(r) && next.After(begin) {
					want[Load][[2]string{r.group, r.owner}] += next.Sub(begin).Hours() / 24
				}
				if finished(r) && (i == 0 || !finished(rows[i-1])) {
					since = r.at
				}
				last = r
			}
			if !last.at.IsZero() && finished(last) && !since.Before(from) {
				want[Resolved][[2]string{last.group, last.owner}]++
			}
		}
		for basis, counts := range want {
			days := int(to.Sub(from).Hours() / 24)
			got := map[[2]string]float64{}
			for _, g := range groupsOf(t, db, Query{AsOf: to, Window: Days(days), Basis: basis, Unit: Tickets, By: Team}) {
				group := strings.Replace(g.Name, NoName, "", 1)
				for _, p := range g.Engineers {
					got[[2]string{group, names[p.Pseudonym]}] += p.Value
				}
				if g.Unassigned > 0 {
					got[[2]string{group, ""}] += g.Unassigned
				}
			}
			wrong := 0
			for k, x := range counts {
				if math.Abs(got[k]-x) > 1e-6 {
					wrong++
					if wrong < 4 {
						t.Errorf("%s from %s to %s: %v has %v, the log says %v", basis, window.from, window.to, k, got[k], x)
					}
				}
			}
			if len(got) != len(counts) || len(counts) < 20 {
				t.Errorf("%s from %s to %s: %d people in groups, the log has %d", basis, window.from, window.to, len(got), len(counts))
			}
		}
	}
}
