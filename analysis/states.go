package analysis

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/analysis/distribution"
	"fairlead/analysis/overload"
)

// recentWeeks is what "lately" is for shares of work and of acts, and usualWeeks
// over how many weeks before these acts are usual; backlogWeeks is over how many
// weeks the unassigned tickets are followed.
const (
	recentWeeks  = 4
	usualWeeks   = 12
	backlogWeeks = 13
)

// squadsAt reads the weeks before an instant, and makes the teams of them.
func (e *Engine) squadsAt(ctx context.Context, w *world, span weeks) ([]squad, error) {
	squads, _, err := e.squadsAndActs(ctx, w, span)
	return squads, err
}

// squadsAndActs gives besides what people did, by pseudonym; nil without a roster.
func (e *Engine) squadsAndActs(ctx context.Context, w *world, span weeks) ([]squad, map[string][]overload.Act, error) {
	all, err := e.readWeekly(ctx, w, span)
	if err != nil {
		return nil, nil, err
	}
	if w.crew == nil {
		return queues(all, span), nil, nil
	}
	acts, err := e.readActs(ctx, w, span)
	if err != nil {
		return nil, nil, err
	}
	return e.squads(w, all, acts, span), acts, nil
}

// unmatched counts the accounts of the engineers met so far that match nobody in
// the roster, by source; without one, all of them. NoName is for those that no
// account describes any more.
func (w *world) unmatched() map[string]int {
	counts := map[string]int{}
	for surrogate, p := range w.engineers {
		for _, a := range p.Accounts {
			if a.Surrogate != surrogate || p.Bot {
				continue
			}
			if w.crew == nil {
				counts[cmp.Or(a.Source, NoName)]++
			} else if a.Source != "" {
				counts[a.Source] += 0
			}
		}
	}
	for _, u := range w.people.Unmatched(func(surrogate uint64) bool { return w.engineers[surrogate] != nil }) {
		counts[u.Source]++
	}
	return counts
}

// overloads assesses the members of the teams, and says of each who is there in
// the last week what is true of them.
func (e *Engine) overloads(squads []squad, span weeks) ([]EngineerOverload, error) {
	list := []EngineerOverload{}
	for _, c := range squads {
		if c.provisional && c.team == NoName {
			continue
		}
		assessed, err := e.config.Overload.Assess(c.members)
		if err != nil {
			return nil, fmt.Errorf("judging the load of a team: %w", err)
		}
		for i, a := range assessed {
			records := c.members[i].Records
			if records[len(records)-1].Week != span.last() {
				continue // not there any more
			}
			list = append(list, e.stateOf(c, c.members[i], a, span))
		}
	}
	return list, nil
}

func (e *Engine) stateOf(c squad, m overload.Member, a overload.Assessment, span weeks) EngineerOverload {
	o := EngineerOverload{Team: c.team, Pseudonym: m.Engineer, Name: c.names[m.Engineer], Week: span.last().Start(), Reasons: []string{}, Signals: []OverloadSignal{}}
	state, ok := a.At(span.last())
	o.Judged = ok
	if ok && state.Overloaded {
		o.Overloaded, o.Since, o.Evidence = true, state.Since.Start(), string(state.Evidence)
		for _, family := range overload.Families {
			one := overload.Reasons{Week: state.Reasons.Week}
			for _, why := range state.Reasons.Why {
				if why.Signal.Family() == family {
					one.Why = append(one.Why, why)
				}
			}
			if len(one.Why) > 0 {
				o.Reasons = append(o.Reasons, one.String())
			}
		}
	}
	for _, r := range a.Weeks[len(a.Weeks)-1].Readings {
		s := OverloadSignal{Name: string(r.Signal), Family: string(r.Signal.Family()), Threshold: r.Threshold, Holds: r.Holds(), Value: defined(r.Value), Level: defined(r.Level)}
		if r.Status != overload.Measured {
			s.Threshold = 0
		}
		o.Signals = append(o.Signals, s)
	}
	recent := recentOf([]overload.Member{m}, span)
	o.AfterHours, o.Unplanned = recent.afterHours(), recent.unplanned()
	for i, week := range a.Weeks {
		o.Weeks = append(o.Weeks, OverloadWeek{
			Week: week.Week.Start(), Load: m.Records[i].Load.Sum, Hot: week.Mark == overload.Hot, Overloaded: week.Overloaded,
		})
	}
	return o
}

