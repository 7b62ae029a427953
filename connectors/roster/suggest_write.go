package roster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// write is the draft's text.
func (s *suggestion) write() []byte {
	w := &draftWriter{}
	w.line(0, "# A draft, made of who held which tickets in the last %d days. Correct it: only", s.evidence.Days)
	w.line(0, "# people know who is in which team. Days are half-open: `to` and `left` are the")
	w.line(0, "# first day on which something no longer holds.")
	if len(s.people) == 0 {
		w.line(0, "# Nobody held a ticket: collect some first, or write the people by hand.")
		return w.Bytes()
	}
	w.line(0, "")
	zone, known := s.commonZone()
	w.line(0, "defaults:")
	if known {
		w.line(1, "zone: %s  # that of most; others are given below", quoted(zone))
	} else {
		w.line(1, "zone: UTC  # no source tells where people are: correct this")
	}
	w.line(1, "# hours: mon-fri 09:00-17:00   # say so, and work after hours can be seen")
	w.line(1, "# holidays: [XX]               # a calendar under holidays:, e.g. XX: [2026-01-01]")
	w.line(0, "")
	w.line(0, "people:")
	for _, c := range s.people {
		s.person(w, c, zone)
	}
	if len(s.teams) > 0 {
		w.line(0, "")
		w.line(0, "teams:")
	}
	for _, t := range s.teams {
		s.team(w, t)
	}
	for _, source := range slices.Sorted(maps.Keys(s.unknown)) {
		w.line(0, "")
		w.line(0, "# %s: %d holders of tickets have no account any more, and are not drafted.", clean(source), s.unknown[source])
	}
	return w.Bytes()
}

func (s *suggestion) person(w *draftWriter, c *candidate, usual string) {
	w.line(1, "%s:", quoted(c.id))
	if c.name != "" {
		w.line(2, "name: %s", quoted(c.name))
	}
	if c.email != "" {
		w.line(2, "email: %s", quoted(c.email))
	}
	if zone := s.zone(c); zone != "" && zone != usual {
		w.line(2, "zone: %s", quoted(zone))
	}
	if len(c.explicit) > 0 {
		w.line(2, "accounts:")
	}
	last := ""
	for _, a := range slices.SortedFunc(maps.Keys(c.explicit), AccountRef.compare) {
		if a.Source != last {
			w.line(3, "%s:", quoted(a.Source))
			last = a.Source
		}
		w.line(4, "- %s  # %s", quoted(a.ID), c.explicit[a])
	}
	if left := DayOf(c.last.UTC()) + 1; !c.active && c.total > 0 && left > FirstDay && left <= LastDay {
		w.line(2, "left: %s  # a guess: deactivated, and held tickets until then", left)
	} else if !c.active {
		w.line(2, "fte: 1  # deactivated: give the day after the last one as left:")
	} else if c.name == "" && c.email == "" && len(c.explicit) == 0 {
		w.line(2, "fte: 1") // never empty
	}
}

func (s *suggestion) team(w *draftWriter, t *proposal) {
	w.line(1, "%s:", quoted(t.name))
	if t.lead != nil {
		w.line(2, "lead: %s  # manages the group", quoted(t.lead.id))
	} else {
		w.line(2, "# lead: no manager is known")
	}
	w.line(2, "# notify: [an Alertmanager receiver or an e-mail address]")
	w.line(2, "queues:")
	for _, g := range t.groups {
		w.line(3, "- source: %s", quoted(g.Source))
		w.line(3, "  queue: %s", quoted(g.ID)+s.called(g))
	}
	var members []*candidate
	for _, c := range s.people {
		if slices.ContainsFunc(c.teams, func(x share) bool { return x.team == t }) {
			members = append(members, c)
		}
	}
	if len(members) > 0 {
		w.line(2, "members:")
	}
	for _, c := range members {
		x := c.teams[slices.IndexFunc(c.teams, func(x share) bool { return x.team == t })]
		why := "in the group, held no ticket"
		if x.tickets > 0 {
			why = fmt.Sprintf("held %d of its tickets, %d %% of theirs", x.tickets, 100*x.tickets/c.total)
		}
		if len(c.teams) == 1 {
			w.line(3, "- %s  # %s", quoted(c.id), why)
			continue
		}
		w.line(3, "- person: %s  # %s", quoted(c.id), why)
		w.line(3, "  fte: %.2f", float64(x.percent)/100)
	}
	for _, c := range t.loose {
		w.line(3, "# - %s: in the group, but held tickets of other teams", quoted(c.id))
	}
}

// called says what a group is called, where its id does not.
func (s *suggestion) called(g *group) string {
	if g.name == g.ID {
		return ""
	}
	return "  # " + g.name
}

// zone is a person's, by the first of their accounts that tells one there is.
func (s *suggestion) zone(c *candidate) string {
	for _, a := range c.accounts {
		if zone := s.evidence.Zones[a]; zone != "" && checkZone(place{}, zone) == nil {
			return zone
		}
	}
	return ""
}

func (s *suggestion) commonZone() (zone string, known bool) {
	count := map[string]int{}
	for _, c := range s.people {
		if z := s.zone(c); z != "" {
			count[z]++
		}
	}
	for _, z := range slices.Sorted(maps.Keys(count)) {
		if count[z] > count[zone] {
			zone = z
		}
	}
	return zone, zone != ""
}

type draftWriter struct{ bytes.Buffer }

func (w *draftWriter) line(indent int, format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), " ")
	if text != "" {
		w.WriteString(strings.Repeat("  ", indent) + text)
	}
	w.WriteByte('\n')
}

var (
	bare     = regexp.MustCompile(`^[\pL][\pL0-9_./@+-]*( [\pL0-9_./@+-]+)*$`)
	reserved = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n|inf|nan)$`)
)

// quoted is a text as YAML. A string of JSON is one of YAML.
func quoted(text string) string {
	if bare.MatchString(text) && !reserved.MatchString(text) {
		return text
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic("roster: " + err.Error()) // a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}
