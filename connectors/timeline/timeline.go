// Package timeline turns a ticket's recorded changes into the intervals that
// the measures read: who held it, and which value each tracked field had. It
// is pure and never fails: where a history contradicts itself or the present
// state, it decides by fixed rules and counts the place.
package timeline

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"fairlead/connectors/ticket"
)

// single lists the fields of one value that get spells, in the order in which
// Derive returns them; area, a set, comes after group.
var single = [...]ticket.Field{
	ticket.FieldEffort, ticket.FieldKind, ticket.FieldPriority, ticket.FieldProject,
}

// Derive returns t with its changes in order and with the assignments, spells
// and number of unrecorded changes that follow from them. Version is left 0.
//
// The changes of a field are followed by (At, Seq), then by their place in
// t.Changes:
//   - The value before the first one is its From; without changes the present
//     value holds from Created on. A change before Created counts as made then.
//   - Every To is believed. A From that is not the value in force is one
//     unrecorded change; a change that leaves the value as it is makes no
//     interval.
//   - A present value that is not the last To came by an unrecorded change, at
//     Updated or at the field's last change, whichever is later.
//
// So the intervals of a field of one value follow each other without gap or
// overlap from Created on, and the last of them, which is open, has the present
// value. Areas are a set: each has its own intervals, by the same rules, and
// only while the ticket was in it.
//
// Zero-length intervals are kept, in order. An assignment is one interval of
// the assignee that is not nobody; its group is the one in force just after
// the update that gave it. The input is not changed.
func Derive(t ticket.Ticket) ticket.Record {
	r := ticket.Record{Ticket: t}
	r.Changes = inOrder(t.Changes)
	h := history{created: t.Created, updated: t.Updated, changes: r.Changes}

	var assigneeSteps, groupSteps, otherSteps [8]step
	groups := h.follow(groupSteps[:0], ticket.FieldGroup, t.Group)
	holders := h.follow(assigneeSteps[:0], ticket.FieldAssignee, t.Assignee)
	r.Assignments = h.assignments(holders, groups)

	// Each field has one spell to begin with, and at most one more for each
	// change and for a present value that disagrees.
	r.Spells = make([]ticket.Spell, 0, len(single)+2+len(t.Areas)+len(t.Changes))
	other := otherSteps[:0]
	other = h.follow(other, ticket.FieldStatus, t.Status)
	r.Spells = appendSpells(r.Spells, ticket.FieldStatus, other)
	r.Spells = appendSpells(r.Spells, ticket.FieldGroup, groups)
	r.Spells = h.appendAreas(r.Spells, t.Areas)
	for _, field := range single {
		other = h.follow(other[:0], field, present(&t, field))
		r.Spells = appendSpells(r.Spells, field, other)
	}
	h.follow(other[:0], ticket.FieldParent, t.Parent)

	r.Unrecorded = h.unrecorded
	return r
}

// history is a ticket's changes in order, and the count of what they lack.
type history struct {
	created, updated time.Time
	changes          []ticket.Change
	unrecorded       uint32
}

// step is a value and the moment from which a field had it.
type step struct {
	at    time.Time
	cause int // index of the change; initial or inferred where there is none
	value string
}

const (
	initial  = -1
	inferred = -2
)

// follow appends the steps of a field of one value to steps.
func (h *history) follow(steps []step, field ticket.Field, now string) []step {
	for i := range h.changes {
		c := &h.changes[i]
		if c.Field != field {
			continue
		}
		from, to := c.From, c.To
		if field == ticket.FieldEffort {
			from, to = canonical(from), canonical(to)
		}
		if len(steps) == 0 {
			steps = append(steps, step{at: h.created, cause: initial, value: from})
		}
		last := steps[len(steps)-1].value
		if from != last {
			h.unrecorded++
		}
		if to != last {
			steps = append(steps, step{at: h.when(c), cause: i, value: to})
		}
	}
	if len(steps) == 0 {
		return append(steps, step{at: h.created, cause: initial, value: now})
	}
	if steps[len(steps)-1].value != now {
		h.unrecorded++
		steps = append(steps, step{at: h.latest(field), cause: inferred, value: now})
	}
	return steps
}

// when is the moment of a change, never before the ticket was created.
func (h *history) when(c *ticket.Change) time.Time {
	if c.At.Before(h.created) {
		return h.created
	}
	return c.At
}

// latest is when a change of the field that nobody recorded is taken to have
// been made: at the last update, and not before the last recorded one.
func (h *history) latest(field ticket.Field) time.Time {
	at := h.updated
	if at.Before(h.created) {
		at = h.created
	}
	for i := len(h.changes) - 1; i >= 0; i-- {
		if h.changes[i].Field == field {
			if h.changes[i].At.After(at) {
				at = h.changes[i].At
			}
			break
		}
	}
	return at
}

