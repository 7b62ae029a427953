package analysis

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/analysis/overload"
	"fairlead/connectors/roster"
)

// judgedWeeks is over how many whole weeks a state is followed: with the twelve in
// which it only learns what is usual, as long as evidence is remembered. A state
// that lasts longer would be seen as the usual.
const judgedWeeks = 66

// weeks are consecutive whole weeks.
type weeks struct {
	first overload.Week
	n     int
}

// followed are the weeks whose states count at an instant.
func (e *Engine) followed(at time.Time) weeks {
	return weeksBefore(at, judgedWeeks+e.config.Overload.BaselineWeeks)
}

// weeksBefore are the last n whole weeks before an instant.
func weeksBefore(at time.Time, n int) weeks {
	return weeks{overload.WeekOf(at) - overload.Week(n), n}
}

func (w weeks) last() overload.Week { return w.first + overload.Week(w.n) - 1 }
func (w weeks) from() time.Time     { return w.first.Start() }
func (w weeks) to() time.Time       { return (w.last() + 1).Start() }

func (w weeks) starts() []int64 {
	list := make([]int64, w.n)
	for i := range list {
		list[i] = millis((w.first + overload.Week(i)).Start())
	}
	return list
}

// squad is the members of one team, week by week.
type squad struct {
	team        string
	provisional bool
	members     []overload.Member // by pseudonym
	names       map[string]string // by pseudonym
	calling     map[string]bool   // sources that mark what calls whoever is on call
}

// labour is what one person had to do in one week, wherever it was.
type labour struct {
	held       float64 // ticket-milliseconds
	squares    []float64
	areas      map[string]float64
	arrivals   uint64
	departures uint64
	unplanned  []int64 // when they came
	calls      []int64 // when those came that call whoever is on call
}

func (l *labour) squared() float64 { return sumOf(l.squares) }

// labours are those of one person, by week from the first.
type labours struct {
	pseudonym, name string
	weeks           []labour
	tells           bool               // somewhere that has planned and unplanned work
	sources         map[string]float64 // ticket-milliseconds
	known           int                // the first week of which all is known
	calling         map[string]bool    // of all sources: those that mark what calls whoever is on call
}

// labourKey is the person and, without a roster, the queue.
type labourKey struct{ team, pseudonym string }

type weeklyRow struct {
	week                 uint32
	source, group, areas string
	actor                uint64
	load, squares        float64
	arrivals, departures uint64
	unplanned, calling   []int64
}

