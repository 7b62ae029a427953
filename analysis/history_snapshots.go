package analysis

import (
	"context"
	"fmt"
	"iter"
	"time"

	"golang.org/x/sync/errgroup"
)

// PastQuery asks for Snapshots at the instants From, From + Every, and so on,
// none of them after To.
type PastQuery struct {
	From, To time.Time
	Every    Every
	People   bool // single engineers in the groups too
}

// Snapshots computes what was true at many instants: of each, the parts of its
// Snapshot that are measured, in order of time. Teams and Open are of every
// instant; States and Overload of the first of each day (UTC). What takes most of
// the time and moves slowly is of the first instant and then of one a week:
// verdicts, p values and chance bands, Areas, and Knowledge in States. In between
// they are empty. Findings, and what skills and absence explain, are not in it.
// Computed is when the instant was, so that nothing in it is of today.
//
// Distributions come from one scan, see History; the others cost their queries.
// The error, if any, ends it.
func (e *Engine) Snapshots(ctx context.Context, q PastQuery) iter.Seq2[*Snapshot, error] {
	h := HistoryQuery{From: q.From, To: q.To, Every: q.Every, Open: true, People: q.People, Verdicts: true}
	for _, window := range e.config.Windows {
		for _, basis := range Bases {
			for _, unit := range Units {
				h.Series = append(h.Series, Series{window, basis, unit, Team})
			}
		}
	}
	return func(yield func(*Snapshot, error) bool) {
		w, err := e.world(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		past := pastStates{e: e, w: w}
		for p, err := range e.History(ctx, h) {
			if err != nil {
				yield(nil, err)
				return
			}
			s := &Snapshot{
				AsOf: p.AsOf, Computed: p.AsOf, Windows: e.config.Windows, Rostered: w.crew != nil,
				Open: *p.Open, UnknownStatuses: w.unknownStatuses, Teams: map[TeamsKey][]Group{},
			}
			for i, series := range h.Series {
				s.Teams[TeamsKey{series.Window, series.Basis, series.Unit}] = p.Groups[i]
			}
			if err := past.fill(ctx, s, p.Judged); err != nil {
				yield(nil, fmt.Errorf("computing the states of %s: %w", p.AsOf.Format(time.DateOnly), err))
				return
			}
			s.drop(isFormer)
			if !yield(s, nil) {
				return
			}
		}
	}
}

// pastStates goes from day to day. What is told by whole weeks is computed once
// for each.
type pastStates struct {
	e   *Engine
	w   *world
	day time.Time

	span      weeks
	squads    []squad
	overload  []EngineerOverload
	unmatched map[string]int

	load []map[string]*tallies // of the last instant with knowledge
}

// fill puts in what a Snapshot says of States and Overload, on the first instant
// of a day, and with knowledge also of Areas.
func (p *pastStates) fill(ctx context.Context, s *Snapshot, knowledge bool) error {
	day := s.AsOf.Truncate(24 * time.Hour)
	if day.Equal(p.day) && !knowledge {
		return nil
	}
	p.day = day
	e, to := p.e, millis(s.AsOf)
	span := e.followed(s.AsOf)
	var backlogs map[string]Backlog
	var handovers map[string]uint64
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(e.config.Concurrency)
	if knowledge {
		group.Go(func() (err error) {
			s.Areas, err = e.ownership(groupCtx, p.w.alone(), beginning, to)
			return err
		})
		group.Go(func() error { return p.sources(groupCtx, s.AsOf) })
	}
	group.Go(func() (err error) {
		if backlogs, err = e.backlogs(groupCtx, p.w, span, to); err == nil {
			handovers, err = e.handovers(groupCtx, p.w, to)
		}
		return err
	})
	if span != p.span {
		group.Go(func() error { return p.week(groupCtx, span) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	spare(s.Areas, s.Teams[TeamsKey{e.longestWindow(), Load, Tickets}])
	s.Overload, s.Unmatched = p.overload, p.unmatched
	s.States = e.teamStates(s, p.w, p.squads, span, p.load, backlogs, handovers)
	return nil
}

// sources finds out which sources a team's tickets came from in the windows.
// That is taken to hold for a week: it changes when a team moves house.
func (p *pastStates) sources(ctx context.Context, asOf time.Time) error {
	froms := make([]int64, len(p.e.config.Windows))
	for i, window := range p.e.config.Windows {
		from, _ := window.Bounds(asOf)
		froms[i] = millis(from)
	}
	own := p.w.alone()
	load := own.gathering(Load, Team, nil, len(froms))
	if err := p.e.units(ctx, own, Load, Team, froms, millis(asOf), load); err != nil {
		return err
	}
	p.load = load.finish()
	return nil
}

// week computes what holds until another whole week has passed.
func (p *pastStates) week(ctx context.Context, span weeks) (err error) {
	own := p.w.alone()
	if p.squads, err = p.e.squadsAt(ctx, own, span); err != nil {
		return err
	}
	p.unmatched = own.unmatched()
	if p.overload, err = p.e.overloads(p.squads, span); err != nil {
		return err
	}
	p.span = span
	return nil
}
