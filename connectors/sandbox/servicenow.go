package sandbox

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"fairlead/connectors/servicenow/servicenowtest"
)

// table is the ServiceNow table of a type.
func (t Type) table() string {
	return [...]string{"incident", "sc_task", "change_request", "problem"}[t]
}

// states are what the base system's tables call the phases, by type and phase.
// A catalogue task has no state between resolved and closed.
var states = [...][Cancelled + 1]string{
	Incident:      {New: "1", InProgress: "2", OnHold: "3", Resolved: "6", Closed: "7", Cancelled: "8"},
	CatalogTask:   {New: "1", InProgress: "2", OnHold: "-5", Resolved: "3", Closed: "3", Cancelled: "4"},
	ChangeRequest: {New: "-5", InProgress: "-1", OnHold: "-2", Resolved: "0", Closed: "3", Cancelled: "4"},
	Problem:       {New: "101", InProgress: "104", OnHold: "103", Resolved: "106", Closed: "107", Cancelled: "107"},
}

// closedState reports whether the platform makes a record inactive in a phase.
func (t Type) closedState(p Phase) bool {
	return p == Closed || p == Cancelled || t == CatalogTask && p == Resolved
}

// LoadServiceNow fills an instance with the organisation's users, groups,
// configuration items and tickets, each with its audit.
func (o *Organisation) LoadServiceNow(in *servicenowtest.Instance) {
	lead := map[*Person]*Person{}
	for _, t := range o.Teams {
		for _, m := range t.Members {
			if m.Person != t.Lead {
				lead[m.Person] = t.Lead
			}
		}
	}
	for _, p := range o.People {
		if p.ServiceNow == "" || p.Deleted || p.ServiceNow == "system" {
			continue
		}
		u := servicenowtest.User{
			ID: p.ServiceNowID, UserName: p.ServiceNow, Name: p.Name, Email: p.Email, Inactive: !p.Left.IsZero(),
			Fields: servicenowtest.Record{"time_zone": p.Zone},
		}
		if l := lead[p]; l != nil {
			u.Fields["manager"] = l.ServiceNowID
		}
		if p.Role == Bot {
			u.WebServiceOnly, u.Integration = true, p == o.bot(botMonitoring)
		}
		in.AddUser(u)
	}
	for _, q := range o.Queues {
		if q.System != ServiceNow {
			continue
		}
		in.AddGroup(servicenowtest.Group{ID: q.ID, Name: q.Name, Manager: q.Team.Lead.ServiceNowID})
		for _, m := range q.Team.Members {
			if m.To.IsZero() {
				in.AddMember(q.ID, m.Person.ServiceNowID)
			}
		}
		for _, a := range q.Areas {
			class := "cmdb_ci_service"
			if a.Kind == AreaCI {
				class = "cmdb_ci_appl"
			}
			in.AddCI(servicenowtest.CI{ID: a.ID, Name: a.Name, Class: class})
		}
	}
	in.AddChoice(servicenowtest.Choice{Table: "incident", Element: "category", Value: "access", Label: "Access", Sequence: 9})
	tickets := make([]*Ticket, 0, len(o.Tickets))
	for _, t := range o.Tickets {
		if t.System() == ServiceNow {
			tickets = append(tickets, t)
		}
	}
	slices.SortFunc(tickets, func(a, b *Ticket) int {
		return cmp.Or(a.Updated.Compare(b.Updated), cmp.Compare(a.ID, b.ID))
	})
	w := auditor{o: o, in: in}
	for _, t := range tickets {
		w.load(t)
	}
}

// The audited columns of a task, in order of their names.
const (
	colActive = iota
	colAssignedTo
	colGroup
	colService
	colCategory
	colClosedAt
	colClosedBy
	colCI
	colIncidentState
	colPriority
	colReassigned
	colReopened
	colResolvedAt
	colResolvedBy
	colState
	columnCount
)

var columnNames = [columnCount]string{
	"active", "assigned_to", "assignment_group", "business_service", "category", "closed_at", "closed_by", "cmdb_ci",
	"incident_state", "priority", "reassignment_count", "reopen_count", "resolved_at", "resolved_by", "state",
}

type columns [columnCount]string

// auditor writes tickets as the platform would have written them: one update
// after the other, each with its number, auditing every column that changed.
type auditor struct {
	o  *Organisation
	in *servicenowtest.Instance

	// Of the ticket at hand.
	t          *Ticket
	columns    columns
	rows       []servicenowtest.AuditRow
	checkpoint int
	user       string // who made the last update
}

func (w *auditor) load(t *Ticket) {
	w.t, w.rows, w.checkpoint, w.user = t, w.rows[:0], 0, w.name(int32(t.Reporter.index))
	reporter := w.user
	w.columns = w.tracked(t.first)
	w.columns[colReassigned], w.columns[colReopened] = "0", "0"
	reassigned, reopened := 0, 0
	acts := t.acts
	for i, now := 0, t.first; i < len(t.changes); {
		c, before := t.changes[i], now
		for first := true; i < len(t.changes) && (first || t.changes[i].together); i++ {
			now.apply(t.changes[i])
			first = false
		}
		acts = w.comments(acts, c.at)
		next := w.tracked(now)
		if now.queue != before.queue {
			reassigned++
		}
		if before.phase.Done() && !now.phase.Done() {
			reopened++
		}
		next[colReassigned], next[colReopened] = strconv.Itoa(reassigned), strconv.Itoa(reopened)
		w.outcome(&next, before, now, c)
		w.update(next, c)
	}
	w.comments(acts, never)
	w.in.Put(t.Type.table(), w.record(reporter))
	w.in.Audit(w.rows...)
}

