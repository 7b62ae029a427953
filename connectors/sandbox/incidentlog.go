package sandbox

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"fairlead/connectors/servicenow/servicenowtest"
)

// IncidentLogSummary says what an incident log held.
type IncidentLogSummary struct {
	Incidents  int
	Rows       int // snapshots read
	Changes    int // audit rows made of them
	LastChange time.Time
}

// incidentLogTime is the form of the log's times: day, month, year. They have no
// zone and are taken as UTC.
const incidentLogTime = "2/1/2006 15:04"

// incidentLogColumns are the columns that the log must have, in any order, with
// the column of incident that each fills; "" where it is used otherwise.
var incidentLogColumns = map[string]string{
	"number": "number", "incident_state": "", "active": "active",
	"reassignment_count": "reassignment_count", "reopen_count": "reopen_count", "sys_mod_count": "",
	"made_sla": "made_sla", "caller_id": "caller_id", "opened_by": "opened_by", "opened_at": "opened_at",
	"sys_created_by": "", "sys_created_at": "", "sys_updated_by": "", "sys_updated_at": "",
	"contact_type": "contact_type", "location": "location", "category": "category", "subcategory": "subcategory",
	"u_symptom": "u_symptom", "cmdb_ci": "cmdb_ci", "impact": "impact", "urgency": "urgency", "priority": "priority",
	"assignment_group": "assignment_group", "assigned_to": "assigned_to", "knowledge": "knowledge",
	"u_priority_confirmation": "u_priority_confirmation", "notify": "notify", "problem_id": "problem_id", "rfc": "rfc",
	"vendor": "vendor", "caused_by": "caused_by", "closed_code": "close_code", "resolved_by": "resolved_by",
	"resolved_at": "resolved_at", "closed_at": "closed_at",
}

// The log names states by their labels; the numbers are those of the base
// system at the time. Awaiting Vendor is one that this instance added. -100 is
// a number already, which nothing is known of.
var incidentLogStates = map[string]string{
	"New": "1", "Active": "2", "Awaiting Problem": "3", "Awaiting User Info": "4", "Awaiting Evidence": "5",
	"Resolved": "6", "Closed": "7", "Awaiting Vendor": "9", "-100": "-100",
}

const (
	stateResolved = "6"
	stateClosed   = "7"
)

// LoadIncidentLog reads "Incident management process enriched event log" (UCI
// Machine Learning Repository, DOI 10.24432/C57S4H), as it is or packed by
// gzip, into an instance. Each row of the log is an incident as it was after an
// update; the differences between consecutive rows of an incident become its
// audit. What the log shows on every row but was only known in the end
// (resolved_at, resolved_by, closed_at, closed_code) is hidden until then.
//
// The place of a row among its incident's is the update count of its audit:
// the log's own count goes back in places. An incident without a creation time
// was created at its first row. Nothing is loaded where any line is wrong; the
// error names the line and the column.
func LoadIncidentLog(r io.Reader, in *servicenowtest.Instance) (IncidentLogSummary, error) {
	plain, err := unpacked(r)
	if err != nil {
		return IncidentLogSummary{}, err
	}
	l := &incidentLog{users: map[string]servicenowtest.User{}, groups: map[string]string{}, items: map[string]string{}}
	if err := l.read(plain); err != nil {
		return IncidentLogSummary{}, err
	}
	l.load(in)
	return l.sum, nil
}

// unpacked gives the log's text, which gzip may have packed: known by its first
// two bytes, whatever the file is called.
func unpacked(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	magic, err := b.Peek(2)
	switch {
	case errors.Is(err, io.EOF) && len(magic) == 0:
		return nil, errors.New("incident log: the file is empty; give the UCI incident log (CSV)")
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("reading incident log: %w", err)
	case !bytes.Equal(magic, []byte{0x1f, 0x8b}):
		return b, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, fmt.Errorf("unpacking incident log: %w; fetch the file again", err)
	}
	return z, nil
}

// incidentLog is a log as it is read: all of it is held until it is known to be
// right.
type incidentLog struct {
	columns map[string]int

	incidents []*incident
	byNumber  map[string]*incident
	audit     []servicenowtest.AuditRow

	users         map[string]servicenowtest.User // by user_name
	groups, items map[string]string              // name → sys_id

	sum IncidentLogSummary
}

// incident is one incident as of the last row read.
type incident struct {
	id      string
	rec     servicenowtest.Record
	created time.Time
	rows    int
}

