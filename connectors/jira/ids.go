package jira

import (
	"context"
	"fmt"
	"iter"

	"fairlead/connectors/source"
)

// idsOnly is the most issues that one search gives when only ids are asked for
// (Cloud: 5,000, Issue search, maxResults; Data Center: jira.search.views.default.max,
// 1,000 as it ships).
var idsOnly = map[Flavour]int{Cloud: 5000, DataCenter: 1000}

var _ source.Lister = (*Source)(nil)

// IDs implements source.Lister. The order is that of the streams, by update: an
// issue that is edited meanwhile moves to what is still to come and comes again.
func (s *Source) IDs(ctx context.Context) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		if err := s.list(ctx, func(ids []string) bool { return yield(ids, nil) }); err != nil {
			yield(nil, fmt.Errorf("listing the issues of %s: %w", s.name, err))
		}
	}
}

func (s *Source) list(ctx context.Context, yield func([]string) bool) error {
	cal, err := s.calendar(ctx)
	if err != nil {
		return err
	}
	q := query{scope: s.scope, lower: beginning}
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
			return err
		}
		ids := make([]string, len(issues))
		for n := range issues {
			ids[n] = issues[n].ID
		}
		if len(ids) > 0 && !yield(ids) {
			return nil
		}
	}
	return nil
}
