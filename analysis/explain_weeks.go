package analysis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/analysis/overload"
	"fairlead/analysis/people"
)

// explainedWeeks is for how many of the last whole weeks it is told what was open
// in somebody's hands.
const explainedWeeks = 13

// engineerWeeks tells of the weeks of somebody in each team: the state after the
// last, the shares of the last few, and the load of each.
func (t *telling) engineerWeeks(ctx context.Context, who people.Engineer) error {
	span := t.e.followed(t.q.AsOf)
	squads, did, err := t.e.squadsAndActs(ctx, t.w, span)
	if err != nil {
		return err
	}
	var of []membership
	for _, c := range squads {
		at := slices.IndexFunc(c.members, func(m overload.Member) bool { return m.Engineer == who.Pseudonym })
		if at < 0 || t.q.Team != "" && c.team != t.q.Team || c.provisional && c.team == NoName {
			continue
		}
		assessed, err := t.e.config.Overload.Assess(c.members)
		if err != nil {
			return fmt.Errorf("judging the load of a team: %w", err)
		}
		n := slices.IndexFunc(assessed, func(a overload.Assessment) bool { return a.Engineer == who.Pseudonym })
		weeks := assessed[n].Weeks
		if len(weeks) == 0 || weeks[len(weeks)-1].Week != span.last() {
			continue // not there any more
		}
		of = append(of, membership{c, c.members[at], weeks})
	}
	if len(of) == 0 {
		t.x.Notes = append(t.x.Notes, "Of the last weeks nothing is known: there is no whole week of theirs just before.")
		return nil
	}
	deeds, err := t.e.deeds(ctx, t.w, weeks{span.last() - explainedWeeks + 1, explainedWeeks}, who.Surrogates())
	if err != nil {
		return err
	}
	var acts *actsOf
	if t.w.crew != nil {
		if acts, err = t.e.actsOf(ctx, t.w, weeks{span.last() - recentWeeks + 1, recentWeeks}, span, did, []people.Engineer{who}); err != nil {
			return err
		}
	}
	for _, m := range of {
		last := m.states[len(m.states)-1]
		t.put(Where{Team: m.team}, t.e.stateFigure(m.team, m.states, span))
		for _, r := range last.Readings {
			if r.Status == overload.Measured {
				t.put(Where{Team: m.team}, t.e.signalFigure(m.team, last, r), t.e.levelFigure(m.team, last, r))
			}
		}
		t.put(Where{Team: m.team}, shareFigures([]overload.Member{m.member}, span, "their")...)
		t.put(Where{Team: m.team}, weeklyFigure(m.member, span))
		if err := t.engineerLists(ctx, m, span, deeds, acts); err != nil {
			return err
		}
	}
	return nil
}

// membership is somebody in a team, with the states of their weeks.
type membership struct {
	squad
	member overload.Member
	states []overload.State
}