func (l *incidentLog) read(r io.Reader) error {
	c := csv.NewReader(r)
	c.ReuseRecord = true
	head, err := c.Read()
	if errors.Is(err, io.EOF) {
		return errors.New("incident log: the file is empty; give the UCI incident log (CSV)")
	}
	if err != nil {
		return lineError(1, head, 0, err)
	}
	if err := l.header(head); err != nil {
		return err
	}
	l.byNumber = map[string]*incident{}
	for line, columns := 1, len(head); ; {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return lineError(line, row, columns, err)
		}
		line, _ = c.FieldPos(0)
		if err := l.row(row); err != nil {
			return fmt.Errorf("incident log: line %d, %w; correct the line or remove the incident's rows", line, err)
		}
	}
	if l.sum.Rows == 0 {
		return errors.New("incident log: the file has no rows below its header; give the UCI incident log (CSV)")
	}
	l.sum.Incidents, l.sum.Changes = len(l.incidents), len(l.audit)
	return nil
}

// lineError says where the text stops being a table; after is the last line that
// was read.
func lineError(after int, row []string, columns int, err error) error {
	var p *csv.ParseError
	switch {
	case errors.Is(err, csv.ErrFieldCount) && errors.As(err, &p):
		return fmt.Errorf("incident log: line %d has %d columns where the header has %d; correct the line or remove the incident's rows", p.Line, len(row), columns)
	case errors.As(err, &p):
		return fmt.Errorf("incident log: line %d, column %d: %w; correct the line or remove the incident's rows", p.Line, p.Column, p.Err)
	default:
		return fmt.Errorf("reading incident log after line %d: %w; fetch the file again", after, err)
	}
}

func (l *incidentLog) header(head []string) error {
	l.columns = map[string]int{}
	for i, name := range head {
		name = strings.TrimPrefix(strings.TrimSpace(name), "\ufeff")
		if _, twice := l.columns[name]; twice {
			return fmt.Errorf("incident log: line 1, column %s: stands there twice; remove one", name)
		}
		l.columns[strings.Clone(name)] = i
	}
	for _, name := range slices.Sorted(maps.Keys(incidentLogColumns)) {
		if _, ok := l.columns[name]; !ok {
			return fmt.Errorf("incident log: line 1, column %s: is missing; give the UCI incident log (CSV) as it is published", name)
		}
	}
	return nil
}

// cell gives a column of a row; ? stands for nothing.
func (l *incidentLog) cell(row []string, column string) string {
	if v := strings.TrimSpace(row[l.columns[column]]); v != "?" {
		return v
	}
	return ""
}

func (l *incidentLog) row(row []string) error {
	number := l.cell(row, "number")
	if number == "" {
		return errors.New("column number: is empty, every row needs one")
	}
	at, err := l.time(row, "sys_updated_at")
	if err != nil {
		return err
	}
	if at.IsZero() {
		return errors.New("column sys_updated_at: is empty, every row needs one")
	}
	rec, err := l.snapshot(row)
	if err != nil {
		return err
	}
	l.sum.Rows++
	if at.After(l.sum.LastChange) {
		l.sum.LastChange = at
	}
	by := l.user(l.cell(row, "sys_updated_by"))

	inc := l.byNumber[number]
	if inc == nil {
		inc = &incident{id: servicenowtest.SysID("incident", number), created: at}
		created, err := l.time(row, "sys_created_at")
		if err != nil {
			return err
		}
		if !created.IsZero() {
			inc.created = created
		}
		rec["sys_created_on"] = servicenowtest.FormatTime(inc.created)
		rec["sys_created_by"] = l.user(l.cell(row, "sys_created_by"))
		l.byNumber[strings.Clone(number)] = inc
		l.incidents = append(l.incidents, inc)
	} else {
		rec["sys_created_on"], rec["sys_created_by"] = inc.rec["sys_created_on"], inc.rec["sys_created_by"]
		l.differences(inc, rec, by, at)
	}
	// The log's count may be behind the place: what the platform counts never is.
	mods, err := l.integer(row, "sys_mod_count")
	if err != nil {
		return err
	}
	rec["sys_id"] = inc.id
	rec["sys_mod_count"] = strconv.Itoa(max(mods, inc.rows))
	rec["sys_updated_on"], rec["sys_updated_by"] = servicenowtest.FormatTime(at), by
	inc.rec = rec
	inc.rows++
	return nil
}

// differences makes the audit of one update.
func (l *incidentLog) differences(inc *incident, rec servicenowtest.Record, by string, at time.Time) {
	for _, column := range auditedColumns {
		if before, after := inc.rec[column], rec[column]; before != after {
			l.audit = append(l.audit, servicenowtest.AuditRow{
				Table: "incident", Key: inc.id, Field: column, Old: before, New: after, User: by, At: at, Checkpoint: inc.rows,
			})
		}
	}
}

