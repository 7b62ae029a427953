package analysis

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"fairlead/analysis/people"
	"fairlead/connectors/roster"
)

// crew is the roster as the engine uses it: people as pseudonyms, and time in
// milliseconds. It is nil where there is no roster, and only read once made.
type crew struct {
	roster   *roster.Roster
	persons  map[string]string          // id by pseudonym
	engineer map[string]people.Engineer // by id
	stays    map[string][]stay          // by id, in order; the first is since ever
	shifts   map[string]bool            // teams that have on-call shifts
	earliest time.Time                  // the first ticket: where a window without beginning begins
}

// stay is from when a person has been in these teams: none, one or several.
type stay struct {
	from  int64
	teams []share
}

// share is the part of a person's time that goes to a team.
type share struct {
	team string
	part float64 // of 1 over all teams
}

func newCrew(r *roster.Roster, engineers map[string]people.Engineer) *crew {
	c := &crew{roster: r, persons: map[string]string{}, engineer: engineers, stays: map[string][]stay{}, shifts: map[string]bool{}}
	for id, e := range engineers {
		c.persons[e.Pseudonym] = id
	}
	days := map[string][]roster.Day{}
	data := r.Data()
	for _, s := range data.Shifts {
		c.shifts[s.Team] = true
	}
	for _, m := range data.Memberships {
		days[m.Person] = append(days[m.Person], m.From, m.To)
	}
	for _, p := range data.People {
		days[p.ID] = append(days[p.ID], p.Employed.From, p.Employed.To)
	}
	for _, s := range data.Schedules {
		// All of a person's FTE may be another from here on.
		days[s.Person] = append(days[s.Person], s.From)
	}
	for id, list := range days {
		slices.Sort(list)
		stays := []stay{}
		for _, day := range slices.Compact(list) {
			from := int64(beginning)
			at := roster.FirstDay.UTC()
			if day != 0 {
				at = day.In(r.Zone(id, day.UTC().Add(12*time.Hour)))
				from = at.UnixMilli()
			}
			teams := partsOf(r.Memberships(id, at))
			if n := len(stays); n == 0 || !slices.Equal(stays[n-1].teams, teams) {
				stays = append(stays, stay{from, teams})
			}
		}
		if stays[0].from != beginning {
			stays = append([]stay{{beginning, partsOf(r.Memberships(id, roster.FirstDay.UTC()))}}, stays...)
		}
		c.stays[id] = stays
	}
	return c
}

func partsOf(memberships []roster.Membership) []share {
	var total float64
	for _, m := range memberships {
		total += m.FTE
	}
	var list []share
	for _, m := range memberships {
		// A lead without time for tickets is of the team nevertheless.
		part := 1 / float64(len(memberships))
		if total > 0 {
			part = m.FTE / total
		}
		if part > 0 {
			list = append(list, share{m.Team, part})
		}
	}
	return list
}

// at is in which teams an engineer is at an instant.
func (c *crew) at(pseudonym string, at int64) []share {
	stays := c.stays[c.persons[pseudonym]]
	i, found := slices.BinarySearchFunc(stays, at, func(s stay, t int64) int { return cmp.Compare(s.from, t) })
	if !found {
		i--
	}
	if i < 0 {
		return nil
	}
	return stays[i].teams
}

// during is in which teams an engineer is at some time in [from, to), by name.
func (c *crew) during(pseudonym string, from, to int64) []string {
	var teams []string
	stays := c.stays[c.persons[pseudonym]]
	for i, s := range stays {
		if s.from >= to || i+1 < len(stays) && stays[i+1].from <= from {
			continue
		}
		for _, one := range s.teams {
			teams = append(teams, one.team)
		}
	}
	slices.Sort(teams)
	return slices.Compact(teams)
}

// queueTeam is the team whose a queue is: the roster's word, else the team of
// the same name; "" for nobody's.
func (w *world) queueTeam(source, id string, at int64) string {
	name := w.groupName(source, id)
	if team := w.crew.roster.QueueTeam(source, time.UnixMilli(at), id, name); team != "" {
		return team
	}
	if _, ok := w.crew.roster.Team(name); ok {
		return name
	}
	return ""
}

// holderTeam is the one team that a ticket of a queue is counted in while an
// engineer holds it: the queue's, if they are in it, else the one that has most
// of their time; the queue itself for somebody in no team.
func (w *world) holderTeam(source, id, pseudonym string, at int64) string {
	queue := w.ownTeam(source, id, at)
	if w.crew == nil {
		return queue
	}
	best := share{}
	for _, s := range w.crew.at(pseudonym, at) {
		if s.team == queue {
			return queue
		}
		if s.part > best.part {
			best = s
		}
	}
	return cmp.Or(best.team, queue)
}

// ownTeam is whose a queue is; without a roster, or for a queue that is
// nobody's, the queue itself.
func (w *world) ownTeam(source, id string, at int64) string {
	if w.crew != nil {
		if team := w.queueTeam(source, id, at); team != "" {
			return team
		}
	}
	return w.groupName(source, id)
}

// cuts are the instants at which accounts changed teams, for unitsSQL.
func (w *world) cuts() (actors, times string) {
	var who, when []string
	if w.crew != nil {
		for _, id := range sortedKeys(w.crew.stays) {
			for _, s := range w.crew.stays[id][1:] {
				for _, a := range w.crew.engineer[id].Accounts {
					who, when = append(who, strconv.FormatUint(a.Surrogate, 10)), append(when, numberParameter(s.from))
				}
			}
		}
	}
	return arrayParameter(who), arrayParameter(when)
}

// member is who was in a team in a window, with the capacity that was present.
type member struct {
	pseudonym, name string
	capacity        float64
}

// members are those of a team in [from, to), by pseudonym.
func (c *crew) members(team string, from, to time.Time) []member {
	if from.IsZero() {
		from = c.earliest
	}
	var list []member
	for _, m := range c.roster.Members(team, from, to) {
		e := c.engineer[m.Person]
		list = append(list, member{e.Pseudonym, e.Name, m.Capacity})
	}
	slices.SortFunc(list, func(a, b member) int { return cmp.Compare(a.pseudonym, b.pseudonym) })
	return list
}
