package analysis

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"fairlead/connectors/clickhouse"
)

// Tickets are deleted when they are old, and trends over quarters reach further
// back. So the figures of groups in a quarter are stored before the first of its
// tickets goes, as the trends would have read them: computed once more from all
// that is known by then, bit for bit what a report made on that day reads. Of no
// group that may not be shown to others is anything stored: when the tickets are
// gone nothing is left by which it could be computed.

// KeptQuarter is a quarter whose figures were stored.
type KeptQuarter struct {
	Window  Window
	Method  string // version of the rules
	History string // hash of what they were made from
}

// past is what is known of the time that trends look back on.
type past struct {
	begin time.Time // when the first ticket was created that is, or was, known; zero without any
	// whole is from when on nothing is missing: closed tickets of the time before
	// were not collected, or are deleted. deleted is the part of that which is for
	// their age. Both are zero where there is no bound.
	whole, deleted time.Time
	stored         map[Window]clickhouse.StoredQuarter
}

func (e *Engine) past(ctx context.Context) (past, error) {
	p := past{stored: map[Window]clickhouse.StoredQuarter{}}
	var err error
	if p.begin, err = e.earliest(ctx); err != nil {
		return p, err
	}
	if p.deleted, err = e.db.Horizon(ctx); err != nil {
		return p, err
	}
	if p.whole, err = e.db.CollectedFrom(ctx); err != nil {
		return p, err
	}
	if p.deleted.After(p.whole) {
		p.whole = p.deleted
	}
	stored, err := e.db.Quarters(ctx)
	if err != nil {
		return p, err
	}
	for _, q := range stored {
		window, err := ParseWindow(q.Quarter)
		if err != nil || window.quarter == 0 {
			return p, fmt.Errorf("reading stored figures: %q is no quarter", q.Quarter)
		}
		p.stored[window] = q
		if p.begin.IsZero() || q.Begin.Before(p.begin) {
			p.begin = q.Begin
		}
	}
	return p, nil
}

// groupsOf is the open work of the teams in a quarter up to an instant, and of all
// people together.
func (e *Engine) groupsOf(ctx context.Context, w *world, window Window, asOf time.Time) ([]Group, Everybody, error) {
	from, to := window.Bounds(asOf)
	g := w.gathering(Load, Team, nil, 1)
	if err := e.units(ctx, w, Load, Team, []int64{millis(from)}, millis(to), g); err != nil {
		return nil, Everybody{}, err
	}
	groups, err := w.measureAll(g.finish()[0], Team, from, to)
	if err != nil {
		return nil, Everybody{}, err
	}
	all, err := everybody(groups)
	return groups, all, err
}

// shownOf decides which groups may be shown to others, of each by its place. sizes
// are of those that are smaller than the people with work in them.
func (e *Engine) shownOf(groups []Group, sizes map[string]int) []bool {
	crowds := make([]Crowd, len(groups))
	for i, g := range groups {
		crowds[i] = Crowd{Name: g.Name, People: map[string]bool{}, Size: sizes[g.Name]}
		for _, p := range g.Engineers {
			crowds[i].People[p.Pseudonym] = true
		}
	}
	shown := Publish(crowds, e.least)
	list := make([]bool, len(groups))
	for i, g := range groups {
		list[i] = shown[g.Name]
	}
	return list
}

// pointOf is a quarter of everybody.
func (a Everybody) pointOf(window Window, least int) QuarterPoint {
	p := QuarterPoint{Window: window, People: a.People, Total: a.Total, Shown: a.People >= least}
	if a.Gini != nil && a.Chance != nil {
		p.Gini, p.Excess = a.Gini, defined(*a.Gini-*a.Chance)
	}
	return p
}

// livePoints are the figures of a quarter whose tickets are there, "" being the
// name of everybody; in the order of groupsOf.
func (e *Engine) livePoints(ctx context.Context, w *world, window Window, asOf time.Time, sizes map[string]int) (QuarterPoint, []namedPoint, error) {
	groups, all, err := e.groupsOf(ctx, w, window, asOf)
	if err != nil {
		return QuarterPoint{}, nil, err
	}
	shown := e.shownOf(groups, sizes)
	points := make([]namedPoint, len(groups))
	for i, g := range groups {
		points[i] = namedPoint{g.Name, QuarterPoint{Window: window, People: g.People, Total: g.Total, Gini: g.Gini, Excess: g.GiniExcess, Shown: shown[i]}}
	}
	return all.pointOf(window, e.least), points, nil
}

type namedPoint struct {
	team  string
	point QuarterPoint
}

