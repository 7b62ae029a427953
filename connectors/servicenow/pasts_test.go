package servicenow_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/source"
	"fairlead/connectors/timeline"
)

// Who held a ticket where its audit says less than what happened, or something else:
// a script without audit, a clone of an instance and an import leave such.
func TestWhoHeldTicketsWithOddAudits(t *testing.T) {
	first := monday.AddDate(0, 0, -10)
	for name, c := range map[string]struct {
		assignee string     // present
		audit    [][]string // field, from, to, user; a day after the one before
		want     string
		lacks    uint32 // unrecorded changes
	}{
		"assigned when it was opened": {assignee: "ann", audit: [][]string{{"state", "1", "2", "bob"}}, want: "ann 0-"},
		"nobody has it, and the audit does not say so": {audit: [][]string{{"assigned_to", "", "ann", "bob"}, {"assigned_to", "ann", "bob", "bob"}},
			want: "ann 1-2, bob 2-9", lacks: 1},
		"another has it than the audit says": {assignee: "cyd", audit: [][]string{{"assigned_to", "", "ann", "bob"}}, want: "ann 1-9, cyd 9-", lacks: 1},
		"taken from somebody who had it not": {assignee: "cyd", audit: [][]string{{"assigned_to", "", "ann", "bob"}, {"assigned_to", "bob", "cyd", "bob"}},
			want: "ann 1-2, cyd 2-", lacks: 1},
		"by somebody in other letters": {assignee: "ann", audit: [][]string{{"assigned_to", "", "ann", "BOB"}}, want: "ann 1-"},
		"by somebody who is deleted":   {assignee: "ann", audit: [][]string{{"assigned_to", "", "ann", "gone.person"}}, want: "ann 1-"},
		"held by somebody who is deleted": {assignee: "ann", audit: [][]string{{"assigned_to", "", "gone", "bob"}, {"assigned_to", "gone", "ann", "bob"}},
			want: "gone 1-2, ann 2-"},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInstance(servicenowtest.Options{})
			account := func(name string) string {
				if name == "" {
					return ""
				}
				return sysID("sys_user", name)
			}
			id := in.Put("incident", servicenowtest.Record{
				"sys_id": sysID("incident", "odd"), "number": "INC7", "state": "2", "active": "true", "assigned_to": account(c.assignee), "sys_mod_count": fmt.Sprint(len(c.audit)),
				"sys_created_on": servicenowtest.FormatTime(first), "sys_updated_on": servicenowtest.FormatTime(first.AddDate(0, 0, 9)),
			})
			for n, row := range c.audit {
				from, to := row[1], row[2]
				if row[0] == "assigned_to" {
					from, to = account(from), account(to)
				}
				in.Audit(servicenowtest.AuditRow{Table: "incident", Key: id, Field: row[0], Old: from, New: to, User: row[3], At: first.AddDate(0, 0, n+1), Checkpoint: n + 1})
			}
			tickets, _, err := drain(in.connect(t, nil), source.StreamOpen, source.Cursor{Start: monday})
			if err != nil || len(tickets) != 1 || !tickets[0].HistoryComplete {
				t.Fatalf("%+v, %v", tickets, err)
			}
			if got, user := tickets[0].Changes[0].Actor, c.audit[0][3]; got != sysID("sys_user", strings.ToLower(user)) && got != "user_name:"+user {
				t.Errorf("what %s did is of %s", user, got)
			}
			r := timeline.Derive(tickets[0])
			var held []string
			for _, a := range r.Assignments {
				says := ""
				for _, name := range []string{"ann", "bob", "cyd", "gone"} {
					if sysID("sys_user", name) == a.Actor {
						says = fmt.Sprintf("%s %d-", name, int(a.From.Sub(first)/(24*time.Hour)))
					}
				}
				if !a.To.IsZero() {
					says += fmt.Sprint(int(a.To.Sub(first) / (24 * time.Hour)))
				}
				held = append(held, says)
			}
			if got := strings.Join(held, ", "); got != c.want || r.Unrecorded != c.lacks {
				t.Errorf("%s, lacking %d; want %s, lacking %d", got, r.Unrecorded, c.want, c.lacks)
			}
		})
	}
}