// recent sums up what lies in the last weeks, and the acts of those before.
type recent struct {
	received, unplannedWork float64
	acts, off               uint64
	usualActs, usualOff     uint64
	restless                []overload.Acts
	knownWork, knownActs    bool

	// Of how many members each is known.
	workPeople, actPeople, usualPeople int
}

func recentOf(members []overload.Member, span weeks) recent {
	var sum recent
	for _, m := range members {
		var work, acts, usual int
		for _, r := range m.Records {
			ago := int(span.last() - r.Week)
			if ago < recentWeeks && r.Received != nil {
				sum.knownWork, work = true, 1
				sum.received += r.Received.All // whole numbers
				sum.unplannedWork += r.Received.Unplanned
			}
			if r.Acts == nil {
				continue
			}
			switch {
			case ago < recentWeeks:
				sum.knownActs, acts = true, 1
				sum.acts += r.Acts.N
				sum.off += r.Acts.Off
				sum.restless = append(sum.restless, *r.Acts)
			case ago < recentWeeks+usualWeeks:
				usual = 1
				sum.usualActs += r.Acts.N
				sum.usualOff += r.Acts.Off
			}
		}
		sum.workPeople, sum.actPeople, sum.usualPeople = sum.workPeople+work, sum.actPeople+acts, sum.usualPeople+usual
	}
	return sum
}

func (r recent) unplanned() *float64 {
	if !r.knownWork {
		return nil
	}
	return ratio(r.unplannedWork, r.received)
}

func (r recent) afterHours() *float64 {
	if !r.knownActs {
		return nil
	}
	return ratio(float64(r.off), float64(r.acts))
}

func ratio(part, whole float64) *float64 {
	if whole == 0 {
		return nil
	}
	return defined(part / whole)
}

// shortRests is in how many weeks of members a daily rest was shorter than the
// configured one; nil where acts are not known.
func (e *Engine) shortRests(r recent) *int {
	if !r.knownActs {
		return nil
	}
	n := 0
	for _, a := range r.restless {
		if a.ShortestRest > 0 && a.ShortestRest < e.config.Overload.Rest {
			n++
		}
	}
	return &n
}

// backlogs are the open tickets that nobody held, by team, at the ends of the
// last whole weeks and now.
func (e *Engine) backlogs(ctx context.Context, w *world, span weeks, to int64) (map[string]Backlog, error) {
	span = weeks{span.last() - backlogWeeks + 1, backlogWeeks}
	ats := append(span.starts()[1:], millis(span.to()), to)
	parameters := w.parameters(to)
	parameters["ats"] = numbersParameter(ats)
	teams := map[string]Backlog{}
	err := e.each(ctx, "backlog", backlogSQL(e.db.Table("tickets")), parameters, func(rows driver.Rows) error {
		var number uint32
		var source, key string
		var items uint64
		if err := rows.Scan(&number, &source, &key, &items); err != nil {
			return err
		}
		team := w.ownTeam(source, key, to-1)
		b := teams[team]
		if b.WeeksAgo == nil {
			b.WeeksAgo = make([]uint64, backlogWeeks)
		}
		if int(number) == len(ats) {
			b.Now += items
		} else {
			b.WeeksAgo[number-1] += items
		}
		teams[team] = b
		return nil
	})
	for team, b := range teams {
		teams[team] = b.judged()
	}
	return teams, err
}

