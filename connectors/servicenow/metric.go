package servicenow

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// Where sys_audit may not be read, the platform's metrics can tell much of what
// it holds: a metric of the type "field value duration" keeps, for one column of
// one table, each value with the time at which it was set and the time at which
// it was changed (product documentation, "Define a metric", "Metric instance").

// definition is a row of metric_definition. A metric collects from when it was
// created on.
type definition struct {
	ID      text `json:"sys_id"`
	Table   text `json:"table"`
	Field   text `json:"field"`
	Created text `json:"sys_created_on"`
}

func (d definition) key() (at, id string) { return string(d.Created), string(d.ID) }

// metricRow is a row of metric_instance: a record, id, had a value from start to
// end. end is empty while it has. field_value is the value as it is stored; value,
// which is not asked for, what a person sees.
type metricRow struct {
	ID         text `json:"sys_id"`
	Created    text `json:"sys_created_on"`
	Record     text `json:"id"`
	Definition text `json:"definition"`
	Value      text `json:"field_value"`
	Start      text `json:"start"`
	End        text `json:"end"`
}

func (m metricRow) key() (at, id string) { return string(m.Created), string(m.ID) }

var metricColumns = []string{"sys_id", "sys_created_on", "id", "definition", "field_value", "start", "end"}

// definitions are the metrics on the tracked columns, read again after a while.
type definitions struct {
	mu    sync.Mutex
	until time.Time
	of    map[string]map[string]definition // by table and column
}

// valueDurations asks for the active metrics on columns of tables.
func (s *Source) valueDurations(ctx context.Context, tables, columns []string) ([]definition, error) {
	w := &walk[definition]{
		c: s.client, table: "metric_definition", order: "sys_created_on", limit: maxPage, left: -1, name: "the metrics",
		fields: []string{"sys_id", "table", "field", "sys_created_on"},
		where: func(more ...string) string {
			return joined("active=true^type=field_value_duration^tableIN"+strings.Join(tables, ",")+"^fieldIN"+strings.Join(columns, ","), more...)
		},
	}
	return w.all(ctx)
}

// metricsOn gives the metrics that hold for a record of a class, by column: its own
// table's, else those of task, which its table extends.
func (d *definitions) metricsOn(class string) map[string]definition {
	out := map[string]definition{}
	for _, table := range []string{"task", class} {
		for column, one := range d.of[table] {
			out[column] = one
		}
	}
	return out
}

// readDefinitions gives the metrics that hold for each of the classes.
func (s *Source) readDefinitions(ctx context.Context, classes []string) (map[string]map[string]definition, error) {
	s.metrics.mu.Lock()
	defer s.metrics.mu.Unlock()
	d := &s.metrics
	if unknown := func(class string) bool { _, ok := d.of[class]; return !ok }; !s.now().Before(d.until) || slices.ContainsFunc(classes, unknown) {
		tables, columns := set{"task": {}}, set{}
		for _, c := range classes {
			tables.add(c)
		}
		for _, t := range s.tables {
			tables.add(t.Name)
			for c := range t.tracked() {
				columns.add(c)
			}
		}
		rows, err := s.valueDurations(ctx, tables.sorted(), columns.sorted())
		if err != nil {
			return nil, err
		}
		d.until, d.of = s.now().Add(s.cfg.NamesMaxAge), byTable(rows, tables.sorted()...)
	}
	out := map[string]map[string]definition{}
	for _, class := range classes {
		out[class] = d.metricsOn(class)
	}
	return out, nil
}

// byTable sorts metrics by table and column; where a column has two, it is the
// older one.
func byTable(rows []definition, tables ...string) map[string]map[string]definition {
	of := map[string]map[string]definition{}
	for _, t := range tables {
		of[t] = map[string]definition{}
	}
	for _, one := range rows {
		columns, ok := of[string(one.Table)]
		if before, twice := columns[string(one.Field)]; ok && (!twice || one.Created < before.Created) {
			columns[string(one.Field)] = one
		}
	}
	return of
}