// engineerLists lists the tickets behind the weeks of somebody in a team.
func (t *telling) engineerLists(ctx context.Context, m membership, span weeks, deeds []deedOf, acts *actsOf) error {
	in, flow := Where{Team: m.team}, t.e.config.Overload.FlowWeeks
	own := m.deeds(deeds, m.member)
	var shifts []interval
	if t.w.crew != nil {
		for _, s := range t.w.crew.roster.Shifts(t.w.crew.persons[m.member.Engineer], span.last().Start(), span.to()) {
			shifts = append(shifts, interval{millis(s.From), millis(s.To)})
		}
	}
	lists := map[string]*tickets{}
	for _, behind := range []string{listHeld, listWeeks, listUnplanned, listPlanned, listCame, listLeft, listCalled} {
		lists[behind] = &tickets{who: m.member.Engineer}
	}
	for _, r := range m.member.Records {
		ago := int(span.last() - r.Week)
		var held float64
		for _, d := range own[r.Week] {
			held += d.held
		}
		for _, d := range own[r.Week] {
			if held > 0 && ago < explainedWeeks {
				part := d.held / held * r.Load.Sum
				lists[listWeeks].add(d, part, dayOf(r.Week)+" "+decimal(part, 2))
				if ago == 0 {
					lists[listHeld].add(d, part, "")
				}
			}
			if r.Received != nil && ago < recentWeeks {
				lists[listUnplanned].add(d, float64(d.unplanned), dayOf(r.Week))
				lists[listPlanned].add(d, float64(d.came-d.unplanned), dayOf(r.Week))
			}
			if ago < flow {
				lists[listCame].add(d, float64(d.came), dayOf(r.Week))
				lists[listLeft].add(d, float64(d.left), dayOf(r.Week))
			}
			if r.OnCall != nil && ago == 0 {
				lists[listCalled].add(d, float64(d.calling(m.calling, shifts)), "")
			}
		}
	}
	last := span.last().Start().Format(time.DateOnly)
	for _, l := range []struct{ behind, title, unit string }{
		{listHeld, "what was open in their hands in the week of " + last, "of the week"},
		{listWeeks, fmt.Sprintf("what was open in their hands in the last %d weeks, and for which part of the week from each Monday", explainedWeeks), "weeks"},
		{listUnplanned, fmt.Sprintf("unplanned work that came to them in the last %d weeks", recentWeeks), "times"},
		{listPlanned, fmt.Sprintf("other work that came to them in the last %d weeks", recentWeeks), "times"},
		{listCame, "what came to them in " + counted(flow, "week"), "times"},
		{listLeft, "what left their hands or became done in " + counted(flow, "week"), "times"},
		{listCalled, "what called them while on call in the week of " + last, "times"},
	} {
		t.list(l.behind, in, l.title+" ("+in.Team+")", l.unit, lists[l.behind].sorted())
	}
	if acts == nil {
		return nil
	}
	off, within, rests := acts.behind([]overload.Member{m.member}, span, 0, recentWeeks, true)
	for _, l := range []struct {
		behind, title, unit string
		tickets             []workTicket
	}{
		{listOff, fmt.Sprintf("what they did outside own hours in the last %d weeks, on-call left out", recentWeeks), "acts", off},
		{listIn, fmt.Sprintf("what they did within own hours in the last %d weeks", recentWeeks), "acts", within},
		{listRest, fmt.Sprintf("what ended the shortest daily rest of each of the last %d weeks", recentWeeks), "of the rest", rests},
	} {
		t.list(l.behind, in, l.title+" ("+in.Team+")", l.unit, l.tickets)
	}
	return nil
}

// shareFigures are the shares of the last few weeks, of one person or of a team.
func shareFigures(members []overload.Member, span weeks, whose string) []ExplainedFigure {
	sum := recentOf(members, span)
	var list []ExplainedFigure
	if x := sum.unplanned(); x != nil {
		list = append(list, ExplainedFigure{
			Name: "unplanned", Value: x, Formula: fmt.Sprintf("unplanned / received, tickets that came into %s hands in the last %d whole weeks, each time anew", whose, recentWeeks),
			Inputs: []ExplainedInput{input("unplanned", sum.unplannedWork, "of the kinds that nobody plans, or marked so"), input("received", sum.received, "all that came")},
			Put:    fmt.Sprintf("%s / %s = %s", sig(sum.unplannedWork), sig(sum.received), sig(*x)),
		})
	}
	if x := sum.afterHours(); x != nil {
		list = append(list, ExplainedFigure{
			Name: "after_hours", Value: x, Formula: fmt.Sprintf("acts outside own hours / acts, of the last %d whole weeks; what was done on call is left out of both, and what was done to several tickets at once is one act", recentWeeks),
			Inputs: []ExplainedInput{input("outside", float64(sum.off), "acts outside own hours, in one's own time zone and calendar"), input("acts", float64(sum.acts), "all acts")},
			Put:    fmt.Sprintf("%d / %d = %s", sum.off, sum.acts, sig(*x)),
		})
	}
	return list
}

