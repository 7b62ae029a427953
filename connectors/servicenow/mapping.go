package servicenow

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"fairlead/connectors/ticket"
)

// kindOf is the kind of a table's tickets by the base system's tables.
func kindOf(table string) ticket.Kind {
	switch table {
	case "incident":
		return ticket.KindIncident
	case "problem":
		return ticket.KindProblem
	case "change_request":
		return ticket.KindChange
	case "sc_request", "sc_req_item":
		return ticket.KindRequest
	case "sc_task", "incident_task", "problem_task", "change_task", "task", "rm_story", "rm_scrum_task":
		return ticket.KindTask
	case "rm_defect":
		return ticket.KindBug
	}
	return ticket.KindOther
}

// baseStates are the categories of the states that the base system ships, by
// table: the older numbers beside those of the State Model since Madrid
// (product documentation, "Incident state values", "Problem states", "State
// model for changes", "Task states"). A table that is not named has the states
// of task.
var baseStates = map[string]map[string]ticket.Category{
	"incident": {
		"1": ticket.CategoryTodo, "2": ticket.CategoryInProgress, "3": ticket.CategoryInProgress,
		"4": ticket.CategoryInProgress, "5": ticket.CategoryInProgress,
		"6": ticket.CategoryDone, "7": ticket.CategoryDone, "8": ticket.CategoryDone,
	},
	"problem": {
		"101": ticket.CategoryTodo, "102": ticket.CategoryInProgress, "103": ticket.CategoryInProgress,
		"104": ticket.CategoryInProgress, "106": ticket.CategoryDone, "107": ticket.CategoryDone,
		"1": ticket.CategoryTodo, "2": ticket.CategoryInProgress, "3": ticket.CategoryInProgress, "4": ticket.CategoryDone,
	},
	"change_request": {
		"-5": ticket.CategoryTodo, "-4": ticket.CategoryInProgress, "-3": ticket.CategoryInProgress,
		"-2": ticket.CategoryInProgress, "-1": ticket.CategoryInProgress, "0": ticket.CategoryInProgress,
		"3": ticket.CategoryDone, "4": ticket.CategoryDone,
	},
	"problem_task": {
		"151": ticket.CategoryTodo, "152": ticket.CategoryInProgress, "154": ticket.CategoryInProgress,
		"157": ticket.CategoryDone, "1": ticket.CategoryTodo, "2": ticket.CategoryInProgress,
		"3": ticket.CategoryDone, "4": ticket.CategoryDone, "7": ticket.CategoryDone,
	},
	"rm_story": {
		"-6": ticket.CategoryTodo, "-8": ticket.CategoryInProgress, "-7": ticket.CategoryInProgress,
		"1": ticket.CategoryTodo, "2": ticket.CategoryInProgress, "3": ticket.CategoryDone, "4": ticket.CategoryDone,
	},
	"task": {
		"-5": ticket.CategoryTodo, "1": ticket.CategoryTodo, "2": ticket.CategoryInProgress,
		"3": ticket.CategoryDone, "4": ticket.CategoryDone, "7": ticket.CategoryDone,
	},
}

// byLabel are the categories of custom states that carry a customary label.
var byLabel = []struct {
	begins   string
	category ticket.Category
}{
	{"awaiting", ticket.CategoryInProgress},
	{"on hold", ticket.CategoryInProgress},
	{"work in progress", ticket.CategoryInProgress},
	{"in progress", ticket.CategoryInProgress},
	{"resolved", ticket.CategoryDone},
	{"closed", ticket.CategoryDone},
	{"cancel", ticket.CategoryDone},
}

// categoryOf is the category of a state: what the configuration says, else what
// the base system means by its number, else what its label says.
func categoryOf(t Table, class, state, label string) ticket.Category {
	if c, ok := t.Statuses[state]; ok {
		return c
	}
	states, ok := baseStates[class]
	if !ok {
		states = baseStates["task"]
	}
	if c, ok := states[state]; ok && t.StatusField != "approval" {
		return c
	}
	for _, r := range byLabel {
		if strings.HasPrefix(strings.ToLower(label), r.begins) {
			return r.category
		}
	}
	return ticket.CategoryOther
}

// The ids of statuses and areas carry where they are from: the same number is
// another state in another table, the same word another thing in another
// column.

func statusID(class, state string) string { return class + ":" + state }

