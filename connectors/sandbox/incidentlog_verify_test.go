//go:build verify

package sandbox

import (
	"testing"
	"time"

	"fairlead/connectors/sandbox/shared"
	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/timeline"
)

// TestVerifyIncidentLog reads the whole of the real log, through the connector.
func TestVerifyIncidentLog(t *testing.T) {
	in := servicenowtest.New(servicenowtest.Options{Clock: func() time.Time { return time.Date(2017, 3, 1, 0, 0, 0, 0, time.UTC) }})
	sum, err := LoadIncidentLog(shared.Open(t, "data/servicenow_incident_event_log.csv.gz"), in)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Incidents != 24918 || sum.Rows != 141712 || sum.LastChange.Format("2006-01-02 15:04") != "2017-02-18 15:00" {
		t.Errorf("got %+v", sum)
	}

	tickets := collect(t, in)
	if n := in.TotalRequests(); n > 12*25 {
		t.Errorf("%d requests for %d incidents, want at most 12 for each 1,000", n, len(tickets))
	} else {
		t.Logf("%d requests, %.1f for each 1,000 incidents", n, float64(n)*1000/float64(len(tickets)))
	}
	held, assignments, empty, incomplete, unrecorded := 0, 0, 0, 0, 0
	holders := map[string]bool{}
	for _, tk := range tickets {
		r := timeline.Derive(tk)
		assignments += len(r.Assignments)
		unrecorded += int(r.Unrecorded)
		for _, a := range r.Assignments {
			if a.From.Equal(a.To) {
				empty++
			}
		}
		if tk.Assignee != "" {
			held++
			holders[tk.Assignee] = true
		}
		if !tk.HistoryComplete {
			incomplete++
		}
	}
	for what, c := range map[string]struct{ got, want int }{
		"incidents": {len(tickets), 24918}, "with a holder": {held, 24193}, "people": {len(holders), 220},
		"assignments": {assignments, 29459}, "of zero length": {empty, 94},
		"incomplete": {incomplete, 0}, "unrecorded": {unrecorded, 0},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %d, want %d", what, c.got, c.want)
		}
	}
	if bad := in.InvalidQueries(); len(bad) > 0 {
		t.Errorf("the connector's queries were ignored in part: %q", bad[0])
	}
}
