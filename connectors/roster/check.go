package roster

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones on machines without a zone database
	"unicode"
	"unicode/utf8"
)

// places say where each entry of Data was read; what came from no file has none.
type places struct {
	people, schedules, accounts, bots, leave, holidays, teams, leads, queues, memberships, shifts []place
	anywhere                                                                                      place // of the roster as a whole
}

func at(list []place, i int) place {
	if i < len(list) {
		return list[i]
	}
	return place{}
}

const (
	adviceOrder = "make from the first day on which it holds and to the first on which it no longer does"
	adviceFTE   = "give the share of a full working week, between 0 and 1"
)

// check finds the first thing that is wrong with the entries, alone and
// together.
func (d *Data) check(p *places) error {
	if len(d.People) == 0 {
		return p.anywhere.fail("list them under people: in YAML, or in people.csv", "there is nobody in the roster")
	}
	c := checker{Data: d, places: p, people: map[string]int{}, teams: map[string]int{}, calendars: map[string]bool{}}
	for _, step := range []func() error{
		c.checkPeople, c.checkHolidays, c.checkSchedules, c.checkAccounts, c.checkLeave,
		c.checkTeams, c.checkLeads, c.checkQueues, c.checkMemberships, c.checkCapacity, c.checkShifts,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

type checker struct {
	*Data
	*places
	people    map[string]int // id → index
	teams     map[string]int
	calendars map[string]bool
}

// label refuses what could not stand on one line of a label or a terminal.
func label(p place, what, s string) error {
	switch {
	case s == "":
		return p.fail("give it one", "%s is empty", what)
	case len(s) > 200:
		return p.fail("shorten it to 200 bytes", "%s is too long", what)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return p.fail("save the file as UTF-8, and leave out control characters", "%s %q cannot be printed", what, s)
	case strings.TrimSpace(s) != s:
		return p.fail("remove it", "%s %q has space around it", what, s)
	}
	return nil
}

func ordered(p place, what string, period Period) error {
	if period.To != 0 && period.From >= period.To {
		return p.fail(adviceOrder, "%s ends on %s, not after it begins on %s", what, period.To, period.From)
	}
	return nil
}

func checkFTE(p place, fte float64) error {
	if fte >= 0 && fte <= 1 {
		return nil
	}
	return p.fail(adviceFTE, "fte is %v", fte)
}

func checkZone(p place, zone string) error {
	if _, err := time.LoadLocation(zone); err != nil || zone == "" || zone == "Local" {
		return p.fail("use a name of the IANA database such as Europe/Berlin", "there is no zone %q", zone)
	}
	return nil
}

func (c *checker) known(p place, person string) error {
	if _, ok := c.people[person]; ok {
		return nil
	}
	ids := make([]string, 0, len(c.people))
	for id := range c.people {
		ids = append(ids, id)
	}
	return p.fail(orNearest("add them to the people, or correct the id", person, ids), "person %q is not in the roster", person)
}

func (c *checker) knownTeam(p place, team string) error {
	if _, ok := c.teams[team]; ok {
		return nil
	}
	names := make([]string, 0, len(c.teams))
	for name := range c.teams {
		names = append(names, name)
	}
	return p.fail(orNearest("add it to the teams, or correct the name", team, names), "team %q is not in the roster", team)
}

func (c *checker) checkPeople() error {
	emails := map[string]int{}
	for i, person := range c.People {
		p := at(c.places.people, i)
		if err := label(p, "the id of a person", person.ID); err != nil {
			return err
		}
		if first, ok := c.people[person.ID]; ok {
			return p.fail("remove one, or give them different ids", "person %q is there twice, also at %s", person.ID, at(c.places.people, first).here())
		}
		c.people[person.ID] = i
		if person.Name != "" {
			if err := label(p, "the name", person.Name); err != nil {
				return err
			}
		}
		if e := person.Employed; e.To != 0 && e.From >= e.To {
			return p.fail("left is the day after the last one", "%s left on %s, not after they joined on %s", person.ID, e.To, e.From)
		}
		for _, email := range person.Emails {
			if Address(email) != email || email == "" {
				return p.fail("write it as name@example.org", "%q of %s is no e-mail address", email, person.ID)
			}
			if first, ok := emails[email]; ok {
				return p.fail("an address belongs to one person, once: remove the other",
					"%s of %s is there twice, also at %s", email, person.ID, at(c.places.people, first).here())
			}
			emails[email] = i
		}
	}
	return nil
}

func (c *checker) checkHolidays() error {
	for i, h := range c.Holidays {
		p := at(c.holidays, i)
		if err := label(p, "the name of a calendar", h.Calendar); err != nil {
			return err
		}
		if strings.ContainsFunc(h.Calendar, unicode.IsSpace) {
			return p.fail("leave out the spaces", "the name of calendar %q has spaces in it", h.Calendar)
		}
		if h.Day < FirstDay || h.Day > LastDay {
			return p.fail("write it as 2026-12-25", "a holiday of calendar %s has no day", h.Calendar)
		}
		c.calendars[h.Calendar] = true
	}
	return nil
}

func (c *checker) checkSchedules() error {
	last := map[string]Day{}
	zones := map[string]bool{}
	for i, s := range c.Schedules {
		p := at(c.schedules, i)
		if err := c.known(p, s.Person); err != nil {
			return err
		}
		if before, ok := last[s.Person]; ok && s.From <= before || !ok && s.From != 0 {
			return p.fail("the first has no from, and each begins after the one before", "the schedules of %s are not in order", s.Person)
		}
		last[s.Person] = s.From
		if !zones[s.Zone] {
			if err := checkZone(p, s.Zone); err != nil {
				return err
			}
			zones[s.Zone] = true
		}
		if err := checkFTE(p, s.FTE); err != nil {
			return err
		}
		if s.Hours.Length() != 0 {
			if err := s.Hours.check(); err != nil {
				return p.fail("write them as mon-fri 09:00-17:00", "hours of %s: %v", s.Person, err)
			}
		}
		for _, calendar := range s.Holidays {
			if !c.calendars[calendar] {
				names := make([]string, 0, len(c.calendars))
				for name := range c.calendars {
					names = append(names, name)
				}
				return p.fail(orNearest("list its days under holidays: in YAML or in holidays.csv, or correct the name", calendar, names),
					"there is no calendar %q, which %s keeps", calendar, s.Person)
			}
		}
	}
	for i, person := range c.People {
		if _, ok := last[person.ID]; !ok {
			return at(c.places.people, i).fail("give them one", "%s has no schedule", person.ID)
		}
	}
	return nil
}

func (c *checker) checkAccounts() error {
	taken := map[AccountRef]place{}
	take := func(p place, a AccountRef) error {
		if err := label(p, "the source of an account", a.Source); err != nil {
			return err
		}
		if err := label(p, "the id of an account", a.ID); err != nil {
			return err
		}
		if first, ok := taken[a]; ok {
			return p.fail("an account is one person's, or a bot: remove one", "account %q of source %s is there twice, also at %s", a.ID, a.Source, first.here())
		}
		taken[a] = p
		return nil
	}
	for i, a := range c.Accounts {
		p := at(c.accounts, i)
		if err := cmp.Or(c.known(p, a.Person), take(p, a.AccountRef)); err != nil {
			return err
		}
	}
	for i, b := range c.Bots {
		if err := take(at(c.bots, i), b); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) checkLeave() error {
	for i, l := range c.Leave {
		p := at(c.leave, i)
		if err := c.known(p, l.Person); err != nil {
			return err
		}
		if l.From == 0 {
			return p.fail("say from which day on", "a leave of %s has no from", l.Person)
		}
		if err := ordered(p, "a leave of "+l.Person, l.Period); err != nil {
			return err
		}
		if !(l.Part > 0 && l.Part <= 1) {
			return p.fail("give the share of the working time that they are away, over 0 and up to 1", "part is %v", l.Part)
		}
	}
	return nil
}

func (c *checker) checkTeams() error {
	for i, t := range c.Teams {
		p := at(c.places.teams, i)
		if err := label(p, "the name of a team", t.Name); err != nil {
			return err
		}
		if first, ok := c.teams[t.Name]; ok {
			return p.fail("remove one, or give them different names", "team %q is there twice, also at %s", t.Name, at(c.places.teams, first).here())
		}
		c.teams[t.Name] = i
		for j, n := range t.Notify {
			if err := label(p, "a receiver under notify", n); err != nil {
				return err
			}
			if slices.Contains(t.Notify[:j], n) {
				return p.fail("remove one", "team %q notifies %q twice", t.Name, n)
			}
		}
	}
	return nil
}

func (c *checker) checkLeads() error {
	for i, l := range c.Leads {
		p := at(c.leads, i)
		if err := cmp.Or(c.knownTeam(p, l.Team), c.known(p, l.Person), ordered(p, "the lead of "+l.Team, l.Period)); err != nil {
			return err
		}
	}
	i, j, found := overlapping(len(c.Leads), func(i int) (string, Period) { return c.Leads[i].Team, c.Leads[i].Period })
	if !found {
		return nil
	}
	a, b := c.Leads[i], c.Leads[j]
	return at(c.leads, j).fail("a team has one lead at a time: end one before the other begins",
		"%s leads %s %s, while %s does (%s)", b.Person, b.Team, b.Period, a.Person, at(c.leads, i).here())
}

func (c *checker) checkQueues() error {
	for i, q := range c.Queues {
		p := at(c.queues, i)
		if err := cmp.Or(c.knownTeam(p, q.Team), label(p, "the source of a queue", q.Source), label(p, "the queue", q.Queue),
			ordered(p, "queue "+q.Queue, q.Period)); err != nil {
			return err
		}
	}
	i, j, found := overlapping(len(c.Queues), func(i int) (string, Period) {
		return fmt.Sprintf("%q %q", c.Queues[i].Source, c.Queues[i].Queue), c.Queues[i].Period
	})
	if !found {
		return nil
	}
	a, b := c.Queues[i], c.Queues[j]
	return at(c.queues, j).fail("a queue is one team's at a time: end one before the other begins",
		"queue %q of source %s is that of %s %s, while it is that of %s (%s)", b.Queue, b.Source, b.Team, b.Period, a.Team, at(c.queues, i).here())
}

func (c *checker) checkMemberships() error {
	for i, m := range c.Memberships {
		p := at(c.memberships, i)
		if err := cmp.Or(c.knownTeam(p, m.Team), c.known(p, m.Person), ordered(p, fmt.Sprintf("the membership of %s in %s", m.Person, m.Team), m.Period)); err != nil {
			return err
		}
		if m.FTE != Whole {
			if err := checkFTE(p, m.FTE); err != nil {
				return err
			}
		}
		if e := c.People[c.people[m.Person]].Employed; !e.Overlaps(m.Period) {
			return p.fail("correct the days of the one or the other", "%s is in %s %s, but works here %s", m.Person, m.Team, m.Period, e)
		}
	}
	i, j, found := overlapping(len(c.Memberships), func(i int) (string, Period) {
		return fmt.Sprintf("%q %q", c.Memberships[i].Team, c.Memberships[i].Person), c.Memberships[i].Period
	})
	if !found {
		return nil
	}
	b := c.Memberships[j]
	return at(c.memberships, j).fail("end one before the other begins, or remove one",
		"%s is in %s %s, and also by %s", b.Person, b.Team, b.Period, at(c.memberships, i).here())
}

// checkCapacity refuses memberships that give away more of a person than there
// is, on any day.
func (c *checker) checkCapacity() error {
	of := map[string][]int{}
	for i, m := range c.Memberships {
		of[m.Person] = append(of[m.Person], i)
	}
	schedules := map[string][]Schedule{}
	for _, s := range c.Schedules {
		schedules[s.Person] = append(schedules[s.Person], s)
	}
	for i := range c.Memberships {
		person := c.Memberships[i].Person
		all := of[person]
		if all[0] != i {
			continue // at the person's first membership, once
		}
		var days []Day
		for _, j := range all {
			days = append(days, max(c.Memberships[j].From, FirstDay))
		}
		for _, s := range schedules[person] {
			days = append(days, max(s.From, FirstDay))
		}
		slices.Sort(days)
		for _, day := range slices.Compact(days) {
			has := 1.0
			for _, s := range schedules[person] {
				if s.From <= day {
					has = s.FTE
				}
			}
			given, last, others := 0.0, -1, []string(nil)
			for _, j := range all {
				m := c.Memberships[j]
				if !m.Contains(day) {
					continue
				}
				if last >= 0 {
					others = append(others, fmt.Sprintf("%s at %s", c.Memberships[last].Team, at(c.memberships, last).here()))
				}
				fte := m.FTE
				if fte == Whole {
					fte = has
				}
				given, last = given+fte, j
			}
			const rounding = 1e-9
			if given > has+rounding {
				also := ""
				if len(others) > 0 {
					also = " (also " + strings.Join(others, ", ") + ")"
				}
				return at(c.memberships, last).fail("say with fte how their time is split, or end a membership",
					"the memberships of %s take %.4g FTE on %s%s, but they have %.4g", person, given, day, also, has)
			}
		}
	}
	return nil
}

func (c *checker) checkShifts() error {
	for i, s := range c.Shifts {
		p := at(c.shifts, i)
		if err := cmp.Or(c.knownTeam(p, s.Team), c.known(p, s.Person)); err != nil {
			return err
		}
		if !s.From.Before(s.To) {
			return p.fail("make to the time at which it is over", "a shift of %s ends before it begins", s.Person)
		}
		if DayOf(s.From.UTC()) == 0 || DayOf(s.To.UTC()) == 0 {
			return p.fail("correct the year", "a shift of %s is not between 1900 and 2300", s.Person)
		}
	}
	order := make([]int, len(c.Shifts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := c.Shifts[i], c.Shifts[j]
		return cmp.Or(cmp.Compare(a.Team, b.Team), cmp.Compare(a.Person, b.Person), a.From.Compare(b.From))
	})
	for k := range len(order) - 1 {
		i, j := order[k], order[k+1]
		a, b := c.Shifts[i], c.Shifts[j]
		if a.Team == b.Team && a.Person == b.Person && b.From.Before(a.To) {
			i, j = min(i, j), max(i, j)
			return at(c.shifts, j).fail("end one before the other begins", "two shifts of %s for %s overlap, the other is at %s", b.Person, b.Team, at(c.shifts, i).here())
		}
	}
	return nil
}

// overlapping finds two of n periods of the same key that have a day in common,
// the one that is listed first first.
func overlapping(n int, of func(int) (string, Period)) (i, j int, found bool) {
	type entry struct {
		key    string
		period Period
		index  int
	}
	list := make([]entry, n)
	for i := range list {
		key, period := of(i)
		list[i] = entry{key, period, i}
	}
	slices.SortFunc(list, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.period.From, b.period.From), cmp.Compare(a.index, b.index))
	})
	for k := range max(0, n-1) {
		a, b := list[k], list[k+1]
		if a.key == b.key && a.period.Overlaps(b.period) {
			return min(a.index, b.index), max(a.index, b.index), true
		}
	}
	return 0, 0, false
}
