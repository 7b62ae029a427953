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

// HistoryMode says from where the history of tickets is taken.
type HistoryMode string

// The modes, the best first.
const (
	// HistoryAudit reads sys_audit, which holds all of it.
	HistoryAudit HistoryMode = "audit"
	// HistoryMetric reads metric_instance, which holds those columns on which a
	// metric of the type "field value duration" was defined, since it was.
	HistoryMetric HistoryMode = "metric"
	// HistoryObserved reads nothing: what changes is seen by comparing a ticket
	// with how it was when it was last collected.
	HistoryObserved HistoryMode = "observed"
)

// sys_history_line is no mode: it is made when somebody opens a record's history,
// and kept for weeks only (product documentation, "History sets").
var historyModes = []HistoryMode{HistoryAudit, HistoryMetric, HistoryObserved}

// past is the history of a page of tickets as the instance gave it.
type past struct {
	mode     HistoryMode
	mu       sync.Mutex
	rows     map[string][]auditRow // by record
	withheld map[string]bool       // records of requests from whose answer rows were left out
	denied   bool

	metrics     map[string][]metricRow           // by record
	definitions map[string]map[string]definition // by class and column
}

func newPast(m HistoryMode) *past {
	return &past{
		mode: m, rows: map[string][]auditRow{}, withheld: map[string]bool{},
		metrics: map[string][]metricRow{}, definitions: map[string]map[string]definition{},
	}
}

const (
	reasonWithheld = "audit withheld"
	reasonDenied   = "audit denied"
	reasonObserved = "observed only"

	parallelRequests = 4
)

// observable are the fields whose changes can be seen by comparing.
var observable = []ticket.Field{
	ticket.FieldAssignee, ticket.FieldStatus, ticket.FieldGroup, ticket.FieldArea, ticket.FieldEffort, ticket.FieldKind,
	ticket.FieldPriority, ticket.FieldParent,
}

// pastOf is the reading of the history of records that were ever updated, as it is
// configured.
func (s *Source) pastOf(ctx context.Context, rows []row) (*past, reading, error) {
	switch s.cfg.History {
	case HistoryMetric:
		return s.metricsOf(ctx, rows)
	case HistoryObserved:
		return newPast(HistoryObserved), nil, nil
	}
	out, read := s.auditOf(rows)
	return out, read, nil
}

// changedOnce gives the sys_ids of records that were ever updated, and their
// classes, in order.
func changedOnce(rows []row) (ids, classes []string) {
	found := set{}
	for _, r := range rows {
		if v, ok := r.rec["sys_mod_count"]; ok && (v == "" || v == "0") {
			continue
		}
		ids = append(ids, r.rec.get("sys_id"))
		found.add(r.rec.class(r.table))
	}
	return ids, found.sorted()
}

// of is the audit of a record, or what stands for it.
func (a *past) of(r row) []auditRow {
	if a.mode == HistoryMetric {
		return a.fromMetrics(r)
	}
	return a.rows[r.rec.get("sys_id")]
}

// observed are the fields of a record of whose changes the instance tells nothing:
// all, where the history is refused, so that what was seen before stays known.
func (a *past) observed(r row) []ticket.Field {
	id := r.rec.get("sys_id")
	switch told := len(a.rows[id])+len(a.metrics[id]) > 0; {
	case a.mode == HistoryObserved, a.denied, !told && (a.withheld[id] || a.mode == HistoryAudit && changed(r.rec)):
		return observable
	case a.mode == HistoryMetric:
		return a.unmetered(r)
	}
	return nil
}

// closing is the one change of status that a record tells by itself, where its
// history does not: until closed_at it was in some state that is not known, and
// open.
func (t Table) closing(r record, changes []ticket.Change) []ticket.Change {
	at, ok := parseTime(text(r.get("closed_at")))
	created, dated := parseTime(text(r.get("sys_created_on")))
	if !ok || !dated || r.get("active") != "false" || at.Before(created) ||
		slices.ContainsFunc(changes, func(c ticket.Change) bool { return c.Field == ticket.FieldStatus }) {
		return changes
	}
	class := r.class(t)
	changes = append(changes, ticket.Change{At: at, Field: ticket.FieldStatus, From: statusID(class, ""), To: statusID(class, r.get(t.StatusField))})
	slices.SortStableFunc(changes, func(a, b ticket.Change) int { return a.At.Compare(b.At) })
	var seq uint32
	var before ticket.Change
	for i, c := range changes {
		if i == 0 || c.Seq != before.Seq || !c.At.Equal(before.At) {
			seq++
		}
		before = c
		changes[i].Seq = seq
	}
	return changes
}

// auditOf is the reading of the audit of records that were ever updated.
func (s *Source) auditOf(rows []row) (*past, reading) {
	columns := set{}
	for _, r := range rows {
		for c := range r.table.tracked() {
			columns.add(c)
		}
	}
	ids, classes := changedOnce(rows)
	out := newPast(HistoryAudit)
	fixed := "tablenameIN" + strings.Join(classes, ",") + "^fieldnameIN" + strings.Join(columns.sorted(), ",")
	return out, byIDs(s, ids, out, s.auditWalk(fixed), func(rows []auditRow) {
		out.mu.Lock()
		defer out.mu.Unlock()
		for _, a := range rows {
			out.rows[string(a.Document)] = append(out.rows[string(a.Document)], a)
		}
	})
}

