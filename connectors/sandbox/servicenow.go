package sandbox

import (
	"cmp"
	"maps"
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
				in.Put("sys_user_grmember", servicenowtest.Record{
					"sys_id": servicenowtest.SysID("sys_user_grmember", q.ID+m.Person.ServiceNowID),
					"group":  q.ID, "user": m.Person.ServiceNowID,
				})
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

// auditor writes tickets as the platform would have written them: one update
// after the other, each with its number, auditing every column that changed.
type auditor struct {
	o    *Organisation
	in   *servicenowtest.Instance
	rows []servicenowtest.AuditRow
	rec  servicenowtest.Record
}

func (w *auditor) load(t *Ticket) {
	table := t.Type.table()
	w.rows, w.rec = w.rows[:0], servicenowtest.Record{}
	columns := w.columns(t, t.first)
	reassigned, reopened := 0, 0
	columns["reassignment_count"], columns["reopen_count"] = "0", "0"
	checkpoint, user := 0, w.user(int32(t.Reporter.index))
	write := func(at int64, by int32, change servicenowtest.Record, silent bool) {
		checkpoint++
		user = w.user(by)
		for _, col := range slices.Sorted(maps.Keys(change)) {
			if columns[col] == change[col] {
				continue
			}
			if !silent {
				w.rows = append(w.rows, servicenowtest.AuditRow{
					Table: table, Key: t.ID, Field: col, Old: columns[col], New: change[col],
					User: user, At: instant(at), Checkpoint: checkpoint,
				})
			}
			columns[col] = change[col]
		}
	}
	acts := t.acts
	comments := func(before int64) {
		for len(acts) > 0 && acts[0].at < before {
			a := acts[0]
			acts = acts[1:]
			checkpoint++
			user = w.user(a.actor)
			field := "work_notes"
			if w.o.People[a.actor].Role == Staff {
				field = "comments"
			}
			w.rows = append(w.rows, servicenowtest.AuditRow{
				Table: table, Key: t.ID, Field: field, New: "Noted.", User: user, At: instant(a.at), Checkpoint: checkpoint,
			})
		}
	}
	now := t.first
	for i := 0; i < len(t.changes); {
		c := t.changes[i]
		comments(c.at)
		before := now
		for first := true; i < len(t.changes) && (first || t.changes[i].together); i++ {
			now.apply(t.changes[i])
			first = false
		}
		change := w.columns(t, now)
		if now.queue != before.queue {
			reassigned++
		}
		if before.phase.Done() && !now.phase.Done() {
			reopened++
		}
		change["reassignment_count"], change["reopen_count"] = strconv.Itoa(reassigned), strconv.Itoa(reopened)
		w.outcome(t, change, columns, before, now, c)
		write(c.at, c.actor, change, c.silent)
	}
	comments(never)

	rec := w.rec
	maps.Copy(rec, columns)
	rec["sys_id"], rec["number"] = t.ID, t.Key
	rec["opened_at"], rec["sys_created_on"] = servicenowtest.FormatTime(t.Created), servicenowtest.FormatTime(t.Created)
	rec["sys_created_by"] = w.user(int32(t.Reporter.index))
	rec["sys_updated_on"], rec["sys_updated_by"] = servicenowtest.FormatTime(t.Updated), user
	rec["sys_mod_count"] = strconv.Itoa(checkpoint)
	rec["opened_by"] = t.Reporter.ServiceNowID
	rec["short_description"] = "Generated"
	if t.Type == Incident {
		rec["caller_id"] = t.Reporter.ServiceNowID
		rec["contact_type"] = "self-service"
		if t.Reporter.Role == Bot {
			rec["contact_type"] = "monitoring"
		}
	}
	w.in.Put(table, rec)
	w.in.Audit(w.rows...)
}

// columns are the audited columns that follow from the tracked values.
func (w *auditor) columns(t *Ticket, v values) servicenowtest.Record {
	rec := servicenowtest.Record{
		"state":            states[v.kind][v.phase],
		"active":           strconv.FormatBool(!v.kind.closedState(v.phase)),
		"assignment_group": w.o.Queues[v.queue].ID,
		"assigned_to":      "",
		"priority":         strconv.Itoa(int(v.priority)),
		"cmdb_ci":          "",
		"business_service": "",
	}
	if v.kind == Incident {
		rec["incident_state"] = rec["state"]
	}
	if v.assignee != none {
		rec["assigned_to"] = w.o.People[v.assignee].ServiceNowID
	}
	category := w.o.Queues[v.queue].Areas[0].Category
	if v.area != none {
		a := w.o.Areas[v.area]
		category = a.Category
		if a.Kind == AreaCI {
			rec["cmdb_ci"] = a.ID
		} else {
			rec["business_service"] = a.ID
		}
	}
	if v.kind == Incident || v.kind == Problem {
		rec["category"] = category
	}
	return rec
}

// outcome sets who resolved and closed it, and when, and takes it back where
// it is reopened.
func (w *auditor) outcome(t *Ticket, change, old servicenowtest.Record, before, after values, c change) {
	for _, end := range []struct {
		at, by string
		is     func(Phase) bool
	}{
		{"resolved_at", "resolved_by", Phase.Done},
		{"closed_at", "closed_by", t.Type.closedState},
	} {
		if end.at == "resolved_at" && t.Type != Incident && t.Type != Problem {
			continue
		}
		change[end.at], change[end.by] = old[end.at], old[end.by]
		switch {
		case end.is(after.phase) && !end.is(before.phase):
			change[end.at] = servicenowtest.FormatTime(instant(c.at))
			if c.actor != none {
				change[end.by] = w.o.People[c.actor].ServiceNowID
			}
		case !end.is(after.phase) && end.is(before.phase):
			change[end.at], change[end.by] = "", ""
		}
	}
}

func (w *auditor) user(index int32) string {
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