// storedPoints are the figures of a quarter as they were stored.
func storedPoints(window Window, stored clickhouse.StoredQuarter) (all QuarterPoint, teams []namedPoint) {
	all = QuarterPoint{Window: window, Stored: true}
	for _, g := range stored.Groups {
		p := QuarterPoint{Window: window, People: int(g.People), Total: g.Total, Gini: g.Gini, Excess: g.Excess, Shown: true, Stored: true}
		if g.Name == "" {
			all = p
		} else {
			teams = append(teams, namedPoint{g.Name, p})
		}
	}
	return all, teams
}

// ToKeep is a quarter whose figures KeepQuarters stores, or would store. Lost is
// that nothing is stored of it yet and some of its tickets are about to be deleted.
type ToKeep struct {
	Quarter string
	Lost    bool
}

// KeepQuarters stores the figures of the quarters that are over at an instant and
// of which none are stored yet; and anew those of quarters that began before the
// instant up to which tickets are about to be deleted. It looks back as far as
// trends do, and no further than all tickets are there: what is stored of a quarter
// that has lost some stays as it is. With dry it only says of which quarters there
// is nothing yet. What has to be collected of these quarters has to be there.
func (e *Engine) KeepQuarters(ctx context.Context, over, before time.Time, dry bool) ([]ToKeep, error) {
	p, err := e.past(ctx)
	if err != nil || p.begin.IsZero() {
		return nil, err
	}
	var list []ToKeep
	var w *world
	for window := QuarterOf(before).earlier(trendQuarters - 1); ; window = window.earlier(-1) {
		from, to := window.Bounds(over)
		if !to.Equal(from.AddDate(0, 3, 0)) {
			return list, nil
		}
		kept, known := p.stored[window]
		going := from.Before(before)
		if from.Before(p.whole) || !p.begin.Before(to) || known && !going {
			continue
		}
		if dry {
			if !known {
				list = append(list, ToKeep{Quarter: window.String(), Lost: going})
			}
			continue
		}
		if w == nil {
			if w, err = e.world(ctx); err != nil {
				return list, err
			}
		}
		made, err := e.figuresOf(ctx, w, window)
		if err != nil {
			return list, fmt.Errorf("making the figures of %s: %w", window, err)
		}
		made.Begin = p.begin
		if known && reflect.DeepEqual(made, kept) {
			continue
		}
		if err := e.db.SaveQuarter(ctx, made); err != nil {
			return list, err
		}
		list = append(list, ToKeep{Quarter: window.String(), Lost: going && !known})
	}
}

// figuresOf is what is stored of a quarter that is over.
func (e *Engine) figuresOf(ctx context.Context, w *world, window Window) (clickhouse.StoredQuarter, error) {
	from := window.begin()
	to := from.AddDate(0, 3, 0)
	made := clickhouse.StoredQuarter{Quarter: window.String(), Method: methodOf(e.config, "")}
	groups, all, err := e.groupsOf(ctx, w, window, to)
	if err != nil {
		return made, err
	}
	if err := e.judge(groups, window.String()); err != nil {
		return made, err
	}
	q := &Quarter{Window: window, From: from, To: to}
	if err := e.quality(ctx, q); err != nil {
		return made, err
	}
	made.Tickets, made.History, made.Roster = q.Data.Tickets, q.Data.History, q.Data.Roster
	if p := all.pointOf(window, e.least); p.Shown {
		provisional := !slices.ContainsFunc(groups, func(g Group) bool { return !g.Provisional })
		made.Groups = append(made.Groups, clickhouse.StoredGroup{
			People: uint32(all.People), Provisional: provisional, Capacity: all.Capacity, Total: all.Total,
			Gini: p.Gini, Chance: all.Chance, Excess: p.Excess, Theil: all.Theil,
		})
	}
	shown := e.shownOf(groups, nil)
	for i, g := range groups {
		if !shown[i] {
			continue
		}
		made.Groups = append(made.Groups, clickhouse.StoredGroup{
			Name: g.Name, People: uint32(g.People), Provisional: g.Provisional, Capacity: g.Capacity, Total: g.Total,
			Gini: g.Gini, GiniLow: g.GiniLow, GiniHigh: g.GiniHigh, Chance: g.GiniChance, ChanceLow: g.ChanceLow, ChanceHigh: g.ChanceHigh, Excess: g.GiniExcess,
			Hoover: g.Hoover, HooverChance: g.HooverChance, Theil: g.Theil, HHI: g.HHI, Effective: g.Effective,
			P: g.P, PAdjusted: g.PAdjusted, Verdict: string(g.Verdict),
		})
	}
	slices.SortFunc(made.Groups, func(a, b clickhouse.StoredGroup) int { return strings.Compare(a.Name, b.Name) })
	return made, nil
}