// metricsOf is the reading of the metrics of records that were ever updated.
func (s *Source) metricsOf(ctx context.Context, rows []row) (*past, reading, error) {
	out := newPast(HistoryMetric)
	ids, classes := changedOnce(rows)
	for _, r := range rows {
		if class := r.rec.class(r.table); !slices.Contains(classes, class) {
			classes = append(classes, class)
		}
	}
	d, err := s.readDefinitions(ctx, classes)
	if errors.Is(err, source.ErrForbidden) {
		out.denied = true
		return out, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	used := set{}
	for _, class := range classes {
		out.definitions[class] = d[class]
		for _, one := range d[class] {
			used.add(string(one.ID))
		}
	}
	if len(used) == 0 {
		return out, nil, nil
	}
	fixed := "definitionIN" + strings.Join(used.sorted(), ",")
	return out, byIDs(s, ids, out, func(ids []string) *walk[metricRow] {
		return &walk[metricRow]{
			table: "metric_instance", order: "sys_created_on", fields: metricColumns, limit: s.cfg.AuditPageSize,
			name: "the metrics of " + strconv.Itoa(len(ids)) + " tickets from " + ids[0],
			where: func(more ...string) string {
				return joined(fixed, append([]string{"idIN" + strings.Join(ids, ",")}, more...)...)
			},
		}
	}, func(rows []metricRow) {
		out.mu.Lock()
		defer out.mu.Unlock()
		for _, m := range rows {
			out.metrics[string(m.Record)] = append(out.metrics[string(m.Record)], m)
		}
	}), nil
}

// spellsOf are a metric's instances of a record, in the order in which they were.
// Of those that began in one second, one that ended in it was before one that did
// not.
func (a *past) spellsOf(id string, metric text) []metricRow {
	var spells []metricRow
	for _, m := range a.metrics[id] {
		if _, ok := parseTime(m.Start); ok && m.Definition == metric {
			spells = append(spells, m)
		}
	}
	end := func(m metricRow) string { return cmp.Or(string(m.End), "~") }
	slices.SortStableFunc(spells, func(x, y metricRow) int {
		return cmp.Or(cmp.Compare(x.Start, y.Start), cmp.Compare(end(x), end(y)), cmp.Compare(x.Created, y.Created), cmp.Compare(x.ID, y.ID))
	})
	return spells
}

// paused are the times at which the metrics of a record stopped, since it was
// closed: its state's metric ended then, and none began.
func (a *past) paused(r row) map[text]bool {
	state, ok := a.definitions[r.rec.class(r.table)][r.table.StatusField]
	if !ok {
		return nil
	}
	out := map[text]bool{}
	spells := a.spellsOf(r.rec.get("sys_id"), state.ID)
	for i, m := range spells {
		if m.End != "" && (i+1 == len(spells) || m.End < spells[i+1].Start) {
			out[m.End] = true
		}
	}
	return out
}

// fromMetrics writes what a record's metrics tell as its audit would: a row for
// each change. Nothing tells who made it.
func (a *past) fromMetrics(r row) []auditRow {
	var out []auditRow
	created, paused := r.rec.get("sys_created_on"), a.paused(r)
	for column, one := range a.definitions[r.rec.class(r.table)] {
		if _, ok := r.rec[column]; !ok || r.table.tracked()[column] == "" {
			continue
		}
		change := func(from, to, at text) {
			if from != to {
				out = append(out, auditRow{Document: text(r.rec.get("sys_id")), Field: text(column), Old: from, New: to, At: at})
			}
		}
		// A record always has a state; any other column may be empty, and then
		// no metric runs.
		empties := column != r.table.StatusField
		spells := a.spellsOf(r.rec.get("sys_id"), one.ID)
		for i, m := range spells {
			var last metricRow
			if i > 0 {
				last = spells[i-1]
			}
			switch {
			case i == 0 && empties && string(m.Start) > created:
				change("", m.Value, m.Start)
			case i == 0:
			case empties && last.End != "" && last.End < m.Start && !paused[last.End]:
				change(last.Value, "", last.End)
				change("", m.Value, m.Start)
			default:
				change(last.Value, m.Value, m.Start)
			}
		}
		_ = r.lately(column, one, spells, paused, change)
	}
	slices.SortStableFunc(out, func(x, y auditRow) int { return cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(x.Field, y.Field)) })
	return out
}