func (s *Source) auditWalk(fixed string) func(ids []string) *walk[auditRow] {
	return func(ids []string) *walk[auditRow] {
		return &walk[auditRow]{
			table: "sys_audit", order: "sys_created_on", fields: auditColumns, limit: s.cfg.AuditPageSize,
			name: "the history of " + strconv.Itoa(len(ids)) + " tickets from " + ids[0],
			where: func(more ...string) string {
				return joined(fixed, append([]string{"documentkeyIN" + strings.Join(ids, ",")}, more...)...)
			},
		}
	}
}

// fullPage is the greatest number of tickets, up to the configured one, whose ids
// fill requests for their history: what is left over would cost a request more.
func (s *Source) fullPage() int {
	tables, columns := set{}, set{}
	for _, t := range s.tables {
		tables.add(t.Name)
		for c := range t.tracked() {
			columns.add(c)
		}
	}
	fixed := "tablenameIN" + strings.Join(tables.sorted(), ",") + "^fieldnameIN" + strings.Join(columns.sorted(), ",")
	ids := make([]string, s.cfg.PageSize)
	for i := range ids {
		ids[i] = strings.Repeat("0", 32)
	}
	in := len(batches(ids, placed(s.auditWalk(fixed)).request(), s.cfg.MaxURLBytes, s.client.base.String())[0])
	return s.cfg.PageSize - s.cfg.PageSize%in
}

// placed is a walk of one id with a place, which later pages have.
func placed[T keyed](walkOf func(ids []string) *walk[T]) *walk[T] {
	w := walkOf([]string{strings.Repeat("0", 32)})
	w.at, w.id = "2006-01-02 15:04:05", strings.Repeat("0", 32)
	return w
}

func (a *past) refused() { a.mu.Lock(); a.denied = true; a.mu.Unlock() }

func (a *past) leftOut(ids []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range ids {
		a.withheld[id] = true
	}
}

// reading is something to read of a page's records, in parts: the requests with
// which they begin, and the rest.
type reading []readingPart

type readingPart struct {
	first request
	read  func(ctx context.Context, c *client) error
}

// perform reads all of it: what begins it in one request, where the instance takes
// that.
func (s *Source) perform(ctx context.Context, readings ...reading) error {
	all := slices.Concat(readings...)
	first := make([]request, len(all))
	for i, p := range all {
		first[i] = p.first
	}
	c := s.client.ahead(ctx, first)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelRequests)
	for _, p := range all {
		group.Go(func() error { return p.read(ctx, c) })
	}
	return group.Wait()
}

// lacking is told what a reading was not given.
type lacking interface {
	refused()             // the table
	leftOut(ids []string) // some rows of these records
}

// byIDs is the reading of what a table has of records, as many of them in a request
// as its length allows. found is called side by side.
func byIDs[T keyed](s *Source, ids []string, out lacking, walkOf func(ids []string) *walk[T], found func(rows []T)) reading {
	if len(ids) == 0 {
		return nil
	}
	var parts reading
	for _, part := range batches(ids, placed(walkOf).request(), s.cfg.MaxURLBytes, s.client.base.String()) {
		parts = append(parts, readingPart{first: walkOf(part).request(), read: func(ctx context.Context, c *client) error {
			return halving(part, func(ids []string) error {
				w := walkOf(ids)
				w.c = c
				rows, err := w.all(ctx)
				if errors.Is(err, source.ErrForbidden) {
					out.refused()
					return nil
				}
				if err != nil {
					return err
				}
				found(rows)
				if w.withheld > 0 {
					out.leftOut(ids)
				}
				return nil
			})
		}})
	}
	return parts
}

// incomplete says why a ticket's history is not whole, or "". An answer of 200
// without rows is what an account gets that may not read the audit, and what a
// ticket has that never changed; a ticket that shows by itself that it changed
// tells the two apart.
func (a *past) incomplete(r row) string {
	id := r.rec.get("sys_id")
	switch {
	case r.rec.number("sys_mod_count") == 0:
		return ""
	case a.mode == HistoryObserved:
		return reasonObserved
	case a.mode == HistoryMetric:
		return a.metricIncomplete(r)
	case a.denied:
		return reasonDenied
	case a.withheld[id]:
		return reasonWithheld
	case len(a.rows[id]) == 0 && changed(r.rec):
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
// their history: it has an update that they do not show.
func outrun(rows []row, a *past) []string {
	var ids []string
	for _, r := range rows {
		at, id := r.rec.key()
		late := slices.ContainsFunc(a.rows[id], func(row auditRow) bool {
			return string(row.At) > at && row.checkpoint() > r.rec.number("sys_mod_count")
		}) || slices.ContainsFunc(a.metrics[id], func(m metricRow) bool { return string(max(m.Start, m.End)) > at })
		if late {
			ids = append(ids, id)
		}
	}
	return ids
}
