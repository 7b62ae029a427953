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

// IsFormer reports whether a pseudonym of a Quarter stands for somebody who was
// erased: they are shown to nobody. The other results have none.
func IsFormer(pseudonym string) bool { return isFormer(pseudonym) }

// without is the list without those who were erased; the same where there are none.
func without[T any](list []T, pseudonym func(T) string) []T {
	gone := func(one T) bool { return isFormer(pseudonym(one)) }
	if !slices.ContainsFunc(list, gone) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), gone)
}

func withoutFormer(groups []Group) []Group {
	for i := range groups {
		groups[i].Engineers = without(groups[i].Engineers, func(p Part) string { return p.Pseudonym })
	}
	return groups
}

// withoutFormer takes those who were erased out of the lists of single engineers.
func (s *Snapshot) withoutFormer() {
	for key := range s.Teams {
		withoutFormer(s.Teams[key])
	}
	s.Open.withoutFormer()
	s.Overload = without(s.Overload, func(o EngineerOverload) string { return o.Pseudonym })
	s.withoutFormerKnowledge()
}

// withoutFormerKnowledge takes them out of who knows what.
func (s *Snapshot) withoutFormerKnowledge() {
	withoutFormerHolders(s.Areas)
	for i := range s.States {
		k := &s.States[i].Knowledge
		if k.Bus != nil {
			bus := *k.Bus
			bus.Who = without(bus.Who, func(who string) string { return who })
			k.Bus = &bus
		}
		k.WhatIf = without(k.WhatIf, func(w WhatIf) string { return w.Pseudonym })
		for j := range k.WhatIf {
			k.WhatIf[j].Next = without(k.WhatIf[j].Next, func(n Successor) string { return n.Pseudonym })
		}
	}
}

func withoutFormerHolders(areas []AreaOwnership) {
	for i := range areas {
		a := &areas[i]
		a.Holders = without(a.Holders, func(h Holder) string { return h.Pseudonym })
		a.Seconds = without(a.Seconds, func(n Successor) string { return n.Pseudonym })
		if a.Sole != nil && isFormer(a.Sole.Pseudonym) {
			a.Sole = nil
		}
	}
}

func (l *OpenLoad) withoutFormer() {
	l.Engineers = without(l.Engineers, func(e EngineerLoad) string { return e.Pseudonym })
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