func (h *history) assignments(holders, groups []step) []ticket.Assignment {
	held := 0
	for _, s := range holders {
		if s.value != "" {
			held++
		}
	}
	if held == 0 {
		return nil
	}
	assignments := make([]ticket.Assignment, 0, held)
	g := 0
	for i, s := range holders {
		for g+1 < len(groups) && h.inForce(groups[g+1], s) {
			g++
		}
		if s.value == "" {
			continue
		}
		a := ticket.Assignment{Actor: s.value, Group: groups[g].value, From: s.at}
		if i+1 < len(holders) {
			a.To = holders[i+1].at
		}
		assignments = append(assignments, a)
	}
	return assignments
}

// inForce reports whether group, a later step than the first, holds just after
// the update that made holder.
func (h *history) inForce(group, holder step) bool {
	switch {
	case holder.cause == initial:
		return false
	case holder.cause == inferred || group.cause == inferred:
		return !group.at.After(holder.at)
	case group.cause <= holder.cause:
		return true
	default:
		g, a := &h.changes[group.cause], &h.changes[holder.cause]
		return g.Seq == a.Seq && g.At.Equal(a.At)
	}
}

func appendSpells(spells []ticket.Spell, field ticket.Field, steps []step) []ticket.Spell {
	for i, s := range steps {
		spell := ticket.Spell{Field: field, Value: s.value, From: s.at}
		if i+1 < len(steps) {
			spell.To = steps[i+1].at
		}
		spells = append(spells, spell)
	}
	return spells
}

// appendAreas follows each area by itself: in, or out. A change takes From out
// and puts To in.
func (h *history) appendAreas(spells []ticket.Spell, now []string) []ticket.Spell {
	areas := slices.Clone(now)
	for i := range h.changes {
		if c := &h.changes[i]; c.Field == ticket.FieldArea {
			areas = append(areas, c.From, c.To)
		}
	}
	slices.Sort(areas)
	areas = slices.Compact(areas)

	first := len(spells)
	for _, area := range areas {
		if area != "" {
			spells = h.appendArea(spells, area, slices.Contains(now, area))
		}
	}
	slices.SortStableFunc(spells[first:], func(a, b ticket.Spell) int { return a.From.Compare(b.From) })
	return spells
}

func (h *history) appendArea(spells []ticket.Spell, area string, present bool) []ticket.Spell {
	var in, mentioned bool
	open := ticket.Spell{Field: ticket.FieldArea, Value: area, From: h.created}
	turn := func(to bool, at time.Time) {
		switch {
		case to && !in:
			open.From = at
		case !to && in:
			closed := open
			closed.To = at
			spells = append(spells, closed)
		}
		in = to
	}
	last := h.created
	for i := range h.changes {
		c := &h.changes[i]
		if c.Field != ticket.FieldArea || (c.From != area && c.To != area) {
			continue
		}
		last = h.when(c)
		was := c.From == area
		if !mentioned {
			in, mentioned = was, true
		}
		if was != in {
			h.unrecorded++
		}
		turn(c.To == area, last)
	}
	switch {
	case !mentioned:
		in = present
	case in != present:
		h.unrecorded++
		if h.updated.After(last) {
			last = h.updated
		}
		turn(present, last)
	}
	if in {
		spells = append(spells, open)
	}
	return spells
}

// present is the present value of a field, as changes write it.
func present(t *ticket.Ticket, field ticket.Field) string {
	switch field {
	case ticket.FieldKind:
		return t.Kind
	case ticket.FieldPriority:
		return t.Priority
	case ticket.FieldProject:
		return t.Project
	case ticket.FieldEffort:
		if t.Effort == nil {
			return ""
		}
		return number(*t.Effort)
	default:
		panic("timeline: no present value for field " + string(field))
	}
}

// canonical writes an effort in one way, since sources write 3, 3.0 and 3.00
// for the same. What is not a number stays as it is.
func canonical(effort string) string {
	if effort == "" {
		return ""
	}
	v, err := strconv.ParseFloat(effort, 64)
	if err != nil {
		return effort
	}
	return number(v)
}

func number(v float64) string {
	if v == 0 {
		return "0" // also for minus zero
	}
	format := byte('f')
	if math.Abs(v) >= 1e15 {
		format = 'g'
	}
	return strconv.FormatFloat(v, format, -1, 64)
}

// inOrder returns the changes by (At, Seq), those of one update in the order
// in which they came. It copies only what it must move.
func inOrder(changes []ticket.Change) []ticket.Change {
	byTime := func(a, b ticket.Change) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Seq, b.Seq))
	}
	if slices.IsSortedFunc(changes, byTime) {
		return changes
	}
	changes = slices.Clone(changes)
	slices.SortStableFunc(changes, byTime)
	return changes
}
