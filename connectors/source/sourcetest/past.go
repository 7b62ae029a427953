package sourcetest

import (
	"fmt"
	"slices"
	"time"

	"fairlead/connectors/ticket"
)

// Past says how much of what happened to a ticket its source tells. Whatever it is,
// the present state is right, no change is invented, and a ticket whose past is not
// all there says so.
type Past int

const (
	// PastWhole: every change, and who made it.
	PastWhole Past = iota
	// PastStates: what a ticket was and until when, but not who made it so, nor what
	// else happens to it when and after it is closed.
	PastStates
	// PastNone: nothing. All fields of a ticket that was ever updated are left to be
	// observed.
	PastNone
)

// difference says how a ticket is not what the source must tell of it, or nothing.
func (w *world) difference(got ticket.Ticket, name string) string {
	want := w.want(name)
	if w.h.Past == PastWhole {
		return difference(got, want)
	}
	whole := got.HistoryComplete
	want.HistoryComplete = whole
	if d := presentDifference(got, want); d != "" {
		return d
	}
	closed := w.firstClosed(name)
	for _, field := range tracked {
		a, b := statesOf(field, got), statesOf(field, want)
		for _, c := range got.Changes {
			// What came to be and went within an instant did happen.
			real := slices.ContainsFunc(want.Changes, func(o ticket.Change) bool {
				return o.Field == field && o.At.Equal(c.At) && (o.To == c.To || a.at(c.At) == b.at(c.At))
			})
			if c.Field == field && !real && (w.h.Past == PastNone || c.At.Before(closed)) {
				return fmt.Sprintf("a change of %s at %s to %q that never was", field, c.At.Format(time.RFC3339), c.To)
			}
		}
		for _, c := range want.Changes {
			if whole && c.Field == field && c.At.Before(closed) && a.at(c.At) != b.at(c.At) {
				return fmt.Sprintf("called whole, with the %s %q at %s\nwant %q", field, a.at(c.At), c.At.Format(time.RFC3339), b.at(c.At))
			}
		}
		if whole && closed.After(want.Created) && a.first != b.first {
			return fmt.Sprintf("called whole, with the %s %q at first\nwant %q", field, a.first, b.first)
		}
	}
	changed := len(w.tickets[name].updates) > 0
	switch {
	case !whole && got.IncompleteReason == "":
		return "not whole, and no reason is given"
	case !whole && !changed:
		return "called incomplete, though nothing ever happened: " + got.IncompleteReason
	case w.h.Past == PastStates && !whole && closed.Equal(never):
		return "called incomplete, though it was never closed: " + got.IncompleteReason
	case w.h.Past == PastNone && changed && whole:
		return "called whole, though nothing is known of its past"
	case w.h.Past == PastNone && changed:
		for _, field := range tracked {
			if !slices.Contains(got.Observed, field) {
				return fmt.Sprintf("the %s is not left to be observed", field)
			}
		}
	}
	return ""
}

// never is after all that happens.
var never = time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)

// firstClosed is when a ticket was closed for the first time.
func (w *world) firstClosed(name string) time.Time {
	s := w.tickets[name]
	for _, u := range slices.Concat([]Update{s.first}, s.updates) {
		if u.Set[ticket.FieldStatus] == StatusDone {
			return u.At
		}
	}
	return never
}

// states are the values of a field of a ticket: the first, and the changes of it.
type states struct {
	first   string
	changes []ticket.Change
}

func statesOf(field ticket.Field, t ticket.Ticket) states {
	s := states{first: map[ticket.Field]string{ticket.FieldAssignee: t.Assignee, ticket.FieldGroup: t.Group, ticket.FieldStatus: t.Status}[field]}
	for _, c := range t.Changes {
		// What it was made with, and at once changed, nobody need have seen.
		if c.Field == field && !c.At.Equal(t.Created) {
			s.changes = append(s.changes, c)
		}
	}
	if len(s.changes) > 0 {
		s.first = s.changes[0].From
	}
	return s
}

// at is the value once all that happens at an instant has happened.
func (s states) at(when time.Time) string {
	value := s.first
	for _, c := range s.changes {
		if !c.At.After(when) {
			value = c.To
		}
	}
	return value
}
