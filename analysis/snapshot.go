package analysis

import (
	"context"
	"fmt"
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

	Open     OpenLoad
	Areas    []AreaOwnership // by evidence, greatest first
	Findings []Finding       // what needs a conversation, the strongest of each kind

	// UnknownStatuses counts statuses that no rule maps to a category: they
	// count as open. AmbiguousAddresses counts e-mail addresses by which no
	// accounts were joined, as a source has them twice.
	UnknownStatuses    int
	AmbiguousAddresses int

	groups map[GroupKey][]Group
}

// GroupKey names one list of groups of a Snapshot.
type GroupKey struct {
	By     By
	Window Window
	Basis  Basis
	Unit   Unit
}

// Groups is what Distribution answers for a key, for the Snapshot's windows, by
// team and by source; nil for any other.
func (s *Snapshot) Groups(k GroupKey) []Group { return s.groups[k] }

// snapshotBys are the groupings that a Snapshot holds.
var snapshotBys = []By{Team, Source}

// Bases and Units list all of them, in the order in which they are published.
var (
	Bases = []Basis{Load, Assigned, Resolved}
	Units = []Unit{Tickets, Effort}
)

// Snapshot computes all results for an instant. Nothing at or after it is used.
func (e *Engine) Snapshot(ctx context.Context, asOf time.Time) (*Snapshot, error) {
	if err := (Query{AsOf: asOf, Basis: Load, Unit: Tickets, By: Team}).Validate(); err != nil {
		return nil, err
	}
	began := e.now()
	s := &Snapshot{
		AsOf: asOf.UTC(), EffortVersion: effort.Version, Windows: e.config.Windows,
		groups: map[GroupKey][]Group{},
	}
	w, err := e.world(ctx)
	if err != nil {
		return nil, err
	}
	s.UnknownStatuses, s.AmbiguousAddresses = w.unknownStatuses, len(w.people.Ambiguous())
	to := millis(asOf)
	froms := make([]int64, len(e.config.Windows))
	for i, window := range e.config.Windows {
		from, _ := window.Bounds(asOf)
		froms[i] = millis(from)
	}

	type part struct {
		basis Basis
		by    By
		facts []fact
	}
	var list []part
	for _, basis := range Bases {
		for _, by := range snapshotBys {
			list = append(list, part{basis: basis, by: by})
		}
	}
	var model effort.Model
	var regular []map[string]*tallies // load by team, of each window

	// The queries run side by side; what they share is only read. Engineers
	// are looked up afterwards, or in a world of their own.
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(e.config.Concurrency)
	group.Go(func() (err error) {
		model, err = e.model(groupCtx, w, to)
		return err
	})
	group.Go(func() (err error) {
		own := w.alone()
		s.Areas, err = e.ownership(groupCtx, own, beginning, to)
		return err
	})
	for i := range list {
		group.Go(func() (err error) {
			list[i].facts, err = e.facts(groupCtx, w, list[i].basis, list[i].by, froms, to, true)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if s.Open, err = e.openLoad(ctx, w, &model, asOf, to); err != nil {
		return nil, err
	}
	for _, p := range list {
		for i, window := range e.config.Windows {
			inWindow := windowFacts(p.facts, i)
			for _, unit := range Units {
				fitted := &model
				if unit == Tickets {
					fitted = nil
				}
				tallied := w.gather(inWindow, p.basis, p.by, fitted)
				groups, err := measureAll(tallied, p.by)
				if err != nil {
					return nil, fmt.Errorf("measuring %s by %s: %w", p.basis, p.by, err)
				}
				s.groups[GroupKey{p.by, window, p.basis, unit}] = groups
				if p.basis == Load && p.by == Team && unit == Tickets {
					regular = append(regular, tallied)
				}
			}
		}
	}
	s.Findings = e.findings(s, regular)
	s.Computed = e.now()
	s.Took = s.Computed.Sub(began)
	return s, nil
}

// windowFacts is the part of sorted facts that is of one window.
func windowFacts(facts []fact, window int) []fact {
	begin := 0
	for begin < len(facts) && facts[begin].window < window {
		begin++
	}
	end := begin
	for end < len(facts) && facts[end].window == window {
		end++
	}
	return facts[begin:end]
}

// Findings is what a Snapshot of that instant finds.
func (e *Engine) Findings(ctx context.Context, asOf time.Time) ([]Finding, error) {
	s, err := e.Snapshot(ctx, asOf)
	if err != nil {
		return nil, err
	}
	return s.Findings, nil
}
