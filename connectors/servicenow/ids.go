package servicenow

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"fairlead/connectors/source"
)

var _ source.AgedLister = (*Source)(nil)

// listed is a ticket as a list of ids has it. Its creation time does not change
// with the ticket, so nothing moves while the list is read.
type listed struct {
	ID      text `json:"sys_id"`
	Created text `json:"sys_created_on"`
}

func (l listed) key() (at, id string) { return string(l.Created), string(l.ID) }

// IDs implements source.Lister: a page at a time, table after table. Rows
// that access rules withhold from the account are not among them; the stream
// that collects does not see those either.
func (s *Source) IDs(ctx context.Context) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for page, err := range s.ByAge(ctx, time.Time{}) {
			if !yield(page.IDs, err) {
				return
			}
		}
	}
}

// ByAge implements source.AgedLister. What is closed is what the streams take for
// closed.
func (s *Source) ByAge(ctx context.Context, since time.Time) iter.Seq2[source.Listed, error] {
	return func(yield func(source.Listed, error) bool) {
		list := func(old bool, conditions ...string) bool {
			for _, t := range s.tables {
				more, err := s.list(ctx, t, conditions, func(ids []string) bool { return yield(source.Listed{IDs: ids, Old: old}, nil) })
				if err != nil {
					yield(source.Listed{}, fmt.Errorf("listing the tickets of %s: %w", s.name, err))
				}
				if err != nil || !more {
					return false
				}
			}
			return true
		}
		switch {
		case since.IsZero():
			list(false)
		case list(true, closed, "sys_updated_on<"+formatTime(since)):
			list(false, "active=true^ORsys_updated_on>="+formatTime(since))
		}
	}
}

// list yields the ids of a table's rows under conditions, and says whether more are
// wanted.
func (s *Source) list(ctx context.Context, t Table, conditions []string, yield func([]string) bool) (more bool, err error) {
	w := &walk[listed]{
		c: s.client, table: t.Name, order: "sys_created_on", fields: []string{"sys_id", "sys_created_on"}, limit: s.cfg.PageSize,
		left: -1, name: "the ids",
		where: func(more ...string) string { return joined(t.Query, append(slices.Clone(conditions), more...)...) },
	}
	for {
		ans, err := w.next(ctx)
		if err != nil || len(ans.rows) == 0 {
			return err == nil, err
		}
		ids := make([]string, len(ans.rows))
		for i, row := range ans.rows {
			ids[i] = string(row.ID)
		}
		if !yield(ids) {
			return false, nil
		}
	}
}