// copiedColumns are the columns of the log that fill one of incident each,
// auditedColumns those of incident whose changes are audited.
var copiedColumns, auditedColumns = func() (copied, audited []string) {
	audited = []string{"state", "incident_state"}
	for from, to := range incidentLogColumns {
		if to == "" {
			continue
		}
		copied = append(copied, from)
		if to != "number" {
			audited = append(audited, to)
		}
	}
	slices.Sort(copied)
	slices.Sort(audited)
	return copied, audited
}()

// snapshot is the record that a row shows, without what it could not show then.
func (l *incidentLog) snapshot(row []string) (servicenowtest.Record, error) {
	rec := servicenowtest.Record{}
	label := l.cell(row, "incident_state")
	state, ok := incidentLogStates[label]
	if !ok {
		return nil, fmt.Errorf("column incident_state: %q is not a state of the log", label)
	}
	rec["state"], rec["incident_state"] = state, state
	for _, from := range copiedColumns {
		to := incidentLogColumns[from]
		v := l.cell(row, from)
		switch from {
		case "resolved_at", "resolved_by":
			if state != stateResolved && state != stateClosed {
				continue
			}
		case "closed_at", "closed_code":
			if state != stateClosed {
				continue
			}
		}
		if v == "" {
			continue
		}
		switch from {
		case "opened_at", "resolved_at", "closed_at":
			t, err := l.time(row, from)
			if err != nil {
				return nil, err
			}
			v = servicenowtest.FormatTime(t)
		case "reassignment_count", "reopen_count":
			if _, err := l.integer(row, from); err != nil {
				return nil, err
			}
		case "active", "made_sla", "knowledge", "u_priority_confirmation":
			if v != "true" && v != "false" {
				return nil, fmt.Errorf("column %s: %q is neither true nor false", from, v)
			}
		case "impact", "urgency", "priority":
			// "2 - Medium": the number is the value, the rest its label.
			digit, _, ok := strings.Cut(v, " - ")
			if n, err := strconv.Atoi(digit); !ok || err != nil || n < 1 || n > 5 {
				return nil, fmt.Errorf("column %s: %q does not begin with a level from 1 to 5", from, v)
			}
			v = digit
		case "assigned_to", "caller_id", "opened_by", "resolved_by":
			v = l.users[l.user(v)].ID
		case "assignment_group":
			v = idOf(l.groups, "sys_user_group", v)
		case "cmdb_ci":
			v = idOf(l.items, "cmdb_ci", v)
		}
		rec[to] = strings.Clone(v)
	}
	return rec, nil
}

// user keeps a person that the log names, and returns the user_name.
// "Resolver 89" holds incidents, "Updated by 21" is some other person: the log
// does not say which of them are the same.
func (l *incidentLog) user(name string) string {
	if name == "" {
		return ""
	}
	userName := strings.Join(strings.Fields(strings.ToLower(name)), ".")
	if _, ok := l.users[userName]; !ok {
		userName = strings.Clone(userName)
		l.users[userName] = servicenowtest.User{ID: servicenowtest.SysID("sys_user", userName), UserName: userName, Name: strings.Clone(name)}
	}
	return userName
}

// idOf gives the sys_id of a thing that the log names.
func idOf(ids map[string]string, table, name string) string {
	id, ok := ids[name]
	if !ok {
		id = servicenowtest.SysID(table, name)
		ids[strings.Clone(name)] = id
	}
	return id
}

func (l *incidentLog) time(row []string, column string) (time.Time, error) {
	v := l.cell(row, column)
	if v == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(incidentLogTime, v, time.UTC)
	if err != nil {
		return time.Time{}, fmt.Errorf("column %s: %q is not a time such as 29/2/2016 01:16", column, v)
	}
	return t, nil
}

func (l *incidentLog) integer(row []string, column string) (int, error) {
	v := l.cell(row, column)
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("column %s: %q is not a count", column, v)
	}
	return n, nil
}

// load puts what was read into the instance.
func (l *incidentLog) load(in *servicenowtest.Instance) {
	for label, value := range incidentLogStates {
		if label == value {
			continue
		}
		for _, element := range []string{"state", "incident_state"} {
			in.AddChoice(servicenowtest.Choice{Table: "incident", Element: element, Value: value, Label: label})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.users)) {
		in.AddUser(l.users[name])
	}
	for _, name := range slices.Sorted(maps.Keys(l.groups)) {
		in.AddGroup(servicenowtest.Group{ID: l.groups[name], Name: name})
	}
	for _, name := range slices.Sorted(maps.Keys(l.items)) {
		in.AddCI(servicenowtest.CI{ID: l.items[name], Name: name})
	}
	for _, inc := range l.incidents {
		in.Put("incident", inc.rec)
	}
	in.Audit(l.audit...)
}
