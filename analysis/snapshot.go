package analysis

import (
	"context"
	"fmt"
	"maps"
	"time"

	"golang.org/x/sync/errgroup"

	"fairlead/analysis/effort"
)

// Snapshot is all results for one as_of. Nothing in it changes once it is made,
// and whoever reads it is not to change it either.
type Snapshot struct {
	AsOf     time.Time     // the instant it is computed for
	Computed time.Time     // when it was made, by the engine's clock
	Took     time.Duration // how long that took

	EffortVersion string
	Windows       []Window

	// Rostered is whether teams are those of a roster; without one they are
	// queues. Unmatched is how many accounts that work on tickets match nobody
	// in it, by source; without one that is all of them.
	Rostered  bool
	Unmatched map[string]int

	Open     OpenLoad
	States   []TeamState        // by team
	Overload []EngineerOverload // by team and pseudonym
	Areas    []AreaOwnership    // by evidence, greatest first
	Findings []Finding          // what needs a conversation, the strongest of each kind

	// UnknownStatuses counts statuses that no rule maps to a category: they
	// count as open. AmbiguousAddresses counts e-mail addresses by which no
	// accounts were joined, as a source has them twice.
	UnknownStatuses    int
	AmbiguousAddresses int

	// Teams is what Distribution answers by team, for each of Windows, basis
	// and unit, greatest total first.
	Teams map[TeamsKey][]Group
}

// TeamsKey names one of a Snapshot's lists of teams.
type TeamsKey struct {
	Window Window
	Basis  Basis
	Unit   Unit
}

// Bases and Units list all of them, in the order in which they are published.
var (
	Bases = []Basis{Load, Assigned, Resolved}
	Units = []Unit{Tickets, Effort}
)

// Snapshot computes all results for an instant. Nothing at or after it is used.
func (e *Engine) Snapshot(ctx context.Context, asOf time.Time) (*Snapshot, error) {
	s, _, err := e.snapshot(ctx, asOf)
	if err != nil {
		return nil, err
	}
	s.drop(isFormer)
	return s, nil
}

// snapshot gives besides what the weeks before the instant were made of.
func (e *Engine) snapshot(ctx context.Context, asOf time.Time) (*Snapshot, []squad, error) {
	if err := (Query{AsOf: asOf, Basis: Load, Unit: Tickets, By: Team}).Validate(); err != nil {
		return nil, nil, err
	}
	began := e.now()
	s := &Snapshot{
		AsOf: asOf.UTC(), Windows: e.config.Windows,
		Teams: map[TeamsKey][]Group{},
	}
	w, err := e.world(ctx)
	if err != nil {
		return nil, nil, err
	}
	s.Rostered, s.EffortVersion = w.crew != nil, e.effortVersion(w)
	s.UnknownStatuses, s.AmbiguousAddresses = w.unknownStatuses, len(w.people.Ambiguous())
	to := millis(asOf)
	froms := make([]int64, len(e.config.Windows))
	for i, window := range e.config.Windows {
		from, _ := window.Bounds(asOf)
		froms[i] = millis(from)
	}

	// Efforts are needed to read the bases; what knowledge is needs none.
	var model effort.Model
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(e.config.Concurrency)
	group.Go(func() (err error) {
		model, err = e.model(groupCtx, w, to)
		return err
	})
	group.Go(func() (err error) {
		s.Areas, err = e.ownership(groupCtx, w.alone(), beginning, to)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}

	known := knowledgeOf(s.Areas)

	// The queries run side by side; what they share is only read. Engineers
	// are looked up in a world of their own.
	load := make([]map[string]*tallies, len(froms)) // in tickets, by team, of each window
	teams := make([]map[TeamsKey][]Group, len(Bases))
	span := e.followed(asOf)
	var squads []squad
	var backlogs map[string]Backlog
	var handovers map[string]uint64
	group, groupCtx = errgroup.WithContext(ctx)
	group.SetLimit(e.config.Concurrency)
	for i, basis := range Bases {
		group.Go(func() (err error) {
			own := w.alone()
			gathered := []*gathering{own.gathering(basis, Team, nil, len(froms)), own.gathering(basis, Team, &model, len(froms))}
			if err := e.units(groupCtx, own, basis, Team, froms, to, gathered...); err != nil {
				return err
			}
			teams[i] = map[TeamsKey][]Group{}
			for j, unit := range Units {
				for k, tallied := range gathered[j].finish() {
					window := e.config.Windows[k]
					from, to := window.Bounds(asOf)
					measured, err := own.measureAll(tallied, Team, from, to)
					if err != nil {
						return fmt.Errorf("measuring %s: %w", basis, err)
					}
					if err := e.judge(measured, window.String()); err != nil {
						return err
					}
					if basis == Load && unit == Tickets {
						if err := e.explain(own, measured, known, window.String()); err != nil {
							return err
						}
					}
					teams[i][TeamsKey{window, basis, unit}] = measured
					if basis == Load && unit == Tickets {
						load[k] = tallied
					}
				}
			}
			return nil
		})
	}
	group.Go(func() (err error) {
		s.Open, err = e.openLoad(groupCtx, w.alone(), &model, asOf, to)
		return err
	})
	group.Go(func() (err error) {
		own := w.alone()
		if squads, err = e.squadsAt(groupCtx, own, span); err == nil {
			s.Unmatched = own.unmatched()
		}
		return err
	})
	group.Go(func() (err error) {
		if backlogs, err = e.backlogs(groupCtx, w, span, to); err == nil {
			handovers, err = e.handovers(groupCtx, w, to)
		}
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	for _, t := range teams {
		maps.Copy(s.Teams, t)
	}
	for _, window := range e.config.Windows {
		from, to := window.Bounds(asOf)
		if err := trends(s.Teams[TeamsKey{window, Load, Tickets}], squads, from, to); err != nil {
			return nil, nil, err
		}
	}
	if s.Overload, err = e.overloads(squads, span); err != nil {
		return nil, nil, err
	}
	spare(s.Areas, s.Teams[TeamsKey{e.longestWindow(), Load, Tickets}])
	s.States = e.teamStates(s, w, squads, span, load, backlogs, handovers)
	s.Findings = e.findings(s, load)
	s.Computed = e.now()
	s.Took = s.Computed.Sub(began)
	e.log.DebugContext(ctx, "snapshot made", "as_of", s.AsOf, "took", s.Took, "areas", len(s.Areas), "findings", len(s.Findings))
	return s, squads, nil
}

// Findings is what a Snapshot of that instant finds.
func (e *Engine) Findings(ctx context.Context, asOf time.Time) ([]Finding, error) {
	s, err := e.Snapshot(ctx, asOf)
	if err != nil {
		return nil, err
	}
	return s.Findings, nil
}
