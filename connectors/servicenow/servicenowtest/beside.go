package servicenowtest

import (
	"strconv"
	"time"
)

// What the platform keeps beside a record when it changes: entries of its journal
// fields, and instances of its metrics.

// journalFields are the columns of a task that hold no value: what is written to
// one becomes an entry of its own (product documentation, "Journal field type").
var journalFields = []string{"comments", "work_notes"}

// JournalEntry is a row of sys_journal_field.
type JournalEntry struct {
	Table   string
	Key     string // sys_id of the record
	Element string // comments or work_notes
	Value   string
	User    string // user_name
	At      time.Time
}

// Journal stores entries as they stand.
func (in *Instance) Journal(entries ...JournalEntry) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, e := range entries {
		in.journal(e)
	}
}

func (in *Instance) journal(e JournalEntry) {
	in.serial++
	in.put("sys_journal_field", Record{
		"sys_id": SysID("sys_journal_field", e.Key+"#"+strconv.FormatUint(in.serial, 10)),
		"name":   e.Table, "element": e.Element, "element_id": e.Key, "value": e.Value,
		"sys_created_on": FormatTime(e.At), "sys_created_by": e.User,
	})
}

// AddMetric defines an active metric of the type "field value duration" on a column
// of a table at a time, and returns its sys_id. From then on Insert and Update keep
// its instances; what was before, it does not know.
func (in *Instance) AddMetric(table, column string, at time.Time) string {
	id := SysID("metric_definition", table+"."+column)
	in.Put("metric_definition", Record{
		"sys_id": id, "name": table + " " + column + " Duration", "table": table, "field": column, "type": "field_value_duration",
		"active": "true", "sys_created_on": FormatTime(at), "sys_updated_on": FormatTime(at),
	})
	return id
}

// measure keeps the metric instances of a record whose columns changed: the value
// that was ends, and the one that is begins. The metrics of the base system end
// when the record is closed, and begin again with the next change of their column
// (product documentation, "Define a metric"; KB0682553).
func (in *Instance) measure(t *table, id string, old, rec Record, at time.Time) {
	definitions := in.tables["metric_definition"]
	closed := rec["active"] == "false"
	for _, d := range definitions.ordered {
		def := definitions.record(d)
		column := def["field"]
		if def["active"] != "true" || def["type"] != "field_value_duration" || def["table"] != t.name && def["table"] != parents[t.name] {
			continue
		}
		changed := rec[column] != old[column]
		if !changed && !closed {
			continue
		}
		in.endMetric(d.id, id, at)
		if changed && !closed && rec[column] != "" {
			in.serial++
			in.put("metric_instance", Record{
				"sys_id": SysID("metric_instance", id+"#"+strconv.FormatUint(in.serial, 10)), "sys_created_on": FormatTime(at), "sys_created_by": "system",
				"table": t.name, "id": id, "definition": d.id, "field": column, "field_value": rec[column], "value": rec[column],
				"start": FormatTime(at), "calculation_complete": "false",
			})
		}
	}
}

func (in *Instance) endMetric(definition, id string, at time.Time) {
	t := in.tables["metric_instance"]
	for _, r := range append([]*row(nil), t.hash["id"][id]...) {
		rec := t.record(r)
		if rec["definition"] == definition && rec["end"] == "" {
			rec["end"], rec["calculation_complete"] = FormatTime(at), "true"
			t.store(t.newRow(in, rec, r.id))
		}
	}
}

// AddMember puts a user into a group, by their sys_ids.
func (in *Instance) AddMember(group, user string) string {
	return in.putBase("sys_user_grmember", Record{
		"sys_id": SysID("sys_user_grmember", group+user), "group": group, "user": user,
	}, nil)
}
