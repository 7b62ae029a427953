package servicenowtest

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Insert makes a record as the platform does when user creates it at a time,
// and returns its sys_id. The creation itself is not audited: auditing of
// inserts is off in the base system (product documentation, "Tracking CREATE
// for an audited table", glide.sys.audit_inserts).
func (in *Instance) Insert(table string, fields Record, user string, at time.Time) string {
	in.mu.Lock()
	defer in.mu.Unlock()
	rec := Record{}
	merge(rec, fields)
	if isTask(table) {
		if rec["state"] == "" {
			rec["state"] = "1"
		}
		mirrorState(table, rec)
		if rec["active"] == "" {
			rec["active"] = strconv.FormatBool(!closes(table, rec["state"]))
		}
		if rec["number"] == "" {
			in.serial++
			rec["number"] = fmt.Sprintf("%s%07d", prefix(table), in.serial)
		}
		if rec["reassignment_count"] == "" {
			rec["reassignment_count"] = "0"
		}
	}
	now := FormatTime(at)
	rec["sys_created_on"], rec["sys_updated_on"] = now, now
	rec["sys_created_by"], rec["sys_updated_by"] = user, user
	rec["sys_mod_count"] = "0"
	id := in.put(table, rec)
	if isTask(table) {
		in.measure(in.table(table), id, Record{}, rec, at)
	}
	return id
}

// Update changes columns of a record as user at a time, as the platform does:
// nothing happens where no value differs; else the update count goes up by one,
// and each changed column of a task is audited under that count. What is written to
// a journal field becomes an entry, and is audited too.
func (in *Instance) Update(name, id string, fields Record, user string, at time.Time) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	var t *table
	for _, f := range in.family(name) {
		if f.rows[id] != nil {
			t = f
		}
	}
	if t == nil {
		return fmt.Errorf("no record %s in table %s", id, name)
	}
	old := t.record(t.rows[id])
	rec := Record{}
	merge(rec, old)
	merge(rec, fields)
	var entries []JournalEntry
	if isTask(t.name) {
		for _, k := range journalFields {
			if v := fields[k]; v != "" {
				entries = append(entries, JournalEntry{Table: t.name, Key: id, Element: k, Value: v, User: user, At: at})
			}
			delete(rec, k)
		}
		mirrorChange(t.name, old, rec)
		if _, said := fields["active"]; !said && rec["state"] != old["state"] {
			rec["active"] = strconv.FormatBool(!closes(t.name, rec["state"]))
		}
		if rec["assignment_group"] != old["assignment_group"] && old["assignment_group"] != "" {
			n, _ := strconv.Atoi(old["reassignment_count"])
			rec["reassignment_count"] = strconv.Itoa(n + 1)
		}
	}
	changed := make([]string, 0, len(rec))
	for k, v := range rec {
		if v != old[k] {
			changed = append(changed, k)
		}
	}
	if len(changed) == 0 && len(entries) == 0 {
		return nil
	}
	slices.Sort(changed)
	mod, _ := strconv.Atoi(old["sys_mod_count"])
	rec["sys_mod_count"] = strconv.Itoa(mod + 1)
	rec["sys_updated_on"], rec["sys_updated_by"] = FormatTime(at), user
	if isTask(t.name) && in.auditing {
		for _, k := range changed {
			in.audit(AuditRow{Table: t.name, Key: id, Field: k, Old: old[k], New: rec[k], User: user, At: at, Checkpoint: mod + 1})
		}
	}
	for _, e := range entries {
		in.journal(e)
		if in.auditing {
			in.audit(AuditRow{Table: t.name, Key: id, Field: e.Element, Old: "JOURNAL FIELD ADDITION", New: e.Value, User: user, At: at, Checkpoint: mod + 1})
		}
	}
	t.store(t.newRow(in, rec, id))
	if isTask(t.name) {
		in.measure(t, id, old, rec, at)
	}
	return nil
}

// Delete removes a record. Its audit stays, as it does on the platform.
func (in *Instance) Delete(table, id string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, t := range in.family(table) {
		t.remove(id)
	}
}

// SetAuditing switches the audit of later updates on or off, as the dictionary's
// Audit check box does.
func (in *Instance) SetAuditing(on bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.auditing = on
}

func isTask(table string) bool { return table == "task" || parents[table] == "task" }

// mirrorState gives the older column the value of the newer: incident_state and
// state are kept alike by the base system's business rules.
func mirrorState(table string, rec Record) {
	if table == "incident" {
		rec["incident_state"] = rec["state"]
	}
}

func mirrorChange(table string, old, rec Record) {
	if table != "incident" {
		return
	}
	if rec["state"] == old["state"] && rec["incident_state"] != old["incident_state"] {
		rec["state"] = rec["incident_state"]
	}
	rec["incident_state"] = rec["state"]
}

func closes(table, state string) bool {
	if m, ok := inactiveStates[table]; ok {
		return m[state]
	}
	return inactiveStates["task"][state]
}

func prefix(table string) string {
	switch table {
	case "incident":
		return "INC"
	case "problem":
		return "PRB"
	case "change_request":
		return "CHG"
	case "sc_req_item":
		return "RITM"
	case "sc_task":
		return "SCTASK"
	}
	return "TASK"
}