// readWeekly reads everybody's labour of the weeks; by person with a roster, by
// queue and person without.
func (e *Engine) readWeekly(ctx context.Context, w *world, span weeks) (map[labourKey]*labours, error) {
	parameters := e.weeklyParameters(w, span)
	var list []weeklyRow
	// A source tells planned from unplanned work if it has both.
	planned, hasUnplanned := map[string]bool{}, map[string]bool{}
	// One that marks what called people counts those as calls, another all that is
	// unplanned.
	calling := map[string]bool{}
	arrivals := map[string][]uint64{}
	err := e.each(ctx, "weeks", weeklySQL(e.db.Table("tickets"), addedUp), parameters, func(rows driver.Rows) error {
		var r weeklyRow
		if err := rows.Scan(&r.week, &r.source, &r.group, &r.actor, &r.areas, &r.load, &r.squares, &r.arrivals, &r.departures, &r.unplanned, &r.calling); err != nil {
			return err
		}
		planned[r.source] = planned[r.source] || r.arrivals > uint64(len(r.unplanned))
		hasUnplanned[r.source] = hasUnplanned[r.source] || len(r.unplanned) > 0
		calling[r.source] = calling[r.source] || len(r.calling) > 0
		if arrivals[r.source] == nil {
			arrivals[r.source] = make([]uint64, span.n)
		}
		arrivals[r.source][r.week-1] += r.arrivals
		list = append(list, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := map[labourKey]*labours{}
	for i := range list {
		r := &list[i]
		p := w.engineer(r.actor)
		if p.Bot {
			continue
		}
		key := labourKey{pseudonym: p.Pseudonym}
		if w.crew == nil {
			key.team = w.groupName(r.source, r.group)
		}
		one := all[key]
		if one == nil {
			one = &labours{pseudonym: p.Pseudonym, name: p.Name, weeks: make([]labour, span.n), sources: map[string]float64{}, calling: calling}
			all[key] = one
		}
		one.tells = one.tells || planned[r.source] && hasUnplanned[r.source]
		l := &one.weeks[r.week-1]
		l.held += r.load // whole numbers
		one.sources[r.source] += r.load
		l.squares = append(l.squares, r.squares)
		l.arrivals += r.arrivals
		l.departures += r.departures
		l.unplanned = append(l.unplanned, r.unplanned...)
		if calling[r.source] {
			l.calls = append(l.calls, r.calling...)
		} else {
			l.calls = append(l.calls, r.unplanned...)
		}
		if r.areas != "" && r.load > 0 {
			if l.areas == nil {
				l.areas = map[string]float64{}
			}
			areas := strings.Split(r.areas, separator)
			for _, a := range areas {
				l.areas[termKey(r.source, a)] += r.load / float64(len(areas))
			}
		}
	}
	begun := map[string]int{}
	for source, counts := range arrivals {
		begun[source] = begin(counts)
	}
	for _, one := range all {
		total := 0.0
		for _, x := range one.sources {
			total += x
		}
		for source, x := range one.sources {
			if x >= visitor*total {
				one.known = max(one.known, begun[source])
			}
		}
	}
	return all, nil
}

// weeklyParameters are those of weeklySQL and actsSQL, of all accounts.
func (e *Engine) weeklyParameters(w *world, span weeks) map[string]string {
	parameters := w.parameters(millis(span.to()))
	parameters["weeks"] = numbersParameter(span.starts())
	unplanned := make([]string, len(e.config.Unplanned))
	for i, k := range e.config.Unplanned {
		unplanned[i] = string(k)
	}
	parameters["unplanned"], parameters["actors"] = stringsParameter(unplanned), "[]"
	return parameters
}

// begin is the first week of which a source knows all: collected is only what
// was open or changed since some day, so that the weeks before show the few
// tickets that lasted, and everybody would seem to drown from then on. It is the
// first with at least half of what arrives in a busy week, the upper quartile.
func begin(arrivals []uint64) int {
	some := slices.DeleteFunc(slices.Clone(arrivals), func(n uint64) bool { return n == 0 })
	if len(some) == 0 {
		return 0
	}
	slices.Sort(some)
	busy := some[len(some)*3/4]
	return slices.IndexFunc(arrivals, func(n uint64) bool { return 2*n >= busy })
}

// record is one person's week in one team, who has a part of their time.
func (l *labours) record(week overload.Week, i int, capacity, part float64) overload.Record {
	r := overload.Record{Week: week, Capacity: capacity}
	if i < 0 || i >= len(l.weeks) {
		return r
	}
	one := &l.weeks[i]
	r.Load.Sum = one.held / weekMillis * part
	r.Load.Squares = one.squared() / weekMillis / weekMillis * part * part
	r.Arrivals, r.Completions = one.arrivals, one.departures
	for _, area := range sortedKeys(one.areas) {
		r.Areas = append(r.Areas, one.areas[area])
	}
	slices.Sort(r.Areas)
	if l.tells {
		r.Received = &overload.Received{Items: one.arrivals, All: float64(one.arrivals), Unplanned: float64(len(one.unplanned))}
	}
	return r
}

// queues makes squads without a roster: the regulars of each queue, there from
// the first to the last week in which they had a ticket of it.
func queues(all map[labourKey]*labours, span weeks) []squad {
	totals := map[string]*tallies{}
	for key, one := range all {
		t := totals[key.team]
		if t == nil {
			t = newTallies()
			totals[key.team] = t
		}
		for i := range one.weeks {
			t.person(key.pseudonym, one.name).value += one.weeks[i].held
		}
	}
	var list []squad
	for _, team := range sortedKeys(totals) {
		c := squad{team: team, provisional: true, names: totals[team].names}
		for _, p := range regulars(totals[team]) {
			one := all[labourKey{team, p}]
			first, last := -1, -1
			for i := range one.weeks {
				if one.weeks[i].held > 0 {
					if first < 0 {
						first = i
					}
					last = i
				}
			}
			m := overload.Member{Engineer: p}
			for i := max(first, one.known); first >= 0 && i <= last; i++ {
				m.Records = append(m.Records, one.record(span.first+overload.Week(i), i, 1, 1))
			}
			if len(m.Records) > 0 {
				c.members = append(c.members, m)
			}
		}
		list = append(list, c)
	}
	return list
}

// squads makes those of the roster's teams.
func (e *Engine) squads(w *world, all map[labourKey]*labours, acts map[string][]overload.Act, span weeks) []squad {
	r := w.crew.roster
	from, to := span.from(), span.to()
	byTeam := map[string]*squad{}
	none := &labours{}
	for _, person := range r.People() {
		who := w.crew.engineer[person.ID]
		one := all[labourKey{pseudonym: who.Pseudonym}]
		if one == nil {
			one = none
		}
		timetable := r.Timetable(person.ID, from, to)
		active := map[overload.Week]overload.Acts{}
		for _, a := range overload.SummariseActs(acts[who.Pseudonym], e.config.Overload.Rest) {
			active[a.Week] = a.Acts
		}
		members := map[string]*overload.Member{}
		for i := one.known; i < span.n; i++ {
			week := span.first + overload.Week(i)
			begin, end := week.Start(), (week + 1).Start()
			teams := w.crew.during(who.Pseudonym, millis(begin), millis(end))
			capacity := make([]float64, len(teams))
			var total float64
			for j, team := range teams {
				capacity[j] = timetable.Capacity(team, begin, end)
				total += capacity[j]
			}
			for j, team := range teams {
				part := 1 / float64(len(teams))
				if total > 0 {
					part = capacity[j] / total
				}
				rec := one.record(week, i, capacity[j], part)
				if r.HoursKnown(person.ID, begin) {
					a := active[week]
					rec.Acts = &a
				}
				if w.crew.shifts[team] {
					rec.OnCall = onCall(r, person.ID, one, i, begin, end)
				}
				if members[team] == nil {
					members[team] = &overload.Member{Engineer: who.Pseudonym}
				}
				members[team].Records = append(members[team].Records, rec)
			}
		}
		for team, m := range members {
			c := byTeam[team]
			if c == nil {
				c = &squad{team: team, names: map[string]string{}}
				byTeam[team] = c
			}
			c.members = append(c.members, *m)
			c.names[m.Engineer] = who.Name
			if one.calling != nil {
				c.calling = one.calling
			}
		}
	}
	var list []squad
	for _, team := range sortedKeys(byTeam) {
		c := byTeam[team]
		slices.SortFunc(c.members, func(a, b overload.Member) int { return cmp.Compare(a.Engineer, b.Engineer) })
		list = append(list, *c)
	}
	return list
}

// onCall is a week's shifts, for any team, and the tickets that called during them.
func onCall(r *roster.Roster, person string, l *labours, i int, begin, end time.Time) *overload.OnCall {
	o := &overload.OnCall{}
	var covered time.Time
	for _, s := range r.Shifts(person, begin, end) {
		from, to := s.From, s.To
		if from.Before(begin) {
			from = begin
		}
		if from.Before(covered) {
			from = covered
		}
		if to.After(end) {
			to = end
		}
		if !from.Before(to) {
			continue
		}
		covered = to
		o.Duration += to.Sub(from)
		if i < len(l.weeks) {
			for _, at := range l.weeks[i].calls {
				if at >= millis(from) && at < millis(to) {
					o.Incidents++
				}
			}
		}
	}
	return o
}

// clock tells where in a person's time an act lies.
func (w *world) clock(id string, span weeks) func(at time.Time) overload.Place {
	t := w.crew.roster.Timetable(id, span.from(), span.to())
	shifts := w.crew.roster.Shifts(id, span.from(), span.to())
	return func(at time.Time) overload.Place {
		switch {
		case slices.ContainsFunc(shifts, func(s roster.Shift) bool { return !at.Before(s.From) && at.Before(s.To) }):
			return overload.OnCallShift
		case t.Working(at, at.Add(time.Millisecond)) > 0:
			return overload.InHours
		}
		return overload.OffHours
	}
}

// readActs reads what people whose hours are known did in the weeks, and where
// in their time it lay.
func (e *Engine) readActs(ctx context.Context, w *world, span weeks) (map[string][]overload.Act, error) {
	clocks := map[string]func(time.Time) overload.Place{}
	acts := map[string][]overload.Act{}
	err := e.each(ctx, "acts", actsSQL(e.db.Table("tickets"), addedUp), e.weeklyParameters(w, span), func(rows driver.Rows) error {
		var actor uint64
		var times []int64
		if err := rows.Scan(&actor, &times); err != nil {
			return err
		}
		p := w.people.Of(actor) // who only writes on tickets is not one of those met
		id := w.crew.persons[p.Pseudonym]
		if id == "" {
			return nil
		}
		if clocks[id] == nil {
			clocks[id] = w.clock(id, span)
		}
		for _, ms := range times {
			at := time.UnixMilli(ms).UTC()
			acts[p.Pseudonym] = append(acts[p.Pseudonym], overload.Act{At: at, Place: clocks[id](at)})
		}
		return nil
	})
	for _, list := range acts {
		slices.SortFunc(list, func(a, b overload.Act) int { return a.At.Compare(b.At) })
	}
	return acts, err
}