// weeklyFigure is the load of the weeks that are shown of somebody.
func weeklyFigure(m overload.Member, span weeks) ExplainedFigure {
	f := ExplainedFigure{Name: "weekly_load", Formula: "Σ over the tickets in their hands of the part of the week for which each was open there, times the part of their time that is the team's: the mean number of open tickets"}
	var told []string
	for _, r := range m.Records[max(0, len(m.Records)-explainedWeeks):] {
		if span.last()-r.Week >= explainedWeeks {
			continue
		}
		f.Inputs = append(f.Inputs, input(r.Week.Start().Format(time.DateOnly), r.Load.Sum, "open on average in the week from that Monday"))
		told = append(told, dayOf(r.Week)+": "+sig(r.Load.Sum))
		f.Value = defined(r.Load.Sum)
	}
	f.Put = "in the week of " + strings.Join(told, ", ")
	return f
}

// teamWeeks tells how the members of a team fared in the last weeks.
func (t *telling) teamWeeks(ctx context.Context) error {
	span := t.e.followed(t.q.AsOf)
	squads, did, err := t.e.squadsAndActs(ctx, t.w, span)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(squads, func(c squad) bool { return c.team == t.q.Team })
	if at < 0 {
		return nil
	}
	c := squads[at]
	states, err := t.e.overloads([]squad{c}, span)
	if err != nil {
		return err
	}
	t.put(Where{}, overloadedFigures(t.e.config.Overload, states)...)
	t.put(Where{}, shareFigures(c.members, span, "members'")...)
	sum := recentOf(c.members, span)
	if x := ratio(float64(sum.usualOff), float64(sum.usualActs)); x != nil && sum.knownActs {
		t.put(Where{}, ExplainedFigure{
			Name: "after_hours_usual", Value: x, Formula: fmt.Sprintf("acts outside own hours / acts, of the %d weeks before the last %d, on-call left out", usualWeeks, recentWeeks),
			Inputs: []ExplainedInput{input("outside", float64(sum.usualOff), "acts outside own hours"), input("acts", float64(sum.usualActs), "all acts")},
			Put:    fmt.Sprintf("%d / %d = %s", sum.usualOff, sum.usualActs, sig(*x)),
		})
	}
	if n := t.e.shortRests(sum); n != nil {
		short := float64(*n)
		t.put(Where{}, ExplainedFigure{
			Name: "short_rests", Value: &short, Formula: fmt.Sprintf("weeks of members, of the last %d, in which a daily rest was shorter than %s: each member and week once", recentWeeks, sig(t.e.config.Overload.Rest.Hours())+" h"),
			Inputs: []ExplainedInput{input("weeks", float64(len(sum.restless)), "of members whose hours are known, looked at"), input("rest", t.e.config.Overload.Rest.Hours(), "hours, configured")},
			Put:    fmt.Sprintf("of %s: %d", counted(len(sum.restless), "week of a member"), *n),
		})
	}
	return t.teamLists(ctx, c, span, did)
}

// overloadedFigures are of how many people enough is known, and how many of these
// are overloaded.
func overloadedFigures(c overload.Config, states []EngineerOverload) []ExplainedFigure {
	var overloaded, judged float64
	inputs, all := []ExplainedInput{}, []ExplainedInput{}
	for _, o := range states {
		if !o.Judged {
			continue
		}
		judged++
		all = append(all, input(o.Pseudonym, 1, "was there in the week of "+o.Week.Format(time.DateOnly)))
		if o.Overloaded {
			overloaded++
			inputs = append(inputs, input(o.Pseudonym, 1, "overloaded since the week of "+o.Since.Format(time.DateOnly)))
		}
	}
	return []ExplainedFigure{
		{
			Name: "judged_engineers", Value: &judged, Formula: "members of whose weeks enough is known to judge them", Inputs: all,
			Put: counted(int(judged), "member") + " of " + strconv.Itoa(len(states)),
		},
		{
			Name: "overloaded_engineers", Value: &overloaded, Inputs: inputs,
			Formula: fmt.Sprintf("how many are: on when signals of %d families hold (%d demand signals, where fewer families can be computed) in %d of the last %d weeks; off when none does at %s of the thresholds for %d weeks in a row",
				c.Families, c.DemandSignals, c.Hot, c.Window, sig(c.Release), c.Cool),
			Put: fmt.Sprintf("of %s: %d", counted(int(judged), "member"), int(overloaded)),
		},
	}
}

