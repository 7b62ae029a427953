package servicenow

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// auditRow is a row of sys_audit: one change of one column. documentkey is the
// changed record, user the user_name of who changed it, record_checkpoint the
// record's update count (product documentation, "Viewing Sys Audit and Audit
// Relationship Change tables").
type auditRow struct {
	ID         text `json:"sys_id"`
	Document   text `json:"documentkey"`
	Field      text `json:"fieldname"`
	Old        text `json:"oldvalue"`
	New        text `json:"newvalue"`
	User       text `json:"user"`
	At         text `json:"sys_created_on"`
	Checkpoint text `json:"record_checkpoint"`
}

func (a auditRow) key() (at, id string) { return string(a.At), string(a.ID) }

func (a auditRow) checkpoint() int {
	n, _ := strconv.Atoi(string(a.Checkpoint))
	return n
}

var auditColumns = []string{
	"sys_id", "documentkey", "fieldname", "oldvalue", "newvalue", "user", "sys_created_on", "record_checkpoint",
}

// audits is the history of a page of tickets as the instance gave it.
type audits struct {
	mu       sync.Mutex
	rows     map[string][]auditRow // by record
	withheld map[string]bool       // records of requests from whose answer rows were left out
	denied   bool
}

const (
	reasonWithheld = "audit withheld"
	reasonDenied   = "audit denied"

	parallelRequests = 4
)

// fetchAudit reads the audit of records, as many in a request as its length
// allows.
func (s *Source) fetchAudit(ctx context.Context, ids, classes, columns []string) (*audits, error) {
	out := &audits{rows: map[string][]auditRow{}, withheld: map[string]bool{}}
	if len(ids) == 0 {
		return out, nil
	}
	fixed := "tablenameIN" + strings.Join(classes, ",") + "^fieldnameIN" + strings.Join(columns, ",")
	walkOf := func(ids []string) *walk[auditRow] {
		return &walk[auditRow]{
			c: s.client, table: "sys_audit", order: "sys_created_on", fields: auditColumns, limit: s.cfg.AuditPageSize,
			name: "the history of " + strconv.Itoa(len(ids)) + " tickets from " + ids[0],
			where: func(more ...string) string {
				return joined(fixed, append([]string{"documentkeyIN" + strings.Join(ids, ",")}, more...)...)
			},
		}
	}
	// Room for the place, which later pages have.
	probe := walkOf([]string{strings.Repeat("0", 32)})
	probe.at, probe.id = "2006-01-02 15:04:05", strings.Repeat("0", 32)

	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelRequests)
	for _, part := range batches(ids, probe.request(), s.cfg.MaxURLBytes, s.client.base.String()) {
		group.Go(func() error {
			return halving(part, func(ids []string) error {
				w := walkOf(ids)
				rows, err := w.all(ctx)
				out.mu.Lock()
				defer out.mu.Unlock()
				if errors.Is(err, source.ErrForbidden) {
					out.denied = true
					return nil
				}
				if err != nil {
					return err
				}
				for _, a := range rows {
					out.rows[string(a.Document)] = append(out.rows[string(a.Document)], a)
				}
				if w.withheld > 0 {
					for _, id := range ids {
						out.withheld[id] = true
					}
				}
				return nil
			})
		})
	}
	return out, group.Wait()
}

// incomplete says why a ticket's history is not whole, or "". An answer of 200
// without rows is what an account gets that may not read the audit, and what a
// ticket has that never changed; a ticket that shows by itself that it changed
// tells the two apart.
func (a *audits) incomplete(r record) string {
	switch {
	case r.number("sys_mod_count") == 0:
		return ""
	case a.denied:
		return reasonDenied
	case a.withheld[r.get("sys_id")]:
		return reasonWithheld
	case len(a.rows[r.get("sys_id")]) == 0 && changed(r):
		return reasonWithheld
	}
	return ""
}

// changed says whether the record itself shows that a tracked column changed.
func changed(r record) bool {
	return r.number("sys_mod_count") > 0 &&
		(r.number("reassignment_count") > 0 || r.get("active") == "false" || r.get("closed_at") != "")
}

// history derives the changes of a ticket from its audit. names gives the
// account of a user_name.
func (t Table) history(r record, rows []auditRow, names func(string) string) []ticket.Change {
	tracked := t.tracked()
	rows = slices.DeleteFunc(slices.Clone(rows), func(a auditRow) bool {
		_, known := tracked[string(a.Field)]
		_, dated := parseTime(a.At)
		// Where inserts are audited too (glide.sys.audit_inserts), the creation
		// is update 0: a value that the ticket began with, not a change.
		insert := a.checkpoint() == 0 && a.Old == "" && a.Checkpoint != ""
		return !known || !dated || insert
	})
	// The columns of one update share time and update count. Rows of one second
	// are in the order of the count.
	slices.SortStableFunc(rows, func(a, b auditRow) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.checkpoint(), b.checkpoint()), cmp.Compare(a.Field, b.Field))
	})

	class := r.class(t)
	areas := t.areasAtStart(r, rows)
	var out []ticket.Change
	var seq uint32
	for i := 0; i < len(rows); {
		j := i
		for j < len(rows) && rows[j].At == rows[i].At && rows[j].checkpoint() == rows[i].checkpoint() {
			j++
		}
		seq++
		at, _ := parseTime(rows[i].At)
		before := area(t.AreaFields, func(c string) string { return areas[c] })
		for _, a := range rows[i:j] {
			c := ticket.Change{At: at, Seq: seq, Field: tracked[string(a.Field)], From: string(a.Old), To: string(a.New), Actor: names(string(a.User))}
			switch c.Field {
			case ticket.FieldArea:
				areas[string(a.Field)] = string(a.New)
				continue
			case ticket.FieldStatus:
				c.From, c.To = statusID(class, c.From), statusID(class, c.To)
			case ticket.FieldEffort:
				c.From, c.To = effortText(c.From), effortText(c.To)
			}
			if c.From != c.To {
				out = append(out, c)
			}
		}
		if after := area(t.AreaFields, func(c string) string { return areas[c] }); after != before {
			out = append(out, ticket.Change{At: at, Seq: seq, Field: ticket.FieldArea, From: before, To: after, Actor: names(string(rows[i].User))})
		}
		i = j
	}
	return out
}

// areasAtStart gives each area column's first value: what its first change
// replaced, else what it holds now.
func (t Table) areasAtStart(r record, rows []auditRow) map[string]string {
	values := map[string]string{}
	for _, c := range t.AreaFields {
		values[c] = r.get(c)
		if i := slices.IndexFunc(rows, func(a auditRow) bool { return string(a.Field) == c }); i >= 0 {
			values[c] = string(rows[i].Old)
		}
	}
	return values
}

// outrun gives the records that changed between their own reading and that of
// their audit: it has an update that they do not show.
func outrun(records []record, a *audits) []string {
	var ids []string
	for _, r := range records {
		at, id := r.key()
		for _, row := range a.rows[id] {
			if string(row.At) > at && row.checkpoint() > r.number("sys_mod_count") {
				ids = append(ids, id)
				break
			}
		}
	}
	return ids
}