// judged says whether a backlog grows: beyond chance from week to week, and by a
// quarter and by five tickets at least over what it usually was in the first half.
func (b Backlog) judged() Backlog {
	series := make([]float64, len(b.WeeksAgo))
	for i, n := range b.WeeksAgo {
		series[i] = float64(n)
	}
	t := distribution.TrendOf(series)
	b.Tau, b.P = 0, 1
	if distribution.Defined(t.TauB) {
		b.Tau, b.P = t.TauB, t.P
	}
	before := distribution.Median(series[:(len(series)+1)/2])
	b.Growing = b.Tau > 0 && b.P <= 0.05 && float64(b.Now) >= 1.25*before && float64(b.Now) >= before+5
	return b
}

// handovers are how often tickets went from hand to hand, ever, by team.
func (e *Engine) handovers(ctx context.Context, w *world, to int64) (map[string]uint64, error) {
	teams, err := e.oldHandovers(ctx, w, to)
	if err != nil {
		return nil, err
	}
	return teams, e.countHandovers(ctx, w, to, teams, "handovers", handoversSQL(e.db.Table("tickets"), addedUp), w.parameters(to))
}

// oldHandovers are those of tickets that were deleted for their age.
func (e *Engine) oldHandovers(ctx context.Context, w *world, to int64) (map[string]uint64, error) {
	teams := map[string]uint64{}
	return teams, e.countHandovers(ctx, w, to, teams, "old handovers",
		"SELECT source, `group`, sum(handovers) FROM "+e.db.Table("old_handovers")+" FINAL GROUP BY source, `group`", nil)
}

func (e *Engine) countHandovers(ctx context.Context, w *world, to int64, teams map[string]uint64, purpose, sql string, parameters map[string]string) error {
	return e.each(ctx, purpose, sql, parameters, func(rows driver.Rows) error {
		var source, key string
		var items uint64
		if err := rows.Scan(&source, &key, &items); err != nil {
			return err
		}
		teams[w.ownTeam(source, key, to-1)] += items
		return nil
	})
}

// teamStates puts together what is true of each team at as_of.
func (e *Engine) teamStates(s *Snapshot, w *world, squads []squad, span weeks, load []map[string]*tallies, backlogs map[string]Backlog, handovers map[string]uint64) []TeamState {
	states := map[string]*TeamState{}
	of := func(team string) *TeamState {
		if states[team] == nil {
			states[team] = &TeamState{Team: team, Provisional: w.crew == nil}
			if w.crew != nil {
				_, known := w.crew.roster.Team(team)
				states[team].Provisional = !known
			}
		}
		return states[team]
	}
	if w.crew != nil {
		for _, team := range w.crew.roster.Teams() {
			of(team.Name).People = len(w.crew.roster.MembersAt(team.Name, s.AsOf))
		}
	}
	for _, c := range squads {
		t := of(c.team)
		recent := recentOf(c.members, span)
		t.AfterHours, t.Unplanned, t.ShortRests = recent.afterHours(), recent.unplanned(), e.shortRests(recent)
		t.WorkPeople, t.ActPeople, t.UsualPeople = recent.workPeople, recent.actPeople, recent.usualPeople
		if recent.knownActs {
			t.AfterHoursUsual = ratio(float64(recent.usualOff), float64(recent.usualActs))
		}
	}
	for _, o := range s.Overload {
		t := of(o.Team)
		if t.Provisional {
			t.People++
		}
		if o.Judged {
			t.Judged++
		}
		if o.Overloaded {
			t.Overloaded++
		}
	}
	for _, open := range s.Open.Teams {
		of(open.Team).Unassigned = Backlog{Now: open.Unassigned, WeeksAgo: make([]uint64, backlogWeeks)}.judged()
	}
	for team, b := range backlogs {
		of(team).Unassigned = b
	}
	for team, n := range handovers {
		of(team).Handovers = n
	}
	for team, k := range e.knowledges(s.Areas) {
		of(team).Knowledge = k
	}
	for _, window := range load {
		for team, t := range window {
			of(team).Sources = append(of(team).Sources, t.sources...)
		}
	}
	list := make([]TeamState, 0, len(states))
	for _, team := range sortedKeys(states) {
		t := states[team]
		slices.Sort(t.Sources)
		t.Sources = slices.Compact(t.Sources)
		list = append(list, *t)
	}
	return list
}