// teamLists lists the tickets behind the last weeks of a team. Of what tells when
// somebody worked it is not said who it was.
func (t *telling) teamLists(ctx context.Context, c squad, span weeks, did map[string][]overload.Act) error {
	deeds, err := t.e.deeds(ctx, t.w, weeks{span.last() - recentWeeks + 1, recentWeeks}, nil)
	if err != nil {
		return err
	}
	var held, unplanned, planned []workTicket
	for _, m := range c.members {
		own := c.deeds(deeds, m)
		h, u, p := &tickets{who: m.Engineer}, &tickets{who: m.Engineer}, &tickets{who: m.Engineer}
		for _, r := range m.Records {
			ago := int(span.last() - r.Week)
			var sum float64
			for _, d := range own[r.Week] {
				sum += d.held
			}
			for _, d := range own[r.Week] {
				if ago == 0 && sum > 0 {
					h.add(d, d.held/sum*r.Load.Sum, "")
				}
				if ago < recentWeeks && r.Received != nil {
					u.add(d, float64(d.unplanned), dayOf(r.Week))
					p.add(d, float64(d.came-d.unplanned), dayOf(r.Week))
				}
			}
		}
		held, unplanned, planned = append(held, h.sorted()...), append(unplanned, u.sorted()...), append(planned, p.sorted()...)
	}
	type list struct {
		behind, title, unit string
		tickets             []workTicket
	}
	lists := []list{
		{listHeld, "what was open in members' hands in the week of " + span.last().Start().Format(time.DateOnly), "of the week", held},
		{listUnplanned, fmt.Sprintf("unplanned work that came in the last %d weeks", recentWeeks), "times", unplanned},
		{listPlanned, fmt.Sprintf("other work that came in the last %d weeks", recentWeeks), "times", planned},
	}
	if t.w.crew != nil {
		var who []people.Engineer
		for _, m := range c.members {
			who = append(who, t.w.crew.engineer[t.w.crew.persons[m.Engineer]])
		}
		acts, err := t.e.actsOf(ctx, t.w, weeks{span.last() - recentWeeks - usualWeeks + 1, recentWeeks + usualWeeks}, span, did, who)
		if err != nil {
			return err
		}
		off, within, rests := acts.behind(c.members, span, 0, recentWeeks, false)
		usualOff, usualIn, _ := acts.behind(c.members, span, recentWeeks, usualWeeks, false)
		lists = append(lists,
			list{listOff, fmt.Sprintf("what members did outside own hours in the last %d weeks", recentWeeks), "acts", off},
			list{listIn, fmt.Sprintf("what members did within own hours in the last %d weeks", recentWeeks), "acts", within},
			list{listOffUsual, fmt.Sprintf("what members did outside own hours in the %d weeks before", usualWeeks), "acts", usualOff},
			list{listInUsual, fmt.Sprintf("what members did within own hours in the %d weeks before", usualWeeks), "acts", usualIn},
			list{listRest, "what ended a daily rest that was too short", "rests", rests})
	}
	for _, l := range lists {
		t.list(l.behind, Where{}, l.title, l.unit, l.tickets)
	}
	return nil
}

// deed is what one ticket meant for one person in one week.
type deed struct {
	ticket     uint64
	source     string
	held       float64 // milliseconds for which it was open in their hands
	came, left uint64
	unplanned  uint64
	unplanneds []int64 // when it came unplanned
	calls      []int64 // when it called whoever was on call, as the source marks it
}

// calling is how often a ticket called somebody during shifts: as its source marks
// it or, where it marks nothing, when it came unplanned.
func (d deed) calling(marks map[string]bool, shifts []interval) (n int) {
	times := d.unplanneds
	if marks[d.source] {
		times = d.calls
	}
	for _, at := range times {
		if slices.ContainsFunc(shifts, func(s interval) bool { return s.from <= at && at < s.to }) {
			n++
		}
	}
	return n
}

