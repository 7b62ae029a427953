package analysis

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/analysis/overload"
	"fairlead/analysis/people"
)

// actsOf is what some people did, with the tickets, and how they rested.
type actsOf struct {
	w     *world
	least time.Duration // of a daily rest
	acts  map[string][]act
	rests map[string][]overload.Rest // by pseudonym, as the states of the weeks have them
}

// act is what one account did at one instant, to one or several tickets.
type act struct {
	at      time.Time
	place   overload.Place
	tickets []place
}

// actsOf reads what people did in some weeks; all is what everybody did in those of
// the states, span. Those who are not in the roster did nothing.
func (e *Engine) actsOf(ctx context.Context, w *world, recent, span weeks, all map[string][]overload.Act, who []people.Engineer) (*actsOf, error) {
	a := &actsOf{w: w, least: e.config.Overload.Rest, acts: map[string][]act{}, rests: map[string][]overload.Rest{}}
	clocks := map[string]func(time.Time) overload.Place{}
	var actors []uint64
	for _, p := range who {
		id := w.crew.persons[p.Pseudonym]
		if id == "" {
			continue
		}
		clocks[p.Pseudonym] = w.clock(id, span)
		a.rests[p.Pseudonym] = overload.Rests(all[p.Pseudonym], a.least)
		actors = append(actors, p.Surrogates()...)
	}
	if len(actors) == 0 {
		return a, nil
	}
	parameters := e.weeklyParameters(w, recent)
	parameters["actors"] = surrogates(actors)
	type instant struct {
		actor uint64
		at    int64
	}
	touched := map[instant][]place{}
	err := e.each(ctx, "acts ticket by ticket", actsSQL(e.db.Table("tickets"), oneByOne), parameters, func(rows driver.Rows) error {
		var actor, ticket uint64
		var times []int64
		var source string
		if err := rows.Scan(&actor, &times, &source, &ticket); err != nil {
			return err
		}
		for _, at := range times {
			touched[instant{actor, at}] = append(touched[instant{actor, at}], place{ticket, source})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, tickets := range touched {
		p := w.engineer(i.actor).Pseudonym
		if clocks[p] == nil {
			continue
		}
		at := time.UnixMilli(i.at).UTC()
		slices.SortFunc(tickets, func(a, b place) int { return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.ticket, b.ticket)) })
		a.acts[p] = append(a.acts[p], act{at, clocks[p](at), tickets})
	}
	for _, list := range a.acts {
		slices.SortFunc(list, func(a, b act) int {
			return cmp.Or(a.at.Compare(b.at), slices.CompareFunc(a.tickets, b.tickets, func(a, b place) int { return cmp.Compare(a.ticket, b.ticket) }))
		})
	}
	return a, nil
}

// behind lists the tickets of n weeks before the last few: of acts outside and
// within own hours, each act divided between its tickets, and of the acts that
// ended the shortest rest of a week. With times it is said whose and when, and all
// these rests are listed; without, only those that were too short.
func (a *actsOf) behind(members []overload.Member, span weeks, skip, n int, times bool) (off, within, rests []workTicket) {
	for _, m := range members {
		known := map[overload.Week]*overload.Acts{}
		for _, r := range m.Records {
			if ago := int(span.last() - r.Week); r.Acts != nil && ago >= skip && ago < skip+n {
				known[r.Week] = r.Acts
			}
		}
		who := ""
		if times {
			who = m.Engineer
		}
		outside, inside, ended := &tickets{who: who}, &tickets{who: who}, &tickets{who: who}
		add := func(to *tickets, one act, what string) {
			for _, p := range one.tickets {
				to.add(deed{ticket: p.ticket, source: p.source}, 1/float64(len(one.tickets)), what)
			}
		}
		for _, one := range a.acts[m.Engineer] {
			week := overload.WeekOf(one.at)
			if known[week] == nil {
				continue
			}
			switch one.place {
			case overload.OffHours:
				what := ""
				if times {
					what = a.clockTime(m.Engineer, one.at)
				}
				add(outside, one, what)
			case overload.InHours:
				add(inside, one, "")
			}
		}
		for _, week := range sortedKeys(known) {
			shortest := known[week].ShortestRest
			if shortest == 0 || !times && shortest >= a.least {
				continue
			}
			i := slices.IndexFunc(a.rests[m.Engineer], func(r overload.Rest) bool {
				return overload.WeekOf(r.Ended) == week && r.Length() == shortest
			})
			j := slices.IndexFunc(a.acts[m.Engineer], func(one act) bool {
				return i >= 0 && one.place != overload.OnCallShift && one.at.Equal(a.rests[m.Engineer][i].Ended)
			})
			if i < 0 || j < 0 {
				continue // what ended it lies in no record: a rest is of acts
			}
			what := ""
			if times {
				what = shortest.Round(time.Minute).String() + " until " + a.clockTime(m.Engineer, a.rests[m.Engineer][i].Ended)
			}
			add(ended, a.acts[m.Engineer][j], what)
		}
		off, within, rests = append(off, outside.sorted()...), append(within, inside.sorted()...), append(rests, ended.sorted()...)
	}
	return off, within, rests
}

// clockTime writes an instant by the clock where somebody was.
func (a *actsOf) clockTime(pseudonym string, at time.Time) string {
	if zone := a.w.crew.roster.Zone(a.w.crew.persons[pseudonym], at); zone != nil {
		at = at.In(zone)
	}
	return at.Format("Mon 2 Jan 15:04")
}
