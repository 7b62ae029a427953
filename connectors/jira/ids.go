package jira

import (
	"context"
	"fmt"
	"iter"
	"time"

	"fairlead/connectors/source"
)

// idsOnly is the most issues that one search gives when only ids are asked for
// (Cloud: 5,000, Issue search, maxResults; Data Center: jira.search.views.default.max,
// 1,000 as it ships).
var idsOnly = map[Flavour]int{Cloud: 5000, DataCenter: 1000}

var _ source.AgedLister = (*Source)(nil)

// IDs implements source.Lister. The order is that of the streams, by update: an
// issue that is edited meanwhile moves to what is still to come and comes again.
func (s *Source) IDs(ctx context.Context) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		_, err := s.list(ctx, s.scope, func(ids []string) bool { return yield(ids, nil) })
		if err != nil {
			yield(nil, fmt.Errorf("listing the issues of %s: %w", s.name, err))
		}
	}
}

// ByAge implements source.AgedLister.
func (s *Source) ByAge(ctx context.Context, since time.Time) iter.Seq2[source.Listed, error] {
	return func(yield func(source.Listed, error) bool) {
		fail := func(err error) { yield(source.Listed{}, fmt.Errorf("listing the issues of %s: %w", s.name, err)) }
		scope := s.scope
		if !since.IsZero() {
			cal, err := s.calendar(ctx)
			if err != nil {
				fail(err)
				return
			}
			// The minute by which the streams part them too.
			minute := literal(cal.floor(since))
			more, err := s.list(ctx, and(scope, "statusCategory = Done", `updated < "`+minute+`"`), func(ids []string) bool {
				return yield(source.Listed{IDs: ids, Old: true}, nil)
			})
			if err != nil {
				fail(err)
				return
			}
			if !more {
				return
			}
			scope = and(scope, `(statusCategory != Done OR updated >= "`+minute+`")`)
		}
		if _, err := s.list(ctx, scope, func(ids []string) bool { return yield(source.Listed{IDs: ids}, nil) }); err != nil {
			fail(err)
		}
	}
}

// list yields the ids of the issues of a scope, and says whether more are wanted.
func (s *Source) list(ctx context.Context, scope string, yield func([]string) bool) (more bool, err error) {
	cal, err := s.calendar(ctx)
	if err != nil {
		return false, err
	}
	q := query{scope: scope, lower: beginning}
	var w walk
	if s.cfg.Flavour == DataCenter {
		// The walk by minutes needs the update time.
		minutes := newOffsetWalk(s.client, cal, q, []string{"updated"}, idsOnly[DataCenter])
		minutes.expand = nil
		w = minutes
	} else {
		w = newCloudWalk(s.client, cal, q, []string{"id"}, idsOnly[Cloud])
	}
	for done := false; !done; {
		var issues []wireIssue
		if issues, _, done, err = w.next(ctx); err != nil {
			return false, err
		}
		ids := make([]string, len(issues))
		for n := range issues {
			ids[n] = issues[n].ID
		}
		if len(ids) > 0 && !yield(ids) {
			return false, nil
		}
	}
	return true, nil
}