// update is one update of the record.
func (w *auditor) update(next columns, c change) {
	w.checkpoint++
	w.user = w.name(c.actor)
	for i, v := range next {
		if v != w.columns[i] && !c.silent {
			w.audit(columnNames[i], w.columns[i], v, c.at)
		}
	}
	w.columns = next
}

func (w *auditor) audit(column, from, to string, at int64) {
	w.rows = append(w.rows, servicenowtest.AuditRow{
		Table: w.t.Type.table(), Key: w.t.ID, Field: column, Old: from, New: to,
		User: w.user, At: instant(at), Checkpoint: w.checkpoint,
	})
}

// comments writes the journal entries before a time, and returns the rest.
func (w *auditor) comments(acts []act, before int64) []act {
	for len(acts) > 0 && acts[0].at < before {
		a := acts[0]
		acts = acts[1:]
		w.checkpoint++
		w.user = w.name(a.actor)
		column := "work_notes"
		if w.o.People[a.actor].Role == Staff {
			column = "comments"
		}
		w.audit(column, "JOURNAL FIELD ADDITION", "Noted.", a.at)
		w.in.Journal(servicenowtest.JournalEntry{
			Table: w.t.Type.table(), Key: w.t.ID, Element: column, Value: "Noted.", User: w.user, At: instant(a.at),
		})
	}
	return acts
}

// record is the ticket as it is after all its updates.
func (w *auditor) record(reporter string) servicenowtest.Record {
	t := w.t
	rec := servicenowtest.Record{
		"sys_id": t.ID, "number": t.Key, "short_description": "Generated",
		"opened_at": servicenowtest.FormatTime(t.Created), "opened_by": t.Reporter.ServiceNowID,
		"sys_created_on": servicenowtest.FormatTime(t.Created), "sys_created_by": reporter,
		"sys_updated_on": servicenowtest.FormatTime(t.Updated), "sys_updated_by": w.user,
		"sys_mod_count": strconv.Itoa(w.checkpoint),
	}
	for i, v := range w.columns {
		if v != "" {
			rec[columnNames[i]] = v
		}
	}
	if t.Type == Incident {
		rec["caller_id"], rec["contact_type"] = t.Reporter.ServiceNowID, "self-service"
		if t.Reporter.Role == Bot {
			rec["contact_type"] = "monitoring"
		}
	}
	return rec
}

// tracked are the columns that follow from the tracked values.
func (w *auditor) tracked(v values) columns {
	state := states[v.kind][v.phase]
	c := columns{
		colActive: strconv.FormatBool(!v.kind.closedState(v.phase)), colGroup: w.o.Queues[v.queue].ID,
		colPriority: strconv.Itoa(int(v.priority)), colState: state,
	}
	if v.kind == Incident {
		c[colIncidentState] = state
	}
	if v.assignee != none {
		c[colAssignedTo] = w.o.People[v.assignee].ServiceNowID
	}
	if v.area != none {
		if a := w.o.Areas[v.area]; a.Kind == AreaCI {
			c[colCI] = a.ID
		} else {
			c[colService] = a.ID
		}
	}
	c[colCategory] = w.o.category(v)
	return c
}

// outcome sets who resolved and closed it, and when, and takes it back where
// it is reopened.
func (w *auditor) outcome(next *columns, before, after values, c change) {
	kind := w.t.Type
	for _, end := range []struct {
		at, by int
		is     func(Phase) bool
	}{
		{colResolvedAt, colResolvedBy, func(p Phase) bool { return p.Done() && (kind == Incident || kind == Problem) }},
		{colClosedAt, colClosedBy, kind.closedState},
	} {
		next[end.at], next[end.by] = w.columns[end.at], w.columns[end.by]
		switch {
		case end.is(after.phase) && !end.is(before.phase):
			next[end.at] = servicenowtest.FormatTime(instant(c.at))
			if c.actor != none {
				next[end.by] = w.o.People[c.actor].ServiceNowID
			}
		case !end.is(after.phase) && end.is(before.phase):
			next[end.at], next[end.by] = "", ""
		}
	}
}

// name is the user_name of whoever made an update.
func (w *auditor) name(index int32) string {
	if index == none {
		return "system"
	}
	return w.o.People[index].ServiceNow
}

// ServiceNow is a new instance filled with the organisation, whose clock starts
// at the end of the year and runs on from there.
func (o *Organisation) ServiceNow(opts servicenowtest.Options) *servicenowtest.Instance {
	if opts.Clock == nil {
		opts.Clock = o.clock()
	}
	in := servicenowtest.New(opts)
	o.LoadServiceNow(in)
	return in
}

// clock runs from the end of the year on.
func (o *Organisation) clock() func() time.Time {
	started := time.Now()
	return func() time.Time { return o.Now.Add(time.Since(started)) }
}