// lately tells the changes of a column for which no metric began: that it was emptied,
// and what was set while the record was closed, since its metrics then stand still. It
// says whether it is known when that was.
func (r row) lately(column string, metric definition, spells []metricRow, paused map[text]bool, change func(from, to, at text)) (known bool) {
	now, updated := text(r.rec.get(column)), text(r.rec.get("sys_updated_on"))
	isState := column == r.table.StatusField
	var last metricRow
	switch {
	case len(spells) > 0:
		last = spells[len(spells)-1]
	case isState, now == "", r.rec.get("sys_created_on") < string(metric.Created):
		return true // nothing was measured
	}
	switch {
	case len(spells) > 0 && last.End == "":
		change(last.Value, now, updated)
		return true
	case isState:
		change(last.Value, now, last.End)
		return true
	case len(spells) > 0 && (paused[last.End] || paused == nil && r.rec.get("active") == "false"):
		if now != last.Value && last.End != updated {
			return false // by the update that closed it, or any later one
		}
		change(last.Value, now, last.End)
		return true
	case now != "" && !paused[updated]:
		return false
	case len(spells) > 0:
		change(last.Value, "", last.End)
	}
	change("", now, updated)
	return true
}

// The reasons for which a history by metrics is not whole.
const (
	reasonNoMetric      = "no metric on assigned_to"
	reasonNoStateMetric = "no metric on the state"
	reasonOlder         = "older than the metric"
	reasonGap           = "metric has gaps"
	reasonMetricDenied  = "metric denied"
)

// metricIncomplete says why the metrics do not tell a ticket's whole history, or
// "".
func (a *past) metricIncomplete(r row) string {
	of := a.definitions[r.rec.class(r.table)]
	holder, ok := of["assigned_to"]
	state, states := of[r.table.StatusField]
	switch created := r.rec.get("sys_created_on"); {
	case a.denied:
		return reasonMetricDenied
	case !ok:
		return reasonNoMetric
	case created < string(holder.Created):
		return reasonOlder
	case a.withheld[r.rec.get("sys_id")], len(a.metrics[r.rec.get("sys_id")]) == 0 && changed(r.rec):
		return reasonMetricDenied
	case !states:
		return reasonNoStateMetric
	case created < string(state.Created):
		return reasonOlder
	}
	paused := a.paused(r)
	for column, one := range of {
		if _, read := r.rec[column]; !read || r.table.tracked()[column] == "" {
			continue
		}
		if !r.lately(column, one, a.spellsOf(r.rec.get("sys_id"), one.ID), paused, func(_, _, _ text) {}) {
			return reasonGap
		}
	}
	// Between two states there is no pause, unless it was closed meanwhile: then
	// nothing tells as what, nor what else was changed.
	spells := a.spellsOf(r.rec.get("sys_id"), state.ID)
	for i := 1; i < len(spells); i++ {
		if spells[i-1].End < spells[i].Start && spells[i-1].End != "" {
			return reasonGap
		}
	}
	return ""
}

// unmetered are the tracked fields of a record on which there is no metric.
func (a *past) unmetered(r row) []ticket.Field {
	of := a.definitions[r.rec.class(r.table)]
	missing := map[ticket.Field]bool{}
	for column, field := range r.table.tracked() {
		if _, ok := of[column]; !ok {
			missing[field] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(observable), func(f ticket.Field) bool { return !missing[f] })
}