type interval struct{ from, to int64 }

// deedOf names the week and whose it was: of a person or, without a roster, of a
// person in a queue.
type deedOf struct {
	deed
	week overload.Week
	key  labourKey
}

// deeds are a member's, by week, each ticket once.
func (c squad) deeds(list []deedOf, m overload.Member) map[overload.Week][]deed {
	key := labourKey{pseudonym: m.Engineer}
	if c.provisional {
		key.team = c.team
	}
	byWeek := map[overload.Week]map[place]*deed{}
	for _, d := range list {
		if d.key != key {
			continue
		}
		if byWeek[d.week] == nil {
			byWeek[d.week] = map[place]*deed{}
		}
		at := place{d.ticket, d.source}
		one := byWeek[d.week][at]
		if one == nil {
			one = &deed{ticket: d.ticket, source: d.source}
			byWeek[d.week][at] = one
		}
		one.held += d.held // whole numbers
		one.came, one.left, one.unplanned = one.came+d.came, one.left+d.left, one.unplanned+d.unplanned
		one.unplanneds, one.calls = append(one.unplanneds, d.unplanneds...), append(one.calls, d.calls...)
	}
	weeks := map[overload.Week][]deed{}
	for week, all := range byWeek {
		for _, d := range all {
			weeks[week] = append(weeks[week], *d)
		}
		slices.SortFunc(weeks[week], func(a, b deed) int { return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.ticket, b.ticket)) })
	}
	return weeks
}

// deeds reads what labours are made of, ticket by ticket, of some accounts or, for
// none, of all.
func (e *Engine) deeds(ctx context.Context, w *world, span weeks, actors []uint64) ([]deedOf, error) {
	parameters := e.weeklyParameters(w, span)
	parameters["actors"] = surrogates(actors)
	var list []deedOf
	err := e.each(ctx, "weeks ticket by ticket", weeklySQL(e.db.Table("tickets"), oneByOne), parameters, func(rows driver.Rows) error {
		var d deedOf
		var week uint32
		var group, areas string
		var actor uint64
		var squares float64
		if err := rows.Scan(&week, &d.source, &group, &actor, &areas, &d.held, &squares, &d.came, &d.left, &d.unplanneds, &d.calls, &d.ticket); err != nil {
			return err
		}
		p := w.engineer(actor)
		if p.Bot {
			return nil
		}
		d.week, d.unplanned, d.key = span.first+overload.Week(week)-1, uint64(len(d.unplanneds)), labourKey{pseudonym: p.Pseudonym}
		if w.crew == nil {
			d.key.team = w.groupName(d.source, group)
		}
		list = append(list, d)
		return nil
	})
	return list, err
}

func surrogates(actors []uint64) string {
	text := make([]string, len(actors))
	for i, a := range actors {
		text[i] = strconv.FormatUint(a, 10)
	}
	return arrayParameter(text)
}

// tickets are those of one person in a list, each once.
type tickets struct {
	who string
	all map[place]*workTicket
}

type place struct {
	ticket uint64
	source string
}

// add adds what a ticket weighs, unless that is nothing.
func (t *tickets) add(d deed, weight float64, what string) {
	if weight == 0 {
		return
	}
	if t.all == nil {
		t.all = map[place]*workTicket{}
	}
	at := place{d.ticket, d.source}
	if t.all[at] == nil {
		t.all[at] = &workTicket{ticket: d.ticket, source: d.source, pseudonym: t.who}
	}
	one := t.all[at]
	one.weight += weight
	if what != "" && !strings.HasSuffix(one.what, what) {
		one.what += strings.Repeat(", ", min(1, len(one.what))) + what
	}
}

func (t *tickets) sorted() []workTicket {
	list := make([]workTicket, 0, len(t.all))
	for _, one := range t.all {
		list = append(list, *one)
	}
	slices.SortFunc(list, func(a, b workTicket) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.ticket, b.ticket))
	})
	return list
}

// dayOf writes the Monday of a week.
func dayOf(w overload.Week) string { return w.Start().Format("2 Jan") }
