package analysis

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"fairlead/analysis/people"
)

// A person who was erased counts in what a group did and knows, since else the
// past of their team would change with them. Nothing is told of them singly: they
// are in no list of engineers that is published and in no finding. Where a group's
// figure is taken apart, a part of it is a former engineer's, without a pseudonym
// and without a ticket.

// formerEngineer is what stands for any of them.
const formerEngineer = "former engineer"

func isFormer(pseudonym string) bool { return people.IsFormer(pseudonym) }

// IsFormer reports whether a pseudonym stands for somebody who was erased: they are
// shown to nobody. Those of a Quarter, of Distribution and of History may, as these
// are for adding up; the other results have none.
func IsFormer(pseudonym string) bool { return isFormer(pseudonym) }

// without is the list without some people; the same where it has none of them.
func without[T any](list []T, gone func(pseudonym string) bool, pseudonym func(T) string) []T {
	dropped := func(one T) bool { return gone(pseudonym(one)) }
	if !slices.ContainsFunc(list, dropped) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), dropped)
}

// drop takes people out of all that is told of single engineers. It writes to the
// lists of groups, areas, states and losses, and makes those of people anew.
func (s *Snapshot) drop(gone func(pseudonym string) bool) {
	for _, groups := range s.Teams {
		for i := range groups {
			groups[i].Engineers = without(groups[i].Engineers, gone, func(p Part) string { return p.Pseudonym })
		}
	}
	s.Open.drop(gone)
	s.Overload = without(s.Overload, gone, func(o EngineerOverload) string { return o.Pseudonym })
	s.Findings = without(s.Findings, gone, func(f Finding) string { return f.Engineer })
	s.dropKnowledge(gone)
}

// dropKnowledge takes them out of who knows what.
func (s *Snapshot) dropKnowledge(gone func(pseudonym string) bool) {
	dropHolders(s.Areas, gone)
	for i := range s.States {
		k := &s.States[i].Knowledge
		if k.Bus != nil {
			bus := *k.Bus
			bus.Who = without(bus.Who, gone, func(who string) string { return who })
			k.Bus = &bus
		}
		k.WhatIf = without(k.WhatIf, gone, func(w WhatIf) string { return w.Pseudonym })
		for j := range k.WhatIf {
			k.WhatIf[j].Next = without(k.WhatIf[j].Next, gone, func(n Successor) string { return n.Pseudonym })
		}
	}
}

func dropHolders(areas []AreaOwnership, gone func(pseudonym string) bool) {
	for i := range areas {
		a := &areas[i]
		a.Holders = without(a.Holders, gone, func(h Holder) string { return h.Pseudonym })
		a.Seconds = without(a.Seconds, gone, func(n Successor) string { return n.Pseudonym })
		if a.Sole != nil && gone(a.Sole.Pseudonym) {
			a.Sole = nil
		}
	}
}

func (l *OpenLoad) drop(gone func(pseudonym string) bool) {
	l.Engineers = without(l.Engineers, gone, func(e EngineerLoad) string { return e.Pseudonym })
}

// formerly is a pseudonym of one of them, in a text.
var formerly = regexp.MustCompile(`former-[a-z]+-[a-z]+-[0-9a-z]{8}`)

// withoutFormer says of those who were erased no more than what makes the sum
// right.
func (x *Explanation) withoutFormer() {
	for i := range x.Tickets {
		list := &x.Tickets[i]
		list.Tickets = slices.DeleteFunc(list.Tickets, func(t ExplainedTicket) bool {
			gone := isFormer(t.Pseudonym)
			if gone {
				list.More++
				list.MoreWeight += t.Weight
			}
			return gone
		})
	}
	unname(reflect.ValueOf(x).Elem())
}

// unname puts what stands for any of them in place of their pseudonyms, in every
// text of a value.
func unname(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			unname(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				unname(f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			unname(v.Index(i))
		}
	case reflect.String:
		if text := v.String(); strings.Contains(text, "former-") {
			v.SetString(formerly.ReplaceAllString(text, formerEngineer))
		}
	}
}