func areaID(column, value string) string {
	if value == "" {
		return ""
	}
	return column + ":" + value
}

// record is a row of a task table.
type record map[string]text

func (r record) key() (at, id string) { return string(r["sys_updated_on"]), string(r["sys_id"]) }

func (r record) get(column string) string { return string(r[column]) }

func (r record) class(t Table) string { return cmp.Or(r.get("sys_class_name"), t.Name) }

func (r record) number(column string) int {
	n, _ := strconv.Atoi(r.get(column))
	return n
}

// area is the first of the columns that is filled.
func area(columns []string, get func(string) string) string {
	for _, c := range columns {
		if v := get(c); v != "" {
			return areaID(c, v)
		}
	}
	return ""
}

// columns are what is read of a table: nothing that a person wrote.
func (t Table) columns() []string {
	cols := []string{
		"sys_id", "number", "sys_class_name", "sys_created_on", "sys_updated_on", "sys_mod_count", "active",
		"assigned_to", "assignment_group", "priority", "reassignment_count", "closed_at",
		t.StatusField, t.ParentField,
	}
	cols = append(cols, t.AreaFields...)
	if t.EffortField != "" {
		cols = append(cols, t.EffortField)
	}
	for _, rule := range []Rule{t.Unplanned, t.Planned, t.OnCall} {
		cols = slices.AppendSeq(cols, maps.Keys(rule))
	}
	if caller := callerColumn[t.Name]; caller != "" {
		cols = append(cols, caller)
	}
	slices.Sort(cols)
	return slices.Compact(cols)
}

// tracked are the columns whose audit is read, with the field each stands for;
// an area column stands for FieldArea. incident_state is kept like state by the
// base system and audited beside it: only the configured one is read, so that a
// change is not counted twice.
func (t Table) tracked() map[string]ticket.Field {
	m := map[string]ticket.Field{
		"assigned_to": ticket.FieldAssignee, "assignment_group": ticket.FieldGroup,
		"priority": ticket.FieldPriority, "sys_class_name": ticket.FieldKind,
	}
	for _, c := range t.AreaFields {
		m[c] = ticket.FieldArea
	}
	m[t.ParentField] = ticket.FieldParent
	if t.EffortField != "" {
		m[t.EffortField] = ticket.FieldEffort
	}
	m[t.StatusField] = ticket.FieldStatus
	return m
}

// present is the ticket without its history; why says what keeps a row from
// being read, in constant words.
func (s *Source) present(t Table, r record) (tk ticket.Ticket, why string) {
	for _, c := range []string{t.StatusField, "assigned_to", "sys_created_on"} {
		if _, ok := r[c]; !ok {
			return tk, reasonNoPermission
		}
	}
	created, ok1 := parseTime(r["sys_created_on"])
	updated, ok2 := parseTime(r["sys_updated_on"])
	if !ok1 || !ok2 {
		return tk, reasonUnreadable
	}
	class := r.class(t)
	tk = ticket.Ticket{
		Source: s.name, ID: r.get("sys_id"), Key: r.get("number"), Created: created, Updated: updated,
		Assignee: r.get("assigned_to"), Status: statusID(class, r.get(t.StatusField)), Group: r.get("assignment_group"),
		Kind: class, Priority: r.get("priority"), Parent: r.get(t.ParentField), HistoryComplete: true,
	}
	tk.Marks = t.marks(r)
	if a := area(t.AreaFields, r.get); a != "" {
		tk.Areas = []string{a}
	}
	if t.EffortField != "" {
		if e, ok := parseEffort(r.get(t.EffortField)); ok {
			tk.Effort = &e
		}
	}
	return tk, ""
}

const (
	reasonNoPermission = "no permission"
	reasonUnreadable   = "unreadable"
	reasonGone         = "gone or not visible"
)

// parseEffort reads a number, or a duration, which is stored as the time so
// long after the epoch (product documentation, "Duration field"), in hours.
func parseEffort(v string) (float64, bool) {
	if v == "" {
		return 0, false
	}
	if f, err := strconv.ParseFloat(v, 64); err == nil && f >= 0 && f < 1e9 {
		return f, true
	}
	if t, ok := parseTime(text(v)); ok && !t.Before(time.Unix(0, 0)) {
		return t.Sub(time.Unix(0, 0)).Hours(), true
	}
	return 0, false
}

func effortText(v string) string {
	f, ok := parseEffort(v)
	if !ok {
		return ""
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
