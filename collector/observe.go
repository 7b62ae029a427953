package collector

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fairlead/connectors/ticket"
)

// observed reads what is stored of the tickets that have fields of whose changes
// the source keeps no record.
func (c *Collector) observed(ctx context.Context, tickets []fetched) (map[string]ticket.Ticket, error) {
	var ids []string
	for i := range tickets {
		if len(tickets[i].Observed) > 0 {
			ids = append(ids, tickets[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	stored, err := c.store.Histories(ctx, c.src.Name(), ids)
	if err != nil {
		return nil, fmt.Errorf("reading stored histories: %w", err)
	}
	return stored, nil
}

// compared is a ticket with the changes that are seen by comparing it with what is
// stored of it. Where nothing is, it is as it came.
func (c *Collector) compared(stored map[string]ticket.Ticket, t ticket.Ticket) ticket.Ticket {
	before, ok := stored[t.ID]
	if !ok || len(t.Observed) == 0 {
		return t
	}
	name := func(account string) string { return c.store.Reference(t.Source, account) }
	t.Assignee = name(t.Assignee)
	t.Changes = slices.Clone(t.Changes)
	for i, change := range t.Changes {
		if change.Field == ticket.FieldAssignee {
			t.Changes[i].From, t.Changes[i].To = name(change.From), name(change.To)
		}
	}
	return observe(before, t)
}

// observe adds to now, for each of its Observed fields, the changes that are stored
// and the one that must have been since, if the value is another than the stored
// one. That is dated by what the ticket tells of it, else by its last update: how
// often it changed in between, and who did it, is not known. It is the same when
// now is compared again with what was stored of it.
func observe(before, now ticket.Ticket) ticket.Ticket {
	var changes []ticket.Change
	for _, c := range now.Changes {
		if !slices.Contains(now.Observed, c.Field) {
			changes = append(changes, c)
		}
	}
	for _, field := range now.Observed {
		last := now.Created
		for _, c := range before.Changes {
			if c.Field == field {
				changes = append(changes, c)
				last = c.At
			}
		}
		at := later(now.Updated, last)
		if told, ok := toldOf(now, field); ok && told.After(last) && told.Before(at) {
			at = told
		}
		for _, d := range differences(values(before, field), values(now, field)) {
			changes = append(changes, ticket.Change{At: at, Field: field, From: d[0], To: d[1]})
		}
	}
	// What changed at one instant was one update: no more is known.
	slices.SortStableFunc(changes, func(a, b ticket.Change) int { return a.At.Compare(b.At) })
	for i := range changes {
		switch {
		case i == 0:
			changes[i].Seq = 1
		case changes[i].At.Equal(changes[i-1].At):
			changes[i].Seq = changes[i-1].Seq
		default:
			changes[i].Seq = changes[i-1].Seq + 1
		}
	}
	now.Changes = changes
	return now
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// toldOf is when a field got its present value, by the ticket's own word.
func toldOf(t ticket.Ticket, field ticket.Field) (at time.Time, ok bool) {
	present := values(t, field)
	for _, c := range t.Changes {
		if c.Field == field {
			at, ok = c.At, slices.Equal(present, []string{c.To})
		}
	}
	return at, ok
}

// values are what a field holds, as changes write it: one value, or for areas any
// number, in order.
func values(t ticket.Ticket, field ticket.Field) []string {
	switch field {
	case ticket.FieldAssignee:
		return []string{t.Assignee}
	case ticket.FieldStatus:
		return []string{t.Status}
	case ticket.FieldGroup:
		return []string{t.Group}
	case ticket.FieldKind:
		return []string{t.Kind}
	case ticket.FieldPriority:
		return []string{t.Priority}
	case ticket.FieldProject:
		return []string{t.Project}
	case ticket.FieldParent:
		return []string{t.Parent}
	case ticket.FieldEffort:
		if t.Effort == nil {
			return []string{""}
		}
		return []string{strconv.FormatFloat(*t.Effort, 'f', -1, 64)}
	case ticket.FieldArea:
		return t.Areas
	}
	return nil
}

// differences pairs what went with what came: both sides of a change, either of
// which may be "".
func differences(before, now []string) [][2]string {
	gone := slices.DeleteFunc(slices.Clone(before), func(v string) bool { return slices.Contains(now, v) })
	come := slices.DeleteFunc(slices.Clone(now), func(v string) bool { return slices.Contains(before, v) })
	slices.SortFunc(gone, strings.Compare)
	slices.SortFunc(come, strings.Compare)
	var out [][2]string
	for i := range max(len(gone), len(come)) {
		var pair [2]string
		if i < len(gone) {
			pair[0] = gone[i]
		}
		if i < len(come) {
			pair[1] = come[i]
		}
		out = append(out, pair)
	}
	return out
}
