package servicenow

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"fairlead/connectors/ticket"
)

// journalRow is an entry of a journal field: who wrote a comment or a work note on
// a record, and when. What was written, value, is never asked for (product
// documentation, "Journal field type"; element_id is the record's sys_id, name its
// table, element the field).
type journalRow struct {
	ID     text `json:"sys_id"`
	Record text `json:"element_id"`
	At     text `json:"sys_created_on"`
	User   text `json:"sys_created_by"`
}

func (j journalRow) key() (at, id string) { return string(j.At), string(j.ID) }

var journalColumns = []string{"sys_id", "element_id", "sys_created_on", "sys_created_by"}

// journals are the entries of a page of records.
type journals struct {
	mu       sync.Mutex
	rows     map[string][]journalRow // by record
	denied   bool
	withheld int // records of requests from whose answer rows were left out
}

func (j *journals) refused()             { j.mu.Lock(); j.denied = true; j.mu.Unlock() }
func (j *journals) leftOut(ids []string) { j.mu.Lock(); j.withheld += len(ids); j.mu.Unlock() }

// journalOf is the reading of the entries of records that were ever updated.
func (s *Source) journalOf(rows []row) (*journals, reading) {
	out := &journals{rows: map[string][]journalRow{}}
	if !s.cfg.Comments {
		return out, nil
	}
	ids, classes := changedOnce(rows)
	if !slices.Contains(classes, "task") {
		classes = append(classes, "task")
	}
	fixed := "nameIN" + strings.Join(classes, ",") + "^elementINcomments,work_notes"
	return out, byIDs(s, ids, out, func(ids []string) *walk[journalRow] {
		return &walk[journalRow]{
			table: "sys_journal_field", order: "sys_created_on", fields: journalColumns, limit: s.cfg.AuditPageSize,
			name: "the comments on " + strconv.Itoa(len(ids)) + " tickets from " + ids[0],
			where: func(more ...string) string {
				return joined(fixed, append([]string{"element_idIN" + strings.Join(ids, ",")}, more...)...)
			},
		}
	}, func(rows []journalRow) {
		out.mu.Lock()
		defer out.mu.Unlock()
		for _, j := range rows {
			out.rows[string(j.Record)] = append(out.rows[string(j.Record)], j)
		}
	})
}

// contributions are a record's entries, without those of the person whom it is for:
// who asks for help shows no knowledge of it.
func (j *journals) contributions(r row, account func(userName string) string) []ticket.Contribution {
	var out []ticket.Contribution
	for _, one := range j.rows[r.rec.get("sys_id")] {
		at, ok := parseTime(one.At)
		who := account(string(one.User))
		if !ok || who == "" || who == r.rec.get(callerColumn[r.rec.class(r.table)]) {
			continue
		}
		out = append(out, ticket.Contribution{At: at, Actor: who, Act: ticket.ActComment})
	}
	slices.SortStableFunc(out, func(a, b ticket.Contribution) int { return a.At.Compare(b.At) })
	return out
}

// callerColumn is where the base system's tables say whom a ticket is for. It is
// read to leave that person's comments out, and kept nowhere.
var callerColumn = map[string]string{"incident": "caller_id", "sc_request": "requested_for", "sc_req_item": "requested_for"}

// warnJournal says once that comments are not readable.
func (s *Source) warnJournal(j *journals) {
	if (j.denied || j.withheld > 0) && s.firstTime("comments") {
		s.log.Warn("comments are not readable, so who helped on another's ticket is not known; see `fairlead check`",
			"denied", j.denied, "tickets", j.withheld)
	}
}
